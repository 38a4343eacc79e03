"""Keeps a canvas alive while more arrives from the pointer than can be drawn: something is seen, nothing is lost."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer

if TYPE_CHECKING:
    from sslstudio.ui.canvas.canvas import Canvas
    from sslstudio.ui.canvas.pen import Sample

REST = 40  # milliseconds after which a brush is taken to rest
LONG = 0.008  # seconds of work after which nothing more is answered before the next repaint
Answer = Callable[[], None]


class Pace:
    """Answers the moves of the pointer on a canvas, at once or after the next repaint.

    All places of the pointer arrive, also from before a window was busy. Brushes draw through each of them; of other
    tools only the newest answer counts.
    """

    def __init__(self, canvas: Canvas) -> None:
        self._canvas = canvas
        self._spent = 0.0  # seconds of work since the last repaint
        self._waiting: Answer | None = None
        self._places: list[Sample] = []  # where the brush was since it drew last
        self._stride = 1  # how many of them it draws in one go
        self._resting = QTimer(canvas, singleShot=True, interval=REST)
        self._resting.timeout.connect(self._reach)

    def answer(self, answer: Answer) -> None:
        """Answer a move; where the last answers took long and are not seen yet, after the next repaint."""
        if self._spent > LONG:
            self._wait(answer)
            return
        start = time.thread_time()
        answer()
        self._spent += time.thread_time() - start

    def draw_to(self, place: Sample) -> None:
        """Draw on with the brush."""
        self._places.append(place)
        self.answer(self._draw)

    def catch_up(self) -> None:
        """Give all answers that wait: something else begins."""
        self._spent = 0.0
        while self._waiting is not None:
            self._go_on()
        self._reach()

    def seen(self) -> None:
        """All answers so far are on the screen."""
        self._spent = 0.0
        if self._waiting is not None:
            QTimer.singleShot(0, self._canvas, self._go_on)

    def forget(self) -> None:
        """What waits is not wanted any more."""
        self._waiting, self._places = None, []

    def _draw(self) -> None:
        """Draw to the places that wait: as many as can be drawn before the next repaint."""
        start = time.thread_time()
        places, self._places = self._places[: self._stride], self._places[self._stride :]
        self._canvas.pen.grain = 1 / self._canvas.viewport.zoom
        self._canvas.mend(self._canvas.pen.move(*places))
        each = (time.thread_time() - start) / max(1, len(places))
        self._stride = max(1, int(LONG / max(each, 1e-5)))
        if self._places:
            self._wait(self._draw)
        elif self._canvas.pen.behind:
            self._resting.start()

    def _reach(self) -> None:
        self._resting.stop()
        self._canvas.mend(self._canvas.pen.catch_up())

    def _wait(self, answer: Answer) -> None:
        self._waiting = answer
        self._canvas.update()

    def _go_on(self) -> None:
        answer, self._waiting, self._spent = self._waiting, None, 0.0
        if answer is not None:
            self.answer(answer)
