"""Superpixels: small patches of one colour whose borders follow those in the image."""

from __future__ import annotations

import math
from collections import OrderedDict
from concurrent.futures import Future

import cv2
import numpy as np

from sslstudio.regions.beside import BESIDE
from sslstudio.regions.growing import Found
from sslstudio.regions.rect import NOTHING, Rect, bounds, whole

_KEPT = 128  # blocks, 128 MB
_NEAR = 96  # pixels from a block's border from which on its neighbour is made, too
_BLOCK = 512  # pixels; patches are made block by block, where somebody needs them


class Superpixels:
    """The patches of one (H, W, 3) uint8 image, each about ``side`` pixels wide, made when first needed."""

    def __init__(self, image: np.ndarray, side: int) -> None:
        self.image, self.side = image, side
        self._blocks: OrderedDict[tuple[int, int], Future[np.ndarray]] = OrderedDict()

    def at(self, x: float, y: float) -> Found:
        """The patch under a place: a rectangle and which of its pixels (bool); empty beside the image."""
        column, row = math.floor(x), math.floor(y)
        if not (0 <= row < self.image.shape[0] and 0 <= column < self.image.shape[1]):
            return NOTHING, np.zeros((0, 0), bool)
        top, left = row // _BLOCK * _BLOCK, column // _BLOCK * _BLOCK
        block = self._block(top, left).result()
        inside = block == block[row - top, column - left]
        rect = bounds(inside, left, top)
        return rect, Rect(rect.left - left, rect.top - top, rect.right - left, rect.bottom - top).of(inside)

    def ready(self, x: float, y: float) -> bool:
        """Whether ``at`` answers at once; what it lacks here and close by is begun beside the window (30 ms)."""
        height, width = self.image.shape[:2]
        places = {
            (math.floor(row) // _BLOCK * _BLOCK, math.floor(column) // _BLOCK * _BLOCK)
            for column in (x, x - _NEAR, x + _NEAR)
            for row in (y, y - _NEAR, y + _NEAR)
            if 0 <= column < width and 0 <= row < height
        }
        here = math.floor(y) // _BLOCK * _BLOCK, math.floor(x) // _BLOCK * _BLOCK
        if here not in places:
            return True
        under = self._block(*here)
        for place in places:
            self._block(*place)
        return under.done()

    def borders(self, x: float, y: float, reach: float) -> list[tuple[Rect, np.ndarray]]:
        """The patches within ``reach`` pixels of a place, as far as they are made: rectangles and their numbers."""
        near = Rect(*(math.floor(value) for value in (x - reach, y - reach, x + reach, y + reach)))
        parts = []
        for (top, left), block in self._blocks.items():
            if block.done():
                area = Rect(left, top, left + _BLOCK, top + _BLOCK).within(whole(self.image.shape)).within(near)
                if not area.empty:
                    parts.append((area, area.moved(-left, -top).of(block.result())))
        return parts

    def _block(self, top: int, left: int) -> Future[np.ndarray]:
        if (top, left) not in self._blocks:
            area = Rect(left, top, left + _BLOCK, top + _BLOCK).within(whole(self.image.shape))
            image, side = self.image, self.side
            self._blocks[top, left] = BESIDE.submit(lambda: _patches(np.ascontiguousarray(area.of(image)), side))
            if len(self._blocks) > _KEPT:
                self._blocks.popitem(last=False)
        self._blocks.move_to_end((top, left))
        return self._blocks[top, left]


def border_lines(rect: Rect, patches: np.ndarray) -> np.ndarray:
    """The borders between patches (h, w) that lie in ``rect``, as straight lines (n, 4) of places x, y, x, y."""
    upright = _runs((patches[:, 1:] != patches[:, :-1]).T)
    level = _runs(patches[1:] != patches[:-1])
    lines = np.empty((len(upright) + len(level), 4), np.int64)
    lines[: len(upright)] = upright[:, (0, 1, 0, 2)] + (1, 0, 1, 0)
    lines[len(upright) :] = level[:, (1, 0, 2, 0)] + (0, 1, 0, 1)
    return lines + np.array((rect.left, rect.top, rect.left, rect.top))


def _runs(there: np.ndarray) -> np.ndarray:
    """Where each run of True in the rows of (n, m) bool is: row, first column, the column after it."""
    edged = np.zeros((there.shape[0], there.shape[1] + 2), np.int8)
    edged[:, 1:-1] = there
    turns = np.diff(edged, axis=1)
    rows, first = np.nonzero(turns == 1)
    return np.stack([rows, first, np.nonzero(turns == -1)[1]], axis=1)


def outline_of(rect: Rect, inside: np.ndarray) -> list[tuple[float, float]]:
    """The longest outline of a region as places of the image."""
    lines, _ = cv2.findContours(inside.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    longest = max(lines, key=len, default=np.zeros((0, 1, 2)))
    points = [(rect.left + x + 0.5, rect.top + y + 0.5) for x, y in longest[:, 0]]
    return [*points, points[0]] if points else []


def _patches(part: np.ndarray, side: int) -> np.ndarray:
    """The number of each pixel's patch, (h, w) int32: water rises from one calm place per cell of a grid."""
    calm = cv2.GaussianBlur(part, (0, 0), max(0.8, side / 20))
    grey = cv2.cvtColor(calm, cv2.COLOR_RGB2GRAY).astype(np.float32)
    slope = cv2.magnitude(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    seeds = np.zeros(part.shape[:2], np.int32)
    number = 0
    for top in range(0, part.shape[0], side):
        for left in range(0, part.shape[1], side):
            cell = slope[top : top + side, left : left + side]
            inner = cell[side // 4 : -(side // 4) or None, side // 4 : -(side // 4) or None]
            y, x = np.unravel_index((inner if inner.size else cell).argmin(), (inner if inner.size else cell).shape)
            shift = side // 4 if inner.size else 0
            number += 1
            seeds[top + y + shift, left + x + shift] = number
    cv2.watershed(calm, seeds)
    return _without_borders(seeds)


def _without_borders(patches: np.ndarray) -> np.ndarray:
    """The lines between patches (below 1) given to the patch that lies nearest."""
    lines = (patches < 1).astype(np.uint8)
    if not lines.any() or lines.all():
        return patches
    _, nearest = cv2.distanceTransformWithLabels(lines, cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL)
    table = np.zeros(int(nearest.max()) + 1, np.int32)
    table[nearest[lines == 0]] = patches[lines == 0]
    return np.where(lines, table[nearest], patches)
