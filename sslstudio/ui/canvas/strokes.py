"""What a pen does to a label map: round dabs, polygons and fills, each undone byte for byte.

Nothing here knows Qt. Before a pixel changes, its tile is kept once, so that a stroke costs memory for what it touches
and not for the size of the image.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import cv2
import numpy as np

from sslstudio.project.label_map import Patch
from sslstudio.regions.rect import NOTHING, Rect, bounds

_TILE = 256
Point = tuple[float, float]
Sieve = Callable[[Rect], np.ndarray]


class Stroke:
    """One change to a label map, from pen down to pen up, in one ``value``."""

    def __init__(
        self, labels: np.ndarray, value: int, changeable: np.ndarray | None = None, sieve: Sieve | None = None
    ) -> None:
        self.labels = labels
        self.value = value
        self._changeable = changeable  # (256,) bool: labels that may change; None for all
        self._sieve = sieve  # which pixels of a rectangle a brush takes; None for all
        self.touched = NOTHING  # the bounding box of exactly those pixels that changed
        self._tiles: dict[tuple[int, int], np.ndarray] = {}

    def line(self, start: Point, end: Point, diameter: int, *, square: bool = False) -> Rect:
        """Draw with a round or square brush between two places (image pixels); the rectangle that changed."""
        start, end = snapped(start, diameter), snapped(end, diameter)
        rect, inside = capsule(start, end, diameter / 2, self.labels.shape, square=square)
        if self._sieve is not None and not rect.empty:
            inside &= self._sieve(rect)
        return self.paint(rect, inside)

    def polygon(self, points: Sequence[Point]) -> Rect:
        """Fill the area within ``points``; the rectangle that changed."""
        return self.paint(*polygon_area(points, self.labels.shape))

    def fill(self, x: int, y: int) -> Rect:
        """Fill the connected region of equal label around a pixel; the rectangle that changed."""
        if self.labels[y, x] == self.value:
            return NOTHING
        return self.paint(*connected_area(self.labels, x, y))

    def paint(self, rect: Rect, inside: np.ndarray) -> Rect:
        """Give the pixels of ``rect`` that are ``inside`` (bool, its shape) the value; the rectangle that changed."""
        return NOTHING if rect.empty else self._put(rect, np.uint8(self.value), inside)

    def put(self, rect: Rect, labels: np.ndarray) -> Rect:
        """Give the pixels of ``rect`` these labels, (its shape) uint8, where they may change; what changed."""
        return NOTHING if rect.empty else self._put(rect, labels, None)

    def _put(self, rect: Rect, labels: np.ndarray | np.uint8, inside: np.ndarray | None) -> Rect:
        part = rect.of(self.labels)
        changing = part != labels
        if inside is not None:
            changing &= inside
        if self._changeable is not None:
            changing &= self._changeable[part]
        changed = bounds(changing, rect.left, rect.top)
        if not changed.empty:
            self._keep(changed)
            np.copyto(part, labels, where=changing)
            self.touched = self.touched.joined(changed)
        return changed

    def patches(self) -> tuple[Patch, Patch] | None:
        """Before and after of the touched rectangle; None if nothing changed."""
        if self.touched.empty:
            return None
        box = self.touched
        after = self.labels[box.top : box.bottom, box.left : box.right].copy()
        before = after.copy()
        for (row, column), tile in self._tiles.items():
            cut = _tile_rect(row, column, tile).within(box)
            if not cut.empty:
                before[cut.top - box.top : cut.bottom - box.top, cut.left - box.left : cut.right - box.left] = tile[
                    cut.top - row : cut.bottom - row, cut.left - column : cut.right - column
                ]
        return Patch(box.top, box.left, before), Patch(box.top, box.left, after)

    def cancel(self) -> Rect:
        """Put everything back; the rectangle to repaint."""
        for (row, column), tile in self._tiles.items():
            self.labels[row : row + tile.shape[0], column : column + tile.shape[1]] = tile
        touched, self.touched = self.touched, NOTHING
        self._tiles.clear()
        return touched

    def _keep(self, rect: Rect) -> None:
        for row in range(rect.top // _TILE * _TILE, rect.bottom, _TILE):
            for column in range(rect.left // _TILE * _TILE, rect.right, _TILE):
                if (row, column) not in self._tiles:
                    self._tiles[row, column] = self.labels[row : row + _TILE, column : column + _TILE].copy()


def snapped(point: Point, diameter: int) -> Point:
    """The brush's centre for a pointer: a pixel's middle for odd diameters, a pixel's corner for even ones."""
    if diameter % 2:
        return math.floor(point[0]) + 0.5, math.floor(point[1]) + 0.5
    return float(math.floor(point[0] + 0.5)), float(math.floor(point[1] + 0.5))


def capsule(
    start: Point, end: Point, radius: float, shape: tuple[int, ...], *, square: bool = False
) -> tuple[Rect, np.ndarray]:
    """The pixels whose middle a brush covers on its way along a line: a rectangle and which of its pixels (bool)."""
    box = Rect(
        math.floor(min(start[0], end[0]) - radius),
        math.floor(min(start[1], end[1]) - radius),
        math.ceil(max(start[0], end[0]) + radius),
        math.ceil(max(start[1], end[1]) + radius),
    ).within(Rect(0, 0, shape[1], shape[0]))
    if box.empty:
        return NOTHING, np.zeros((0, 0), bool)
    rows = np.arange(box.top, box.bottom) + 0.5
    left, right = (_square_spans if square else _capsule_spans)(start, end, radius, rows)
    columns = np.arange(box.left, box.right) + 0.5
    slack = 1e-9 * (1 + radius)
    return box, (columns >= left[:, None] - slack) & (columns <= right[:, None] + slack)


def polygon_area(points: Sequence[Point], shape: tuple[int, ...]) -> tuple[Rect, np.ndarray]:
    """The pixels within a polygon: a rectangle and which of its pixels (bool)."""
    corners = np.asarray(points, np.float64)
    if len(corners) < 3:
        return NOTHING, np.zeros((0, 0), bool)
    low, high = np.floor(corners.min(axis=0)).astype(int), np.ceil(corners.max(axis=0)).astype(int)
    box = Rect(low[0], low[1], high[0] + 1, high[1] + 1).within(Rect(0, 0, shape[1], shape[0]))
    inside = np.zeros((box.height, box.width), np.uint8)
    fixed = np.round((corners - (box.left + 0.5, box.top + 0.5)) * 16).astype(np.int32)
    if not box.empty:
        cv2.fillPoly(inside, [fixed], 1, shift=4)
    return box, inside.view(bool)


def connected_area(labels: np.ndarray, x: int, y: int) -> tuple[Rect, np.ndarray]:
    """The pixels that carry one label and hang together with (x, y), side by side: a rectangle and which (bool)."""
    height, width = labels.shape
    mask = np.zeros((height + 2, width + 2), np.uint8)
    flags = 4 | cv2.FLOODFILL_MASK_ONLY | (1 << 8)
    _, _, _, (left, top, wide, high) = cv2.floodFill(labels, mask, (x, y), 0, 0, 0, flags)
    inside = mask[top + 1 : top + 1 + high, left + 1 : left + 1 + wide]
    return Rect(left, top, left + wide, top + high), inside.view(bool)


def _capsule_spans(start: Point, end: Point, radius: float, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each row the leftmost and rightmost x within a capsule, which is convex."""
    left, right = np.full(len(rows), np.inf), np.full(len(rows), -np.inf)
    for x, y in (start, end):
        reach = np.sqrt(np.maximum(radius**2 - (rows - y) ** 2, 0))
        within = np.abs(rows - y) <= radius
        left = np.where(within, np.minimum(left, x - reach), left)
        right = np.where(within, np.maximum(right, x + reach), right)
    length = math.dist(start, end)
    if length:
        side = ((start[1] - end[1]) / length * radius, (end[0] - start[0]) / length * radius)
        for sign in (1, -1):  # the long sides; what lies between them and the caps follows from convexity
            x, y = start[0] + sign * side[0], start[1] + sign * side[1]
            _widen(left, right, rows, (x, y), (x + end[0] - start[0], y + end[1] - start[1]))
    return left, right


def _square_spans(start: Point, end: Point, radius: float, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each row the leftmost and rightmost x of what a square of side 2 ``radius`` covers on its way; convex."""
    left, right = np.full(len(rows), np.inf), np.full(len(rows), -np.inf)
    for x, y in (start, end):
        within = np.abs(rows - y) <= radius
        left = np.where(within, np.minimum(left, x - radius), left)
        right = np.where(within, np.maximum(right, x + radius), right)
    for dx, dy in ((-radius, -radius), (radius, -radius), (-radius, radius), (radius, radius)):
        _widen(left, right, rows, (start[0] + dx, start[1] + dy), (end[0] + dx, end[1] + dy))
    return left, right


def _widen(left: np.ndarray, right: np.ndarray, rows: np.ndarray, start: Point, end: Point) -> None:
    """Let the spans reach the line from ``start`` to ``end`` in the rows that it crosses."""
    if abs(start[1] - end[1]) < 1e-9:
        return
    share = (rows - start[1]) / (end[1] - start[1])
    crossing = (share >= 0) & (share <= 1)
    x = start[0] + share * (end[0] - start[0])
    left[crossing] = np.minimum(left[crossing], x[crossing])
    right[crossing] = np.maximum(right[crossing], x[crossing])


def _tile_rect(row: int, column: int, tile: np.ndarray) -> Rect:
    return Rect(column, row, column + tile.shape[1], row + tile.shape[0])
