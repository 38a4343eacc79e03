"""Huge TIFFs whose pixels are numbers of classes or objects: read by tiles, just as they are stored."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from sslstudio.images import content, limits, tiff_files
from sslstudio.images.segments import Handle, NotByParts, PlainRows, Segments
from sslstudio.language import tr

Tile = tuple[int, int, np.ndarray]  # top and left of some numbers (h, w)


class NumberTiles(Segments):
    """One page with one number per pixel; palettes and inverted greys are left alone."""

    def read(self, row: int, column: int) -> np.ndarray:
        """A tile (h, w) of the file's type."""
        height = min(self.tile[0], self.height - row * self.tile[0])
        width = min(self.tile[1], self.width - column * self.tile[1])
        return self._plane(self._pages[0], 0, row, column, height, width)[..., 0]


class Numbers:
    """The numbers (H, W) of a huge TIFF: ``dtype`` is the file's own."""

    def __init__(self, path: Path, page: Any) -> None:
        handle, self.shape = Handle(path), (page.imagelength, page.imagewidth)
        self.dtype = np.dtype(page.dtype)
        whole_bytes = page.bitspersample == 8 * page.dtype.itemsize and page.dtype.kind != "b"
        if page.is_contiguous and whole_bytes and not page.is_tiled and tiff_files.turn_of(page) == 1:
            stored = np.dtype(page.parent.byteorder + page.dtype.char)
            self._level: PlainRows | NumberTiles = PlainRows(handle, page.dataoffsets[0], (*self.shape, 1), stored)
        else:
            _ = page.decode, page.nodata  # tags are read when first asked for; the file will be closed
            self._level = NumberTiles(handle, [page])

    def tiles(self) -> Iterator[Tile]:
        """All of them, row by row."""
        (height, width), level = self._level.tile, self._level
        for row in range(-(-self.shape[0] // height)):
            for column in range(-(-self.shape[1] // width)):
                yield row * height, column * width, self._of(level, row, column)

    def _of(self, level: PlainRows | NumberTiles, row: int, column: int) -> np.ndarray:
        if isinstance(level, NumberTiles):
            return level.read(row, column)
        (height, width), (down, across) = level.tile, self.shape
        top, left = row * height, column * width
        rows = level.rows_of(top, min(top + height, down), left, min(left + width, across))[..., 0]
        return rows.astype(self.dtype.newbyteorder("="), copy=False)


def huge_numbers(path: Path) -> Numbers | None:
    """The numbers of a TIFF, where it is huge; None for anything else.

    Raises NotByParts where only all of it can be decoded at once or it holds more than a number per pixel, and
    whatever damage raises.
    """
    with Path(path).open("rb") as file:
        if content.kind_of(file.read(content.HEAD)) != "tiff":
            return None
        file.seek(0)
        with tiff_files.open_tiff(file) as tiff:
            page = tiff_files.first_page(tiff)
            if not limits.is_huge(page.imagelength, page.imagewidth):
                return None
            if page.samplesperpixel != 1:
                raise NotByParts(tr("it has several values per pixel"))
            if len(tiff.pages) > 1 and tiff.pages[1].shape == page.shape:
                raise NotByParts(tr("it holds several pages"))
            return Numbers(Path(path), page.keyframe)
