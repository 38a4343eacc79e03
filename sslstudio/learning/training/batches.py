"""Which tiles come when, and a thread that reads the next batches while the present one is learned from."""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sslstudio.learning.training.cache import ImageCache


@dataclass(frozen=True)
class Batch:
    """Tiles (B, H, W, C) uint8 with true aspects (B,), and where the order stands after them.

    ``pictures`` (B,) says which picture each tile is, where that is known: the same number, the same picture.
    """

    tiles: Tensor
    aspects: Tensor
    after: tuple[int, int]
    pictures: Tensor | None = None


class Order:
    """Endless order of tiles: a new permutation per epoch, the same for the same seed; resumable.

    While the cache is still growing (``whole`` False) tiles are drawn from those that are there.
    """

    def __init__(self, seed: int, batch: int, *, epoch: int = 0, at: int = 0, rank: int = 0, world: int = 1) -> None:
        self.epoch, self.at = epoch, at
        self._seed, self._batch, self._rank, self._world = seed, batch, rank, world
        self._loose = np.random.default_rng([seed, 1, rank, epoch, at])
        self._permutation: tuple[int, int, np.ndarray] | None = None

    def next(self, count: int, *, whole: bool) -> np.ndarray:
        """Numbers of this device's tiles of the next batch, from ``count`` tiles."""
        if not whole:
            return self._loose.choice(count, self._batch, replace=count < self._batch)
        together = self._batch * self._world
        if self.at > 0 and self.at + together > count:  # the last, short part of an epoch is left out
            self.epoch, self.at = self.epoch + 1, 0
        chosen = np.resize(self._of_epoch(count)[self.at :], together)  # repeats where there are too few
        self.at += together
        return chosen[self._rank :: self._world]

    def _of_epoch(self, count: int) -> np.ndarray:
        if self._permutation is None or self._permutation[:2] != (self.epoch, count):
            order = np.random.default_rng([self._seed, 0, self.epoch]).permutation(count)
            self._permutation = (self.epoch, count, order)
        return self._permutation[2]


class Prefetch:
    """Reads ahead in a thread; iterate, and ``close`` in the end."""

    def __init__(self, cache: ImageCache, order: Order, *, ahead: int = 2, pin: bool = False) -> None:
        self._cache, self._order, self._pin = cache, order, pin
        self._queue: queue.Queue[Batch | BaseException] = queue.Queue(ahead)
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._work, name="batches", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        try:
            while not self._closed.is_set():
                self._put(self._read())
        except BaseException as error:  # noqa: BLE001  (handed to the reader, who raises it)
            self._put(error)

    def _read(self) -> Batch:
        whole = self._cache.complete
        numbers = self._order.next(len(self._cache), whole=whole)
        tiles, aspects = self._cache.read(numbers)
        batch = torch.from_numpy(tiles)
        return Batch(
            batch.pin_memory() if self._pin else batch,
            torch.from_numpy(aspects),
            (self._order.epoch, self._order.at),
            torch.from_numpy(self._cache.pictures(numbers)),
        )

    def _put(self, item: Batch | BaseException) -> None:
        while not self._closed.is_set():
            try:
                self._queue.put(item, timeout=0.1)
                return
            except queue.Full:
                continue

    def next(self) -> Batch:
        """The next batch; waits for it."""
        item = self._queue.get()
        if isinstance(item, BaseException):
            raise item
        return item

    def close(self) -> None:
        """Let the thread end."""
        self._closed.set()
        self._thread.join(timeout=10)
