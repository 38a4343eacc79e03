"""Regions of a mask to polygons and back, exactly: corners lie on the corners of pixels.

A pixel (x, y) covers the square from (x, y) to (x + 1, y + 1). It belongs to a polygon when its centre does, so a
traced outline fills to the very mask it was traced from, and any other polygon is off by half a pixel at most.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from sslstudio.annotations.joining import CONNECTIVITY, Runs, areas, runs_of
from sslstudio.errors import UserError
from sslstudio.language import tr
from sslstudio.project.label_map import UNPAINTED, Labels
from sslstudio.project.sparse_labels import SparseLabels

_CELLS = 1 << 22  # pixels that are filled at once
_RUNS = 1 << 19  # runs that are looked through for corners at once
MOST_CORNERS = 3_000_000  # of one area: as text they take a hundred megabytes, and no other program draws them


class TooManyCorners(UserError):
    """An area whose outline nobody could draw."""


@dataclass(frozen=True)
class Region:
    """A connected area of one class: rings of (N, 2) float64 x, y, not closed; the box around it in whole pixels."""

    place: int
    outer: np.ndarray
    holes: tuple[np.ndarray, ...]
    top: int
    left: int
    height: int
    width: int

    @property
    def rings(self) -> tuple[np.ndarray, ...]:
        """The outline and the holes."""
        return (self.outer, *self.holes)

    @property
    def bitmap(self) -> np.ndarray:
        """Its pixels in the box, (height, width) bool."""
        corner = np.array([self.left, self.top], np.float64)
        return fill([ring - corner for ring in self.rings], self.height, self.width)[2]

    @property
    def area(self) -> int:
        """Its pixels."""
        return round(abs(_area(self.outer)) - sum(abs(_area(hole)) for hole in self.holes))

    def one_ring(self) -> np.ndarray:
        """The outline with each hole cut open by a slit of no width, for formats without holes."""
        ring = self.outer
        for hole in sorted(self.holes, key=lambda hole: float(hole[:, 1].min())):
            hole = np.roll(hole, -int(np.lexsort((hole[:, 0], hole[:, 1]))[0]), axis=0)  # from its topmost corner
            at = int(np.abs(ring - hole[0]).sum(axis=1).argmin())
            bend = np.array([[hole[0, 0], ring[at, 1]]])  # along edges of pixels: a slanting slit would cross middles
            ring = np.concatenate([ring[: at + 1], bend, hole, hole[:1], bend, ring[at:]])
        return ring


def regions(labels: Labels, skip: int | None = None) -> Iterator[Region]:
    """The connected areas (sides touch) of each class in (H, W) uint8 labels; unpainted and ``skip`` left out.

    Raises TooManyCorners where labels by tiles hold one with more than ``MOST_CORNERS`` corners.
    """
    if isinstance(labels, SparseLabels):
        places = [int(place) for place in np.flatnonzero(labels.counts()) if place not in (UNPAINTED, skip)]
        for place, parts in areas(labels, places, CONNECTIVITY, runs_of):
            yield _of_runs(place, parts)
        return
    for place in np.flatnonzero(np.bincount(labels.ravel(), minlength=256)).tolist():
        if place in (UNPAINTED, skip):
            continue
        bitmap = (labels == place).astype(np.uint8)
        count, numbers, boxes, _ = cv2.connectedComponentsWithStats(bitmap, connectivity=CONNECTIVITY)
        for number in range(1, count):
            left, top, width, height = (int(value) for value in boxes[number][:4])
            bitmap = numbers[top : top + height, left : left + width] == number
            outer, holes = _rings(_loops(bitmap))
            offset = np.array([left, top], np.float64)
            yield Region(place, outer + offset, tuple(hole + offset for hole in holes), top, left, height, width)


def _of_runs(place: int, parts: list[Runs]) -> Region:
    """The area that some runs cover."""
    runs = parts[0] if len(parts) == 1 else np.concatenate(parts)
    if len(parts) > 1:
        runs = runs[np.lexsort((runs[:, 1], runs[:, 0]))]
    top, left = int(runs[0, 0]), int(runs[:, 1].min())
    height, width = int(runs[-1, 0]) + 1 - top, int(runs[:, 2].max()) - left
    outer, holes = _rings(_joined(*_corners_of_runs(runs, place)))
    return Region(place, outer, tuple(holes), top, left, height, width)


def _rings(loops: Iterator[np.ndarray]) -> tuple[np.ndarray, list[np.ndarray]]:
    """The outer ring and the rings of the holes of one connected area."""
    rings = [part for loop in loops for part in _untouched(loop)]
    firsts = [tuple(ring[np.lexsort((ring[:, 0], ring[:, 1]))[0], ::-1]) for ring in rings]
    outside = firsts.index(min(firsts))  # the topmost corner of all can be no hole's
    # holes go the other way round, so that fills by winding number leave them open
    holes = [_turned(ring, -1) for at, ring in enumerate(rings) if at != outside]
    return _turned(rings[outside], 1), holes


def _turned(ring: np.ndarray, sense: int) -> np.ndarray:
    """The ring in one of the two senses."""
    return ring if _area(ring) * sense > 0 else ring[::-1]


def _area(ring: np.ndarray) -> float:
    """What a ring encloses in pixels, negative for one of the two senses."""
    x, y = ring[:, 0] - ring[0, 0], ring[:, 1] - ring[0, 1]
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


def _untouched(loop: np.ndarray) -> Iterator[np.ndarray]:
    """A loop cut where it touches itself: other programs call such a ring invalid."""
    keys = [tuple(corner) for corner in loop.tolist()]
    if len(set(keys)) == len(keys):
        yield loop
        return
    path: list[tuple[float, ...]] = []
    at: dict[tuple[float, ...], int] = {}
    for key in keys:
        if key in at:
            start = at[key]
            yield np.array(path[start:])
            for gone in path[start + 1 :]:
                del at[gone]
            del path[start + 1 :]
        else:
            at[key] = len(path)
            path.append(key)
    yield np.array(path)


def _loops(bitmap: np.ndarray) -> Iterator[np.ndarray]:
    """All closed lines between inside and outside, as corners (N, 2) x, y."""
    padded = np.pad(bitmap, 1).astype(np.int8)
    nw, ne, sw, se = padded[:-1, :-1], padded[:-1, 1:], padded[1:, :-1], padded[1:, 1:]
    total = nw + ne + sw + se
    crossing = (total == 2) & (nw == se)
    rows, columns = np.nonzero((total % 2 == 1) | crossing)
    double = crossing[rows, columns]
    return _joined(rows, columns, double, double & (nw[rows, columns] == 1))


def _corners_of_runs(runs: Runs, place: int) -> tuple[np.ndarray, ...]:
    """What ``_joined`` wants, from the runs of one area in the order of their rows."""
    parts, first, last = [], int(runs[0, 0]), int(runs[-1, 0])
    starts = np.searchsorted(runs[:, 0], np.arange(first, last + 2))  # where each row begins
    top, corners = first, 0
    while top <= last + 1:
        wanted = starts[min(top - first, len(starts) - 1)] + _RUNS
        bottom = max(top + 1, first + int(np.searchsorted(starts, wanted, "right")) - 1)
        bottom = last + 2 if bottom > last else bottom
        above, below = (_toggles(runs[slice(*_between(starts, top - up, bottom - up, first))], up) for up in (1, 0))
        parts.append(_meeting(above, below))
        corners += len(parts[-1][0])
        if corners > MOST_CORNERS:
            raise TooManyCorners(
                tr("One area of the class number {place} has more than {most:,} corners.").format(
                    place=place, most=MOST_CORNERS
                ),
                tr("Export this mask as a label TIFF or as a palette PNG."),
            )
        top = bottom
    return tuple(np.concatenate(columns) for columns in zip(*parts, strict=True))


def _between(starts: np.ndarray, top: int, bottom: int, first: int) -> tuple[int, int]:
    """Which runs lie in some rows; ``starts`` begins with row ``first``."""
    at = np.clip([top - first, bottom - first], 0, len(starts) - 1)
    return int(starts[at[0]]), int(starts[at[1]])


def _toggles(runs: Runs, lower: int) -> tuple[np.ndarray, np.ndarray]:
    """Both ends of each run, rows and columns as one number, ``lower`` rows further down; and which ones begin."""
    rows = runs[:, :1].astype(np.int64) + lower
    keys = (rows << 32) + runs[:, 1:]
    return keys.ravel(), np.tile([True, False], len(runs))


def _meeting(above: tuple[np.ndarray, np.ndarray], below: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, ...]:
    """Row, column, whether it counts twice and whether it falls of each corner between rows, from their runs' ends."""
    keys = np.concatenate([above[0], below[0]])
    begins = np.concatenate([above[1], below[1]])
    order = np.argsort(keys, kind="stable")  # of two in the same place, the one above comes first
    keys, begins = keys[order], begins[order]
    twice = np.append(keys[1:] == keys[:-1], False)
    second = np.concatenate([[False], twice[:-1]])
    straight = twice & (begins == np.append(begins[1:], False))
    keep = ~second & ~straight
    double = (twice & ~straight)[keep]
    keys, begins = keys[keep], begins[keep]
    return keys >> 32, keys & 0xFFFFFFFF, double, double & ~begins


def _joined(rows: np.ndarray, columns: np.ndarray, double: np.ndarray, falling: np.ndarray) -> Iterator[np.ndarray]:
    """Corners (N,) each, row by row, joined to closed lines (N, 2) x, y.

    Corners in a row pair up to horizontal lines, those in a column to vertical ones. Where two pixels touch at
    a corner only, it counts twice (``double``; ``falling`` where these lie at its upper left and lower right), and
    the two copies are joined so that the pixels stay apart.
    """
    times = np.where(double, 2, 1)
    y, x = np.repeat(rows, times), np.repeat(columns, times)
    copy = np.arange(y.size) - np.repeat(np.cumsum(times) - times, times)
    # In a row, copy 0 ends the line from the left. In a column, the copy that ends the line from above is 0 as well
    # where the upper left pixel is inside, and 1 where the upper right one is.
    upper = np.where(np.repeat(double & ~falling, times), 1 - copy, copy)
    across = _partners(np.lexsort((copy, x, y)))
    along = _partners(np.lexsort((upper, y, x)))
    return _follow(np.stack([x, y], axis=1).astype(np.float64), across, along)


def _partners(order: np.ndarray) -> memoryview:
    """The corner at the other end of each corner's line, where consecutive ones of ``order`` share a line."""
    partner = np.empty_like(order)
    partner[order[::2]], partner[order[1::2]] = order[1::2], order[::2]
    return partner.astype(np.int32).data  # a list of numbers would take nine times the memory


def _follow(corners: np.ndarray, across: memoryview, along: memoryview) -> Iterator[np.ndarray]:
    seen = bytearray(len(corners))
    for start in range(len(corners)):
        if seen[start]:
            continue
        ring, at = [], start
        while not seen[at]:
            other = across[at]
            seen[at] = seen[other] = 1
            ring += [at, other]
            at = along[other]
        yield corners[ring]


def fill(rings: Sequence[np.ndarray], height: int, width: int, first: int = 0) -> tuple[int, int, np.ndarray]:
    """(top, left, bitmap) of the pixels inside an odd number of rings, in the rows from ``first`` to ``height``.

    What lies outside the image is cut away. Rings are (N, 2) x, y in pixels; NaN is the caller's to refuse.
    """
    corners = [np.asarray(ring, np.float64).reshape(-1, 2) for ring in rings]
    starts = np.concatenate(corners)
    ends = np.concatenate([np.concatenate([ring[1:], ring[:1]]) for ring in corners])
    starts, ends = _near(starts, ends, first, height)
    if not len(starts):
        return first, 0, np.zeros((0, 0), bool)
    least, most = np.minimum(starts, ends).min(axis=0), np.maximum(starts, ends).max(axis=0)
    left, top = (int(value) for value in np.floor(np.clip(least, (0, first), (width, height))))
    right, bottom = (int(value) for value in np.ceil(np.clip(most, (left, top), (width, height))))
    bitmap = np.zeros((bottom - top, right - left), bool)
    step = max(1, _CELLS // (right - left + 1))
    for row in range(top, bottom if bitmap.size else top, step):
        rows = row, min(row + step, bottom)
        near, far = _near(starts, ends, *rows) if step < bottom - top else (starts, ends)
        bitmap[rows[0] - top : rows[1] - top] = _inside(near, far, rows, (left, right))
    return top, left, bitmap


def _near(starts: np.ndarray, ends: np.ndarray, top: int, bottom: int) -> tuple[np.ndarray, np.ndarray]:
    """The lines that come into some rows."""
    near = (np.minimum(starts[:, 1], ends[:, 1]) <= bottom) & (np.maximum(starts[:, 1], ends[:, 1]) >= top)
    return starts[near], ends[near]


def _inside(starts: np.ndarray, ends: np.ndarray, rows: tuple[int, int], columns: tuple[int, int]) -> np.ndarray:
    """Which pixels of a rectangle lie behind an odd number of lines, (h, w) bool."""
    (top, bottom), (left, right) = rows, columns
    at, crossings = _crossings(starts, ends, top, bottom)
    behind = np.clip(np.ceil(crossings - 0.5) - left, 0, right - left).astype(np.int64)
    cells = (bottom - top) * (right - left + 1)
    toggles = np.bincount((at - top) * (right - left + 1) + behind, minlength=cells)
    parity = np.cumsum(toggles.reshape(bottom - top, -1), axis=1, dtype=np.uint8) & 1
    return parity[:, :-1] == 1


def _crossings(starts: np.ndarray, ends: np.ndarray, top: int, bottom: int) -> tuple[np.ndarray, np.ndarray]:
    """Where the lines cross the middles of the rows ``top`` to ``bottom``: row numbers and x."""
    flip = starts[:, 1] > ends[:, 1]
    upper, lower = np.where(flip[:, None], ends, starts), np.where(flip[:, None], starts, ends)
    first = np.clip(np.ceil(upper[:, 1] - 0.5), top, bottom).astype(np.int64)
    last = np.clip(np.ceil(lower[:, 1] - 0.5), top, bottom).astype(np.int64)
    counts = np.maximum(0, last - first)
    line = np.repeat(np.arange(len(starts)), counts)
    rows = first[line] + np.arange(line.size) - np.repeat(np.cumsum(counts) - counts, counts)
    from_, to = upper[line], lower[line]
    share = (rows + 0.5 - from_[:, 1]) / (to[:, 1] - from_[:, 1])
    return rows, from_[:, 0] + share * (to[:, 0] - from_[:, 0])
