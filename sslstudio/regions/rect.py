"""Rectangles of whole pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Rect:
    """Whole pixels from ``left``, ``top`` up to, but without, ``right``, ``bottom``."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Columns; never negative."""
        return max(0, self.right - self.left)

    @property
    def height(self) -> int:
        """Rows; never negative."""
        return max(0, self.bottom - self.top)

    @property
    def empty(self) -> bool:
        """Whether no pixel is inside."""
        return self.right <= self.left or self.bottom <= self.top

    def grown(self, pixels: int) -> Rect:
        """Larger by ``pixels`` on each side."""
        return Rect(self.left - pixels, self.top - pixels, self.right + pixels, self.bottom + pixels)

    def moved(self, right: int, down: int) -> Rect:
        """The same size, elsewhere."""
        return Rect(self.left + right, self.top + down, self.right + right, self.bottom + down)

    def of(self, array: Any) -> np.ndarray:
        """The part of an (H, W, ...) array that lies in this rectangle, which must be inside of it; a view.

        Of a huge image, or of its labels, which only look like an array, it is a copy.
        """
        return array[self.top : self.bottom, self.left : self.right]

    def within(self, other: Rect) -> Rect:
        """The part that both cover."""
        return Rect(
            max(self.left, other.left),
            max(self.top, other.top),
            min(self.right, other.right),
            min(self.bottom, other.bottom),
        )

    def joined(self, other: Rect) -> Rect:
        """The smallest rectangle around both."""
        if self.empty or other.empty:
            return other if self.empty else self
        return Rect(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )


NOTHING = Rect(0, 0, 0, 0)


def whole(shape: tuple[int, ...]) -> Rect:
    """All of an array of (H, W, ...)."""
    return Rect(0, 0, shape[1], shape[0])


def bounds(inside: np.ndarray, left: int = 0, top: int = 0) -> Rect:
    """The smallest rectangle around the true pixels of (h, w) bool, whose corner lies at (``left``, ``top``)."""
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    if not len(rows):
        return NOTHING
    return Rect(left + int(columns[0]), top + int(rows[0]), left + int(columns[-1]) + 1, top + int(rows[-1]) + 1)
