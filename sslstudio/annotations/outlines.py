"""Regions of a mask to polygons and back, exactly: corners lie on the corners of pixels.

A pixel (x, y) covers the square from (x, y) to (x + 1, y + 1). It belongs to a polygon when its centre does, so a
traced outline fills to the very mask it was traced from, and any other polygon is off by half a pixel at most.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from sslstudio.project.masks import UNPAINTED


@dataclass(frozen=True)
class Region:
    """A connected area of one class: rings of (N, 2) float64 x, y, not closed, and its (top, left) bitmap."""

    place: int
    outer: np.ndarray
    holes: tuple[np.ndarray, ...]
    top: int
    left: int
    bitmap: np.ndarray

    @property
    def area(self) -> int:
        """Its pixels."""
        return int(np.count_nonzero(self.bitmap))

    def one_ring(self) -> np.ndarray:
        """The outline with each hole cut open by a slit of no width, for formats without holes."""
        ring = self.outer
        for hole in sorted(self.holes, key=lambda hole: float(hole[:, 1].min())):
            hole = np.roll(hole, -int(np.lexsort((hole[:, 0], hole[:, 1]))[0]), axis=0)  # from its topmost corner
            at = int(np.abs(ring - hole[0]).sum(axis=1).argmin())
            ring = np.concatenate([ring[: at + 1], hole, hole[:1], ring[at:]])
        return ring


def regions(labels: np.ndarray, skip: int | None = None) -> Iterator[Region]:
    """The connected areas (sides touch) of each class in (H, W) uint8 labels; unpainted and ``skip`` left out."""
    for place in np.flatnonzero(np.bincount(labels.ravel(), minlength=256)):
        if place in (UNPAINTED, skip):
            continue
        count, numbers, boxes, _ = cv2.connectedComponentsWithStats((labels == place).astype(np.uint8), connectivity=4)
        for number in range(1, count):
            left, top, width, height = (int(value) for value in boxes[number][:4])
            bitmap = numbers[top : top + height, left : left + width] == number
            outer, holes = _rings(bitmap)
            offset = np.array([left, top], np.float64)
            yield Region(int(place), outer + offset, tuple(hole + offset for hole in holes), top, left, bitmap)


def _rings(bitmap: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """The outer ring and the rings of the holes of one connected area."""
    outer, holes = np.zeros((0, 2)), []
    for ring in (part for loop in _loops(bitmap) for part in _untouched(loop)):
        first = ring[np.lexsort((ring[:, 0], ring[:, 1]))[0]].astype(int)
        if bitmap[first[1], first[0]]:  # right and below the topmost corner lies the inside of the ring
            outer = _turned(ring, 1)
        else:
            holes.append(_turned(ring, -1))  # the other way round, so that fills by winding number leave them open
    return outer, holes


def _turned(ring: np.ndarray, sense: int) -> np.ndarray:
    """The ring in one of the two senses."""
    x, y = ring[:, 0], ring[:, 1]
    area = float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))
    return ring if area * sense > 0 else ring[::-1]


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
    """All closed lines between inside and outside, as corners (N, 2) x, y.

    Corners in a row pair up to horizontal lines, those in a column to vertical ones. Where two pixels touch at
    a corner only, it counts twice, and the two copies are joined so that the pixels stay apart.
    """
    padded = np.pad(bitmap, 1).astype(np.int8)
    nw, ne, sw, se = padded[:-1, :-1], padded[:-1, 1:], padded[1:, :-1], padded[1:, 1:]
    total = nw + ne + sw + se
    crossing = (total == 2) & (nw == se)
    rows, columns = np.nonzero((total % 2 == 1) | crossing)
    double = crossing[rows, columns]
    falling = double & (nw[rows, columns] == 1)  # pixels at upper left and lower right
    times = np.where(double, 2, 1)
    y, x = np.repeat(rows, times), np.repeat(columns, times)
    copy = np.arange(y.size) - np.repeat(np.cumsum(times) - times, times)
    # In a row, copy 0 ends the line from the left. In a column, the copy that ends the line from above is 0 as well
    # where the upper left pixel is inside, and 1 where the upper right one is.
    upper = np.where(np.repeat(double & ~falling, times), 1 - copy, copy)
    across = _partners(np.lexsort((copy, x, y)))
    along = _partners(np.lexsort((upper, y, x)))
    yield from _follow(np.stack([x, y], axis=1).astype(np.float64), across, along)


def _partners(order: np.ndarray) -> list[int]:
    """The corner at the other end of each corner's line, where consecutive ones of ``order`` share a line."""
    partner = np.empty_like(order)
    partner[order[::2]], partner[order[1::2]] = order[1::2], order[::2]
    return partner.tolist()


def _follow(corners: np.ndarray, across: list[int], along: list[int]) -> Iterator[np.ndarray]:
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


def fill(rings: Sequence[np.ndarray], height: int, width: int) -> tuple[int, int, np.ndarray]:
    """(top, left, bitmap) of the pixels inside an odd number of rings; what lies outside the image is cut away.

    Rings are (N, 2) x, y in pixels; NaN is the caller's to refuse.
    """
    corners = np.concatenate([np.asarray(ring, np.float64).reshape(-1, 2) for ring in rings])
    left = int(np.clip(np.floor(corners[:, 0].min()), 0, width))
    right = int(np.clip(np.ceil(corners[:, 0].max()), left, width))
    top = int(np.clip(np.floor(corners[:, 1].min()), 0, height))
    bottom = int(np.clip(np.ceil(corners[:, 1].max()), top, height))
    bitmap = np.zeros((bottom - top, right - left), bool)
    if bitmap.size == 0:
        return top, left, bitmap
    starts = np.concatenate([np.asarray(ring, np.float64).reshape(-1, 2) for ring in rings])
    ends = np.concatenate([np.roll(np.asarray(ring, np.float64).reshape(-1, 2), -1, axis=0) for ring in rings])
    rows, crossings = _crossings(starts, ends, top, bottom)
    columns = np.clip(np.ceil(crossings - 0.5) - left, 0, right - left).astype(np.int64)
    toggles = np.bincount((rows - top) * (right - left + 1) + columns, minlength=(bottom - top) * (right - left + 1))
    parity = np.cumsum(toggles.reshape(bottom - top, -1), axis=1) % 2
    return top, left, parity[:, :-1] == 1


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
