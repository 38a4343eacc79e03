"""Connected areas of labels too many for one array: found in bands of rows, and put together over the borders."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import cv2
import numpy as np

from sslstudio.project.edit_log import tally
from sslstudio.project.sparse_labels import TILE, SparseLabels

T = TypeVar("T")
# What is one area and what are two: pixels that touch at a corner only do not belong together. So an area is what
# every program takes for one polygon, without one that touches itself, and counts in tables and in exports agree.
CONNECTIVITY = 4
Runs = np.ndarray  # (N, 3) int32: row, first column, column behind the last


@dataclass(frozen=True)
class Piece:
    """What lies of a connected area in one band: its box in pixels of the image, its pixels, the sum of their x, y."""

    top: int
    left: int
    height: int
    width: int
    area: int
    sums: tuple[int, int]
    crop: np.ndarray  # (height, width) int32, ``number`` where it lies
    number: int


def runs_of(piece: Piece) -> Runs:
    """The piece row by row."""
    edges = np.zeros((piece.height, piece.width + 2), bool)
    edges[:, 1:-1] = piece.crop == piece.number
    rows, columns = np.nonzero(edges[:, 1:] != edges[:, :-1])  # begin and end take turns
    runs = np.empty((len(rows) // 2, 3), np.int32)
    runs[:, 0], runs[:, 1], runs[:, 2] = rows[::2] + piece.top, columns[::2] + piece.left, columns[1::2] + piece.left
    return runs


def areas(
    labels: SparseLabels, places: Sequence[int], connectivity: int, keep: Callable[[Piece], T]
) -> Iterator[tuple[int, list[T]]]:
    """Each connected area of the classes ``places`` with what was kept of its pieces; ``connectivity`` is 4 or 8.

    An area comes as soon as it is known to be whole; only what is kept of those that go on is in memory.
    """
    height, width = labels.shape
    unfinished = {place: _Unfinished(width, connectivity, keep) for place in places}
    for top in range(0, height, TILE):
        band = labels.rows(top // TILE)
        here = tally(band)
        for place, one in unfinished.items():
            if here[place] or one.any:
                for parts in one.take(top, band == place, last=top + TILE >= height):
                    yield place, parts


class _Unfinished(Generic[T]):
    """The areas of one class that go on below the rows looked at so far."""

    def __init__(self, width: int, connectivity: int, keep: Callable[[Piece], T]) -> None:
        self._reach, self._connectivity, self._keep = (0 if connectivity == 4 else 1), connectivity, keep
        self._parts: dict[int, list[T]] = {}
        self._lowest = np.zeros(width, np.int64)  # which area each pixel of the lowest row belongs to; 0 for none
        self._made = 0
        self._became: dict[int, int] = {}  # areas that turned out to be one with another

    @property
    def any(self) -> bool:
        """Whether there are such areas."""
        return bool(self._parts)

    def take(self, top: int, bitmap: np.ndarray, *, last: bool) -> Iterator[list[T]]:
        """The areas that are whole with the next rows (h, W) bool, ``last`` for the last of all."""
        count, numbers, boxes, middles = cv2.connectedComponentsWithStats(
            bitmap.view(np.uint8), connectivity=self._connectivity
        )
        above = self._above(numbers[0])
        goes_on = set() if last else set(np.unique(numbers[-1]).tolist()) - {0}
        names = np.zeros(count, np.int64)
        for number in range(1, count):
            kept = self._keep(piece_of(top, number, numbers, boxes[number], middles[number]))
            if number in above or number in goes_on:
                names[number] = self._join(kept, above.get(number, frozenset()))
            else:
                yield [kept]
        names = np.array([self._current(name) for name in names.tolist()], np.int64)
        self._became.clear()
        self._lowest = np.zeros_like(self._lowest) if last else names[numbers[-1]]
        waiting = set(np.unique(self._lowest).tolist())
        for name in [name for name in self._parts if name not in waiting]:
            yield self._parts.pop(name)

    def _above(self, row: np.ndarray) -> dict[int, set[int]]:
        """The areas that each piece touches of which (W,) ``row`` is the uppermost row."""
        found: dict[int, set[int]] = {}
        for shift in range(-self._reach, self._reach + 1):
            upper = self._lowest[max(0, -shift) : len(row) - max(0, shift)]
            lower = row[max(0, shift) : len(row) - max(0, -shift)]
            touching = (upper > 0) & (lower > 0)
            pairs = np.unique(np.stack([lower[touching], upper[touching]]), axis=1)
            for number, area in pairs.T.tolist():
                found.setdefault(number, set()).add(area)
        return found

    def _join(self, kept: T, touched: set[int] | frozenset[int]) -> int:
        """Make one area of a piece and all that it touches; its name."""
        found = sorted({self._current(one) for one in touched}, key=lambda name: -len(self._parts[name]))
        if not found:
            self._made += 1
            self._parts[self._made] = [kept]
            return self._made
        for other in found[1:]:
            self._parts[found[0]] += self._parts.pop(other)
            self._became[other] = found[0]
        self._parts[found[0]].append(kept)
        return found[0]

    def _current(self, name: int) -> int:
        while name in self._became:
            name = self._became[name]
        return name


def piece_of(top: int, number: int, numbers: np.ndarray, box: np.ndarray, middle: np.ndarray) -> Piece:
    """The part with a number of (h, W) ``numbers``, which begin in row ``top``; box and middle as OpenCV has them."""
    left, down, width, height, area = (int(value) for value in box)
    crop = numbers[down : down + height, left : left + width]
    sums = round(float(middle[0]) * area), round(float(middle[1]) * area) + top * area
    return Piece(top + down, left, height, width, area, sums, crop, number)
