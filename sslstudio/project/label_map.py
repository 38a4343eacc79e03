"""The labels of one image in memory, and rectangles cut from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

UNPAINTED = 255


@dataclass(frozen=True)
class Patch:
    """A rectangle of labels: ``labels`` is (h, w) uint8, its upper left pixel at (``top``, ``left``)."""

    top: int
    left: int
    labels: np.ndarray


@dataclass
class LabelMap:
    """The labels (H, W) uint8 of one image; 255 is unpainted. The array is written in place."""

    labels: np.ndarray

    @classmethod
    def empty(cls, height: int, width: int) -> LabelMap:
        """A map on which nothing is painted."""
        return cls(np.full((height, width), UNPAINTED, np.uint8))

    def cut(self, top: int, left: int, height: int, width: int) -> Patch:
        """A copy of the part of this rectangle that lies inside the map."""
        top, bottom = max(0, top), min(self.labels.shape[0], top + height)
        left, right = max(0, left), min(self.labels.shape[1], left + width)
        return Patch(top, left, self.labels[top : max(top, bottom), left : max(left, right)].copy())

    def put(self, patch: Patch) -> None:
        """Write a patch that lies wholly inside the map."""
        height, width = patch.labels.shape
        self.labels[patch.top : patch.top + height, patch.left : patch.left + width] = patch.labels


def trim(before: Patch, after: Patch) -> tuple[Patch, Patch] | None:
    """The two patches cut down to the rectangle in which they differ, or None where they do not."""
    differs = before.labels != after.labels
    rows, columns = np.flatnonzero(differs.any(axis=1)), np.flatnonzero(differs.any(axis=0))
    if rows.size == 0:
        return None
    vertical, horizontal = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    top, left = before.top + int(rows[0]), before.left + int(columns[0])
    return (
        Patch(top, left, before.labels[vertical, horizontal]),
        Patch(top, left, after.labels[vertical, horizontal]),
    )
