"""What somebody who paints notices in the window: nothing moves, the pen's size is told, a tablet is understood."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QAction, QInputDevice, QPointingDevice, QTabletEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from sslstudio.ui.app import use_every_place
from sslstudio.ui.notice import Notice

LEFT = Qt.MouseButton.LeftButton
PEN, ERASER = QPointingDevice.PointerType.Pen, QPointingDevice.PointerType.Eraser
LONG = "Something was found that is worth more than one line, and it is told at such a length that it needs two. " * 3


def tablet(window, kind, end=PEN, pressure=0.0, place=None):
    """One event of a tablet's pen, sent as Qt does: to the canvas, or without a place to the application."""
    device = QPointingDevice("pen", 7, QInputDevice.DeviceType.Stylus, end, QInputDevice.Capability.Pressure, 1, 1)
    at = QPointF(place or window.canvas.rect().center())
    down = LEFT if kind in (QEvent.Type.TabletPress, QEvent.Type.TabletMove) else Qt.MouseButton.NoButton
    none = Qt.KeyboardModifier.NoModifier
    event = QTabletEvent(kind, device, at, at, pressure, 0, 0, 0, 0, 0, none, down, down)
    QApplication.sendEvent(QApplication.instance() if place is None else window.canvas, event)


def test_qt_passes_on_every_place_of_the_pointer(qapp):
    busy = Qt.ApplicationAttribute.AA_CompressHighFrequencyEvents, Qt.ApplicationAttribute.AA_CompressTabletEvents
    before = [QApplication.testAttribute(one) for one in busy]
    try:
        for one in busy:
            QApplication.setAttribute(one, True)  # as Qt's plug-in for X11 does
        use_every_place()
        assert not any(QApplication.testAttribute(one) for one in busy)
    finally:
        for one, was in zip(busy, before, strict=True):
            QApplication.setAttribute(one, was)


@pytest.mark.parametrize("text", ["Short.", LONG])
def test_the_image_stays_under_the_pointer_when_a_notice_comes_and_goes(opened, text):
    canvas = opened.canvas
    place = canvas.mapToGlobal(QPoint(200, 150))
    before = canvas.image_point(QPointF(canvas.mapFromGlobal(place))), canvas.size()
    strip = opened.strip.mapToGlobal(QPoint(0, 0))
    opened.tell(Notice(text, "", "warning", "test"))
    QApplication.sendPostedEvents()
    assert opened.notice.isVisible()
    assert (canvas.image_point(QPointF(canvas.mapFromGlobal(place))), canvas.size()) == before
    assert opened.strip.mapToGlobal(QPoint(0, 0)) == strip, "nor do the tools move"
    bar = opened.notice
    assert bar.mapToGlobal(QPoint(0, 0)) == opened.stage.mapToGlobal(QPoint(0, 0))
    assert bar.width() == opened.stage.width()
    assert bar.height() >= bar.layout().heightForWidth(bar.width()), "all words are in sight"
    opened.actions_["view.look"].trigger()
    card = opened.view_card
    assert bar.mapToGlobal(QPoint(bar.width(), 0)).x() <= card.mapToGlobal(QPoint(0, 0)).x(), "the card stays free"
    opened.notice.solved("test")
    assert not opened.notice.isVisible()
    assert (canvas.image_point(QPointF(canvas.mapFromGlobal(place))), canvas.size()) == before


@pytest.mark.parametrize("tool", ["brush", "lasso"])
def test_a_notice_waits_while_something_is_drawn(opened, qtbot, tool):
    canvas = opened.canvas
    canvas.set_tool(tool)
    start = canvas.rect().center()
    QTest.mousePress(canvas, LEFT, pos=start)
    QTest.mouseMove(canvas, start + QPoint(30, 10))
    opened.tell(Notice("Wait.", "", "warning", "test"))
    assert not opened.notice.isVisible()
    QTest.mouseRelease(canvas, LEFT, pos=start + QPoint(30, 10))
    qtbot.waitUntil(opened.notice.isVisible)


def test_the_pens_other_end_erases_until_it_leaves_the_tablet(opened):
    canvas = opened.canvas
    middle = canvas.rect().center()
    tablet(opened, QEvent.Type.TabletPress, ERASER, 1.0, middle)
    tablet(opened, QEvent.Type.TabletRelease, ERASER, 0.0, middle)
    assert canvas.hand.erasing
    tablet(opened, QEvent.Type.TabletLeaveProximity, ERASER)
    assert not canvas.hand.erasing
    tablet(opened, QEvent.Type.TabletPress, ERASER, 1.0, middle)
    tablet(opened, QEvent.Type.TabletRelease, ERASER, 0.0, middle)
    QTest.mouseClick(canvas, LEFT, pos=middle)  # some systems do not tell that a pen goes
    assert not canvas.hand.erasing
    assert canvas.pen.label_at(canvas.image_point(QPointF(middle))) == canvas.current_class


def test_pen_pressure_is_switched_in_the_panel_and_by_its_action(opened):
    canvas = opened.canvas
    canvas.set_brush(40)
    action: QAction = opened.actions_["paint.pressure"]
    opened.go_to_step("paint")
    check = opened.panels["paint"].strokes.pressure
    assert action.isChecked()
    tablet(opened, QEvent.Type.TabletPress, PEN, 0.25, canvas.rect().center())
    assert canvas.hand.diameter == 16
    action.trigger()
    assert canvas.hand.diameter == 40
    opened.drawing.draw()
    assert not check.isChecked()
    check.click()
    assert canvas.options.pressure
    assert action.isChecked()
    tablet(opened, QEvent.Type.TabletMove, PEN, 0.0, canvas.rect().center())
    assert canvas.hand.diameter == 8, "hardly touching is the thinnest brush, not the fullest"


def test_the_slider_tells_the_brush_size_amid_the_canvas(opened):
    canvas, rows = opened.canvas, opened.panels["paint"]
    opened.go_to_step("paint")
    canvas.point_nowhere()
    rows.brush_chosen.emit(33)
    assert canvas.brush == 33
    assert canvas.sizing.words == "33 px"
    assert canvas.hand.brush_in_sight
    canvas.sizing.hush()
    assert not canvas.hand.brush_in_sight
