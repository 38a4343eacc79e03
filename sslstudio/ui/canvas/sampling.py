"""What each device pixel shows: nearest or blended pixels when near, averaged ones when far."""

from __future__ import annotations

import cv2
import numpy as np

from sslstudio.project.label_map import Labels
from sslstudio.ui.canvas.pyramid import ImagePyramid, LabelPyramid, PlanePyramid, level_for
from sslstudio.ui.canvas.viewport import Rect, Viewport

_LARGEST_SIDE = 32_000  # OpenCV's remapping counts in 16 bits


def sample_image(image: ImagePyramid, view: Viewport, rect: Rect, *, smooth: bool = False) -> np.ndarray:
    """The image under a device rectangle as (h, w, 4) uint8, blue first, as a 32-bit QImage wants it.

    ``smooth`` blends enlarged pixels into each other.
    """
    if view.zoom >= 1 and not smooth:
        columns = _indices(view.x, view.zoom, rect.left, rect.right, image.width)
        rows = _indices(view.y, view.zoom, rect.top, rect.bottom, image.height)
        part = image.level(0)[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        pixels = cv2.cvtColor(part, cv2.COLOR_RGB2BGRA).view(np.uint32)[..., 0]
        near = pixels.take(columns - columns[0], axis=1).take(rows - rows[0], axis=0)
        return near.view(np.uint8).reshape(rect.height, rect.width, 4)
    number = level_for(view.zoom)
    return cv2.cvtColor(
        _smooth(image.level(number), view.zoom * 2**number, view.zoom * 2**number, view, rect), cv2.COLOR_RGB2BGRA
    )


def sample_plane(planes: PlanePyramid, channel: int, view: Viewport, rect: Rect, *, smooth: bool = False) -> np.ndarray:
    """One channel under a device rectangle, (h, w) in the image's own type."""
    if view.zoom >= 1 and not smooth:
        columns = _indices(view.x, view.zoom, rect.left, rect.right, planes.width)
        rows = _indices(view.y, view.zoom, rect.top, rect.bottom, planes.height)
        part = planes.level(channel, 0)[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        if part.shape == (rect.height, rect.width):
            return np.ascontiguousarray(part)
        return part.take(columns - columns[0], axis=1).take(rows - rows[0], axis=0)
    number = level_for(view.zoom)
    scale = view.zoom * 2**number
    return _smooth(planes.level(channel, number), scale, scale, view, rect)


def label_under(labels: Labels, image: tuple[int, int], x: int, y: int) -> int:
    """The label at a pixel of an image of (width, height), from (h, w) ``labels`` that may be smaller or larger."""
    height, width = labels.shape
    return int(labels[min(y * height // image[1], height - 1), min(x * width // image[0], width - 1)])


def sample_labels(labels: LabelPyramid, image: tuple[int, int], view: Viewport, rect: Rect) -> np.ndarray:
    """The label under each device pixel of a rectangle, (h, w) uint8; ``labels`` may be smaller than the image."""
    height, width = labels.base.shape
    scale_x, scale_y = view.zoom * image[0] / width, view.zoom * image[1] / height
    number = level_for(max(scale_x, scale_y))
    level = labels.level(number)
    columns = _indices(view.x, scale_x * 2**number, rect.left, rect.right, level.shape[1])
    rows = _indices(view.y, scale_y * 2**number, rect.top, rect.bottom, level.shape[0])
    part = level[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return part.take(columns - columns[0], axis=1).take(rows - rows[0], axis=0)


def sample_smoothly(plane: np.ndarray, image: tuple[int, int], view: Viewport, rect: Rect) -> np.ndarray:
    """A small (h, w) uint8 map, stretched over the image, under a device rectangle."""
    scale_x, scale_y = view.zoom * image[0] / plane.shape[1], view.zoom * image[1] / plane.shape[0]
    return _smooth(plane, scale_x, scale_y, view, rect)


def _indices(offset: float, zoom: float, start: int, stop: int, count: int) -> np.ndarray:
    places = np.floor((np.arange(start, stop) + (0.5 - offset)) / zoom).astype(np.intp)
    return np.clip(places, 0, count - 1)


def _smooth(plane: np.ndarray, scale_x: float, scale_y: float, view: Viewport, rect: Rect) -> np.ndarray:
    """Bilinear samples of ``plane`` whose pixels are ``scale`` device pixels large."""
    x, y = (rect.left + 0.5 - view.x) / scale_x - 0.5, (rect.top + 0.5 - view.y) / scale_y - 0.5
    left, top = max(0, int(x) - 1), max(0, int(y) - 1)
    right, bottom = int(x + rect.width / scale_x) + 3, int(y + rect.height / scale_y) + 3
    part = np.ascontiguousarray(plane[top : min(bottom, top + _LARGEST_SIDE), left : min(right, left + _LARGEST_SIDE)])
    matrix = np.array([[1 / scale_x, 0, x - left], [0, 1 / scale_y, y - top]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(part, matrix, (rect.width, rect.height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
