"""Reading one size of a huge image by tiles: segments of a TIFF, or plain rows of numbers in a file."""

from __future__ import annotations

import errno
import logging
import math
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from sslstudio.images import tiff_files
from sslstudio.language import tr

_log = logging.getLogger(__name__)
_PLAIN_TILE = 512
_STRIP_ROWS = 64  # at least, so that a tile is worth the asking
_MOST_DECODED = 128 << 20  # bytes of one segment


class NotByParts(Exception):
    """A file that can only be decoded as a whole; the text says why, to follow “is too large, and”."""


class Handle:
    """An open file that several threads read from; opened again where a network drive went away and came back."""

    def __init__(self, path: Path) -> None:
        self._path = Path(path)
        self._files = [self._path.open("rb")]  # closed with the object: other threads may still read from older ones
        self._state = _state(self._files[0])
        self._lock = threading.Lock()

    def read(self, offset: int, count: int) -> bytes:
        """So many bytes from there on; fewer at the file's end. Raises OSError."""
        try:
            return self._read(self._files[-1], offset, count)
        except OSError:
            return self._read_again(offset, count)

    def _read(self, file: BinaryIO, offset: int, count: int) -> bytes:
        if hasattr(os, "pread"):
            return os.pread(file.fileno(), count, offset)
        with self._lock:
            file.seek(offset)
            return file.read(count)

    def _read_again(self, offset: int, count: int) -> bytes:
        """From the file opened once more, which is used from then on if it is the same and can be read."""
        again = self._path.open("rb")
        try:
            if _state(again) != self._state:
                raise OSError(errno.EIO, "the file has changed")
            found = self._read(again, offset, count)
        except OSError:
            again.close()
            raise
        self._files.append(again)
        return found


def _state(file: BinaryIO) -> tuple[int, int]:
    status = os.fstat(file.fileno())
    return status.st_size, status.st_mtime_ns


class Segments:
    """One page of a TIFF, or several whose channels are put together, by its own tiles or groups of its strips."""

    def __init__(self, handle: Handle, pages: Sequence[Any]) -> None:
        page = pages[0].keyframe
        self._handle, self._pages, self._page = handle, tuple(pages), page
        self.height, self.width = page.imagelength, page.imagewidth
        self.channels = len(pages) if len(pages) > 1 else tiff_files.channels_of(page)
        self.dtype = np.dtype(tiff_files.dtype_of(page))
        self._planes = page.samplesperpixel if page.planarconfig == 2 and page.samplesperpixel > 1 else 1
        if page.is_tiled:
            self.tile = (page.tilelength, page.tilewidth)
            self._strip = 0
        else:
            self._strip = min(page.rowsperstrip or self.height, self.height)
            step = self._strip * 4 // math.gcd(self._strip, 4)  # whole fours, so that halvings meet
            self.tile = (min(step * max(1, -(-_STRIP_ROWS // step)), self.height), self.width)
        _check(page, self._strip)
        # tags are read when they are asked for first, and the file is closed by then
        self._tables = {"jpegtables": page.jpegtables} if page.jpegtables else {}

    def ready(self, row: int, column: int) -> bool:
        """Whether the tile can be read now."""
        return True

    def read(self, row: int, column: int) -> np.ndarray:
        """A tile (h, w, C) uint8, uint16 or float32; smaller at the image's edges."""
        parts = [self._of_page(page, row, column) for page in self._pages]
        pixels = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=2)
        return tiff_files.plain_type(pixels)

    def _of_page(self, page: Any, row: int, column: int) -> np.ndarray:
        height = min(self.tile[0], self.height - row * self.tile[0])
        width = min(self.tile[1], self.width - column * self.tile[1])
        planes = [self._plane(page, plane, row, column, height, width) for plane in range(self._planes)]
        pixels = planes[0] if len(planes) == 1 else np.concatenate(planes, axis=2)
        return tiff_files.in_colours(self._page, pixels)

    def _plane(self, page: Any, plane: int, row: int, column: int, height: int, width: int) -> np.ndarray:
        if not self._strip:
            across, down = -(-self.width // self.tile[1]), -(-self.height // self.tile[0])
            return self._segment(page, (plane * down + row) * across + column, height, width)
        strips = -(-self.height // self._strip)
        first = row * self.tile[0] // self._strip
        parts = []
        for at in range(first, min(strips, first + -(-height // self._strip))):
            rows = min(self._strip, self.height - at * self._strip)
            parts.append(self._segment(page, plane * strips + at, rows, width))
        return np.concatenate(parts)[:height]

    def _segment(self, page: Any, index: int, height: int, width: int) -> np.ndarray:
        offset, count = page.dataoffsets[index], page.databytecounts[index]
        key = self._page
        samples = 1 if self._planes > 1 else key.samplesperpixel
        decoded = None
        if count:
            decoded = key.decode(self._handle.read(offset, count), index, **self._tables)[0]
        if decoded is None:  # left out by its writer: nothing but the value for nothing
            return np.full((height, width, samples), key.nodata, key.dtype)
        return decoded[0, :height, :width]


def _check(page: Any, strip: int) -> None:
    if tiff_files.turn_of(page) != 1:
        raise NotByParts(tr("its orientation tag says that it does not stand upright"))
    rows, columns = (page.tilelength, page.tilewidth) if page.is_tiled else (strip, page.imagewidth)
    if rows * columns * page.samplesperpixel * page.dtype.itemsize > _MOST_DECODED:
        kind = tr("one piece") if rows >= page.imagelength else tr("pieces of {rows} rows").format(rows=rows)
        raise NotByParts(tr("its pixels are compressed in {kind}, which take too much memory").format(kind=kind))


class PlainRows:
    """Numbers row by row in a file, (H, W, C) without gaps, or (C, H, W) with ``planar``; by tiles of 512 pixels."""

    def __init__(
        self,
        handle: Handle,
        offset: int,
        shape: tuple[int, int, int],
        dtype: np.dtype,
        *,
        planar: bool = False,
        page: Any = None,
    ) -> None:
        self._handle, self._offset, self._stored, self._planar = handle, offset, np.dtype(dtype), planar
        self.height, self.width, self._samples = shape
        self._page = page  # of the TIFF that it is, for its colours
        self.channels = self._samples if page is None else tiff_files.channels_of(page)
        self.dtype = np.dtype(tiff_files.plain_dtype(self._stored) if page is None else tiff_files.dtype_of(page))
        self.tile = (_PLAIN_TILE, _PLAIN_TILE)
        self.rows = self.height  # that are there already

    def ready(self, row: int, column: int) -> bool:
        """Whether the tile can be read now."""
        return min(self.height, (row + 1) * self.tile[0]) <= self.rows

    def read(self, row: int, column: int) -> np.ndarray:
        """A tile (h, w, C) uint8, uint16 or float32; smaller at the image's edges."""
        top, left = row * self.tile[0], column * self.tile[1]
        pixels = self.rows_of(top, min(top + self.tile[0], self.height), left, min(left + self.tile[1], self.width))
        if self._page is not None:
            pixels = tiff_files.in_colours(self._page, pixels)
        return tiff_files.plain_type(pixels)

    def rows_of(self, top: int, bottom: int, left: int, right: int) -> np.ndarray:
        """A part as it is stored, (h, w, C)."""
        planes, samples = (self._samples, 1) if self._planar else (1, self._samples)
        out = np.empty((planes, bottom - top, right - left, samples), self._stored)
        pixel = samples * self._stored.itemsize
        for plane in range(planes):
            for y in range(top, bottom):
                place = self._offset + ((plane * self.height + y) * self.width + left) * pixel
                line = self._handle.read(place, (right - left) * pixel)
                out[plane, y - top] = np.frombuffer(line, self._stored).reshape(right - left, samples)
        return np.moveaxis(out[..., 0], 0, -1) if self._planar else out[0]


class Forgiving:
    """A size of which tiles that cannot be decoded are of one colour, ``fill`` (C,); what the disk refuses is raised.

    ``read`` takes the place of the size's own where its tiles are kept.
    """

    def __init__(
        self, level: Segments | PlainRows, fill: np.ndarray, read: Callable[[int, int], np.ndarray] | None = None
    ) -> None:
        self.height, self.width, self.tile, self.channels = level.height, level.width, level.tile, level.channels
        self._read, self._fill = read or level.read, fill

    def read(self, row: int, column: int) -> np.ndarray:
        """A tile (h, w, C) uint8, uint16 or float32; smaller at the image's edges."""
        try:
            return self._read(row, column)
        except (OSError, MemoryError):
            raise
        except Exception as error:  # noqa: BLE001 - decoders raise what they like
            _log.warning("a tile could not be decoded: %s", error)
        height, width = self.tile
        size = min(height, self.height - row * height), min(width, self.width - column * width)
        return np.full((*size, self.channels), self._fill, self._fill.dtype)


Level = Segments | PlainRows
