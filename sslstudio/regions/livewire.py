"""Live-wire: the way between two places that follows edges in the image (OpenCV's intelligent scissors)."""

from __future__ import annotations

import math

import cv2
import numpy as np

from sslstudio.regions.beside import BESIDE
from sslstudio.regions.rect import Rect, whole

_REACH = 192  # pixels to each side of an anchor in which ways are known; further away they are straight

Place = tuple[float, float]


class Wire:
    """Ways from one anchor through an (H, W, 3) uint8 image; the map of them is made beside the window (40 ms)."""

    def __init__(self, image: np.ndarray, anchor: Place) -> None:
        self.anchor = anchor
        x, y = math.floor(anchor[0]), math.floor(anchor[1])
        self._window = Rect(x - _REACH, y - _REACH, x + _REACH, y + _REACH).within(whole(image.shape))
        part = np.ascontiguousarray(self._window.of(image))
        self._scissors = BESIDE.submit(_mapped, part, (x - self._window.left, y - self._window.top))

    @property
    def ready(self) -> bool:
        """Whether the ways are known."""
        return self._scissors.done()

    def way(self, to: Place, *, wait: bool = True) -> list[Place]:
        """The places from the anchor to ``to``, both included; what lies beyond reach is reached in a straight line.

        So is all of it while the ways are not known, unless they are waited for.
        """
        if not (wait or self.ready):
            return [self.anchor, to]
        scissors = self._scissors.result()
        box = self._window
        x = min(max(math.floor(to[0]), box.left), box.right - 1)
        y = min(max(math.floor(to[1]), box.top), box.bottom - 1)
        steps = scissors.getContour((x - box.left, y - box.top)).reshape(-1, 2)
        places = [(box.left + int(column) + 0.5, box.top + int(row) + 0.5) for column, row in steps]
        return [self.anchor, *places[1:-1], to]


def _mapped(part: np.ndarray, anchor: tuple[int, int]) -> cv2.segmentation.IntelligentScissorsMB:
    """The scissors for (h, w, 3) uint8 with all ways from an anchor (x, y) in it."""
    scissors = cv2.segmentation.IntelligentScissorsMB()
    scissors.setEdgeFeatureCannyParameters(32, 100)
    scissors.setGradientMagnitudeMaxLimit(200)
    scissors.applyImage(part)
    scissors.buildMap(anchor)
    return scissors
