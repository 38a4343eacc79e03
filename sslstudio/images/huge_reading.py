"""Huge images for networks and thumbnails: small copies, and parts as 8-bit channels, in little memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from sslstudio.images.display import scaled_to_8bit, shrunk_size, to_rgb8
from sslstudio.images.errors import UnreadableImage, wrong_channels
from sslstudio.images.huge import HugeImage, can_be_read_by_parts, open_huge
from sslstudio.images.huge_picture import HugePicture, Pixels
from sslstudio.images.look import Window
from sslstudio.images.reduced import halved, resized

_LUMA = (0.299, 0.587, 0.114)
_ROWS = 2048  # of a strip, in pixels of the size that it is read from
_FINEST = 2  # halvings that any huge file can be read at


def small_copy(path: Path, longest: int) -> np.ndarray | None:
    """A huge image (h, w, C) in its own type, its longer side ``longest`` pixels; None where it is not huge.

    All of it is read, strip by strip, where its file has no smaller sizes. Raises UnreadableImage.
    """
    image = _opened(path)
    if image is None:
        return None
    number = _number_for(image, longest)
    if number <= _FINEST or _has(image, number):
        height, width = image.size(number)
        small = image.read(number, 0, height, 0, width)
    else:
        small = np.concatenate(list(_halved_strips(image, number)))
    width, height = shrunk_size(image.width, image.height, longest)
    return resized(small, height, width, cv2.INTER_AREA)


def thumbnail_of(path: Path, longest: int, cache: Path, key: str) -> tuple[np.ndarray, bool] | None:
    """(h, w, 3) uint8 and whether it is more than a sketch; None where the image is not huge."""
    image = _opened(path)
    if image is None:
        return None
    image.begin(cache, key)
    picture = HugePicture(image)
    width, height = shrunk_size(image.width, image.height, longest)
    seen = picture.rgb8.turn(image.overview)  # type: ignore[attr-defined]
    return np.ascontiguousarray(resized(seen, height, width, cv2.INTER_AREA)), image.whole


class HugeBands:
    """A huge image as networks see it, (H, W, channels) uint8: 8-bit values as they are, others by one window."""

    def __init__(self, image: HugeImage, channels: int) -> None:
        self.image, self.channels = image, channels
        image.sample_only()
        self._windows = HugePicture(image).windows
        if image.channels != channels and not (channels == 3 or (channels == 1 and image.channels == 3)):
            raise wrong_channels(image.path, image.channels, channels)
        self.shape = (image.height, image.width, channels)

    def size(self, number: int) -> Pixels:
        """One size, to be read by parts; at most the second halving."""
        return Pixels(
            self.image,
            min(number, _FINEST, self.image.coarsest - 1),
            wait=True,
            turn=self._turned,
            after=(self.channels,),
        )

    def _turned(self, part: np.ndarray) -> np.ndarray:
        if part.dtype != np.uint8:
            part = _stretched(part, self._windows)
        if self.channels == 3:
            return to_rgb8(part)
        if part.shape[2] == self.channels:
            return part
        return np.rint(part @ np.array(_LUMA, np.float32)).astype(np.uint8)[..., None]


def huge_bands(path: Path, channels: int) -> HugeBands | None:
    """The image for a network of so many channels; None where it is not huge. Raises UnreadableImage."""
    image = _opened(path)
    return None if image is None else HugeBands(image, channels)


def _opened(path: Path) -> HugeImage | None:
    """None also where it is so large but can only be read as a whole; the usual reader refuses it if it must."""
    try:
        return open_huge(path)
    except UnreadableImage:
        if can_be_read_by_parts(path):
            raise
        return None


def _number_for(image: HugeImage, longest: int) -> int:
    number = 0
    while max(image.size(number + 1)) >= longest and number + 1 < image.coarsest:
        number += 1
    return number


def _has(image: HugeImage, number: int) -> bool:
    return image.ready(number)


def _halved_strips(image: HugeImage, number: int) -> Iterator[np.ndarray]:
    """The rows of one size, from the second halving of all of the image."""
    height, width = image.size(_FINEST)
    for top in range(0, height, _ROWS):
        strip = image.read(_FINEST, top, min(top + _ROWS, height), 0, width)
        for _ in range(number - _FINEST):
            strip = halved(strip)
        yield strip


def _stretched(part: np.ndarray, windows: tuple[Window, ...]) -> np.ndarray:
    planes = [scaled_to_8bit(part[..., at], *windows[at]) for at in range(part.shape[2])]
    return np.stack(planes, axis=2)
