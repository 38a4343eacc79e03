"""The places of a folder's images, kept in the project's cache, so that looking through it again takes no network.

One file per image and network, at most 64 x 64 places, 8 bit per value: less than a megabyte. When all together are
larger than ``MOST``, those that were not looked at for the longest time go. The folder may be deleted at any time.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from sslstudio.learning.assist.likeness import Places

MOST = 2_000_000_000  # bytes on the disk
_FINEST = 64  # places along a side
_CHECKED_EVERY = 50  # files between two looks at how much there is
_LARGEST = 127


class PlacesCache:
    """Reads and keeps ``Places`` under a key that changes with the image or the network."""

    _written = 0  # files, by this process

    def __init__(self, folder: Path, most: int = MOST) -> None:
        self.folder, self.most = folder, most

    def read(self, key: object) -> Places | None:
        """What was kept under a key; None where there is nothing that can be read."""
        file = self._file(key)
        try:
            with np.load(file) as kept:
                vectors, shape = kept["vectors"], kept["shape"]
                scale, parted = float(kept["scale"]), float(kept["parted"])
            os.utime(file)
        except (OSError, ValueError, KeyError, EOFError, BadZipFile):
            return None
        height, width = (int(side) for side in shape)
        return Places(torch.from_numpy(vectors).float() / scale, (height, width), parted)

    def keep(self, key: object, places: Places) -> None:
        """Write; a full or read-only disk costs only the time of looking again."""
        file = self._file(key)
        coarse = _coarse(places.vectors)
        scale = _LARGEST / max(float(coarse.abs().max()), 1e-6)
        vectors = (coarse * scale).round().to(torch.int8).numpy()
        fresh = file.with_name(f".{file.stem}.{os.getpid()}.npz")
        with contextlib.suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            np.savez(fresh, vectors=vectors, shape=places.shape, scale=scale, parted=places.parted)
            fresh.replace(file)
        PlacesCache._written += 1
        if PlacesCache._written % _CHECKED_EVERY == 1:
            self.trim()

    def trim(self) -> None:
        """Delete the files not used for the longest time until the rest fits the bound."""
        found = []
        for file in self.folder.glob("*.npz"):
            with contextlib.suppress(OSError):
                facts = file.stat()
                found.append((facts.st_mtime_ns, facts.st_size, file))
        total = sum(size for _, size, _ in found)
        for _, size, file in sorted(found):
            if total <= self.most:
                return
            with contextlib.suppress(OSError):
                file.unlink()
            total -= size

    def _file(self, key: object) -> Path:
        return self.folder / f"{hashlib.sha256(repr(key).encode()).hexdigest()[:24]}.npz"


def _coarse(vectors: Tensor) -> Tensor:
    """Places (h, w, C) averaged until there are at most so many along a side.

    Not brought to length 1 again: so a coarse place is as alike as the fine ones are on average, and a threshold means
    the same for both.
    """
    step = -(-max(vectors.shape[:2]) // _FINEST)
    if step == 1:
        return vectors
    return F.avg_pool2d(vectors.permute(2, 0, 1)[None], step, ceil_mode=True)[0].permute(1, 2, 0)
