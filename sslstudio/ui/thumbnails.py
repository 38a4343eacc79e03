"""Thumbnails stream in from a few threads: what is visible first, what was scrolled away not at all."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, QRunnable, QThreadPool, Signal, Slot
from PySide6.QtGui import QImage

from sslstudio.errors import UserError

log = logging.getLogger(__name__)

SIDE = 160  # pixels of the stored picture; twice what a column shows, for high-DPI screens
KEPT = 800  # thumbnails in memory, some 50 MB
THREADS = 2


@dataclass(frozen=True)
class Wish:
    """A thumbnail that is wanted: which file, and what tells that it has changed."""

    path: str
    file: Path
    size: int
    mtime_ns: int


class _Drain(QRunnable):
    """Takes wishes from the shelf until none is left."""

    def __init__(self, shelf: Thumbnails) -> None:
        super().__init__()
        self._shelf = shelf

    def run(self) -> None:
        """Load one picture after the other."""
        while (wish := self._shelf._take()) is not None:
            self._shelf._loaded.emit(wish.path, _load(wish, self._shelf.cache))


class Thumbnails(QObject):
    """The thumbnails of a project.

    Signals:
        ready: The path of an image whose thumbnail can be drawn now.
        idle: All that was wanted is there.
    """

    ready = Signal(str)
    idle = Signal()
    _loaded = Signal(str, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.cache = Path()
        self._lock = threading.Lock()
        self._wishes: deque[Wish] = deque()
        self._busy: set[str] = set()
        self._working = 0
        self._shown: OrderedDict[str, QImage | None] = OrderedDict()
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(THREADS)
        self._loaded.connect(self._on_loaded)

    def open(self, cache: Path) -> None:
        """Forget everything and keep new pictures below ``cache``."""
        self.close()
        self.cache = cache
        self._shown.clear()

    def get(self, path: str) -> QImage | None:
        """The picture if it is in memory; None while it is not, or when the file is unreadable."""
        found = self._shown.get(path)
        if found is not None:
            self._shown.move_to_end(path)
        return found

    def known(self, path: str) -> bool:
        """Whether it was tried already (with or without success)."""
        return path in self._shown

    def want(self, wishes: Iterable[Wish]) -> None:
        """Load these, first things first; what was wanted before and is not in the list is dropped."""
        with self._lock:
            self._wishes = deque(w for w in wishes if w.path not in self._shown and w.path not in self._busy)
            starting = min(THREADS - self._working, len(self._wishes))
            self._working += max(0, starting)
        for _ in range(starting):
            self._pool.start(_Drain(self))

    def close(self) -> None:
        """Drop what is wanted and wait for the picture that is being read."""
        with self._lock:
            self._wishes.clear()
        self._pool.waitForDone()

    def _take(self) -> Wish | None:
        with self._lock:
            if not self._wishes:
                self._working -= 1
                return None
            wish = self._wishes.popleft()
            self._busy.add(wish.path)
            return wish

    @Slot(str, object)
    def _on_loaded(self, path: str, image: QImage | None) -> None:
        with self._lock:
            self._busy.discard(path)
            idle = not self._wishes and not self._busy
        self._shown[path] = image
        while len(self._shown) > KEPT:
            self._shown.popitem(last=False)
        self.ready.emit(path)
        if idle:
            self.idle.emit()


def _load(wish: Wish, cache: Path) -> QImage | None:
    from sslstudio.images.thumbnails import thumbnail

    try:
        pixels = thumbnail(wish.file, cache, SIDE, mtime_ns=wish.mtime_ns, size=wish.size, key=wish.path)
    except (UserError, OSError) as error:
        log.info("No thumbnail of %s: %s", wish.path, error)
        return None
    height, width = pixels.shape[:2]
    return QImage(pixels.data, width, height, pixels.strides[0], QImage.Format.Format_RGB888).copy()
