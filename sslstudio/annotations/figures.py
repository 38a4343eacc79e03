"""What is measured of one region, from its rows: area, middle, box, length of the outline, longest diameter."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from sslstudio.annotations.joining import Runs

_FEW = 256  # corners of a hull between which all distances are worked out at once


@dataclass(frozen=True)
class Figures:
    """A region in pixels: its area, middle and box; ``hull`` (N, 2) are the corners x, y of its convex hull.

    Its outline goes through the middles of the edges between inside and outside, holes included: ``across`` and
    ``down`` are steps of one pixel, ``slanted`` cut a corner. Straight edges come out exact, curves some 5 % long.
    """

    area: int
    x: float
    y: float
    left: int
    top: int
    width: int
    height: int
    across: float
    down: float
    slanted: int
    hull: np.ndarray

    def perimeter(self, x: float = 1, y: float = 1) -> float:
        """The length of the outline, where a pixel is ``x`` wide and ``y`` high."""
        return self.across * x + self.down * y + self.slanted * math.hypot(x, y) / 2

    def feret(self, x: float = 1, y: float = 1) -> float:
        """The longest distance between two of its points, the edges of pixels included."""
        points = self.hull * np.array([x, y])
        if len(points) <= _FEW:
            return float(np.sqrt(((points[:, None] - points) ** 2).sum(axis=2).max()))
        return max(float(np.hypot(*(points - one).T).max()) for one in points)

    def diameter(self, x: float = 1, y: float = 1) -> float:
        """Of a disc of the same area."""
        return math.sqrt(4 * self.area * x * y / math.pi)


def of_rectangle(left: int, top: int, width: int, height: int) -> Figures:
    """The same as ``figures_of`` for a filled rectangle, without looking: most specks are one, and there are many."""
    right, bottom = left + width, top + height
    hull = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float64)
    middle = (left + right) / 2, (top + bottom) / 2
    return Figures(width * height, *middle, left, top, width, height, 2 * width - 2, 2 * height - 2, 4, hull)


def figures_of(runs: Runs) -> Figures:
    """What a region measures; its ``runs`` in the order of their rows."""
    rows, starts, stops = runs.T.astype(np.int64)
    lengths = stops - starts
    area, left, top = int(lengths.sum()), int(starts.min()), int(rows[0])
    width, height = int(stops.max()) - left, int(rows[-1]) + 1 - top
    # the pixels of a run have their middles half a pixel in
    x, y = float((lengths * (starts + stops)).sum()) / 2 / area, float((lengths * (2 * rows + 1)).sum()) / 2 / area
    level, corners = _edges(rows, starts, stops)
    across, down = level - corners / 2, 2 * len(runs) - corners / 2
    return Figures(area, x, y, left, top, width, height, across, down, corners, _hull(rows, starts, stops))


def _edges(rows: np.ndarray, starts: np.ndarray, stops: np.ndarray) -> tuple[int, int]:
    """How long all level edges are together, and how many corners the outline has."""
    ends = np.stack([starts, stops], axis=1).ravel()
    lines = np.repeat(rows, 2)
    keys = np.concatenate([(lines << 32) + ends, ((lines + 1) << 32) + ends])  # the edge above a row, and below it
    begins = np.tile([True, False], 2 * len(rows))
    order = np.argsort(keys, kind="stable")
    keys, begins = keys[order], begins[order]
    goes_on = (keys[1:] == keys[:-1]) & (begins[1:] == begins[:-1])  # an upright edge that goes straight on
    return int((keys[1::2] - keys[::2]).sum()), len(keys) - 2 * int(np.count_nonzero(goes_on))


def _hull(rows: np.ndarray, starts: np.ndarray, stops: np.ndarray) -> np.ndarray:
    first = np.flatnonzero(np.diff(rows, prepend=rows[0] - 1))
    rows, left, right = rows[first], np.minimum.reduceat(starts, first), np.maximum.reduceat(stops, first)
    points = [np.stack([x, y], axis=1) for x in (left, right) for y in (rows, rows + 1)]
    hull: np.ndarray = cv2.convexHull(np.concatenate(points).astype(np.int32)).reshape(-1, 2).astype(np.float64)
    return hull
