"""What the canvas shows of a huge image: what is in memory of it, coarse at first, never waited for."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, Signal

from sslstudio.images.huge_picture import Pixels
from sslstudio.ui.canvas.pyramid import ImagePyramid, PlanePyramid
from sslstudio.ui.canvas.viewport import Rect

if TYPE_CHECKING:
    from sslstudio.images.huge import HugeImage, Part

_MANY = 64  # parts that arrived, after which all is drawn anew


class TiledPyramid(ImagePyramid):
    """The sizes of a huge image as people see them at first, each to be read by parts."""

    def __init__(self, rgb8: Pixels) -> None:
        self._seen = rgb8
        self.height, self.width = rgb8.shape[:2]
        self.brightness = float(rgb8.turn(rgb8.image.overview).mean())

    def level(self, number: int) -> np.ndarray:
        """The image halved ``number`` times, which looks like an array."""
        image, turn = self._seen.image, self._seen.turn
        return Pixels(image, number, wait=False, turn=turn, after=(3,))  # type: ignore[return-value]


class TiledPlanes(PlanePyramid):
    """The channels of a huge image, and halvings of them, each to be read by parts."""

    def __init__(self, native: Pixels) -> None:
        self._native = native
        self.height, self.width = native.shape[:2]

    def level(self, channel: int, number: int) -> np.ndarray:
        """One channel halved ``number`` times, which looks like an array."""
        image = self._native.image
        return Pixels(image, number, wait=False, turn=lambda part: part[..., channel], after=())  # type: ignore[return-value]


class Arrivals(QObject):
    """Tells the window what tiles have arrived of the image that it shows, many at a time.

    Signals:
        arrived: There is something to ``take``.
    """

    arrived = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._image: HugeImage | None = None
        self._parts: list[Rect] = []
        self._lock = threading.Lock()

    def watch(self, image: HugeImage | None) -> None:
        """Tell of this image from now on."""
        if self._image is not None and self._image is not image:
            self._image.on_arrival = None
        self._image = image
        self.take()
        if image is not None:
            image.on_arrival = self._note

    def take(self) -> list[Rect]:
        """The parts that arrived since the last time, in pixels of the image."""
        with self._lock:
            parts, self._parts = self._parts, []
        return parts

    def _note(self, part: Part) -> None:
        """Called in the thread that has read something."""
        top, bottom, left, right = part
        with self._lock:
            first = not self._parts
            self._parts.append(Rect(left, top, right, bottom))
            if len(self._parts) > _MANY:
                joined = self._parts[0]
                for other in self._parts[1:]:
                    joined = joined.joined(other)
                self._parts = [joined]
        if first:
            self.arrived.emit()


def image_pyramid(rgb8: np.ndarray | Pixels) -> ImagePyramid:
    """The pyramid of an image, by parts if it is huge."""
    return TiledPyramid(rgb8) if isinstance(rgb8, Pixels) else ImagePyramid(rgb8)


def plane_pyramid(native: np.ndarray | Pixels) -> PlanePyramid:
    """The pyramid of an image's channels, by parts if it is huge."""
    return TiledPlanes(native) if isinstance(native, Pixels) else PlanePyramid(native)
