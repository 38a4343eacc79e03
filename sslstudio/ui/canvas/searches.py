"""Regions that take a while to be found: looked for beside the window, so that nobody waits for them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from sslstudio.ui import background

if TYPE_CHECKING:
    from sslstudio.regions.growing import Found
    from sslstudio.ui.canvas.strokes import Point, Stroke

_QUIET = 300  # milliseconds before one is told that something is being looked for


class Search:
    """One region that is being looked for, and the stroke that takes it: class and bounds are those of the release."""

    def __init__(self, find: Callable[[], Found], stroke: Stroke, outline: Sequence[Point]) -> None:
        self.stroke, self.outline = stroke, list(outline)
        self.told = self.done = False
        self.task: background.Task | None = None
        self._find = find
        self._found: Found | None = None
        self._lock = threading.Lock()

    def found(self) -> Found:
        """The region; looked for by the first who asks, the others wait for that."""
        with self._lock:
            if self._found is None:
                self._found = self._find()
            return self._found


class Searches(QObject):
    """Those under way.

    Signals:
        ready: A region is found; ``collect`` when the mask may change.
        ended: A ``Search`` whose region is found.
        changed: Something else is to be drawn.
    """

    ready = Signal()
    ended = Signal(object)
    changed = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.running: list[Search] = []

    def start(self, search: Search) -> None:
        """Look for a region."""
        self.running.append(search)
        search.task = background.run(lambda task: search.found(), lambda _: self._note(search))
        QTimer.singleShot(_QUIET, self, lambda: self._tell(search))

    def collect(self) -> None:
        """Hand out those that are found."""
        for search in tuple(self.running):
            if search.done:
                self._end(search)

    def settle(self) -> None:
        """Wait for all of them: the image or its mask is about to be left or read."""
        for search in tuple(self.running):
            self._end(search)

    def cancel(self) -> None:
        """Forget all of them."""
        for search in self.running:
            if search.task is not None:
                search.task.cancel()
        self.running.clear()
        self.changed.emit()

    def _tell(self, search: Search) -> None:
        search.told = True
        if search in self.running:
            self.changed.emit()

    def _note(self, search: Search) -> None:
        search.done = True
        self.ready.emit()

    def _end(self, search: Search) -> None:
        if search in self.running:
            self.running.remove(search)
            if search.task is not None:
                search.task.cancel()
            self.ended.emit(search)
