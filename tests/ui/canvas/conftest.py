"""A real canvas of fixed size on a small image, with a brush whose pixels can be counted."""

from __future__ import annotations

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from sslstudio.project.classes import LabelClass
from sslstudio.project.label_map import LabelMap
from sslstudio.ui.canvas import Canvas

CLASSES = (LabelClass("background", "#999999"), LabelClass("nucleus", "#e69f00"), LabelClass("cell", "#56b4e9"))


class Desk:
    """A canvas with an image on it and short words for what a hand does."""

    def __init__(self, canvas: Canvas, width: int = 200, height: int = 150) -> None:
        self.canvas = canvas
        self.image = np.full((height, width, 3), 60, np.uint8)
        self.map = LabelMap(np.full((height, width), 255, np.uint8))
        self.strokes: list = []
        canvas.stroke_finished.connect(self._note)
        canvas.set_classes(CLASSES)
        canvas.set_current_class(1)
        canvas.set_brush(9)
        canvas.show_image(self.image, self.map, "one")

    def _note(self, before, after) -> None:
        self.strokes.append((before, after))

    @property
    def labels(self) -> np.ndarray:
        return self.map.labels

    def at(self, x: float, y: float) -> QPoint:
        """The widget's pixel over the middle of an image pixel."""
        return self.canvas.widget_points((x + 0.5, y + 0.5))[0].toPoint()

    def press(self, x, y, modifiers=Qt.KeyboardModifier.NoModifier, button=Qt.MouseButton.LeftButton) -> None:
        QTest.mousePress(self.canvas, button, modifiers, self.at(x, y))

    def move(self, x, y) -> None:
        QTest.mouseMove(self.canvas, self.at(x, y))

    def release(self, x, y, button=Qt.MouseButton.LeftButton) -> None:
        QTest.mouseRelease(self.canvas, button, Qt.KeyboardModifier.NoModifier, self.at(x, y))

    def drag(self, *places, modifiers=Qt.KeyboardModifier.NoModifier) -> None:
        self.press(*places[0], modifiers=modifiers)
        for place in places[1:]:
            self.move(*place)
        self.release(*places[-1])

    def click(self, x, y, modifiers=Qt.KeyboardModifier.NoModifier, button=Qt.MouseButton.LeftButton) -> None:
        QTest.mouseClick(self.canvas, button, modifiers, self.at(x, y))

    def key(self, key) -> None:
        QTest.keyClick(self.canvas, key)

    def away(self) -> None:
        """Take the pointer off the canvas so that its outline is in no picture."""
        QTest.mouseMove(self.canvas, QPoint(2, 2))
        QApplication.sendEvent(self.canvas, QEvent(QEvent.Type.Leave))

    def colour(self, x: float, y: float) -> tuple[int, int, int]:
        """What is seen over the middle of an image pixel."""
        place: QPointF = self.canvas.widget_points((x + 0.5, y + 0.5))[0]
        return self.canvas.grab().toImage().pixelColor(int(place.x()), int(place.y())).getRgb()[:3]


@pytest.fixture
def canvas(qtbot):
    widget = Canvas()
    qtbot.addWidget(widget)
    widget.resize(640, 480)
    with qtbot.waitExposed(widget):
        widget.show()
    return widget


@pytest.fixture
def desk(canvas):
    return Desk(canvas)
