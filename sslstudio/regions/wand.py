"""The magic wand: pixels whose colour is near that of one pixel."""

from __future__ import annotations

import cv2
import numpy as np

from sslstudio.regions.growing import Found, from_small
from sslstudio.regions.rect import NOTHING, Rect, bounds

_STRIP = 1 << 22  # pixels compared at a time


def similar(image: np.ndarray, x: int, y: int, tolerance: int, within: Rect) -> Found:
    """The pixels of an (H, W, 3) uint8 image of which no channel differs by more than ``tolerance`` from (x, y)."""
    if within.empty:
        return NOTHING, np.zeros((0, 0), bool)
    low, high = _range(image[y, x], tolerance)
    inside = np.empty((within.height, within.width), bool)
    rows = max(1, _STRIP // within.width)
    for top in range(0, within.height, rows):
        part = within.of(image)[top : top + rows]
        inside[top : top + rows] = cv2.inRange(part, low, high) > 0  # 255 is no bool
    return _trimmed(within, inside)


def similar_connected(image: np.ndarray, x: int, y: int, tolerance: int, within: Rect) -> Found:
    """Those of ``similar`` that hang together with (x, y), side by side."""

    def find(window: Rect) -> Found:
        inside = _flooded(window.of(image), x - window.left, y - window.top, tolerance)
        return _trimmed(window, inside)

    return from_small(x, y, within, find)


def _flooded(part: np.ndarray, x: int, y: int, tolerance: int) -> np.ndarray:
    mask = np.zeros((part.shape[0] + 2, part.shape[1] + 2), np.uint8)
    flags = 4 | cv2.FLOODFILL_MASK_ONLY | cv2.FLOODFILL_FIXED_RANGE | (1 << 8)
    step = (tolerance,) * 3
    cv2.floodFill(part.copy(), mask, (x, y), (0, 0, 0), step, step, flags)  # a copy: images may be read-only
    return mask[1:-1, 1:-1].view(bool)


def _range(colour: np.ndarray, tolerance: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    near = colour.astype(int)
    return tuple(np.maximum(near - tolerance, 0).tolist()), tuple(np.minimum(near + tolerance, 255).tolist())


def _trimmed(window: Rect, inside: np.ndarray) -> Found:
    rect = bounds(inside, window.left, window.top)
    here = Rect(rect.left - window.left, rect.top - window.top, rect.right - window.left, rect.bottom - window.top)
    return (rect, here.of(inside)) if not rect.empty else (NOTHING, np.zeros((0, 0), bool))
