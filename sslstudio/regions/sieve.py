"""A brush that takes only pixels of some brightness."""

from __future__ import annotations

import cv2
import numpy as np

from sslstudio.regions.rect import Rect


def between(image: np.ndarray, rect: Rect, low: int, high: int) -> np.ndarray:
    """Which pixels of a rectangle are from ``low`` to ``high`` bright, 0..255; (h, w) bool."""
    grey = cv2.cvtColor(np.ascontiguousarray(rect.of(image)), cv2.COLOR_RGB2GRAY)
    return (grey >= low) & (grey <= high)
