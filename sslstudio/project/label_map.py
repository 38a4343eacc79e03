"""The labels of one image in memory, and rectangles cut from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sslstudio.images.limits import is_huge
from sslstudio.project.sparse_labels import Pieces, SparseLabels, differing, on_others, pieces_of, sparse_of

UNPAINTED = 255
Labels = np.ndarray | SparseLabels


@dataclass(frozen=True)
class Patch:
    """A rectangle of labels: ``labels`` is (h, w) uint8, its upper left pixel at (``top``, ``left``).

    On huge images some tiles of it may stand for it, ``Pieces``: what lies in none of them stays as it is.
    """

    top: int
    left: int
    labels: np.ndarray | Pieces


@dataclass
class LabelMap:
    """The labels (H, W) uint8 of one image; 255 is unpainted. They are written in place, by tiles where it is huge."""

    labels: Labels

    @classmethod
    def empty(cls, height: int, width: int) -> LabelMap:
        """A map on which nothing is painted."""
        if is_huge(height, width):
            return cls(SparseLabels(height, width, UNPAINTED))
        return cls(np.full((height, width), UNPAINTED, np.uint8))

    def cut(self, top: int, left: int, height: int, width: int) -> Patch:
        """A copy of the part of this rectangle that lies inside the map."""
        top, bottom = max(0, top), min(self.labels.shape[0], top + height)
        left, right = max(0, left), min(self.labels.shape[1], left + width)
        return Patch(top, left, self.labels[top : max(top, bottom), left : max(left, right)].copy())

    def put(self, patch: Patch) -> None:
        """Write a patch that lies wholly inside the map."""
        if isinstance(patch.labels, Pieces):
            patch.labels.put_on(self.labels)
            return
        height, width = patch.labels.shape
        self.labels[patch.top : patch.top + height, patch.left : patch.left + width] = patch.labels


def trim(before: Patch, after: Patch) -> tuple[Patch, Patch] | None:
    """The two patches cut down to the rectangle in which they differ, or None where they do not."""
    if isinstance(before.labels, Pieces) and isinstance(after.labels, Pieces):
        pieces = differing(before.labels, after.labels)
        return None if pieces is None else (patch_of(pieces[0]), patch_of(pieces[1]))
    if isinstance(before.labels, Pieces) or isinstance(after.labels, Pieces):
        raise ValueError("before and after must be of one kind")
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


def rebased(labels: LabelMap, before: Patch, after: Patch) -> tuple[Patch, Patch]:
    """What changed from ``before`` to ``after``, as a change of these labels: nothing else in the rectangle is put."""
    old, new = before.labels, after.labels
    if isinstance(old, Pieces) and isinstance(new, Pieces):
        pieces = on_others(labels.labels, old, new)  # type: ignore[arg-type]
        return patch_of(pieces[0]), patch_of(pieces[1])
    assert isinstance(old, np.ndarray)
    assert isinstance(new, np.ndarray)
    now = labels.cut(before.top, before.left, *old.shape)
    assert isinstance(now.labels, np.ndarray)
    return now, Patch(now.top, now.left, np.where(old != new, new, now.labels))


def patch_of(pieces: Pieces) -> Patch:
    """The patch that some tiles make."""
    return Patch(pieces.top, pieces.left, pieces)


def every(labels: Labels, step: int) -> np.ndarray:
    """Each ``step``-th label of each ``step``-th row, from the middle of the first step on; (h, w) uint8."""
    first = step // 2
    if isinstance(labels, np.ndarray):
        return np.ascontiguousarray(labels[first::step, first::step])
    rows = [labels[row : row + 1, :][0, first::step] for row in range(first, labels.shape[0], step)]
    return np.stack(rows) if rows else np.zeros((0, len(range(first, labels.shape[1], step))), np.uint8)


def mapped(labels: Labels, table: np.ndarray) -> Labels:
    """Other labels in which each has become ``table[label]``, (256,) uint8."""
    return labels.mapped(table) if isinstance(labels, SparseLabels) else table[labels]


def whole_patch(labels: Labels) -> Patch:
    """All labels (H, W) as one patch; shared where they are an array."""
    return patch_of(pieces_of(labels)) if isinstance(labels, SparseLabels) else Patch(0, 0, labels)


def as_labels(labels: Labels) -> Labels:
    """The same labels, by tiles if there are too many for one array."""
    if isinstance(labels, SparseLabels) or not is_huge(*labels.shape):
        return labels
    return sparse_of(labels)
