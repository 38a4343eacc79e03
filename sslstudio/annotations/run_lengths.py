"""Run lengths of masks: COCO's counts (column by column) as numbers or letters, and row by row as CVAT has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sslstudio.errors import UserError
from sslstudio.language import tr


def to_counts(flat: np.ndarray) -> list[int]:
    """Lengths of the runs of a flat bool array; the first one, which may be 0, is of False."""
    changes = np.flatnonzero(np.diff(flat.astype(np.int8))) + 1
    edges = np.concatenate([[0], changes, [flat.size]])
    counts = np.diff(edges).tolist()
    return [0, *counts] if flat.size and flat[0] else counts


def from_counts(counts: Any, size: int, what: str) -> np.ndarray:
    """The flat bool array of ``size`` again; raises UserError, which begins with ``what``, for a wrong length."""
    lengths = _lengths(counts, size, what)
    return np.repeat(np.arange(lengths.size) % 2 == 1, lengths)


def _lengths(counts: Any, size: int, what: str) -> np.ndarray:
    try:
        lengths = np.asarray(counts, np.int64)
    except (TypeError, ValueError, OverflowError):
        raise UserError(
            tr("{what} has run lengths that are no whole numbers.").format(what=what), tr("Export it again.")
        ) from None
    if lengths.ndim != 1 or (lengths < 0).any() or int(lengths.sum()) != size:
        raise UserError(
            tr("{what} has run lengths for {sum:,} pixels, but its size says {size:,}.").format(
                what=what, sum=int(lengths.sum()), size=size
            ),
            tr("Export it again from where it came."),
        )
    return lengths


@dataclass(frozen=True)
class Columns:
    """An area as runs down the columns of an image: (N,) column, first row and row behind the last of each."""

    column: np.ndarray
    top: np.ndarray
    bottom: np.ndarray

    @property
    def rows(self) -> tuple[int, int]:
        """The first row that it comes into, and the one behind the last."""
        return (int(self.top.min()), int(self.bottom.max())) if self.top.size else (0, 0)

    def part(self, top: int, bottom: int) -> tuple[int, int, np.ndarray]:
        """Top and left of what lies in some rows, and its pixels (h, w) bool."""
        near = (self.top < bottom) & (self.bottom > top)
        column, first, last = self.column[near], self.top[near], self.bottom[near]
        if not column.size:
            return top, 0, np.zeros((0, 0), bool)
        top, bottom, left = max(top, int(first.min())), min(bottom, int(last.max())), int(column.min())
        width, height = int(column.max()) + 1 - left, bottom - top
        rows = np.concatenate([np.maximum(first, top), np.minimum(last, bottom)]) - top
        cells = (height + 1) * width
        toggles = np.bincount(rows * width + np.tile(column - left, 2), minlength=cells).reshape(-1, width)
        return top, left, np.cumsum(toggles[:height], axis=0, dtype=np.uint8) % 2 == 1


def columns_of(counts: Any, height: int, width: int, what: str) -> Columns:
    """What COCO's counts for an image say; raises UserError, which begins with ``what``, for a wrong length."""
    edges = np.cumsum(_lengths(counts, height * width, what))
    edges = edges[: edges.size // 2 * 2].reshape(-1, 2)
    start, stop = edges[edges[:, 1] > edges[:, 0]].T
    first, last = start // height, -(-stop // height)  # a run goes on at the top of the next column
    times = last - first
    column = np.repeat(first, times) + np.arange(times.sum()) - np.repeat(np.cumsum(times) - times, times)
    top = np.maximum(np.repeat(start, times), column * height) - column * height
    bottom = np.minimum(np.repeat(stop, times), (column + 1) * height) - column * height
    return Columns(column, top, bottom)


def counts_of(rings: Sequence[np.ndarray], height: int, width: int) -> list[int]:
    """COCO's counts of the area that outlines (N, 2) x, y along the edges of pixels enclose."""
    starts = np.concatenate(rings).astype(np.int64)
    ends = np.concatenate([np.roll(ring, -1, axis=0) for ring in rings]).astype(np.int64)
    level = starts[:, 0] != ends[:, 0]
    left, right = (fold(starts[level, 0], ends[level, 0]) for fold in (np.minimum, np.maximum))
    times = right - left
    column = np.repeat(left, times) + np.arange(times.sum()) - np.repeat(np.cumsum(times) - times, times)
    turns = np.sort(column * height + np.repeat(starts[level, 1], times))
    double = np.flatnonzero(turns[1:] == turns[:-1])  # down to the bottom, and on from the top of the next column
    turns = np.delete(turns, np.concatenate([double, double + 1]))
    if turns.size and turns[-1] == height * width:
        turns = turns[:-1]
    return np.diff(np.concatenate([[0], turns, [height * width]])).tolist()


def to_letters(counts: list[int]) -> str:
    """COCO's compressed counts: from the third on the difference to the one before the last, 5 bits per letter."""
    letters = []
    for place, count in enumerate(counts):
        value = count - counts[place - 2] if place > 2 else count
        more = True
        while more:
            bits = value & 0x1F
            value >>= 5
            more = value != -1 if bits & 0x10 else value != 0
            letters.append(chr((bits | 0x20 if more else bits) + 48))
    return "".join(letters)


def from_letters(letters: str, what: str) -> list[int]:
    """Counts of COCO's compressed letters; raises UserError where they are none."""
    counts: list[int] = []
    value = shift = 0
    for letter in letters:
        bits = ord(letter) - 48
        if not 0 <= bits < 64:
            raise UserError(
                tr("{what} has run lengths with the letter “{letter}”, which means nothing.").format(
                    what=what, letter=letter
                ),
                tr("Export again."),
            )
        value |= (bits & 0x1F) << shift
        shift += 5
        if bits & 0x20:
            continue
        if bits & 0x10:
            value -= 1 << shift
        counts.append(value + counts[-2] if len(counts) > 2 else value)
        value = shift = 0
    if shift:
        raise UserError(
            tr("{what} has run lengths that end in the middle.").format(what=what),
            tr("The file may be cut off; export it again."),
        )
    return counts
