"""Any number of channels as 8 bit: what networks get; with three channels it is what people see."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from sslstudio.images.display import shrunk_size, stretched_bands
from sslstudio.images.errors import wrong_channels
from sslstudio.images.huge_reading import small_copy
from sslstudio.images.reader import read_pixels, read_rgb8, to_rgb8

__all__ = ["read_bands8", "resized", "with_axis", "wrong_channels"]

_LUMA = (0.299, 0.587, 0.114)
_AT_ONCE = 4  # channels that OpenCV averages over areas together


def read_bands8(path: Path, channels: int, *, longest: int | None = None) -> np.ndarray:
    """(H, W, channels) uint8, contiguous; ``longest`` shrinks to that many pixels at most.

    Three channels are ``read_rgb8``. Otherwise 8-bit values stay as they are, and each band of other depths is
    stretched by its own percentiles. One channel is also taken from colours. Raises UnreadableImage for an image
    with another number of channels, since nobody can tell which band is missing.
    """
    path = Path(path)
    if channels == 3:
        return read_rgb8(path, longest=longest)
    small = None if longest is None else small_copy(path, longest)
    pixels = read_pixels(path) if small is None else small
    if pixels.shape[2] == channels:
        bands = stretched_bands(pixels)
    elif channels == 1 and pixels.shape[2] == 3:
        bands = np.rint(to_rgb8(pixels) @ np.array(_LUMA, np.float32)).astype(np.uint8)[..., None]
    else:
        raise wrong_channels(path, pixels.shape[2], channels)
    if longest is not None and max(bands.shape[:2]) > longest:
        bands = resized(bands, shrunk_size(bands.shape[1], bands.shape[0], longest), cv2.INTER_AREA)
    return np.ascontiguousarray(bands)


def resized(pixels: np.ndarray, size: tuple[int, int], interpolation: int) -> np.ndarray:
    """(H, W, C) uint8 as (height, width, C) for the ``size`` (width, height), with any number of channels."""
    channels = pixels.shape[2]
    if interpolation != cv2.INTER_AREA or channels <= _AT_ONCE:
        return with_axis(cv2.resize(pixels, size, interpolation=interpolation))
    out = np.empty((size[1], size[0], channels), pixels.dtype)
    for first in range(0, channels, _AT_ONCE):
        part = np.ascontiguousarray(pixels[..., first : first + _AT_ONCE])
        out[..., first : first + _AT_ONCE] = with_axis(cv2.resize(part, size, interpolation=interpolation))
    return out


def with_axis(pixels: np.ndarray) -> np.ndarray:
    """(H, W, C), where OpenCV may have dropped the axis of a single channel."""
    return pixels if pixels.ndim == 3 else pixels[..., None]
