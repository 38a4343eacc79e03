"""A huge image as a picture: nothing of it is in memory but the tiles that were looked at."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from sslstudio.images.channel_names import channel_names
from sslstudio.images.display import to_rgb8
from sslstudio.images.huge import HugeImage, open_huge
from sslstudio.images.look import Shade, Window, default_look, render, shades_of, windows_of
from sslstudio.images.picture import Histogram, Picture, histogram_of, windows_in
from sslstudio.images.pixel_size import PixelSize, pixel_size

Turn = Callable[[np.ndarray], np.ndarray]


class Pixels:
    """Looks like an (H, W, ...) array of one size of a huge image; a slice of rows and columns is read as a copy.

    ``wait``: read what is not in memory; otherwise it is coarse, and asked for. ``turn`` is what a part (h, w, C)
    becomes before it is given.
    """

    def __init__(self, image: HugeImage, number: int, *, wait: bool, turn: Turn, after: tuple[int, ...]) -> None:
        self.image, self.turn, self._number = image, turn, number
        self._read = image.read if wait else image.look
        self.shape = (*image.size(number), *after)
        self.ndim = len(self.shape)
        self.dtype = turn(image.overview[:1, :1]).dtype

    @property
    def nbytes(self) -> int:
        """Memory that it takes by itself."""
        return 0

    def __getitem__(self, key: Any) -> np.ndarray:
        """A part for two slices without steps, a pixel for two numbers."""
        rows, columns = key if isinstance(key, tuple) else (key, slice(None))
        if not isinstance(rows, slice):
            return self.turn(self._read(self._number, rows, rows + 1, columns, columns + 1))[0, 0]
        top, bottom, step = rows.indices(self.shape[0])
        left, right, other = columns.indices(self.shape[1])
        if (step, other) != (1, 1):
            raise ValueError("a huge image is read without leaving pixels out")
        return self.turn(self._read(self._number, top, max(top, bottom), left, max(left, right)))


class HugePicture(Picture):
    """A picture of which parts are read when they are looked at."""

    def __init__(self, image: HugeImage, size: PixelSize | None = None) -> None:
        self.image, self.pixel_size = image, size
        self.native = Pixels(image, 0, wait=True, turn=lambda part: part, after=(image.channels,))  # type: ignore[assignment]
        look = default_look(self.channels, image.dtype)
        shades = shades_of(look, windows_of(look, self.windows))
        plain = Pixels(image, 0, wait=True, turn=to_rgb8, after=(3,))
        self.rgb8 = plain if image.dtype == np.uint8 else self.seen(shades)  # type: ignore[assignment]

    def seen(self, shades: tuple[Shade, ...]) -> Pixels:
        """What people see, (H, W, 3) uint8, in some shades."""
        return Pixels(self.image, 0, wait=True, turn=lambda part: render(part, shades), after=(3,))

    @property
    def nbytes(self) -> int:
        """Memory that it takes, without the tiles that all huge images share."""
        return int(self.image.overview.nbytes + self.image.sample.nbytes)

    @cached_property
    def windows(self) -> tuple[Window, ...]:
        """The window that each channel asks for; three channels have one, so that colours keep their balance."""
        return windows_in([self.image.sample[:, None]])

    @property
    def finite(self) -> np.ndarray:
        """``native``, which has 0 where the file holds no number."""
        return self.native

    @cached_property
    def histogram(self) -> Histogram:
        """Of an evenly spread sample."""
        return histogram_of(self.image.sample)

    def shown(self) -> None:
        """Make what it lacks from afar, in the background."""
        self.image.make_halvings()

    def close(self) -> None:
        """Make nothing more of it, and let its tiles go."""
        self.image.stop()
        self.image.forget()

    def value_at(self, x: int, y: int) -> tuple[float, ...]:
        """What the file holds there, one number per channel; nothing while it is being read."""
        found = self.image.at_hand(x, y)
        return () if found is None or not found.size else tuple(value.item() for value in found)


def huge_picture(file: Path, cache: Path | None, key: str) -> HugePicture | None:
    """The picture of a huge image, ready to be shown; None where the image is not huge.

    What it lacks from afar is made once it is ``shown``, and kept in ``cache``. Raises UnreadableImage.
    """
    image = open_huge(file)
    if image is None:
        return None
    image.begin(cache, key)
    picture = HugePicture(image, pixel_size(file))
    picture.names = channel_names(file, picture.channels)
    return picture
