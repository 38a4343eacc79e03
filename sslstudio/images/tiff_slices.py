"""What the pages of a TIFF are: slices of a stack, channels of one image, rows of an array, or levels of a pyramid."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sslstudio.images.tiff_files import MOST_CHANNELS, channels_of, dtype_of, ends_early, plain_dtype, plain_type
from sslstudio.images.tiff_files import read_page as _read_page

# Kinds whose metadata tells what each page is; in all others equal pages are slices.
_TOLD = ("ome", "imagej", "shaped", "lsm", "stk", "svs", "ndpi", "scn", "qpi", "bif", "mmstack", "fluoview", "avs")


@dataclass(frozen=True)
class Slices:
    """The slices of an open TIFF. ``places`` is (slices, channels): the pages that make up each.

    ``by_row``: all pages together are one array, each page a row of it. ``array`` stands in for pages where the
    pixels of all lie in one piece behind the first.
    """

    pages: Sequence[Any]
    places: np.ndarray
    by_row: bool = False
    array: np.ndarray | None = None

    @property
    def count(self) -> int:
        """How many slices there are."""
        return len(self.places)

    def channels(self) -> int:
        """How many channels each has."""
        if self.by_row:
            return int(self.pages[0].shape[1])
        return self.places.shape[1] if self.places.shape[1] > 1 else channels_of(self.pages[0])

    def size(self) -> tuple[int, int]:
        """Height and width, as they lie in the file."""
        first = self.pages[0]
        return (len(self.pages), first.shape[0]) if self.by_row else (first.imagelength, first.imagewidth)

    def dtype(self) -> str:
        """The dtype that ``read`` will give."""
        return dtype_of(self.pages[0]) if self.array is None else plain_dtype(self.array.dtype)

    def parts(self, number: int) -> list[Any]:
        """The pages of a slice (from 1), all of them there; raises IndexError where the file lacks one."""
        if self.array is not None:
            return [self.pages[0]]
        places = range(len(self.pages)) if self.by_row else self.places[number - 1]
        pages = [self.pages[int(place)] for place in places]
        if any(page is None for page in pages):
            raise IndexError(number)
        return pages

    def end_early(self, number: int, size: int) -> bool:
        """Whether pixels of a slice are said to lie behind the end of the file (``size`` bytes)."""
        return any(ends_early(page, size) for page in self.parts(number))

    def read(self, number: int) -> np.ndarray:
        """(H, W, C) uint8, uint16 or float32 of a slice (from 1)."""
        if self.array is not None:
            planes = [self.array[place] for place in self.places[number - 1]]
            return plain_type(np.stack(planes, -1) if planes[0].ndim == 2 else planes[0])
        pages = self.parts(number)
        if len(pages) == 1:
            return _read_page(pages[0])
        return plain_type(np.stack([page.asarray(maxworkers=1) for page in pages], axis=0 if self.by_row else -1))


def slices_of(tiff: Any, page: Any, path: Path) -> Slices:
    """How the pages of an open TIFF belong together; ``page`` is the first."""
    told = any(getattr(tiff, f"is_{kind}", False) for kind in _TOLD)
    found = _told(tiff, page, path) if told else None
    if found is not None:
        return found
    count = len(tiff.pages)
    if count == 1 or (told and tiff.series[0].is_pyramidal):
        return Slices(tiff.pages, np.zeros((1, 1), int))
    return Slices(tiff.pages, np.array(_equal(tiff.pages, count, page), int)[:, None])


def _told(tiff: Any, page: Any, path: Path) -> Slices | None:
    """By the axes that the file names; None where they do not fit its pages."""
    series = tiff.series[0]
    axes, shape, pages = series.axes, series.shape, series.pages
    if pages[0] is None or tuple(shape[len(shape) - len(page.shape) :]) != tuple(page.shape):
        return None
    rows = tiff.is_shaped and len(shape) == 3 and page.shape[1] <= MOST_CHANNELS < min(len(pages), page.shape[0])
    if rows and len(page.shape) == 2:  # an array (H, W, C) that was written as it was: H pages of W x C
        return Slices(pages, np.zeros((1, 1), int), by_row=True)
    before = shape[: len(shape) - len(page.shape)]
    array = _in_one_piece(tiff, series, path) if len(pages) == 1 < math.prod(before) else None
    if array is None and len(pages) != math.prod(before):
        return None
    places = np.arange(math.prod(before)).reshape(before)
    grey = len(page.shape) == 2 and page.photometric.name != "PALETTE"
    if "C" in axes[: len(before)] and grey and 1 < shape[at := axes.index("C")] <= MOST_CHANNELS:
        places = np.moveaxis(places, at, -1).reshape(-1, shape[at])
    else:
        places = places.reshape(-1, 1)
    return Slices(pages, places, array=None if array is None else array.reshape(-1, *page.shape))


def _in_one_piece(tiff: Any, series: Any, path: Path) -> np.ndarray | None:
    """The pixels of all slices where only the first has a page, as ImageJ writes large stacks."""
    if series.dataoffset is None:
        return None
    dtype = np.dtype(f"{tiff.byteorder}{series.dtype.char}")
    return np.memmap(path, dtype, "r", offset=series.dataoffset, shape=tuple(series.shape))


def _equal(pages: Any, count: int, first: Any) -> list[int]:
    """The pages that are like the first; looked at one by one only where some are not, since each costs time."""
    if all(_alike(pages[place], first) for place in (1, count // 2, count - 1)):
        return list(range(count))
    return [place for place in range(count) if place == 0 or _alike(pages[place], first)]


def _alike(page: Any, first: Any) -> bool:
    """Whether a page is a picture like the first, and not a small copy, a mask or a label."""
    return bool(page.shape == first.shape and page.dtype == first.dtype and not page.is_reduced and not page.is_mask)
