"""Reading through Pillow: JPEG, PNG, WebP, BMP, GIF, AVIF, JPEG 2000, PNM, and TIFF that tifffile refuses."""

from __future__ import annotations

import functools
import logging
import warnings
from types import ModuleType
from typing import Any, BinaryIO

import numpy as np

_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "DIB", "GIF", "AVIF", "JPEG2000", "PPM", "TIFF")
_TRANSPOSED = (5, 6, 7, 8)  # EXIF orientations that swap width and height
_TARGETS = {"1": "L", "LA": "L", "La": "L"}  # everything else that is not native becomes RGB
_NATIVE = ("L", "RGB", "F", "I")


@functools.cache
def _pillow() -> ModuleType:
    """Pillow's Image module, its own pixel limit and its chatter switched off (we check and explain)."""
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None
    warnings.filterwarnings("ignore", module=r"PIL\b")
    logging.getLogger("PIL").setLevel(logging.CRITICAL + 1)
    return Image


def open_image(file: BinaryIO) -> Any:
    """The Pillow image of an open file, its header parsed; raises whatever Pillow raises."""
    file.seek(0)
    return _pillow().open(file, formats=_FORMATS)


def orientation(exif: bytes | None) -> int:
    """The EXIF orientation, 1 to 8; 1 where there is none or it makes no sense."""
    if not exif:
        return 1
    parsed = _pillow().Exif()
    try:
        parsed.load(exif)
        value = int(parsed.get(0x0112, 1))
    except Exception:  # noqa: BLE001 - broken metadata never costs the picture
        return 1
    return value if 1 <= value <= 8 else 1


def oriented_size(width: int, height: int, turn: int) -> tuple[int, int]:
    """Width and height as they are seen."""
    return (height, width) if turn in _TRANSPOSED else (width, height)


def turn_upright(pixels: np.ndarray, turn: int) -> np.ndarray:
    """(H, W, ...) turned and mirrored as the EXIF orientation ``turn`` asks."""
    if turn in _TRANSPOSED:
        pixels = pixels.swapaxes(0, 1)
    if turn in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if turn in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


def native_type(image: Any) -> tuple[int, str]:
    """Channels and dtype that ``to_array`` will give for this image."""
    mode = image.mode
    if mode.startswith("I;16") or (mode == "I" and image.format == "PPM"):
        return 1, "uint16"
    if mode in ("I", "F"):
        return 1, "float32"
    return (1, "uint8") if mode == "L" or mode in _TARGETS else (3, "uint8")


def to_array(image: Any) -> np.ndarray:
    """(H, W, C) uint8, uint16 or float32; palettes and CMYK become RGB, alpha is dropped."""
    dtype = native_type(image)[1]
    image.load()
    if image.mode == "LAB":
        image = _from_lab(image)
    elif image.mode not in _NATIVE and not image.mode.startswith("I;16"):
        image = image.convert(_TARGETS.get(image.mode, "RGB"))
    pixels = np.array(image)
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    return pixels.astype(dtype, copy=False)


def _from_lab(image: Any) -> Any:
    from PIL import ImageCms

    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB")
