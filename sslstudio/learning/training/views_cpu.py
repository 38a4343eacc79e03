"""The views' parameters carried out on a CPU by OpenCV's 8-bit kernels, a few images per thread."""

from __future__ import annotations

import functools
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sslstudio.learning.backbones.encoder import MEAN, STD

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


@functools.cache
def _noise_bank8() -> np.ndarray:
    """The bank in steps of 1/32."""
    return np.clip(np.rint(noise_bank() * 32), -127, 127).astype(np.int8)


def apply(images: np.ndarray, look: Look, size: int) -> np.ndarray:
    """Normalised views (N, size, size, 3) float32 of images (B, H, W, 3) uint8."""
    job = _Job(images, look, size)
    count = len(job.place)
    parts = np.array_split(np.arange(count), min(count, 8 * len(os.sched_getaffinity(0))))
    list(_pool().map(job.run, parts))
    return job.out


class _Job:
    """One batch's parameters as arrays and its output."""

    def __init__(self, images: np.ndarray, look: Look, size: int) -> None:
        self.images, self.size = images, size
        self.place, self.colour, self.pivot = look.place.numpy(), look.colour.numpy(), look.pivot.numpy()
        self.blur, self.noise, self.noise_at = look.blur.numpy(), look.noise.numpy(), look.noise_at.numpy()
        self.solarize = look.solarize.numpy() > 0
        self.plain = (np.abs(self.colour - np.eye(3)).max(axis=(1, 2)) < 1e-4) & (np.abs(self.pivot) < 1e-4)
        # As long as a row of pixels: numpy is slow where the innermost axis has three elements.
        self.scale = np.tile(1 / (255 * np.array(STD, np.float32)), size)
        self.shift = np.tile(np.array(MEAN, np.float32) / np.array(STD, np.float32), size)
        self.out = np.empty((len(self.place), size, size, 3), np.float32)

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
        if self.noise[n] > 0:
            view = self._with_noise(n, view)
        if self.solarize[n]:
            view = np.where(view >= 128, 255 - view, view)
        rows = self.out[n].reshape(self.size, -1)
        np.multiply(view.reshape(self.size, -1), self.scale, out=rows)
        rows -= self.shift

    def _cut(self, n: int) -> np.ndarray:
        """Crop, flip and turn in one resampling (``place`` speaks in -1 to 1, OpenCV in pixel centres)."""
        image = self.images[n % len(self.images)]
        place = self.place[n].astype(np.float64)
        while np.abs(place[:, :2]).max() * min(image.shape[:2]) >= 2 * self.size:
            image = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        half = np.array([image.shape[1], image.shape[0]])[:, None] / 2
        matrix = np.empty((2, 3))
        matrix[:, :2] = place[:, :2] * half * 2 / self.size
        shift = (1 / self.size - 1) * place[:, :2].sum(axis=1) + place[:, 2]
        matrix[:, 2] = (shift + 1) * half[:, 0] - 0.5
        return cv2.warpAffine(
            image,
            matrix,
            (self.size, self.size),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REFLECT,
        )

    def _recolour(self, n: int, view: np.ndarray) -> np.ndarray:
        matrix = np.empty((3, 4), np.float32)
        matrix[:, :3] = self.colour[n]
        matrix[:, 3] = self.pivot[n] * float(np.dot(cv2.mean(view)[:3], LUMA))
        return cv2.transform(view, matrix)

    def _with_noise(self, n: int, view: np.ndarray) -> np.ndarray:
        start = int(self.noise_at[n])
        grain = _noise_bank8()[start : start + view.size].reshape(view.shape)
        return cv2.addWeighted(view, 1.0, grain, float(self.noise[n]) * 255 / 32, 0.0, dtype=cv2.CV_8U)
