"""Faint lines between pixels that are seen large: part of the picture below the mask, so that no dab draws them."""

from __future__ import annotations

import numpy as np

from sslstudio.ui.canvas.viewport import Rect, Viewport

GRID_FROM_ZOOM = 8.0
_STEP = 22  # of 255, lighter on dark pixels and darker on bright ones


def draw_grid(pixels: np.ndarray, view: Viewport, rect: Rect) -> None:
    """Draw on (h, w, 4) uint8, which show the device pixels of ``rect``, a line before each image pixel but the first.

    Lines are one device pixel wide, whatever the zoom.
    """
    columns = _firsts(view.zoom, view.x, rect.left, rect.right)
    rows = _firsts(view.zoom, view.y, rect.top, rect.bottom)
    level = _parted(pixels[rows, :, :3])  # before upright lines cross it
    pixels[:, columns, :3] = _parted(pixels[:, columns, :3])
    pixels[rows, :, :3] = level


def _parted(pixels: np.ndarray) -> np.ndarray:
    brightness = pixels.mean(axis=2, keepdims=True)  # one side for all of a pixel's channels, which keeps its hue
    return (pixels + np.where(brightness < 128, _STEP, -_STEP)).clip(0, 255).astype(np.uint8)


def _firsts(zoom: float, offset: float, start: int, stop: int) -> np.ndarray:
    """The device pixels, counted from ``start``, at which another pixel of the image begins."""
    shown = np.floor((np.arange(start - 1, stop) + 0.5 - offset) / zoom)
    return np.flatnonzero((np.diff(shown) > 0) & (shown[1:] > 0))
