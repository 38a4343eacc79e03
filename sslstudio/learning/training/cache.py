"""Images decoded once: square 8-bit tiles in one memory-mapped file, readable while it is still being built.

An image far larger than a view is cut into tiles near their native detail rather than shrunk; a tile that is
not square is stored as one, with its true shape beside it, which the crops of ``views`` take into account.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from sslstudio.errors import UserError
from sslstudio.images.bands import read_bands8, resized
from sslstudio.images.huge_picture import Pixels
from sslstudio.images.huge_reading import huge_bands
from sslstudio.images.reader import probe
from sslstudio.images.slices import file_of
from sslstudio.language import tr
from sslstudio.runs.events import Warned
from sslstudio.runs.folder import write_atomic

log = logging.getLogger(__name__)

VERSION = 1
MOST_TILES = 16
MOST_BYTES = 16 << 30
KEPT_CACHES = 2
PARTS = 1 << 16  # more than the tiles of any image


@dataclass(frozen=True)
class Tile:
    """Where a tile comes from: the image's place in the list, the tile's place in it, width over height."""

    image: int
    part: int
    aspect: float


def tile_grid(width: int, height: int, side: int, most: int, least: int = 1) -> tuple[int, int]:
    """Rows and columns to cut an image into: tiles near ``side`` pixels, ``most`` in all, none too oblong."""
    columns, rows = max(least, round(width / side)), max(least, round(height / side))
    most = max(most, least**2)
    if columns * rows > most:
        shrink = math.sqrt(most / (columns * rows))
        columns, rows = max(1, int(columns * shrink)), max(1, int(rows * shrink))
        columns, rows = min(columns, most // rows or 1), min(rows, most)
        rows = min(rows, most // columns)
    if width / columns > 2 * height / rows:
        columns = min(most // rows, round(width * rows / height))
    elif height / rows > 2 * width / columns:
        rows = min(most // columns, round(height * columns / width))
    return rows, columns


def cut_tiles(pixels: np.ndarray | Pixels, rows: int, columns: int, side: int) -> list[tuple[np.ndarray, float]]:
    """Tiles (side, side, C) in row order with their true aspect."""
    height, width = pixels.shape[:2]
    found = []
    for row in range(rows):
        for column in range(columns):
            top, bottom = row * height // rows, max(row * height // rows + 1, (row + 1) * height // rows)
            left, right = (
                column * width // columns,
                max(column * width // columns + 1, (column + 1) * width // columns),
            )
            tile = pixels[top:bottom, left:right]
            smaller = tile.shape[0] > side or tile.shape[1] > side
            found.append(
                (
                    resized(tile, (side, side), cv2.INTER_AREA if smaller else cv2.INTER_LINEAR),
                    (right - left) / (bottom - top),
                )
            )
    return found


_MOST_OF_HUGE = 1024  # tiles of one huge image, since they are in memory before they are written


class ImageCache:
    """Tiles of many images; ``build`` starts threads that fill it, ``read`` takes what is there.

    Reading and building may go on at the same time. A finished cache is found again by what it holds: paths,
    times and sizes of the files, the tile's side and its channels.
    """

    def __init__(
        self, root: Path, images: tuple[str, ...], folder: Path, *, side: int, least: int = 1, channels: int = 3
    ) -> None:
        self.root, self.images, self.side, self.channels = Path(root), images, side, channels
        self._folder = Path(folder)
        self._least = least
        self._warnings: list[Warned] = []
        self._lock = threading.Lock()
        self._written = threading.Condition(self._lock)
        self._leave = threading.Event()
        self._gentle = threading.Event()
        self._alone = threading.Lock()
        self._tiles: list[Tile] = []
        self._slots: np.ndarray = np.empty(0, np.int64)
        self._map: np.ndarray = np.empty((0, side, side, channels), np.uint8)
        self._failed: list[tuple[str, str, str]] = []
        self._error: OSError | None = None
        self.complete = False
        files = self._files()
        self._todo = [number for number, (path, _, size) in enumerate(files) if size >= 0]
        self._most = max(1, min(MOST_TILES, self._room() // (max(1, len(self._todo)) * self._bytes)))
        key = [VERSION, side, self._most, least, str(self.root), files, *([] if channels == 3 else [channels])]
        self._key = hashlib.sha256(json.dumps(key).encode()).hexdigest()[:20]
        self._file = self._folder / f"{self._key}.u8"
        self._about = self._folder / f"{self._key}.json"
        self._growing = self._folder / f"{self._key}.{os.getpid()}.part"
        self._pool: ThreadPoolExecutor | None = None

    @property
    def _bytes(self) -> int:
        return self.side * self.side * self.channels

    def _room(self) -> int:
        """Bytes that the cache may take: a share of the disk's free space."""
        self._folder.mkdir(parents=True, exist_ok=True)
        return min(MOST_BYTES, int(0.4 * shutil.disk_usage(self._folder).free))

    def _files(self) -> list[tuple[str, int, int]]:
        """Path, time and size of every image; size -1 for one that is gone."""
        found = []
        for path in self.images:
            try:
                stat = file_of(self.root / path).stat()
                found.append((path, stat.st_mtime_ns, stat.st_size))
            except OSError as error:
                found.append((path, 0, -1))
                self._fail(
                    path,
                    tr("“{path}” is left out: {strerror}.").format(
                        path=path, strerror=(error.strerror or tr("it is gone")).lower()
                    ),
                    "",
                )
        return found

    def _fail(self, path: str, text: str, advice: str) -> None:
        self._failed.append((path, text, advice))
        self._warnings.append(Warned(text=text, advice=advice, about=path))

    def warnings(self) -> list[Warned]:
        """What went wrong since the last call, one warning per file."""
        with self._lock:
            found, self._warnings = self._warnings, []
        return found

    def __len__(self) -> int:
        with self._lock:
            return len(self._tiles)

    # building -------------------------------------------------------------------------------------

    def build(self) -> None:
        """Take a finished cache from the disk, or start filling a new one in the background."""
        if self._found():
            return
        try:
            self._out = self._growing.open("wb")
        except OSError as error:
            raise cannot_write(self._folder, error) from None
        self._left = len(self._todo)
        if not self._todo:
            self._finish()
            return
        self._pool = ThreadPoolExecutor(min(16, len(os.sched_getaffinity(0))), thread_name_prefix="cache")
        for number in self._todo:
            self._pool.submit(self._add, number)

    def _found(self) -> bool:
        try:
            about = json.loads(self._about.read_bytes())
            tiles = [Tile(*row) for row in about["tiles"]]
            pixels = np.memmap(self._file, np.uint8, "r", shape=(len(tiles), self.side, self.side, self.channels))
        except (OSError, ValueError, KeyError, TypeError):
            return False
        self._tiles, self._map = tiles, pixels
        self._slots = np.array(about["slots"], np.int64)
        for row in about["failed"]:
            if row[0] not in {path for path, _, _ in self._failed}:
                self._fail(*row)
        os.utime(self._about)
        self.complete = True
        return True

    def _add(self, number: int) -> None:
        """Decode one image and append its tiles; runs in a thread of the pool."""
        if self._leave.is_set() or self._error is not None:
            return
        path = self.images[number]
        try:
            with self._alone if self._gentle.is_set() else nullcontext():
                tiles = self._decode(self.root / path)
        except UserError as error:
            with self._lock:
                self._fail(
                    path, tr("“{path}” is left out: {problem}").format(path=path, problem=error.problem), error.advice
                )
            tiles = []
        except (OSError, ValueError, MemoryError, cv2.error) as error:
            with self._lock:
                self._fail(
                    path,
                    tr("“{path}” is left out: it cannot be read ({name}).").format(
                        path=path, name=type(error).__name__
                    ),
                    "",
                )
            tiles = []
        with self._lock:
            self._append(number, tiles)
            self._left -= 1
            if self._left == 0:
                self._finish()
            self._written.notify_all()

    def _decode(self, path: Path) -> list[tuple[np.ndarray, float]]:
        info = probe(path)
        huge = huge_bands(path, self.channels)
        most = self._most if huge is None else min(self._most, _MOST_OF_HUGE)
        rows, columns = tile_grid(info.width, info.height, self.side, most, self._least)
        if huge is not None:
            finest = min(info.width / columns, info.height / rows) / self.side
            return cut_tiles(huge.size(max(0, int(math.log2(max(1, finest))))), rows, columns, self.side)
        longest = max(rows, columns) * self.side
        pixels = read_bands8(path, self.channels, longest=longest if max(info.width, info.height) > longest else None)
        return cut_tiles(pixels, rows, columns, self.side)

    def _append(self, number: int, tiles: list[tuple[np.ndarray, float]]) -> None:
        """Write by ``write``, not through the map: a full disk is then an error and not a killed process."""
        if self._error is not None:
            return
        try:
            for tile, _ in tiles:
                self._out.write(tile.tobytes())
            self._out.flush()
        except OSError as error:
            self._error = error
            return
        self._tiles.extend(Tile(number, part, aspect) for part, (_, aspect) in enumerate(tiles))

    def _finish(self) -> None:
        """Put the tiles into an order that does not depend on which thread was faster, and keep the file."""
        self._out.close()
        if self._error is not None:
            return
        order = sorted(range(len(self._tiles)), key=lambda slot: (self._tiles[slot].image, self._tiles[slot].part))
        self._slots = np.array(order, np.int64)
        self._tiles = [self._tiles[slot] for slot in order]
        self.complete = True
        about = {
            "tiles": [[t.image, t.part, t.aspect] for t in self._tiles],
            "slots": order,
            "failed": self._failed,
        }
        try:
            if self._tiles:
                self._growing.replace(self._file)
                write_atomic(self._about, json.dumps(about).encode(), sync=False)
            self._drop_old()
        except OSError as error:
            log.warning("The image cache could not be kept: %s", error)

    def _drop_old(self) -> None:
        """Keep the caches that were used last; the space belongs to the user."""
        dated = sorted(self._folder.glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
        for about in dated[KEPT_CACHES:]:
            about.unlink(missing_ok=True)
            about.with_suffix(".u8").unlink(missing_ok=True)

    def be_gentle(self) -> None:
        """From now on decode one image at a time: training needs the processor's other cores."""
        self._gentle.set()

    def wait(self, count: int, seconds: float) -> bool:
        """Wait up to ``seconds`` until ``count`` tiles are there or all are; raises UserError on a full disk."""
        with self._lock:
            self._written.wait_for(
                lambda: self.complete or len(self._tiles) >= count or self._error is not None, seconds
            )
            if self._error is not None:
                raise cannot_write(self._folder, self._error)
            return self.complete or len(self._tiles) >= count

    def close(self) -> None:
        """Stop building; what is unfinished is thrown away."""
        self._leave.set()
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
        if not self.complete and hasattr(self, "_out"):
            self._out.close()
        self._growing.unlink(missing_ok=True)

    # reading --------------------------------------------------------------------------------------

    def read(self, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Tiles (B, side, side, C) uint8, a copy, and their true aspects (B,) float32."""
        with self._lock:
            self._refresh_map()
            slots = self._slots[numbers] if self.complete else numbers
            aspects = np.array([self._tiles[number].aspect for number in numbers], np.float32)
            pixels = self._map
        return pixels[slots], aspects

    def pictures(self, numbers: np.ndarray) -> np.ndarray:
        """Which picture each tile is, (B,) int64; unlike the tiles' numbers it stays when the cache is whole."""
        with self._lock:
            tiles = [self._tiles[number] for number in numbers]
        return np.array([tile.image * PARTS + tile.part for tile in tiles], np.int64)

    def _refresh_map(self) -> None:
        if len(self._map) < len(self._tiles):
            path = self._growing if self._growing.exists() else self._file
            self._map = np.memmap(path, np.uint8, "r", shape=(len(self._tiles), self.side, self.side, self.channels))


def cannot_write(folder: Path, error: OSError) -> UserError:
    """What to tell where the disk refuses the cache: it is full, or nothing may be written there."""
    return UserError(
        tr("The image cache cannot be written to {folder}: {strerror}.").format(folder=folder, strerror=error.strerror),
        tr("Make room on the disk, or move the project to a disk with more room."),
    )


def tile_side(resolution: int) -> int:
    """Side of a cached tile for views of ``resolution`` pixels: room for crops, within reason."""
    return max(64, min(2 * resolution, 512), resolution)
