"""Reading the first image of a TIFF: any depth, planar, tiled, many channels, channels as pages of their own."""

from __future__ import annotations

import functools
import logging
import math
from dataclasses import dataclass
from types import ModuleType
from typing import Any, BinaryIO

import numpy as np

from sslstudio.images.pillow_files import turn_upright

MOST_CHANNELS = 16  # more than that are slices or frames
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
    """The TiffFile of an open file; raises whatever tifffile raises."""
    file.seek(0)
    return _tifffile().TiffFile(file)


def first_page(tiff: Any) -> Any:
    """The first page; raises NotForUs for colour spaces that tifffile leaves raw."""
    page = tiff.pages[0]
    if page.imagedepth != 1 or len(page.shape) not in (2, 3):
        raise NotForUs
    name = getattr(page.photometric, "name", "")
    if name in ("CIELAB", "ICCLAB", "ITULAB") or page.dtype is None:
        raise NotForUs
    if name == "YCBCR" and page.compression.name not in ("JPEG", "JPEG2000", "WEBP"):
        raise NotForUs
    return page


@dataclass(frozen=True)
class Layers:
    """An image whose channels lie in several pages, (C pages of H x W) or, row by row, (H pages of W x C)."""

    pages: tuple[Any, ...]
    by_row: bool = False

    def shape(self) -> tuple[int, int, int]:
        """Height, width, channels."""
        rows, columns = self.pages[0].shape
        return (len(self.pages), rows, columns) if self.by_row else (rows, columns, len(self.pages))


def layers_of(tiff: Any, page: Any) -> Layers | None:
    """The first image's channels where each has a page, as OME, ImageJ and NumPy users write them; else None."""
    if len(tiff.pages) < 2 or len(page.shape) != 2 or page.photometric.name == "PALETTE":
        return None
    series = tiff.series[0]
    axes, shape, pages = series.axes, series.shape, list(series.pages)
    if tiff.is_shaped and len(shape) == 3 and page.shape[1] <= MOST_CHANNELS < min(len(pages), page.shape[0]):
        # An array (H, W, C) that was written as it was: H pages of W x C.
        return _layers(pages, by_row=True)
    if "C" not in axes or not axes.endswith("YX") or len(pages) != math.prod(shape[:-2]):
        return None
    place = axes.index("C")
    count, step = shape[place], math.prod(shape[place + 1 : -2])
    return _layers(pages[: count * step : step]) if 1 < count <= MOST_CHANNELS else None


def _layers(pages: list[Any], *, by_row: bool = False) -> Layers | None:
    first = pages[0]
    alike = all(p is not None and p.shape == first.shape and p.dtype == first.dtype for p in pages)
    return Layers(tuple(pages), by_row) if alike else None


def read_layers(layers: Layers) -> np.ndarray:
    """(H, W, C) uint8, uint16 or float32."""
    parts = [page.asarray(maxworkers=1) for page in layers.pages]
    return plain_type(np.stack(parts, axis=0 if layers.by_row else -1))


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
    return plain_dtype(page.dtype)


def plain_dtype(dtype: np.dtype) -> str:
    """uint8 and uint16 stay, bool becomes uint8, everything else float32."""
    if dtype == np.bool_:
        return "uint8"
    return dtype.name if dtype in (np.uint8, np.uint16) else "float32"


def plain_type(pixels: np.ndarray) -> np.ndarray:
    """The same values in native byte order as uint8, uint16 or float32."""
    if pixels.dtype == np.bool_:
        return pixels.astype(np.uint8) * np.uint8(255)
    if pixels.dtype.kind == "c":
        pixels = np.abs(pixels)
    return pixels.astype(plain_dtype(pixels.dtype), copy=False)


def ends_early(page: Any, size: int) -> bool:
    """Whether pixel data is said to lie behind the end of the file (``size`` bytes)."""
    return any(
        count and offset + count > size for offset, count in zip(page.dataoffsets, page.databytecounts, strict=False)
    )


def read_page(page: Any) -> np.ndarray:
    """(H, W, C) uint8, uint16 or float32, upright; palette and CMYK as RGB, alpha dropped."""
    pixels = page.asarray(maxworkers=1)
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    elif page.axes.startswith("S"):
        pixels = np.moveaxis(pixels, 0, -1)
    pixels = in_colours(page, pixels)
    return turn_upright(plain_type(pixels), turn_of(page))


def _alphas(page: Any) -> int:
    extra = page.extrasamples or ()
    return sum(int(kind) in _ALPHA for kind in extra)


def in_colours(page: Any, pixels: np.ndarray) -> np.ndarray:
    """Resolve palette, ink and inverted grey; widen values of less than 8 bits."""
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
    return pixels[..., : pixels.shape[2] - alphas] if 0 < alphas < pixels.shape[2] else pixels


def _from_cmyk(inks: np.ndarray) -> np.ndarray:
    """(H, W, 4 or more) ink amounts to (H, W, 3); the plain formula, since profiles are rarely there."""
    if inks.shape[2] < 4 or inks.dtype.kind != "u":
        raise NotForUs
    full = np.iinfo(inks.dtype).max
    paper = (full - inks[..., :4]).astype(np.float32)
    return np.rint(paper[..., :3] * paper[..., 3:] / full).astype(inks.dtype)
