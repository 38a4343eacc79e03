"""Smaller copies of images and label maps, so that a far zoom reads no more pixels than it shows."""

from __future__ import annotations

import cv2
import numpy as np

from sslstudio.project.label_map import UNPAINTED, LabelMap, Labels
from sslstudio.project.sparse_labels import TILE, SparseLabels
from sslstudio.ui.canvas.viewport import Rect

_STRIP = 64  # rows; even: few enough to stay in the processor's cache
_COARSEST = 8  # halvings: as far as one can zoom out
_MANY = 48  # rectangles; more are mended tile by tile


def level_for(zoom: float) -> int:
    """How often to halve the image so that it is drawn at between half and full size."""
    level = 0
    while zoom * 2 ** (level + 1) <= 1.0:
        level += 1
    return level


class ImagePyramid:
    """An (H, W, 3) uint8 image, not copied, and its area-averaged halvings, each made when first needed."""

    def __init__(self, rgb8: np.ndarray) -> None:
        self._levels = {0: np.ascontiguousarray(rgb8)}
        self.height, self.width = rgb8.shape[:2]
        step = max(1, max(rgb8.shape[:2]) // 64)
        self.brightness = float(rgb8[::step, ::step].mean())  # 0..255, of one pixel in many

    def level(self, number: int) -> np.ndarray:
        """The image halved ``number`` times; rows and columns rounded up."""
        if number not in self._levels:
            finer = max(n for n in self._levels if n < number)
            size = (-(-self.width // 2**number), -(-self.height // 2**number))
            self._levels[number] = cv2.resize(self._levels[finer], size, interpolation=cv2.INTER_AREA)
        return self._levels[number]


class PlanePyramid:
    """The channels of an (H, W, C) image of any type, not copied, and area-averaged halvings of those in sight."""

    def __init__(self, pixels: np.ndarray) -> None:
        self._pixels = pixels
        self._levels: dict[int, dict[int, np.ndarray]] = {}
        self.height, self.width = pixels.shape[:2]

    def level(self, channel: int, number: int) -> np.ndarray:
        """One channel halved ``number`` times, (h, w); rows and columns rounded up."""
        levels = self._levels.setdefault(channel, {0: self._pixels[..., channel]})
        if number not in levels:
            finer = levels[max(n for n in levels if n < number)]
            size = (-(-self.width // 2**number), -(-self.height // 2**number))
            levels[number] = cv2.resize(np.ascontiguousarray(finer), size, interpolation=cv2.INTER_AREA)
        return levels[number]


class LabelPyramid:
    """A label map (H, W) uint8, shared and never copied, with halvings in which thin strokes survive.

    Those of huge labels, which lie in tiles, are kept with them.

    Of four labels the highest that is painted (below 255) is kept, so that a class wins over the background and
    anything wins over nothing.
    """

    def __init__(self, labels: Labels) -> None:
        self._base = labels
        self._coarser: list = labels.coarser if isinstance(labels, SparseLabels) else []

    @property
    def base(self) -> Labels:
        """The full-size label map itself."""
        return self._base

    def level(self, number: int) -> Labels:
        """The labels halved ``number`` times; rows and columns rounded up."""
        while len(self._coarser) < number:
            finest = self._coarser[-1] if self._coarser else self._base
            self._coarser.append(_halved_tiles(finest) if isinstance(finest, SparseLabels) else _halved(finest))
        return self._coarser[number - 1] if number else self._base

    def changed(self, rect: Rect) -> None:
        """Bring the halvings that exist up to date with a changed rectangle of the full-size labels."""
        parts = [rect]
        if isinstance(self._base, SparseLabels):
            touched = self._base.take_touched()
            if len(touched) > _MANY:
                self._mend_tiles(touched)
                return
            parts = [Rect(left, top, right, bottom) for top, bottom, left, right in touched]
        for part in parts:
            self._mend(part)

    def _mend_tiles(self, parts: list[tuple[int, int, int, int]]) -> None:
        """Make all tiles of the halvings anew in which some of many rectangles lie."""
        places = {
            (row, column)
            for top, bottom, left, right in parts
            for row in range(top // TILE, -(-bottom // TILE))
            for column in range(left // TILE, -(-right // TILE))
        }
        finer = self._base
        assert isinstance(finer, SparseLabels)
        for coarser in self._coarser:
            places = {(row // 2, column // 2) for row, column in places}
            for place in places:
                _halve_tile(finer, coarser, place)
            finer = coarser

    def _mend(self, rect: Rect) -> None:
        for finer, coarser in zip([self._base, *self._coarser], self._coarser, strict=False):
            rect = Rect(rect.left // 2, rect.top // 2, -(-rect.right // 2), -(-rect.bottom // 2))
            source = finer[2 * rect.top : 2 * rect.bottom, 2 * rect.left : 2 * rect.right]
            rows, columns = slice(rect.top, rect.bottom), slice(rect.left, rect.right)
            if isinstance(coarser, np.ndarray):
                _halve(source, coarser[rows, columns])
            else:
                coarser[rows, columns] = _halved(source)


def prepared(labels: LabelMap) -> LabelMap:
    """The same labels, of huge ones with their halvings, for which nobody should wait when they are shown."""
    if isinstance(labels.labels, SparseLabels):
        LabelPyramid(labels.labels).level(_COARSEST)
    return labels


def _halved_tiles(labels: SparseLabels) -> SparseLabels:
    """As ``_halved``; tiles of a single label are not looked at."""
    height, width = labels.shape
    result = SparseLabels(-(-height // 2), -(-width // 2), UNPAINTED)
    for place in result.places():
        _halve_tile(labels, result, place)
    return result


def _halve_tile(finer: SparseLabels, coarser: SparseLabels, place: tuple[int, int]) -> None:
    """Make one tile of ``coarser`` anew."""
    row, column = place
    ones = {finer.plain(one) for one in finer.places(2 * row, 2 * column, 2)}
    if len(ones) == 1 and min(ones) >= 0:
        coarser.set_cell(place, ones.pop())
        return
    part = finer[2 * row * TILE : 2 * (row + 1) * TILE, 2 * column * TILE : 2 * (column + 1) * TILE]
    coarser[row * TILE : (row + 1) * TILE, column * TILE : (column + 1) * TILE] = _halved(part)


def _halved(labels: np.ndarray) -> np.ndarray:
    height, width = labels.shape
    result = np.empty((-(-height // 2), -(-width // 2)), np.uint8)
    _halve(labels, result)
    return result


def _halve(labels: np.ndarray, result: np.ndarray) -> None:
    """Write the higher of each 2 x 2 labels (H, W), 255 being the lowest, to ``result`` (half of both, rounded up).

    Into the same few arrays all the time: fresh memory for each strip took a third of the time.
    """
    height, width = labels.shape
    pairs = width // 2
    raised = np.empty((min(_STRIP, height), width), np.uint8)
    higher = np.empty((-(-len(raised) // 2), width + width % 2), np.uint8)
    left, right = np.empty((len(higher), pairs), np.uint16), np.empty((len(higher), pairs), np.uint16)
    for top in range(0, height, _STRIP):
        strip = labels[top : top + _STRIP]
        both, rest = divmod(len(strip), 2)
        count = both + rest
        strip = np.add(strip, 1, out=raised[: len(strip)])  # 255, not painted, becomes 0: the lowest
        np.maximum(strip[: 2 * both : 2], strip[1::2], out=higher[:both, :width])
        if rest:
            higher[both, :width] = strip[-1]
        part = result[top // 2 : top // 2 + count]
        two = higher[:count, : 2 * pairs].view("<u2")  # two neighbours in one number: three times faster
        np.right_shift(two, 8, out=right[:count])
        np.bitwise_and(two, 255, out=left[:count])
        np.maximum(left[:count], right[:count], out=left[:count])
        np.subtract(left[:count], 1, out=part[:, :pairs], casting="unsafe")
        if width % 2:
            np.subtract(higher[:count, width - 1], 1, out=part[:, pairs])
