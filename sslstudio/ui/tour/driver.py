"""Hands and eyes of the tour: finds widgets by name, clicks, types, drags, waits for signals, takes pictures."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEventLoop, QPoint, QPointF, Qt, QTimer, QVariantAnimation
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractSpinBox, QLineEdit, QScrollArea, QToolTip, QWidget

from sslstudio.ui.main_window import MainWindow

log = logging.getLogger(__name__)

LEFT = Qt.MouseButton.LeftButton
SIZE = (1366, 768)  # the smallest usual screen: everything needed must be visible on it


class Unseen(Exception):
    """Something that the tour expects to see did not show."""


class Driver:
    """Works in one window as a person would; pictures are numbered in the order of taking."""

    def __init__(self, window: MainWindow, out: Path) -> None:
        self.window = window
        self._out = out
        self._taken = 0

    # seeing ---------------------------------------------------------------------------------------------

    def find(self, name: str) -> QWidget:
        """The visible widget of this name, scrolled into sight."""
        found = [widget for widget in self.window.findChildren(QWidget, name) if widget.isVisible()]
        self.check(bool(found), f"“{name}” is not in sight.")
        area = found[0].parentWidget()
        while area is not None and not isinstance(area, QScrollArea):
            area = area.parentWidget()
        if isinstance(area, QScrollArea):
            area.ensureWidgetVisible(found[0], 0, 40)
        return found[0]

    def check(self, seen: bool, what: str) -> None:
        """Raise Unseen with a sentence unless something is seen."""
        if not seen:
            raise Unseen(what)

    def wait(self, signal: Any, until: Callable[[], bool], seconds: float, what: str) -> None:
        """Let the window live until ``until`` holds, looking each time that the signal comes."""
        if until():
            return
        loop = QEventLoop()

        def look(*_: object) -> None:
            if until():
                loop.quit()

        late = QTimer(singleShot=True, interval=round(1000 * seconds))
        late.timeout.connect(loop.quit)
        late.start()
        signal.connect(look)
        loop.exec()
        signal.disconnect(look)
        self.check(until(), f"After {seconds:g} s: {what}")

    def rest(self) -> None:
        """Let what is drawn a little later be drawn: redraws that were gathered, thumbnails, pictures that fade in."""
        loop = QEventLoop()
        QTimer.singleShot(700, loop.quit)
        loop.exec()
        for fade in self.window.findChildren(QVariantAnimation):
            if fade.duration() > 0:
                fade.setCurrentTime(fade.duration())

    def shoot(self, name: str, shown: QWidget | None = None) -> Path:
        """Save a picture of the window, or of another, once all of it is drawn."""
        self.rest()
        return self.keep(name, shown)

    def keep(self, name: str, shown: QWidget | None = None) -> Path:
        """Save a picture of the window, or of another, as it is."""
        self._taken += 1
        file = self._out / f"{self._taken:02d}-{name}.png"
        picture = (shown or self.window).grab()
        self.check(picture.save(str(file)), f"{file} could not be written.")
        log.info("   %s", file.name)
        return file

    # doing ----------------------------------------------------------------------------------------------

    def click(self, name: str) -> None:
        """Press the left button on a widget."""
        widget = self.find(name)
        self.check(widget.isEnabled(), f"“{name}” cannot be pressed.")
        QTest.mouseClick(widget, LEFT, pos=widget.rect().center())

    def key(self, name: str, key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        """Press a key in a widget."""
        widget = self.find(name)
        self._come_forward()
        widget.setFocus()
        QTest.keyClick(widget, key, modifiers)

    def type(self, name: str, text: str) -> None:
        """Replace what stands in a field and confirm with Enter."""
        field = self.find(name)
        self.check(isinstance(field, QLineEdit | QAbstractSpinBox), f"“{name}” is no field.")
        self._come_forward()
        field.setFocus()
        field.selectAll()  # type: ignore[attr-defined]
        QTest.keyClicks(field, text)
        QTest.keyClick(field, Qt.Key.Key_Return)

    def _come_forward(self) -> None:
        """Make the window the active one, for keys; without a window manager a tool tip can take that from it."""
        QToolTip.hideText()
        self.window.activateWindow()
        self.check(QTest.qWaitForWindowActive(self.window, 60_000), "The window does not become active.")

    def drag(self, widget: QWidget, places: Sequence[QPointF]) -> None:
        """Draw with the left button held down through ``places`` (in the widget)."""
        points = [place.toPoint() for place in places]
        QTest.mouseMove(widget, points[0])
        QTest.mousePress(widget, LEFT, pos=points[0])
        for point in points[1:]:
            QTest.mouseMove(widget, point)
        QTest.mouseRelease(widget, LEFT, pos=points[-1])

    def hover(self, widget: QWidget, place: QPoint) -> None:
        """Move the pointer without pressing."""
        QTest.mouseMove(widget, place - QPoint(3, 3))
        QTest.mouseMove(widget, place)
