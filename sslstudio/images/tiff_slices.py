"""What the pages of a TIFF are: slices of a stack, channels of one image, rows of an array, or levels of a pyramid."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sslstudio.images.errors import cut_off
from sslstudio.images.tiff_files import (
    MOST_CHANNELS,
    channels_of,
    dtype_of,
    ends_early,
    plain_dtype,
    plain_type,
    without_nothing,
)
from sslstudio.images.tiff_files import read_page as _read_page

# Kinds whose metadata tells what each page is; in all others equal pages are slices.
_TOLD = ("ome", "imagej", "shaped", "lsm", "stk", "svs", "ndpi", "scn", "qpi", "bif", "mmstack", "fluoview", "avs")
_GUESSED = ("generic", "uniform")  # kinds of tifffile's where it could not keep to the description
_DESCRIPTION = 270  # the tag


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
        try:
            pages = self.parts(number)
        except IndexError:
            raise
        except Exception:  # noqa: BLE001 - tifffile meets the end of the file in many ways
            return True
        return any(ends_early(page, size) for page in pages)

    def read(self, number: int) -> np.ndarray:
        """(H, W, C) uint8, uint16 or float32 of a slice (from 1)."""
        if self.array is not None:
            planes = [self.array[place] for place in self.places[number - 1]]
            return plain_type(np.stack(planes, -1) if planes[0].ndim == 2 else planes[0])
        pages = self.parts(number)
        if len(pages) == 1:
            return _read_page(pages[0])
        pixels = np.stack([page.asarray(maxworkers=1) for page in pages], axis=0 if self.by_row else -1)
        return plain_type(without_nothing(self.pages[0], pixels))


def slices_of(tiff: Any, page: Any, path: Path) -> Slices:
    """How the pages of an open TIFF belong together; ``page`` is the first.

    Raises UnreadableImage where pages, or what tells how they belong together, lie behind the end of the file.
    """
    told = any(getattr(tiff, f"is_{kind}", False) for kind in _TOLD)
    found = _told(tiff, page, path) if told else None
    if not (found and _keeps_its_word(tiff, found)) and _promises_more(tiff, page, path.stat().st_size):
        raise cut_off(path)
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
    if series.dataoffset + series.nbytes > path.stat().st_size:
        raise cut_off(path)
    dtype = np.dtype(f"{tiff.byteorder}{series.dtype.char}")
    return np.memmap(path, dtype, "r", offset=series.dataoffset, shape=tuple(series.shape))


def _keeps_its_word(tiff: Any, found: Slices) -> bool:
    """Whether all pages of which the description tells are there."""
    if found.array is not None:
        return True
    if found.places.size == 1 or tiff.series[0].kind in _GUESSED:
        return False
    try:
        return found.pages[int(found.places[-1, -1])] is not None
    except Exception:  # noqa: BLE001 - tifffile meets the end of the file in many ways
        return False


def _promises_more(tiff: Any, page: Any, size: int) -> bool:
    """Whether a TIFF of ``size`` bytes names more pages than it holds, or a description behind its end."""
    return not _chain_ends(tiff, size) or _lacks_description(tiff, page, size) or _more_behind(tiff, page, size)


def _chain_ends(tiff: Any, size: int) -> bool:
    """Whether the last page that is there says that it is the last."""
    file, width = tiff.filehandle, tiff.tiff.offsetsize
    try:
        file.seek(tiff.pages.next_page_offset)
        following = file.read(width)
    except Exception:  # noqa: BLE001 - tifffile meets the end of the file in many ways
        return False
    return len(following) == width and struct.unpack(tiff.tiff.offsetformat, following)[0] < size


def _lacks_description(tiff: Any, page: Any, size: int) -> bool:
    """Whether the first page's description lies behind the end of the file; tifffile leaves it out then."""
    file, form = tiff.filehandle, tiff.tiff
    if _DESCRIPTION in page.tags:
        return False
    file.seek(page.offset)
    entries = struct.unpack(form.tagnoformat, file.read(form.tagnosize))[0]
    tags = struct.iter_unpack(form.tagformat1 + 2 * form.offsetformat[1:], file.read(entries * form.tagsize))
    return any(code == _DESCRIPTION and length > 8 and offset + length > size for code, _, length, offset in tags)


def _more_behind(tiff: Any, page: Any, size: int) -> bool:
    """Whether a stack of ImageJ, whose pixels lie in one piece behind the only page, has lost its end.

    Where nothing follows the pixels of the first page, the description is only one that was left standing.
    """
    promised = int((tiff.imagej_metadata or {}).get("images", 1)) if tiff.is_imagej else 1
    if promised <= len(tiff.pages) or not page.is_contiguous:
        return False
    end = page.dataoffsets[0] + page.nbytes
    return bool(page.offset < page.dataoffsets[0] and end < size < end + (promised - 1) * page.nbytes)


def _equal(pages: Any, count: int, first: Any) -> list[int]:
    """The pages that are like the first; looked at one by one only where some are not, since each costs time."""
    if all(_alike(pages[place], first) for place in (1, count // 2, count - 1)):
        return list(range(count))
    return [place for place in range(count) if place == 0 or _alike(pages[place], first)]


def _alike(page: Any, first: Any) -> bool:
    """Whether a page is a picture like the first, and not a small copy, a mask or a label."""
    return bool(page.shape == first.shape and page.dtype == first.dtype and not page.is_reduced and not page.is_mask)
