"""Images are read in the background: the newest wish wins, neighbours are read ahead."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QThreadPool, Signal

from sslstudio.errors import UserError
from sslstudio.ui import background

if TYPE_CHECKING:
    from sslstudio.images.picture import Picture

KEPT_BYTES = 256 * 2**20  # of decoded neighbours; the shown image is always kept


class Loader(QObject):
    """Reads images as their files hold them and as people see them.

    Signals:
        loaded: (path, Picture) of the image that was asked for last.
        failed: (path, UserError) of the image that was asked for last.
    """

    loaded = Signal(str, object)
    failed = Signal(str, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self._kept: OrderedDict[tuple[str, int], Picture] = OrderedDict()
        self.cache: Path | None = None  # where halvings of huge images are kept
        self._wanted = ""
        self._ahead: list[tuple[str, Path, int]] = []
        self._tasks: dict[str, background.Task] = {}

    def show(self, path: str, file: Path, stamp: int, ahead: Sequence[tuple[str, Path, int]] = ()) -> None:
        """Read an image, then its neighbours; ``stamp`` tells a changed file from the one in memory."""
        self._wanted = path
        self._ahead = list(ahead)
        for other, task in list(self._tasks.items()):
            if other != path:
                task.cancel()
                del self._tasks[other]
        kept = self._kept.get((path, stamp))
        if kept is not None:
            self._kept.move_to_end((path, stamp))
            self.loaded.emit(path, kept)
            self._read_ahead()
        elif path not in self._tasks:
            self._read(path, file, stamp)

    def clear(self) -> None:
        """Forget everything."""
        for task in self._tasks.values():
            task.cancel()
        self._tasks.clear()
        for picture in self._kept.values():
            picture.close()
        self._kept.clear()
        self._ahead.clear()
        self._wanted = ""

    def close(self) -> None:
        """Forget everything and wait for the file that is being read."""
        self.clear()
        self._pool.waitForDone()

    def _read(self, path: str, file: Path, stamp: int) -> None:
        cache = self.cache

        def work(task: background.Task) -> Picture | None:
            from sslstudio.images.picture import read_picture

            return None if task.cancelled else read_picture(file, cache, path)

        def done(picture: Picture | None) -> None:
            self._tasks.pop(path, None)
            if picture is not None:
                self._keep((path, stamp), picture)
                if path == self._wanted:
                    self.loaded.emit(path, picture)
            self._read_ahead()

        def failed(error: UserError) -> None:
            self._tasks.pop(path, None)
            if path == self._wanted:
                self.failed.emit(path, error)
            self._read_ahead()

        def over(whole: bool) -> None:
            if not whole and self._tasks.get(path) is task:  # whatever it was: the next image is not kept waiting
                del self._tasks[path]
                self._read_ahead()

        task = self._tasks[path] = background.run(work, done, failed, pool=self._pool)
        task.over.connect(over)

    def _read_ahead(self) -> None:
        while self._ahead and not self._tasks:
            path, file, stamp = self._ahead.pop(0)
            if (path, stamp) not in self._kept:
                self._read(path, file, stamp)

    def _keep(self, key: tuple[str, int], picture: Picture) -> None:
        self._kept[key] = picture
        while len(self._kept) > 1 and sum(kept.nbytes for kept in self._kept.values()) > KEPT_BYTES:
            self._kept.popitem(last=False)
