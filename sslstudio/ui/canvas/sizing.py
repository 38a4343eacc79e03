"""The size of the tool in the hand: changed by keys, wheel and slider, and told at the pointer for a moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

from sslstudio.language import tr
from sslstudio.ui.canvas.steps import stepped

if TYPE_CHECKING:
    from sslstudio.ui.canvas.canvas import Canvas

SIZED = ("brush", "eraser")
STAYS = 1200  # milliseconds


class Sizing(QObject):
    """What is told of the size on one canvas, and the ways to change it."""

    def __init__(self, canvas: Canvas) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self.words = ""  # empty once nothing has changed for a while
        self._fading = QTimer(self, interval=STAYS, singleShot=True)
        self._fading.timeout.connect(self.hush)

    def turn(self, steps: int) -> None:
        """Shift and the wheel, or the keys of size: more or less of whatever the tool has; else nothing."""
        canvas = self._canvas
        if not steps:
            return
        if canvas.gesture is not None:
            if canvas.gesture.turn(canvas.pen, steps):
                canvas.set_options(canvas.pen.options)
                canvas.hand.hover()
                self._tell(canvas.gesture.size_words(canvas.pen))
        elif canvas.tool in SIZED:
            self.choose(stepped(canvas.brush, steps))

    def choose(self, diameter: int) -> None:
        """The brush's diameter in image pixels, by somebody who wants to see it."""
        self._canvas.set_brush(diameter)
        self._tell(tr("{diameter} px").format(diameter=self._canvas.brush))

    def hush(self) -> None:
        """Tell it no longer."""
        self._tell("")

    def _tell(self, words: str) -> None:
        self.words = words
        self._fading.start() if words else self._fading.stop()
        self._canvas.update()
