"""From a small map of how alike places are to a region of the image, in bands, so that no image is too large.

The map is enlarged smoothly; where wanted, the image itself says where the edges lie: within a window the likeness is
fitted as a straight line over brightness (a guided filter, He et al. 2013), and the line is what is enlarged.
"""

from __future__ import annotations

from functools import cached_property

import cv2
import numpy as np

from sslstudio.regions.growing import Found
from sslstudio.regions.rect import NOTHING, bounds

_FIT_LONGEST = 512  # pixels of the longer side at which lines are fitted
_WINDOW = 6  # pixels of that to each side
_SOFT = 1e-3  # squared brightness below which a difference is no edge
_BAND = 1 << 21  # pixels worked on at a time


class Alike:
    """How alike each pixel of an (H, W, 3) uint8 image is, from a map (h, w) float32 of -1 to 1."""

    def __init__(self, likeness: np.ndarray, image: np.ndarray, *, clinging: bool = True) -> None:
        self.map, self.image, self.clinging = likeness, image, clinging

    def share(self, threshold: float) -> float:
        """The part of the image, 0 to 1, that is at least so alike; from the small map alone."""
        return float((self.map >= threshold).mean())

    def small(self, longest: int) -> np.ndarray:
        """The likeness at a size of at most ``longest`` pixels, (h, w) float32; for a preview."""
        height, width = self.image.shape[:2]
        scale = min(1.0, longest / max(height, width))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        if not self.clinging:
            return _enlarged(self.map, size)
        slope, start = self._lines
        return _enlarged(slope, size) * _grey(self.image, size) + _enlarged(start, size)

    def region(self, threshold: float) -> Found:
        """The pixels that are at least so alike: a rectangle and which of its pixels (bool)."""
        height, width = self.image.shape[:2]
        inside = np.empty((height, width), bool)
        rows = max(1, _BAND // width)
        for top in range(0, height, rows):
            bottom = min(height, top + rows)
            inside[top:bottom] = self._band(top, bottom) >= threshold
        rect = bounds(inside)
        return (rect, rect.of(inside)) if not rect.empty else (NOTHING, np.zeros((0, 0), bool))

    def _band(self, top: int, bottom: int) -> np.ndarray:
        if not self.clinging:
            return _rows(self.map, self.image.shape[:2], top, bottom)
        slope, start = (_rows(part, self.image.shape[:2], top, bottom) for part in self._lines)
        grey = cv2.cvtColor(np.ascontiguousarray(self.image[top:bottom]), cv2.COLOR_RGB2GRAY)
        return slope * (grey.astype(np.float32) / 255) + start

    @cached_property
    def _lines(self) -> tuple[np.ndarray, np.ndarray]:
        """Slope and start of the likeness over brightness around each pixel, both (h, w) float32."""
        height, width = self.image.shape[:2]
        scale = min(1.0, _FIT_LONGEST / max(height, width))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        grey, alike = _grey(self.image, size), _enlarged(self.map, size)
        mean_grey, mean_alike = _blurred(grey), _blurred(alike)
        slope = (_blurred(grey * alike) - mean_grey * mean_alike) / (_blurred(grey**2) - mean_grey**2 + _SOFT)
        return _blurred(slope), _blurred(mean_alike - slope * mean_grey)


def _enlarged(part: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    shrinks = size[0] < part.shape[1] or size[1] < part.shape[0]
    return cv2.resize(part, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def _grey(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Brightness 0 to 1 at a size, (h, w) float32."""
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA) if size != image.shape[1::-1] else image
    return cv2.cvtColor(np.ascontiguousarray(small), cv2.COLOR_RGB2GRAY).astype(np.float32) / 255


def _blurred(part: np.ndarray) -> np.ndarray:
    return cv2.blur(part, (2 * _WINDOW + 1,) * 2)


def _rows(part: np.ndarray, shape: tuple[int, ...], top: int, bottom: int) -> np.ndarray:
    """Rows ``top`` to ``bottom`` of ``part`` enlarged to ``shape``; the same values as if all were enlarged at once."""
    height, width = shape
    wide = cv2.resize(part, (width, part.shape[0]), interpolation=cv2.INTER_LINEAR)
    at = np.clip((np.arange(top, bottom) + 0.5) / height * part.shape[0] - 0.5, 0, part.shape[0] - 1)
    above = np.minimum(at.astype(int), max(0, part.shape[0] - 2))
    share = (at - above).astype(np.float32)[:, None]
    return wide[above] * (1 - share) + wide[np.minimum(above + 1, part.shape[0] - 1)] * share
