"""Changes that take a while to be found: looked for beside the window, so that nobody waits for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from sslstudio.regions.rect import NOTHING
from sslstudio.ui import background
from sslstudio.ui.canvas.strokes import Ended

if TYPE_CHECKING:
    from sslstudio.ui.canvas.canvas import Canvas
    from sslstudio.ui.canvas.search import Search

_QUIET = 300  # milliseconds before one is told that something is being looked for


class Searches(QObject):
    """Those under way on a canvas; what one of them finds is one edit.

    Signals:
        taken: A ``Search`` is over; whether it changed anything.
        bounded: A tool has stopped at the edge of what it looks through on a huge image.
    """

    taken = Signal(object, bool)
    bounded = Signal()

    def __init__(self, canvas: Canvas) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self.running: list[Search] = []

    @property
    def reading(self) -> bool:
        """Whether the mask must stay as it is."""
        return any(search.reads_mask for search in self.running)

    def start(self, search: Search) -> None:
        """Look for a change."""
        self.running.append(search)
        self._canvas.outlines.look()
        search.task = background.run(lambda task: search.look(), lambda _: self._on_found())
        QTimer.singleShot(_QUIET, self, lambda: self._tell(search))

    def collect(self) -> None:
        """Take those that are found."""
        for search in [one for one in self.running if one.done]:
            self._take(search)
        self._tell_bounded()

    def settle(self) -> None:
        """Wait for all of them: the mask is about to be changed, read, or left."""
        for search in tuple(self.running):
            try:
                search.look()
            except BaseException:
                self.running.remove(search)  # what cannot be found must not be waited for again
                raise
            self._take(search)

    def cancel(self) -> None:
        """Forget all of them."""
        for search in self.running:
            if search.task is not None:
                search.task.cancel()
        self.running.clear()
        self._canvas.outlines.look()
        self._canvas.update()

    def _tell_bounded(self) -> None:
        bounded, self._canvas.pen.bounded = self._canvas.pen.bounded, False
        if bounded:
            self.bounded.emit()

    def _on_found(self) -> None:
        """A stroke under way keeps what was before it, so nothing else may change until it is over."""
        if not self._canvas.pen.drawing:
            self.collect()

    def _tell(self, search: Search) -> None:
        search.told = True
        if search in self.running:
            self._canvas.update()

    def _take(self, search: Search) -> None:
        self.running.remove(search)
        if search.task is not None:
            search.task.cancel()
        changed = NOTHING
        for rect in search.take():
            self._canvas.mend(rect)
            changed = changed.joined(rect)
        self._canvas.update()
        patches = search.stroke.patches()
        if patches is not None:
            self._canvas.stroke_finished.emit(*patches)
        self.taken.emit(search, not changed.empty)
        self._canvas.lifted.emit(Ended(search.stroke.value, search.stroke.held, not changed.empty))
        self._canvas.hand.report_place()
        self._canvas.outlines.look()
        self._tell_bounded()
