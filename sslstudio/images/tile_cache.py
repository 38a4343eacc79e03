"""Tiles of huge images in memory, within a limit for all of them together; read beside whoever asks for them."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

_log = logging.getLogger(__name__)
LIMIT = 256 << 20  # bytes of all tiles together
_WAITING = 256  # tiles; who asked for more looks elsewhere by now
_THREADS = 2
LATER = 3.0  # seconds until a tile that the disk refused is asked for again

Key = Hashable
Read = Callable[[], np.ndarray]


class TileCache:
    """Keeps what was used last. Safe to use from several threads."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit = limit
        self.nbytes = 0
        self._tiles: OrderedDict[Key, np.ndarray] = OrderedDict()
        self._wanted: OrderedDict[Key, tuple[Read, Callable[[], None]]] = OrderedDict()
        self._lock = threading.Lock()
        self._refused: dict[Key, Callable[[], None]] = {}  # tiles that the disk did not give a moment ago
        self._pool: ThreadPoolExecutor | None = None
        self._busy = 0

    def get(self, key: Key) -> np.ndarray | None:
        """A tile that is here."""
        with self._lock:
            tile = self._tiles.get(key)
            if tile is not None:
                self._tiles.move_to_end(key)
            return tile

    def read(self, key: Key, read: Read) -> np.ndarray:
        """A tile, read now if it is not here."""
        tile = self.get(key)
        if tile is None:
            tile = read()
            self._put(key, tile)
        return tile

    def want(self, key: Key, read: Read, arrived: Callable[[], None]) -> None:
        """Have a tile read soon, the newest wish first; ``arrived`` is called in another thread once it is here.

        A tile that cannot be decoded is empty, (0, 0, 0), from then on. For one that the disk refused, ``arrived`` is
        called some seconds later, so that whoever still wants it asks again.
        """
        with self._lock:
            if key in self._refused:
                return
            self._wanted[key] = read, arrived
            self._wanted.move_to_end(key)
            while len(self._wanted) > _WAITING:
                self._wanted.popitem(last=False)
            if self._busy >= _THREADS:
                return
            self._busy += 1
            if self._pool is None:
                self._pool = ThreadPoolExecutor(_THREADS, "tiles")
        self._pool.submit(self._work)

    def forget(self, fits: Callable[[Key], bool]) -> None:
        """Drop tiles and wishes: they have changed, or nobody looks at them any more."""
        with self._lock:
            for key in [key for key in self._tiles if fits(key)]:
                self.nbytes -= self._tiles.pop(key).nbytes
            for key in [key for key in self._wanted if fits(key)]:
                del self._wanted[key]
            for key in [key for key in self._refused if fits(key)]:
                del self._refused[key]

    @property
    def idle(self) -> bool:
        """Whether all that was wanted is here."""
        with self._lock:
            return not self._busy and not self._wanted

    def _put(self, key: Key, tile: np.ndarray) -> None:
        with self._lock:
            old = self._tiles.pop(key, None)
            self.nbytes += tile.nbytes - (0 if old is None else old.nbytes)
            self._tiles[key] = tile
            while self.nbytes > self.limit and len(self._tiles) > 1:
                self.nbytes -= self._tiles.popitem(last=False)[1].nbytes

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._wanted:
                    self._busy -= 1
                    return
                key, (read, arrived) = self._wanted.popitem()
                known = key in self._tiles
            if known:
                continue
            try:
                self._put(key, read())
            except OSError as error:  # a network drive may be away for a moment
                _log.warning("a tile could not be read: %s", error)
                self._try_later(key, arrived)
                continue
            except Exception as error:  # noqa: BLE001 - a tile that cannot be read stays coarse
                _log.warning("a tile could not be read: %s", error)
                self._put(key, np.zeros((0, 0, 0), np.uint8))
            _tell(arrived)

    def _try_later(self, key: Key, arrived: Callable[[], None]) -> None:
        with self._lock:
            first = not self._refused
            self._refused[key] = arrived
        if first:
            timer = threading.Timer(LATER, self._ask_again)
            timer.daemon = True
            timer.start()

    def _ask_again(self) -> None:
        with self._lock:
            refused, self._refused = self._refused, {}
        for arrived in refused.values():
            _tell(arrived)


def _tell(arrived: Callable[[], None]) -> None:
    try:
        arrived()
    except Exception as error:  # noqa: BLE001 - whoever wanted it may be gone; other images' tiles must come
        _log.warning("nobody heard that a tile arrived: %s", error)


SHARED = TileCache()
