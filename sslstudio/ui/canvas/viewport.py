"""Where an image lies on the screen: zoom, position, and the conversions between the two."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from sslstudio.regions.rect import NOTHING, Rect

__all__ = ["NOTHING", "Rect", "Viewport", "centred", "fitted", "next_step", "zoom_floor"]

ZOOM_MIN, ZOOM_MAX = 1 / 256, 64.0
ZOOM_STEPS = (1 / 32, 1 / 16, 1 / 8, 1 / 6, 1 / 4, 1 / 3, 1 / 2, 2 / 3, 1, 1.5, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
_MARGIN = 24
_KEEP_IN_SIGHT = 64
_LEAST_SEEN = 32  # device pixels of an image's longer side


@dataclass(frozen=True)
class Viewport:
    """Maps image pixels to device pixels: ``device = image * zoom + offset``."""

    zoom: float = 1.0
    x: float = 0.0
    y: float = 0.0

    def to_image(self, x: float, y: float) -> tuple[float, float]:
        """The place in the image under a device pixel."""
        return (x - self.x) / self.zoom, (y - self.y) / self.zoom

    def to_device(self, x: float, y: float) -> tuple[float, float]:
        """The place on the screen of a point of the image."""
        return x * self.zoom + self.x, y * self.zoom + self.y

    def zoomed(self, zoom: float, x: float, y: float) -> Viewport:
        """Another zoom factor, with the image's point under device pixel (x, y) kept there."""
        zoom = min(max(zoom, ZOOM_MIN), ZOOM_MAX)
        image_x, image_y = self.to_image(x, y)
        return Viewport(zoom, x - image_x * zoom, y - image_y * zoom)

    def moved(self, dx: float, dy: float) -> Viewport:
        """The same zoom, shifted by device pixels."""
        return replace(self, x=self.x + dx, y=self.y + dy)

    def clamped(self, image: tuple[int, int], screen: tuple[int, int]) -> Viewport:
        """Shifted just enough that a corner of the image stays in sight; sizes are (width, height)."""
        return replace(
            self,
            x=_kept(self.x, image[0] * self.zoom, screen[0]),
            y=_kept(self.y, image[1] * self.zoom, screen[1]),
        )

    def visible(self, image: tuple[int, int], screen: tuple[int, int]) -> Rect:
        """The device pixels, inside the screen, whose centre shows a pixel of the image."""
        right, bottom = self.to_device(*image)
        return Rect(
            max(0, math.ceil(self.x - 0.5)),
            max(0, math.ceil(self.y - 0.5)),
            min(screen[0], math.ceil(right - 0.5)),
            min(screen[1], math.ceil(bottom - 0.5)),
        )

    def image_rect(self, device: Rect) -> Rect:
        """The image pixels that a rectangle of device pixels shows, whole or in part."""
        left, top = self.to_image(device.left, device.top)
        right, bottom = self.to_image(device.right, device.bottom)
        return Rect(math.floor(left), math.floor(top), math.ceil(right), math.ceil(bottom))

    def device_rect(self, rect: Rect) -> Rect:
        """The device pixels that a rectangle of the image can touch, with one to spare for outlines."""
        left, top = self.to_device(rect.left, rect.top)
        right, bottom = self.to_device(rect.right, rect.bottom)
        spare = 2 if self.zoom >= 1 else 3
        return Rect(
            math.floor(left) - spare, math.floor(top) - spare, math.ceil(right) + spare, math.ceil(bottom) + spare
        )


def fitted(image: tuple[int, int], screen: tuple[int, int]) -> Viewport:
    """The whole image in the middle of the screen, small ones enlarged in whole steps; (width, height) each."""
    width, height = image
    room_x, room_y = max(1, screen[0] - 2 * _MARGIN), max(1, screen[1] - 2 * _MARGIN)
    zoom = min(room_x / width, room_y / height)
    zoom = min(float(math.floor(zoom)) if zoom >= 2 else zoom, 16.0)
    return centred(image, screen, max(zoom, ZOOM_MIN))


def zoom_floor(image: tuple[int, int], screen: tuple[int, int]) -> float:
    """How far one may zoom out: to a quarter of the whole image, and no image smaller than it is or than 32 pixels."""
    fit = fitted(image, screen).zoom
    return min(max(fit / 4, _LEAST_SEEN / max(image)), fit, 1.0)


def centred(image: tuple[int, int], screen: tuple[int, int], zoom: float) -> Viewport:
    """The image's middle in the screen's middle, on whole device pixels."""
    return Viewport(
        zoom, float(round((screen[0] - image[0] * zoom) / 2)), float(round((screen[1] - image[1] * zoom) / 2))
    )


def next_step(zoom: float, direction: int) -> float:
    """The next larger (1) or smaller (-1) of the round zoom factors."""
    if direction > 0:
        return next((step for step in ZOOM_STEPS if step > zoom * 1.001), ZOOM_MAX)
    return next((step for step in reversed(ZOOM_STEPS) if step < zoom * 0.999), ZOOM_STEPS[0])


def _kept(start: float, length: float, room: int) -> float:
    keep = min(_KEEP_IN_SIGHT, length / 2, room / 2)
    return min(max(start, keep - length), room - keep)
