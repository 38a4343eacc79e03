"""Reading one page of a TIFF: any depth, planar, tiled, many channels."""

from __future__ import annotations

import functools
import logging
import math
from types import ModuleType
from typing import Any, BinaryIO

import numpy as np

from sslstudio.images.pillow_files import turn_upright

MOST_CHANNELS = 16  # more than that are slices or frames
_NODATA = 42113  # GDAL's tag for it
_MOST_16 = 65535
_ALPHA = (1, 2)  # values of the tag ExtraSamples


class NotForUs(Exception):
    """A TIFF of a kind that the other reader may know."""


@functools.cache
def _tifffile() -> ModuleType:
    """The tifffile module, kept from writing to standard error about every odd tag."""
    import tifffile

    logging.getLogger("tifffile").setLevel(logging.CRITICAL + 1)
    return tifffile


def open_tiff(file: BinaryIO) -> Any:
    """The TiffFile of an open file; raises whatever tifffile raises.

    Other files that its metadata names are left alone: each is an image of its own.
    """
    file.seek(0)
    return _tifffile().TiffFile(file, _multifile=False)


def first_page(tiff: Any) -> Any:
    """The first page; raises NotForUs for colour spaces that tifffile leaves raw, and what it cannot unpack."""
    page = tiff.pages[0]
    if _is_unknown(page.compression):
        raise NotForUs(str(page.compression))
    if page.imagedepth != 1 or len(page.shape) not in (2, 3):
        raise NotForUs
    name = getattr(page.photometric, "name", "")
    if name in ("CIELAB", "ICCLAB", "ITULAB") or page.dtype is None:
        raise NotForUs(name)
    if name == "YCBCR" and page.compression.name not in ("JPEG", "JPEG2000", "WEBP"):
        raise NotForUs(name)
    return page


def _is_unknown(compression: int) -> bool:
    return compression != 1 and compression not in _tifffile().TIFF.DECOMPRESSORS


def unknown_compression(file: BinaryIO) -> str:
    """What an open file is compressed with, where tifffile cannot unpack it; else an empty string."""
    try:
        with open_tiff(file) as tiff:
            kind = tiff.pages[0].compression
            return str(getattr(kind, "name", kind)) if _is_unknown(kind) else ""
    except Exception:  # noqa: BLE001 - then it is not the compression that is wrong
        return ""


def turn_of(page: Any) -> int:
    """The orientation tag, 1 to 8."""
    tag = page.tags.get(274)
    value = tag.value if tag is not None else 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def channels_of(page: Any) -> int:
    """Channels that ``read_page`` will give."""
    name = getattr(page.photometric, "name", "")
    if name in ("PALETTE", "SEPARATED"):
        return 3
    return max(1, page.samplesperpixel - _alphas(page))


def dtype_of(page: Any) -> str:
    """The dtype that ``read_page`` will give."""
    if getattr(page.photometric, "name", "") == "PALETTE":
        return "uint8"
    return "float32" if _nothing_of(page) is not None else plain_dtype(page.dtype)


def plain_dtype(dtype: np.dtype) -> str:
    """uint8 and uint16 stay, bool becomes uint8, everything else float32."""
    dtype = dtype.newbyteorder("=")
    if dtype == np.bool_:
        return "uint8"
    return dtype.name if dtype in (np.uint8, np.uint16) else "float32"


def plain_type(pixels: np.ndarray) -> np.ndarray:
    """The same values in native byte order as uint8, uint16 or float32."""
    if pixels.dtype == np.bool_:
        return pixels.astype(np.uint8) * np.uint8(255)
    if pixels.dtype.kind == "c":
        pixels = np.abs(pixels)
    with np.errstate(over="ignore"):  # beyond float32 is infinite
        return pixels.astype(plain_dtype(pixels.dtype), copy=False)


def ends_early(page: Any, size: int) -> bool:
    """Whether pixel data is said to lie behind the end of the file (``size`` bytes)."""
    return any(
        count and offset + count > size for offset, count in zip(page.dataoffsets, page.databytecounts, strict=False)
    )


def read_page(page: Any) -> np.ndarray:
    """(H, W, C) uint8, uint16 or float32, upright; palette and CMYK as RGB, alpha dropped."""
    pixels, page = page.asarray(maxworkers=1), page.keyframe  # later pages may be shortened to where their pixels lie
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    elif page.axes.startswith("S"):
        pixels = np.moveaxis(pixels, 0, -1)
    return turn_upright(plain_type(in_colours(page, pixels)), turn_of(page))


def _alphas(page: Any) -> int:
    extra = page.extrasamples or ()
    return sum(int(kind) in _ALPHA for kind in extra)


def _nothing_of(page: Any) -> float | None:
    """The number that stands where a GeoTIFF holds nothing, where it would spoil the contrast of all others.

    Of 8 bits all values are shown as they are, and 0 is the darkest of 16 bits anyway: there it is none.
    """
    tag = page.tags.get(_NODATA)
    if tag is None or page.dtype is None or page.dtype.kind not in "iuf" or page.dtype.itemsize == 1:
        return None
    try:
        value = float(str(tag.value).strip(" \0"))
    except ValueError:
        return None
    if math.isnan(value) or (page.dtype == np.uint16 and not 0 < value <= _MOST_16):
        return None
    return value


def without_nothing(page: Any, pixels: np.ndarray) -> np.ndarray:
    """The same, as float32 that is no number where the file says that it holds nothing."""
    value = _nothing_of(page)
    if value is None:
        return pixels
    with np.errstate(over="ignore"):  # -1.8e308, which some write for float32 too
        same = pixels == (np.asarray(value).astype(pixels.dtype) if pixels.dtype.kind == "f" else value)
    pixels = plain_type(pixels).astype(np.float32)
    pixels[same] = np.nan
    return pixels


def in_colours(page: Any, pixels: np.ndarray) -> np.ndarray:
    """Resolve palette, ink and inverted grey; widen values of less than 8 bits; what is nothing is no number."""
    name = getattr(page.photometric, "name", "")
    if name == "PALETTE":
        table = np.asarray(page.colormap).T
        return (table >> 8).astype(np.uint8)[np.minimum(pixels[..., 0], len(table) - 1)]
    if pixels.dtype == np.uint8 and 1 <= page.bitspersample < 8:
        pixels = (pixels.astype(np.uint16) * 255 // (2**page.bitspersample - 1)).astype(np.uint8)
    if name == "SEPARATED":
        return _from_cmyk(pixels)
    if name == "MINISWHITE" and (pixels.dtype == np.bool_ or pixels.dtype.kind == "u"):
        pixels = ~pixels
    alphas = _alphas(page)
    return without_nothing(page, pixels[..., : pixels.shape[2] - alphas] if 0 < alphas < pixels.shape[2] else pixels)


def _from_cmyk(inks: np.ndarray) -> np.ndarray:
    """(H, W, 4 or more) ink amounts to (H, W, 3); the plain formula, since profiles are rarely there."""
    if inks.shape[2] < 4 or inks.dtype.kind != "u":
        raise NotForUs
    full = np.iinfo(inks.dtype).max
    paper = (full - inks[..., :4]).astype(np.float32)
    return np.rint(paper[..., :3] * paper[..., 3:] / full).astype(inks.dtype)
