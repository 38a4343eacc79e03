"""From native pixels to the 8-bit RGB that people see and networks get."""

from __future__ import annotations

import numpy as np

WINDOW = (0.1, 99.9)  # percentiles of an image that become black and white
_TONES = 65536
_SAMPLES = 1_000_000  # enough for stable percentiles, and quick on any image size


def to_rgb8(pixels: np.ndarray) -> np.ndarray:
    """(H, W) or (H, W, C) of any number type to (H, W, 3) uint8, contiguous.

    8-bit values stay as they are. Others are stretched between two percentiles: three channels together, so
    that colours keep their balance; other numbers of channels each alone, since bands differ in scale.
    """
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    channels = pixels.shape[2]
    if channels == 2:
        pixels = pixels[..., [0, 1, 0]]  # two stains: magenta and green
    elif channels > 3:
        pixels = pixels[..., :3]
    if pixels.dtype != np.uint8:
        pixels = _stretch(pixels, together=channels == 3)
    if pixels.shape[2] == 1:
        pixels = np.repeat(pixels, 3, axis=2)
    return np.ascontiguousarray(pixels)


def stretched_bands(pixels: np.ndarray) -> np.ndarray:
    """(H, W, C) to uint8, each band between its own percentiles; 8-bit values stay as they are."""
    return pixels if pixels.dtype == np.uint8 else _stretch(pixels, together=False)


def _stretch(pixels: np.ndarray, *, together: bool) -> np.ndarray:
    """(H, W, C) to uint8 between percentiles."""
    if together:
        return _stretch_band(pixels)
    return np.stack([_stretch_band(pixels[..., band]) for band in range(pixels.shape[2])], axis=2)


def _stretch_band(values: np.ndarray) -> np.ndarray:
    low, high = window_of(values)
    if high <= low:
        return np.zeros(values.shape, np.uint8)
    return scaled_to_8bit(values, low, high)


def scaled_to_8bit(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Values of any shape as uint8, from ``low`` as 0 to ``high`` as 255."""
    if high <= low:
        return np.zeros(values.shape, np.uint8)
    if values.dtype == np.uint16 and values.size > _TONES:  # each tone once: ten times faster, and the same
        return _scaled(np.arange(_TONES, dtype=np.uint16), low, high).take(values)
    return _scaled(values, low, high)


def _scaled(values: np.ndarray, low: float, high: float) -> np.ndarray:
    scaled = values.astype(np.float32, copy=True)
    scaled -= low
    scaled *= 255 / (high - low)
    np.nan_to_num(scaled, copy=False, nan=0.0, posinf=255.0, neginf=0.0)
    np.clip(scaled, 0, 255, out=scaled)
    scaled += 0.5
    return scaled.astype(np.uint8)


def window_of(values: np.ndarray) -> tuple[float, float]:
    """The values that become 0 and 255, from an evenly spread sample of the finite ones."""
    step = max(1, int((values.size / _SAMPLES) ** 0.5))
    sample = values[::step, ::step].ravel()
    if sample.dtype.kind == "f":
        sample = sample[np.isfinite(sample)]
        if sample.size == 0:
            return 0.0, 0.0
    low, high = np.percentile(sample.astype(np.float64), WINDOW)
    if high <= low:  # hardly anything differs: then the extremes are what there is to see
        low, high = float(sample.min()), float(sample.max())
    return float(low), float(high)


def shrunk_size(width: int, height: int, longest: int) -> tuple[int, int]:
    """Width and height scaled so that the longer is at most ``longest``; never enlarged, never below 1."""
    scale = min(1.0, longest / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def shrink(rgb: np.ndarray, longest: int) -> np.ndarray:
    """(H, W, 3) uint8 averaged over areas so that the longer side is at most ``longest`` pixels."""
    from PIL import Image

    size = shrunk_size(rgb.shape[1], rgb.shape[0], longest)
    if size == (rgb.shape[1], rgb.shape[0]):
        return rgb
    return np.array(Image.fromarray(rgb).resize(size, Image.Resampling.BOX))
