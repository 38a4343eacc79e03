"""What a pen does to a label map: round dabs, polygons and fills, each undone byte for byte.

Nothing here knows Qt. Before a pixel changes, its tile is kept once, so that a stroke costs memory for what it touches
and not for the size of the image.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from sslstudio.project.label_map import Labels, Patch
from sslstudio.regions.rect import NOTHING, Rect, bounds, whole
from sslstudio.ui.canvas.kept import kept_of

_AT_ONCE, _STRIP = 1 << 19, 256  # pixels of a rectangle that is painted in one go; rows of a strip of a larger one
_MOST = 1 << 26  # pixels of a polygon that is filled in one go
Point = tuple[float, float]
Disc = tuple[Point, float]  # middle and radius
Sieve = Callable[[Rect], np.ndarray]


@dataclass(frozen=True)
class Ended:
    """A stroke that is over: its value, a label that it met and might not change (or None), whether it changed any."""

    value: int
    held: int | None
    changed: bool


class Stroke:
    """One change to a label map, from pen down to pen up, in one ``value``."""

    def __init__(
        self, labels: Labels, value: int, changeable: np.ndarray | None = None, sieve: Sieve | None = None
    ) -> None:
        self.labels = labels
        self.value = value
        self._changeable = changeable  # (256,) bool: labels that may change; None for all
        self._sieve = sieve  # which pixels of a rectangle a brush takes; None for all
        self.touched = NOTHING  # the bounding box of exactly those pixels that changed
        self.held: int | None = None  # a label that was to change and may not
        self.recorded: list[tuple[Rect, np.ndarray | np.uint8, np.ndarray | None]] | None = None  # to draw it anew
        self.moment = 0  # when it was done, if it becomes an edit only later
        self._kept = kept_of(labels)
        self._tip: list[tuple[Rect, np.ndarray]] | None = None  # what was below what may be taken back, piece by piece
        self._touched, self._steps = NOTHING, 0  # without that

    def line(self, start: Point, end: Point, diameter: int, *, square: bool = False) -> Rect:
        """Draw with a round or square brush between two places (image pixels); the rectangle that changed."""
        return self.way([snapped(start, diameter), snapped(end, diameter)], diameter, diameter, square=square)

    def way(self, places: Sequence[Point], first: float, last: float, *, square: bool = False) -> Rect:
        """Draw from place to place; the brush's diameter changes evenly from ``first`` to ``last``."""
        changed, steps = NOTHING, len(places) - 1
        for at, (start, end) in enumerate(pairwise(places)):
            radii = [(first + (last - first) * share / steps) / 2 for share in (at, at + 1)]
            for rect, inside in capsules(start, end, radii[0], self.labels.shape, radii[1], square=square):
                if self._sieve is not None and not rect.empty:
                    inside &= self._sieve(rect)
                changed = changed.joined(self.paint(rect, inside))
        return changed

    def begin_tip(self) -> None:
        """What is drawn from now on may still be taken back; what was drawn so far stays."""
        self._tip, self._touched, self._steps = [], self.touched, len(self.recorded or ())

    def keep_tip(self) -> None:
        """What was drawn since ``begin_tip`` stays, too."""
        self._tip = None

    def take_tip_back(self) -> Rect:
        """Put back what was there before ``begin_tip``; the rectangle that changed."""
        changed, tip = NOTHING, self._tip or []
        for rect, labels in reversed(tip):
            self.labels[rect.top : rect.bottom, rect.left : rect.right] = labels
            changed = changed.joined(rect)
        if self._tip is not None:
            self.touched = self._touched
            if self.recorded is not None:
                del self.recorded[self._steps :]
        self._tip = None
        return changed

    def polygon(self, points: Sequence[Point]) -> Rect:
        """Fill the area within ``points``; the rectangle that changed."""
        changed = NOTHING
        for rect, inside in polygon_parts(points, self.labels.shape):
            changed = changed.joined(self.paint(rect, inside))
        return changed

    def fill(self, x: int, y: int, within: Rect | None = None) -> Rect:
        """Fill what has one label and hangs together with a pixel, in a rectangle if told; the one that changed."""
        if self.labels[y, x] == self.value:
            return NOTHING
        within = whole(self.labels.shape) if within is None else within
        rect, inside = connected_area(within.of(self.labels), x - within.left, y - within.top)  # type: ignore[type-var]
        return self.paint(rect.moved(within.left, within.top), inside)

    def paint(self, rect: Rect, inside: np.ndarray) -> Rect:
        """Give the pixels of ``rect`` that are ``inside`` (bool, its shape) the value; the rectangle that changed."""
        return NOTHING if rect.empty else self._put(rect, np.uint8(self.value), inside)

    def put(self, rect: Rect, labels: np.ndarray) -> Rect:
        """Give the pixels of ``rect`` these labels, (its shape) uint8, where they may change; what changed."""
        return NOTHING if rect.empty else self._put(rect, labels, None)

    def again(self) -> Stroke:
        """The same stroke, if it was recorded, drawn anew on the labels as they are now."""
        stroke = Stroke(self.labels, self.value, self._changeable)
        stroke.recorded, stroke.moment = [], self.moment
        for step in self.recorded or ():
            stroke._put(*step)
        return stroke

    def _put(self, rect: Rect, labels: np.ndarray | np.uint8, inside: np.ndarray | None) -> Rect:
        if self.recorded is not None:
            self.recorded.append((rect, labels, inside))
        part = rect.of(self.labels)
        changing = part != labels
        if inside is not None:
            changing &= inside
        if self._changeable is not None:
            may = self._changeable[part]
            if self.held is None and (held := part[changing & ~may]).size:
                self.held = int(held[0])
            changing &= may
        changed = bounds(changing, rect.left, rect.top)
        if not changed.empty:
            self._kept.keep(changed)
            if self._tip is not None:
                self._tip.append((changed, changed.of(self.labels).copy()))
            np.copyto(part, labels, where=changing)
            if not isinstance(self.labels, np.ndarray):  # then ``part`` is a copy
                inner = changed.moved(-rect.left, -rect.top)
                self.labels[changed.top : changed.bottom, changed.left : changed.right] = inner.of(part)
            self.touched = self.touched.joined(changed)
        return changed

    def patches(self) -> tuple[Patch, Patch] | None:
        """Before and after of what was touched; None if nothing changed."""
        return None if self.touched.empty else self._kept.patches(self.touched)

    def cancel(self) -> Rect:
        """Put everything back; the rectangle to repaint."""
        self._kept.restore()
        touched, self.touched, self._tip = self.touched, NOTHING, None
        return touched


def snapped(point: Point, diameter: int) -> Point:
    """The brush's centre for a pointer: a pixel's middle for odd diameters, a pixel's corner for even ones."""
    if diameter % 2:
        return math.floor(point[0]) + 0.5, math.floor(point[1]) + 0.5
    return float(math.floor(point[0] + 0.5)), float(math.floor(point[1] + 0.5))


def capsules(
    start: Point, end: Point, radius: float, shape: tuple[int, ...], radius_there: float = 0.0, *, square: bool = False
) -> Iterator[tuple[Rect, np.ndarray]]:
    """The pixels whose middle a brush covers on its way along a line: rectangles and which of their pixels (bool).

    Its radius changes evenly to ``radius_there``; 0: it stays. One rectangle as a rule; strips where that would hold
    much that the brush does not reach.
    """
    there = radius_there or radius
    box = Rect(
        math.floor(min(start[0] - radius, end[0] - there)),
        math.floor(min(start[1] - radius, end[1] - there)),
        math.ceil(max(start[0] + radius, end[0] + there)),
        math.ceil(max(start[1] + radius, end[1] + there)),
    ).within(Rect(0, 0, shape[1], shape[0]))
    if box.empty:
        return
    rows = np.arange(box.top, box.bottom) + 0.5
    left, right = (_square_spans if square else _capsule_spans)((start, radius), (end, there), rows)
    slack = 1e-9 * (1 + max(radius, there))
    step = box.height if box.width * box.height <= _AT_ONCE else _STRIP
    for top in range(0, box.height, step):
        low, high = left[top : top + step] - slack, right[top : top + step] + slack
        reached = low <= high
        if not reached.any():
            continue
        # the first pixel of each row, and the one after the last; whole numbers are compared several times faster
        first = np.ceil(np.where(reached, low, 0) - 0.5).astype(np.int32).clip(box.left, box.right)
        after = np.floor(np.where(reached, high, -1) - 0.5).astype(np.int32).clip(box.left - 1, box.right - 1) + 1
        first = np.minimum(first, after)
        filled = first < after
        if not filled.any():
            continue
        strip = Rect(int(first[filled].min()), box.top + top, int(after[filled].max()), box.top + top + len(low))
        columns = np.arange(strip.left, strip.right, dtype=np.int32)
        yield strip, (columns - first[:, None]).view(np.uint32) < (after - first).view(np.uint32)[:, None]


def polygon_area(points: Sequence[Point], shape: tuple[int, ...]) -> tuple[Rect, np.ndarray]:
    """The pixels within a polygon: a rectangle and which of its pixels (bool)."""
    return _filled(np.asarray(points, np.float64), _box(points, shape))


def polygon_parts(points: Sequence[Point], shape: tuple[int, ...]) -> Iterator[tuple[Rect, np.ndarray]]:
    """The same in strips, where the polygon is so large that one rectangle would take much memory."""
    box, corners = _box(points, shape), np.asarray(points, np.float64)
    rows = box.height if box.width * box.height <= _MOST else max(1, _MOST // 4 // max(1, box.width))
    for top in range(box.top, box.bottom, max(1, rows)):
        yield _filled(corners, Rect(box.left, top, box.right, min(top + rows, box.bottom)))


def _box(points: Sequence[Point], shape: tuple[int, ...]) -> Rect:
    if len(points) < 3:
        return NOTHING
    corners = np.asarray(points, np.float64)
    low, high = np.floor(corners.min(axis=0)).astype(int), np.ceil(corners.max(axis=0)).astype(int)
    return Rect(int(low[0]), int(low[1]), int(high[0]) + 1, int(high[1]) + 1).within(Rect(0, 0, shape[1], shape[0]))


def _filled(corners: np.ndarray, box: Rect) -> tuple[Rect, np.ndarray]:
    inside = np.zeros((box.height, box.width), np.uint8)
    if not box.empty:
        fixed = np.round((corners - (box.left + 0.5, box.top + 0.5)) * 16).astype(np.int32)
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


def _capsule_spans(one: Disc, other: Disc, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each row the leftmost and rightmost x within a capsule, which is convex."""
    left, right = np.full(len(rows), np.inf), np.full(len(rows), -np.inf)
    for (x, y), radius in (one, other):
        reach = np.sqrt(np.maximum(radius**2 - (rows - y) ** 2, 0))
        within = np.abs(rows - y) <= radius
        left = np.where(within, np.minimum(left, x - reach), left)
        right = np.where(within, np.maximum(right, x + reach), right)
    for sign in (1, -1):  # the long sides; what lies between them and the caps follows from convexity
        side = _side(one, other, sign)
        if side is not None:
            _widen(left, right, rows, *side)
    return left, right


def _side(one: Disc, other: Disc, sign: int) -> tuple[Point, Point] | None:
    """The line that touches both discs on one side; None where one lies within the other."""
    (start, radius), (end, there) = one, other
    length = math.dist(start, end)
    if length <= abs(radius - there):
        return None
    along, across = (end[0] - start[0]) / length, (end[1] - start[1]) / length
    lean = (radius - there) / length
    upright = sign * math.sqrt(1 - lean * lean)
    x, y = along * lean - across * upright, across * lean + along * upright
    return (start[0] + x * radius, start[1] + y * radius), (end[0] + x * there, end[1] + y * there)


def _square_spans(one: Disc, other: Disc, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each row the leftmost and rightmost x of what squares of side 2 radii cover on their way; convex."""
    left, right = np.full(len(rows), np.inf), np.full(len(rows), -np.inf)
    for (x, y), radius in (one, other):
        within = np.abs(rows - y) <= radius
        left = np.where(within, np.minimum(left, x - radius), left)
        right = np.where(within, np.maximum(right, x + radius), right)
    (start, radius), (end, there) = one, other
    for x, y in ((-1, -1), (1, -1), (-1, 1), (1, 1)):
        corner = start[0] + x * radius, start[1] + y * radius
        _widen(left, right, rows, corner, (end[0] + x * there, end[1] + y * there))
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
