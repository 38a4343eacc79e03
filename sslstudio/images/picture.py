"""An image as its file holds it, beside what people see of it at first, and what is known about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from sslstudio.images.display import to_rgb8, window_of
from sslstudio.images.errors import UnreadableImage, explained
from sslstudio.images.look import Look, Window, default_look
from sslstudio.images.pixel_size import PixelSize, pixel_size
from sslstudio.images.slices import file_of

_HISTOGRAM = 250_000  # values that a histogram is made of
BINS = 128


@dataclass(frozen=True)
class Histogram:
    """How often values occur: ``counts`` (channels, BINS) between ``low`` and ``high``."""

    low: float
    high: float
    counts: np.ndarray


class Picture:
    """``native``: (H, W, C) uint8, uint16 or float32; ``rgb8``: (H, W, 3) uint8. Neither may be changed.

    ``told`` is the window that the file itself brings along, as DICOM does.
    """

    told: Window | None = None

    def __init__(self, native: np.ndarray, size: PixelSize | None = None, told: Window | None = None) -> None:
        self.native = native
        self.rgb8 = to_rgb8(native)
        self.pixel_size = size
        self.told = told

    @property
    def channels(self) -> int:
        """How many channels the file has."""
        return int(self.native.shape[2])

    @property
    def kind(self) -> str:
        """Number of channels and type: images of one kind can be shown alike."""
        return f"{self.channels} {self.native.dtype.name}"

    @property
    def nbytes(self) -> int:
        """Memory that it takes."""
        return self.rgb8.nbytes + (0 if self.native is self.rgb8 else self.native.nbytes)

    @cached_property
    def windows(self) -> tuple[Window, ...]:
        """The window that each channel asks for; three channels have one, so that colours keep their balance."""
        return windows_in([self.native])

    def windows_for(self, contrast: str) -> tuple[Window, ...]:
        """The windows of this image where the contrast is "each" image's own or the "file"'s; none otherwise."""
        if contrast == "file" and self.told is not None:
            return (self.told,) * self.channels
        return self.windows if contrast in ("each", "file") else ()

    def first_look(self) -> Look:
        """How it is shown before anybody has set anything: with the file's own window, if it has one."""
        look = default_look(self.channels, self.native.dtype)
        return look if self.told is None else replace(look, contrast="file")

    @cached_property
    def finite(self) -> np.ndarray:
        """``native``, with the nearest number where it holds none, so that averages are right."""
        if self.native.dtype.kind != "f" or np.isfinite(self.native).all():
            return self.native
        known = self.native[np.isfinite(self.native)]
        low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 0.0)
        return np.nan_to_num(self.native, nan=low, posinf=high, neginf=low)

    @cached_property
    def histogram(self) -> Histogram:
        """Of an evenly spread sample; what is far from all other values is left out."""
        return histogram_of(sample_of(self.finite, _HISTOGRAM))

    def shown(self) -> None:
        """It is in sight from now on."""

    def close(self) -> None:
        """Nobody will look at it any more."""

    def has(self, x: int, y: int) -> bool:
        """Whether there is such a pixel."""
        return 0 <= y < self.native.shape[0] and 0 <= x < self.native.shape[1]

    def value_at(self, x: int, y: int) -> tuple[float, ...]:
        """What the file holds there, one number per channel."""
        return tuple(value.item() for value in self.native[y, x])


def histogram_of(sample: np.ndarray) -> Histogram:
    """Of some pixels (n, C), all of them finite."""
    if sample.dtype == np.uint8:
        low, high = 0.0, 255.0
    else:
        low, high = (float(x) for x in np.percentile(sample, (0.02, 99.98)))
        room = 0.1 * (high - low)
        low, high = max(float(sample.min()), low - room), min(float(sample.max()), high + room)
    high = high if high > low else low + 1
    counts = [np.histogram(sample[:, at], BINS, (low, high))[0] for at in range(sample.shape[1])]
    return Histogram(low, high, np.array(counts))


def read_picture(file: Path, cache: Path | None = None, key: str = "") -> Picture:
    """Read an image; raises UnreadableImage. What it takes to show it at once is worked out already.

    Of a huge image a coarse picture is read, and what it lacks from afar is kept in ``cache`` under ``key``.
    """
    with explained(file_of(file)):
        return _read(file, cache, key)


def _read(file: Path, cache: Path | None, key: str) -> Picture:
    from sslstudio.images.huge_picture import huge_picture
    from sslstudio.images.reader import probe, read_pixels, told_window, too_large

    try:
        huge = huge_picture(file, cache, key)
    except UnreadableImage:
        if too_large(file, probe(file)):
            raise
        huge = None  # it cannot be read by parts, but there is room for it as a whole
    if huge is not None:
        return huge
    pixels = read_pixels(file)
    picture = Picture(pixels, pixel_size(file), _suiting(told_window(file), pixels))
    if picture.native.dtype != np.uint8:
        _ = picture.windows, picture.finite
    return picture


def _suiting(told: Window | None, pixels: np.ndarray) -> Window | None:
    """The file's own window, if anything can be seen in it: some files tell one beyond all their values."""
    if told is None or not np.isfinite(pixels).any():
        return told
    return told if told[0] <= np.nanmax(pixels) and told[1] >= np.nanmin(pixels) else None


def sample_of(pixels: np.ndarray, count: int) -> np.ndarray:
    """(H, W, C) as about ``count`` pixels (n, C), evenly spread."""
    step = max(1, int((pixels.shape[0] * pixels.shape[1] / count) ** 0.5))
    return pixels[::step, ::step].reshape(-1, pixels.shape[2])


def windows_in(images: Sequence[np.ndarray]) -> tuple[Window, ...]:
    """The window per channel that suits all of some images (H, W, C); three channels have one."""
    if len(images) == 1:
        together = images[0]
    else:
        together = np.concatenate([sample_of(image, 1_000_000 // len(images)) for image in images])[:, None]
    channels = together.shape[2]
    if channels == 3:
        return (window_of(together),) * 3
    return tuple(window_of(together[..., at]) for at in range(channels))
