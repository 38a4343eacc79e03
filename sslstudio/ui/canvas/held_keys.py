"""Tells keys that are let go of from those that the system repeats while they are held."""

from __future__ import annotations

import time

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QKeyEvent

PAIR = 20  # milliseconds within which the two halves of a repeat come, a release and a press


class HeldKeys(QObject):
    """Waits with a release until it is known that no press of the same key belongs to it.

    X sends a repeat as a release and a press at one time; where Qt reads the first before the second has arrived, both
    look real to it. Another key or a button says as much as the wait: whoever hears one calls ``settle`` first.

    Signals:
        came_up: A key that is held no longer, and when its release was heard, in seconds of ``time.monotonic``.
    """

    came_up = Signal(int, float)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._up: tuple[int, float, int] | None = None  # the key, when it was heard, and how the system dates it
        self._pair = QTimer(self, interval=PAIR, singleShot=True)
        self._last = QTimer(self, interval=0, singleShot=True)  # what lay ready while the program was busy comes first
        self._pair.timeout.connect(self._last.start)
        self._last.timeout.connect(self.settle)

    def press(self, event: QKeyEvent) -> bool:
        """Hear a press; whether the key was up before."""
        if self._up is not None and self._up[0] == event.key() and event.timestamp() - self._up[2] <= PAIR:
            self.forget()
            return False
        if event.isAutoRepeat():
            return False
        self.settle()
        return True

    def release(self, event: QKeyEvent) -> None:
        """Hear a release, which may be half of a repeat."""
        if not event.isAutoRepeat():
            self.settle()
            self._up = (event.key(), time.monotonic(), event.timestamp())
            self._pair.start()

    def settle(self) -> None:
        """The release that waits was real."""
        up = self._up
        self.forget()
        if up is not None:
            self.came_up.emit(*up[:2])

    def forget(self) -> None:
        """Whatever waits says nothing any more."""
        self._up = None
        self._pair.stop()
        self._last.stop()
