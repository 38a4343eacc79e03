"""What lies between two masks: shapes that grow, shrink and wander evenly from one slice of a stack to another.

Shape-based interpolation (Raya and Udupa 1990, "Shape-based interpolation of multidimensional objects"): distances
to a shape's edge, positive inside, are mixed. Departures: a class that is one piece in both masks also moves from
the one place to the other; a class that one mask lacks tapers off to a point.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

UNPAINTED = 255
_SLIVER = -1.0  # pixels; closer than this to what is unpainted in neither mask, a hole between classes is closed


@dataclass(frozen=True)
class _Shape:
    """A class in both masks: its distances (h, w), and where it lies (x, y) if it is one piece that moves.

    Of one that moves, distances are known ``margin`` pixels beyond the window on every side.
    """

    before: np.ndarray
    after: np.ndarray
    places: tuple[np.ndarray, np.ndarray] | None
    margin: int = 0

    @property
    def size(self) -> int:
        """Pixels in both masks together."""
        return int((self.before > 0).sum() + (self.after > 0).sum())

    def at(self, share: float) -> np.ndarray:
        """The distances of the shape between, (h, w)."""
        before, after = self.before, self.after
        if self.places is not None:
            here, there = self.places
            before, after = _moved(before, share * (there - here)), _moved(after, (1 - share) * (here - there))
        mixed = (1 - share) * before + share * after
        return mixed[self.margin : mixed.shape[0] - self.margin, self.margin : mixed.shape[1] - self.margin]


class Between:
    """Two masks (H, W) uint8 of one size; ``background`` is the label that fills what is nothing else, if there is one.

    What is unpainted in one of them counts as what surrounds the shapes; where nothing is, the background does.
    """

    def __init__(self, before: np.ndarray, after: np.ndarray, background: int | None = None) -> None:
        self._before, self._after = before, after
        labels = {int(label) for mask in (before, after) for label in np.unique(mask)}
        ground = UNPAINTED if UNPAINTED in labels else background
        self._ground = ground if ground in labels else None
        self._labels = sorted(labels - {self._ground})
        self._window = _around(before, after, self._ground)
        self._shapes = [self._shape(label) for label in self._labels]
        self._rest = self._shape(self._ground) if self._labels and self._ground is not None else None

    def at(self, share: float) -> np.ndarray:
        """The mask (H, W) uint8 between: 0 is the one before, 1 the one after."""
        nothing = UNPAINTED if self._ground is None else self._ground
        found = np.full(self._before.shape, nothing, np.uint8)
        if self._labels:
            found[self._window] = self._inside(share)
        return found

    def _inside(self, share: float) -> np.ndarray:
        fields = np.stack([shape.at(share) for shape in self._shapes])
        labels = np.array(self._labels, np.uint8)[fields.argmax(axis=0)]
        for place in np.argsort([-shape.size for shape in self._shapes]):  # what lies within another is smaller
            labels[fields[place] > 0] = self._labels[place]
        if self._rest is not None:
            labels[(fields.max(axis=0) <= 0) & (self._rest.at(share) >= _SLIVER)] = self._ground
        return labels

    def _shape(self, label: int) -> _Shape:
        here, there = self._before[self._window] == label, self._after[self._window] == label
        before, after = _distances(here), _distances(there)
        if before is None and after is not None:
            before = after - after.max()
        elif after is None and before is not None:
            after = before - before.max()
        assert before is not None
        assert after is not None
        if label == self._ground or not self._one_piece(label):
            return _Shape(before, after, None)
        # The larger of two shapes reaches beyond the window when both lie on one place.
        margin = math.ceil(max(before.max(), after.max())) + 1
        before, after = (_distances(np.pad(inside, margin)) for inside in (here, there))
        assert before is not None
        assert after is not None
        return _Shape(before, after, (_middle(here), _middle(there)), margin)

    def _one_piece(self, label: int) -> bool:
        """Whether a class is a piece that can be followed: one in both masks, alone or so far away that it must move.

        None of it may lie at the image's edge, beyond which nobody sees. One that has neighbours stays with them.
        """
        here, there = self._before == label, self._after == label
        if not (_lies_whole(here) and _lies_whole(there)):
            return False
        alone = all(self._alone(mask, label) for mask in (self._before, self._after))
        return alone or 2 * int((here & there).sum()) < min(int(here.sum()), int(there.sum()))

    def _alone(self, mask: np.ndarray, label: int) -> bool:
        around = mask[cv2.dilate((mask == label).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0]
        return set(np.unique(around).tolist()) <= {label, self._ground}


def _around(before: np.ndarray, after: np.ndarray, ground: int | None) -> tuple[slice, slice]:
    """The rectangle that holds all shapes of both, and a pixel more so that their edges lie within."""
    held = np.ones(before.shape, bool) if ground is None else (before != ground) | (after != ground)
    rows, columns = np.flatnonzero(held.any(axis=1)), np.flatnonzero(held.any(axis=0))
    if rows.size == 0:
        return slice(0, 0), slice(0, 0)
    top, left = max(0, rows[0] - 1), max(0, columns[0] - 1)
    return slice(int(top), int(rows[-1] + 2)), slice(int(left), int(columns[-1] + 2))


def _distances(inside: np.ndarray) -> np.ndarray | None:
    """Distances to the edge, positive inside, (h, w) float32; None where there is nothing inside."""
    if not inside.any():
        return None
    if inside.all():
        return np.full(inside.shape, max(inside.shape), np.float32)
    shape = inside.astype(np.uint8)
    within = cv2.distanceTransform(shape, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    beyond = cv2.distanceTransform(1 - shape, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.where(inside, within - 0.5, 0.5 - beyond).astype(np.float32)


def _lies_whole(inside: np.ndarray) -> bool:
    edges = (inside[0], inside[-1], inside[:, 0], inside[:, -1])
    return not any(edge.any() for edge in edges) and cv2.connectedComponents(inside.astype(np.uint8))[0] == 2


def _middle(inside: np.ndarray) -> np.ndarray:
    rows, columns = np.nonzero(inside)
    return np.array([columns.mean(), rows.mean()])


def _moved(field: np.ndarray, by: np.ndarray) -> np.ndarray:
    """A field moved by (x, y) pixels; what comes in from beyond its edge is as far from the shape as it can be."""
    if not by.any():
        return field
    matrix = np.array([[1, 0, by[0]], [0, 1, by[1]]], np.float32)
    height, width = field.shape
    moved = cv2.warpAffine(field, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    columns, rows = np.arange(width) - by[0], np.arange(height) - by[1]
    beside, below = (np.maximum(np.maximum(-at, at - end + 1), 0) for at, end in ((columns, width), (rows, height)))
    return moved - np.hypot(beside, below[:, None]).astype(np.float32)
