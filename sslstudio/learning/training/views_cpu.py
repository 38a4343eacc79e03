"""The views' parameters carried out on a CPU by OpenCV's 8-bit kernels, a few images per thread."""

from __future__ import annotations

import functools
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sslstudio.images.bands import resized, with_axis
from sslstudio.learning.backbones.encoder import normalisation

if TYPE_CHECKING:
    from sslstudio.learning.training.views import Look

LUMA = (0.299, 0.587, 0.114)
NOISE_BANK = 1 << 22  # numbers; holds a view of 1024 x 1024


@functools.cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max(1, len(os.sched_getaffinity(0))), thread_name_prefix="views")


@functools.cache
def noise_bank() -> np.ndarray:
    """Standard normal numbers, always the same ones (NOISE_BANK,), float32; views start at random places in it."""
    return np.random.default_rng(0).standard_normal(NOISE_BANK, dtype=np.float32)


def apply(images: np.ndarray, look: Look, size: int) -> np.ndarray:
    """Normalised views (N, size, size, C) float32 of images (B, H, W, C) uint8."""
    job = _Job(images, look, size) if images.shape[3] == 3 else _BandsJob(images, look, size)
    count = len(job.place)
    parts = np.array_split(np.arange(count), min(count, 8 * len(os.sched_getaffinity(0))))
    list(_pool().map(job.run, parts))
    return job.out


class _Job:
    """One batch's parameters as arrays and its output."""

    def __init__(self, images: np.ndarray, look: Look, size: int) -> None:
        self.images, self.size = images, size
        self.boxes = boxes(look.place.numpy(), images.shape[1], images.shape[2], size)
        self.place, self.colour, self.pivot = look.place.numpy(), look.colour.numpy(), look.pivot.numpy()
        self.blur, self.noise, self.noise_at = look.blur.numpy(), look.noise.numpy(), look.noise_at.numpy()
        self.solarize = look.solarize.numpy() > 0
        mean, std = (np.array(values, np.float32) for values in normalisation(images.shape[3]))
        self.scale, self.shift = 1 / (255 * std), -mean / std
        self.normal = np.concatenate([np.diag(self.scale), self.shift[:, None]], axis=1)
        self.plain = self._plain()
        self.out = np.empty((len(self.place), size, size, images.shape[3]), np.float32)

    def _plain(self) -> np.ndarray:
        """Which views keep their colours, (N,) bool."""
        return (np.abs(self.colour - np.eye(3)).max(axis=(1, 2)) < 1e-4) & (np.abs(self.pivot) < 1e-4)

    def run(self, numbers: np.ndarray) -> None:
        """Make the views with these numbers."""
        for number in numbers:
            self._one(int(number))

    def _one(self, n: int) -> None:
        view = self._cut(n)
        if not self.plain[n]:
            view = self._recolour(n, view)
        if self.blur[n] > 0:
            view = cv2.GaussianBlur(view, (7, 7), float(self.blur[n]), borderType=cv2.BORDER_REFLECT_101)
        if self.solarize[n] or self.noise[n] > 0:
            view = self._grainy(n, view)
        # By one matrix: numpy's own broadcasting is slow where the innermost axis has three elements.
        cv2.transform(view.astype(np.float32), self.normal, dst=self.out[n])

    def _cut(self, n: int) -> np.ndarray:
        """Crop, resample, flip and turn: four times as fast as the same by one affine warp."""
        left, top, right, bottom = self.boxes[n]
        view = self.images[n % len(self.images)][top:bottom, left:right]
        while min(view.shape[:2]) >= 2 * self.size:
            view = cv2.resize(view, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        view = cv2.resize(view, (self.size, self.size), interpolation=cv2.INTER_LINEAR)
        (xx, xy, _), (yx, yy, _) = self.place[n]
        if abs(xy) > abs(xx):  # a quarter turn: columns become rows
            view, right_to_left, upside_down = cv2.transpose(view), yx < 0, xy < 0
        else:
            right_to_left, upside_down = xx < 0, yy < 0
        if right_to_left or upside_down:
            view = cv2.flip(view, -1 if right_to_left and upside_down else int(right_to_left))
        return view

    def _recolour(self, n: int, view: np.ndarray) -> np.ndarray:
        matrix = np.empty((3, 4), np.float32)
        matrix[:, :3] = self.colour[n]
        matrix[:, 3] = self.pivot[n] * float(np.dot(cv2.mean(view)[:3], LUMA))
        return cv2.transform(view, matrix)

    def _grainy(self, n: int, view: np.ndarray) -> np.ndarray:
        """Noise, kept within 0 to 255, and the negative of what is bright (float32)."""
        view = view.astype(np.float32)
        if self.noise[n] > 0:
            start = int(self.noise_at[n])
            grain = noise_bank()[start : start + view.size].reshape(view.shape)
            cv2.scaleAdd(grain, float(self.noise[n]) * 255, view, view)
            cv2.threshold(view, 0, 0, cv2.THRESH_TOZERO, view)
            cv2.threshold(view, 255, 0, cv2.THRESH_TRUNC, view)
        return np.where(view >= 127.5, 255 - view, view) if self.solarize[n] else view


class _BandsJob(_Job):
    """The same for images with other than three channels; OpenCV does some things with four at most."""

    def _plain(self) -> np.ndarray:
        return (np.abs(self.colour - 1).max(axis=1) < 1e-4) & (np.abs(self.pivot).max(axis=1) < 1e-4)

    def _one(self, n: int) -> None:
        view = self._cut(n)
        if not self.plain[n]:
            view = self._recolour(n, view)
        if self.blur[n] > 0:
            sigma = float(self.blur[n])
            view = with_axis(cv2.GaussianBlur(view, (7, 7), sigma, borderType=cv2.BORDER_REFLECT_101))
        if self.solarize[n] or self.noise[n] > 0:
            view = self._grainy(n, view)
        # All channels are normalised alike, so numbers do in place of a matrix.
        np.multiply(view, self.scale[0], out=self.out[n], dtype=np.float32)
        self.out[n] += self.shift[0]

    def _cut(self, n: int) -> np.ndarray:
        left, top, right, bottom = self.boxes[n]
        view = self.images[n % len(self.images)][top:bottom, left:right]
        while min(view.shape[:2]) >= 2 * self.size:
            view = resized(view, (max(1, view.shape[1] // 2), max(1, view.shape[0] // 2)), cv2.INTER_AREA)
        view = resized(view, (self.size, self.size), cv2.INTER_LINEAR)
        matrix = self.place[n][:, :2]
        if abs(matrix[0, 1]) > abs(matrix[0, 0]):  # a quarter turn: columns become rows
            view, right_to_left, upside_down = view.swapaxes(0, 1), matrix[1, 0] < 0, matrix[0, 1] < 0
        else:
            right_to_left, upside_down = matrix[0, 0] < 0, matrix[1, 1] < 0
        return np.ascontiguousarray(view[:: -1 if upside_down else 1, :: -1 if right_to_left else 1])

    def _recolour(self, n: int, view: np.ndarray) -> np.ndarray:
        steps = np.arange(256, dtype=np.float32)[:, None]
        table = steps * self.colour[n] + self.pivot[n] * view.mean(axis=(0, 1))  # (256, C): 8 bits have few values
        table = np.rint(table).clip(0, 255).astype(np.uint8)
        return with_axis(cv2.LUT(view, table[:, None]))

    def _grainy(self, n: int, view: np.ndarray) -> np.ndarray:
        light = view.astype(np.float32)
        if self.noise[n] > 0:
            start = int(self.noise_at[n])
            grain = noise_bank()[start : start + view.size]
            grain = grain if grain.size == view.size else np.resize(noise_bank(), view.size)
            light += grain.reshape(view.shape) * np.float32(self.noise[n] * 255)
            np.clip(light, 0, 255, out=light)
        return np.where(light >= 127.5, 255 - light, light) if self.solarize[n] else light


def boxes(place: np.ndarray, height: int, width: int, size: int) -> np.ndarray:
    """The crops of ``place`` (N, 2, 3) as whole pixels: left, top, right, bottom (N, 4), at least one pixel wide.

    Edges of a crop that will be halved on its way to ``size`` lie on multiples of 2, 4 …: nothing is left over.
    """
    sides = np.array([width, height])
    reach, centre = np.abs(place[:, :, :2]).sum(axis=2), place[:, :, 2]  # (N, 2)
    grid = 2.0 ** np.floor(np.log2(np.maximum(1, (reach * sides).min(axis=1) / size)))[:, None]
    low = (np.rint((1 + centre - reach) / 2 * sides / grid) * grid).clip(0, sides - 1)
    high = (np.rint((1 + centre + reach) / 2 * sides / grid) * grid).clip(low + 1, sides)
    return np.concatenate([low, high], axis=1).astype(int)
