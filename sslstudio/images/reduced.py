"""Halvings of a huge image that its file does not have, made once, row by row, and kept in the project's cache."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np

from sslstudio.images.segments import Forgiving, Handle, PlainRows

_ABOUT = "levels.json"
Arrived = Callable[[int, int, int], None]
_BANDS = 4  # channels that OpenCV averages over areas together


class Halvings:
    """Halvings ``first``, ``first`` + 1, ... of an image; ``levels`` are there to be read while they are made."""

    def __init__(self, folder: Path, shape: tuple[int, int, int], dtype: np.dtype, numbers: range) -> None:
        self.folder, self.shape, self.dtype, self.numbers = folder, shape, np.dtype(dtype), numbers
        self.levels: dict[int, PlainRows] = {}
        self.done = False

    def open(self) -> bool:
        """Use those that were made before; whether there are any."""
        try:
            about = json.loads((self.folder / _ABOUT).read_text())
        except (OSError, ValueError):
            return False
        if about != self._about():
            return False
        try:
            self.levels = {number: self._level(number) for number in self.numbers}
        except OSError:
            self.levels = {}
            return False
        self.done = True
        return True

    def make(self, source: Forgiving, steps: int, stopped: Callable[[], bool], arrived: Arrived) -> bool:
        """Read ``source``, which halved ``steps`` times is the first of them, once from top to bottom.

        ``arrived(number, top, bottom)`` tells of rows that can be read from now on. Whether all was made; raises
        OSError where the disk refuses.
        """
        if stopped():
            return False
        shutil.rmtree(self.folder.parent, ignore_errors=True)  # of an older state of the file, or half made
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            self.done = self._make(source, steps, stopped, arrived)
        finally:
            if not self.done:
                shutil.rmtree(self.folder, ignore_errors=True)
        return self.done

    def _make(self, source: Forgiving, steps: int, stopped: Callable[[], bool], arrived: Arrived) -> bool:
        with contextlib.ExitStack() as files:
            writers: list[_Writer] = []
            for number in reversed(self.numbers):
                file = files.enter_context((self.folder / f"{number}.raw").open("wb", buffering=0))
                level = self.levels[number] = self._level(number)
                level.rows = 0
                writers.append(_Writer(number, file, level, writers[-1] if writers else None, arrived))
            if not _feed(source, steps, writers[-1], stopped):
                return False
            for writer in writers:
                os.fsync(writer.file.fileno())
        (self.folder / _ABOUT).write_text(json.dumps(self._about()))
        return True

    def _level(self, number: int) -> PlainRows:
        shape = (*size_of(self.shape, number), self.shape[2])
        return PlainRows(Handle(self.folder / f"{number}.raw"), 0, shape, self.dtype)

    def _about(self) -> dict[str, object]:
        return {"shape": list(self.shape), "dtype": self.dtype.name, "levels": list(self.numbers), "format": 1}


class _Writer:
    """Takes rows of one halving from top to bottom, stores them, and hands their halves on."""

    def __init__(
        self,
        number: int,
        file: BinaryIO,
        level: PlainRows,
        coarser: _Writer | None,
        arrived: Arrived,
    ) -> None:
        self.number, self.file, self._level, self._coarser, self._arrived = number, file, level, coarser, arrived
        self._odd: np.ndarray | None = None  # a row that waits for the next

    def fitted(self, rows: np.ndarray, *, last: bool) -> np.ndarray:
        """Rows as wide as ``take`` wants them, the last ones as many as are missing: files round their sizes off."""
        missing = self._level.height - self._level.rows
        rows = rows[:missing, : self._level.width]
        below, beside = missing - len(rows) if last else 0, self._level.width - rows.shape[1]
        return np.pad(rows, ((0, below), (0, beside), (0, 0)), mode="edge") if below or beside else rows

    def take(self, rows: np.ndarray, *, last: bool) -> None:
        """The next rows (h, W, C)."""
        top = self._level.rows
        self.file.write(np.ascontiguousarray(rows).data)
        self._level.rows += len(rows)
        if self._coarser is not None:
            rows = rows if self._odd is None else np.concatenate([self._odd, rows])
            even = len(rows) if last else len(rows) // 2 * 2
            self._odd = rows[even:].copy() if even < len(rows) else None
            if even:
                self._coarser.take(halved(rows[:even]), last=last)
        self._arrived(self.number, top, self._level.rows)


def _feed(source: Forgiving, steps: int, writer: _Writer, stopped: Callable[[], bool]) -> bool:
    """Give the rows of ``source``, halved so often, to the writer; whether it came to the end."""
    height, width = source.tile
    down, across = -(-source.height // height), -(-source.width // width)
    for row in range(down):
        parts = []
        for column in range(across):
            if stopped():
                return False
            part = finite(source.read(row, column))
            for _ in range(steps):
                part = halved(part)
            parts.append(part)
        last = row == down - 1
        writer.take(writer.fitted(np.concatenate(parts, axis=1), last=last), last=last)
    return True


def halved(pixels: np.ndarray) -> np.ndarray:
    """(h, w, C) averaged over squares of four; an odd last row or column stands for two."""
    height, width, channels = pixels.shape
    if height % 2 or width % 2:
        pixels = np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    size = pixels.shape[1] // 2, pixels.shape[0] // 2
    out = np.empty((size[1], size[0], channels), pixels.dtype)
    for first in range(0, channels, _BANDS):
        part = np.ascontiguousarray(pixels[..., first : first + _BANDS])
        small = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
        out[..., first : first + _BANDS] = small if small.ndim == 3 else small[..., None]
    return out


def resized(pixels: np.ndarray, height: int, width: int, way: int) -> np.ndarray:
    """(h, w, C) as (height, width, C), with any number of channels; ``way`` is one of OpenCV's."""
    if pixels.shape[:2] == (height, width):
        return pixels
    planes = [
        cv2.resize(np.ascontiguousarray(pixels[..., at]), (width, height), interpolation=way)
        for at in range(pixels.shape[2])
    ]
    return np.stack(planes, axis=2)


def finite(pixels: np.ndarray) -> np.ndarray:
    """The same with 0 where a number with a point is none, so that averages are right."""
    if pixels.dtype.kind != "f" or np.isfinite(pixels).all():
        return pixels
    return np.nan_to_num(pixels, nan=0.0, posinf=0.0, neginf=0.0)


def size_of(shape: tuple[int, ...], number: int) -> tuple[int, int]:
    """Height and width of an image halved ``number`` times, rounded up."""
    return -(-shape[0] // 2**number), -(-shape[1] // 2**number)


def folder_for(cache: Path, key: str, mtime_ns: int, size: int) -> Path:
    """Where halvings of an image file are kept: one folder per file, in it one per state of the file."""
    name = hashlib.blake2b(key.encode("utf-8", "surrogateescape"), digest_size=12).hexdigest()
    return Path(cache) / "levels" / name / f"{mtime_ns:x}-{size:x}"
