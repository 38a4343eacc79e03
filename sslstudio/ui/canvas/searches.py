"""Changes that take a while to be found: looked for beside the window, so that nobody waits for them.

What is drawn while the mask itself is being worked on is seen at once, and becomes an edit after it: the strokes are
taken off, the change is put on, and they are drawn anew on top of it. What needs the mask as it will be waits for its
turn; the window does not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from sslstudio.regions.rect import NOTHING
from sslstudio.ui import background
from sslstudio.ui.canvas.strokes import Ended, Stroke

if TYPE_CHECKING:
    from sslstudio.ui.canvas.canvas import Canvas
    from sslstudio.ui.canvas.order import Order
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
        self._behind: list[Stroke | Callable[[], object]] = []  # what comes after the change that is looked for
        self._last: list[Callable[[], object]] = []  # what leaves the image or the project then
        self._wished = 0  # the moment of the newest that is behind

    @property
    def reading(self) -> bool:
        """Whether a change is being worked out from the mask as it was."""
        return any(search.reads_mask for search in self.running)

    def start(self, search: Search) -> None:
        """Look for a change."""
        search.moment, search.ahead = self._order.next(), len(self._behind)
        self.running.append(search)
        self._canvas.pen.recording = self.reading
        self._canvas.outlines.look()
        search.task = background.run(lambda task: search.look())
        search.task.over.connect(lambda _: self._on_found())
        QTimer.singleShot(_QUIET, self, lambda: self._tell(search))

    def collect(self) -> None:
        """Take those that are found, none before one from the mask that was wished for earlier."""
        while (search := self._found()) is not None:
            self._take(search)
        self._tell_bounded()

    def then(self, call: Callable[[], object], *, last: bool = False) -> None:
        """Do what needs the mask as it will be: now, or once all is found, in the order of the wishes.

        ``last``: It leaves the image or the project, so that strokes drawn meanwhile go before it.
        """
        self._canvas.lift()
        if not self.running:
            call()
        elif last:
            self._last.append(call)
        else:
            self._put_behind(call)

    def hold(self, stroke: Stroke | None) -> bool:
        """Whether a stroke that is done becomes an edit only after the change that is being worked out."""
        if stroke is None or stroke.recorded is None or not self.reading:
            return False
        self._put_behind(stroke)
        return True

    @property
    def moment(self) -> int:
        """When the newest of it all was wished for; 0 where nothing is looked for."""
        started = max((search.moment for search in self.running), default=0)
        return max(started, self._wished) if self._behind else started

    def drop_newest(self) -> None:
        """Drop what was drawn or wished for last: one thing that is looked for, or that comes after."""
        newest = self.running[-1]
        if len(self._behind) > newest.ahead:
            dropped = self._behind.pop()
            if isinstance(dropped, Stroke):
                self._canvas.mend(dropped.cancel())
        else:
            self._drop([newest])

    def settle(self) -> None:
        """Wait for all of them, where nothing else can be done: better ``then``."""
        while self.running:
            search = self.running[0]
            try:
                search.look()
            except BaseException:
                self.running.remove(search)  # what cannot be found must not be waited for again
                raise
            self._take(search)
        self._go_on()

    def cancel(self) -> None:
        """Forget all of them; what was drawn meanwhile stays, and who wants to leave leaves."""
        self._behind = [one for one in self._behind if isinstance(one, Stroke)]
        self._drop(list(self.running))

    @property
    def _order(self) -> Order:
        return self._canvas.taking_back.order

    def _put_behind(self, one: Stroke | Callable[[], object]) -> None:
        self._behind.append(one)
        self._wished = self._order.next()
        if isinstance(one, Stroke):
            one.moment = self._wished

    def _drop(self, searches: list[Search]) -> None:
        for search in searches:
            if search.task is not None:
                search.task.cancel()
            self.running.remove(search)
        self._take_off()
        self._go_on()
        self._canvas.outlines.look()
        self._canvas.update()

    def _found(self) -> Search | None:
        for search in self.running:
            if search.done or search.reads_mask:
                return search if search.done else None
        return None

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
        self._take_off()
        self.running.remove(search)
        changed = NOTHING
        for rect in search.take():
            self._canvas.mend(rect)
            changed = changed.joined(rect)
        self._canvas.update()
        patches = search.stroke.patches()
        if patches is not None:
            with self._order.wished_at(search.moment):
                self._canvas.stroke_finished.emit(*patches)
        self.taken.emit(search, not changed.empty)
        self._canvas.lifted.emit(Ended(search.stroke.value, search.stroke.held, not changed.empty))
        self._canvas.hand.report_place()
        self._canvas.outlines.look()
        self._tell_bounded()
        self._go_on()

    def _take_off(self) -> None:
        """Take the strokes off that were drawn meanwhile, the last first."""
        for stroke in reversed(self._behind):
            if isinstance(stroke, Stroke):
                self._canvas.mend(stroke.cancel())

    def _go_on(self) -> None:
        """Do what has waited for its turn, until something else is looked for."""
        while self._behind and not self.running:
            first = self._behind.pop(0)
            if not isinstance(first, Stroke):
                first()
            elif (patches := self._drawn_anew(first).patches()) is not None:
                with self._order.wished_at(first.moment):
                    self._canvas.stroke_finished.emit(*patches)
        self._behind = [self._drawn_anew(one) if isinstance(one, Stroke) else one for one in self._behind]
        self._canvas.pen.recording = self.reading
        while self._last and not self.running:
            self._last.pop(0)()

    def _drawn_anew(self, stroke: Stroke) -> Stroke:
        anew = stroke.again()
        self._canvas.mend(anew.touched)
        return anew
