"""Look in a small window first, so that what is small costs little on a large image."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sslstudio.regions.rect import Rect

_FIRST = 256  # pixels to each side

Found = tuple[Rect, np.ndarray]  # a rectangle and which of its pixels, bool


def from_small(x: int, y: int, limit: Rect, find: Callable[[Rect], Found]) -> Found:
    """What ``find`` finds around a pixel, in ever larger windows until it does not touch the window's edge."""
    reach = _FIRST
    while True:
        window = Rect(x - reach, y - reach, x + reach, y + reach).within(limit)
        rect, inside = find(window)
        if _free(rect, window, limit):
            return rect, inside
        reach *= 3


def _free(rect: Rect, window: Rect, limit: Rect) -> bool:
    """Whether nothing that lies outside of the window can belong to it."""
    if rect.empty or window == limit:
        return True
    return (
        (rect.left > window.left or window.left == limit.left)
        and (rect.top > window.top or window.top == limit.top)
        and (rect.right < window.right or window.right == limit.right)
        and (rect.bottom < window.bottom or window.bottom == limit.bottom)
    )
