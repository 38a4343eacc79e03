"""Zoom, pan and the wheel: the point under the cursor stays, and nothing jumps."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QNativeGestureEvent, QPointingDevice, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from sslstudio.project.label_map import LabelMap
from sslstudio.ui.canvas import Canvas

NONE, SHIFT, CTRL = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
)


def wheel(canvas, place: QPointF, notches: float, modifiers=NONE) -> None:
    turned = QPoint(0, round(120 * notches))
    event = QWheelEvent(
        place, place, QPoint(), turned, Qt.MouseButton.NoButton, modifiers, Qt.ScrollPhase.NoScrollPhase, False
    )
    QApplication.sendEvent(canvas, event)


@pytest.mark.parametrize("modifiers", [NONE, CTRL])
@pytest.mark.parametrize("notches", [1, -1, 0.25, 7])
def test_the_wheel_zooms_and_the_point_under_the_cursor_stays(desk, modifiers, notches):
    place = QPointF(300, 200)
    before, zoom = desk.canvas.image_point(place), desk.canvas.zoom
    wheel(desk.canvas, place, notches, modifiers)
    assert (desk.canvas.zoom > zoom) == (notches > 0)
    assert desk.canvas.image_point(place) == pytest.approx(before)


def test_pinching_zooms_at_the_fingers(desk):
    place = QPointF(300, 200)
    before, zoom = desk.canvas.image_point(place), desk.canvas.zoom
    device = QPointingDevice.primaryPointingDevice()
    event = QNativeGestureEvent(Qt.NativeGestureType.ZoomNativeGesture, device, 2, place, place, place, 0.25, QPointF())
    QApplication.sendEvent(desk.canvas, event)
    assert desk.canvas.zoom == pytest.approx(zoom * 1.25)
    assert desk.canvas.image_point(place) == pytest.approx(before)


def test_shift_and_wheel_change_the_brush_and_not_the_zoom(desk, qtbot):
    zoom = desk.canvas.zoom
    with qtbot.waitSignal(desk.canvas.brush_changed):
        wheel(desk.canvas, QPointF(300, 200), 1, SHIFT)
    assert desk.canvas.brush == 10
    wheel(desk.canvas, QPointF(300, 200), -30, SHIFT)
    assert desk.canvas.brush == 1
    for _ in range(4):
        wheel(desk.canvas, QPointF(300, 200), 0.25, SHIFT)
    assert desk.canvas.brush == 2, "quarter notches add up"
    assert desk.canvas.zoom == zoom


@pytest.mark.parametrize("way", ["middle", "space", "tool"])
def test_panning_moves_the_image_and_paints_nothing(desk, way):
    desk.canvas.set_view(desk.canvas.viewport.zoomed(4, 320, 240))
    button = Qt.MouseButton.MiddleButton if way == "middle" else Qt.MouseButton.LeftButton
    desk.canvas.setFocus()
    if way == "space":
        QTest.keyPress(desk.canvas, Qt.Key.Key_Space)
    elif way == "tool":
        desk.canvas.set_tool("pan")
    held = desk.canvas.image_point(QPointF(300, 200))
    QTest.mousePress(desk.canvas, button, NONE, QPoint(300, 200))
    QTest.mouseMove(desk.canvas, QPoint(340, 225))
    QTest.mouseRelease(desk.canvas, button, NONE, QPoint(340, 225))
    assert desk.canvas.image_point(QPointF(340, 225)) == pytest.approx(held)
    assert (desk.labels == 255).all()
    if way == "space":
        QTest.keyRelease(desk.canvas, Qt.Key.Key_Space)
        assert desk.canvas.tool == "brush"
        desk.click(100, 75)
        assert desk.labels[75, 100] == 1


def test_the_image_cannot_be_lost_from_sight(desk):
    for _ in range(3):
        QTest.mousePress(desk.canvas, Qt.MouseButton.MiddleButton, NONE, QPoint(5, 5))
        QTest.mouseMove(desk.canvas, QPoint(635, 475))
        QTest.mouseRelease(desk.canvas, Qt.MouseButton.MiddleButton, NONE, QPoint(635, 475))
    assert desk.canvas.viewport.to_device(0, 0) <= (640 - 30, 480 - 30)


def test_actual_size_fit_and_steps(desk, qtbot):
    canvas = desk.canvas
    canvas.zoom_actual()
    assert canvas.zoom == 1.0
    with qtbot.waitSignal(canvas.view_changed) as changed:
        canvas.zoom_in()
    assert changed.args == [1.5]
    canvas.zoom_out()
    canvas.zoom_out()
    assert canvas.zoom == pytest.approx(2 / 3)
    canvas.zoom_fit()
    assert canvas.zoom == 2.0
    assert canvas.viewport.to_device(100, 75) == pytest.approx((320, 240))


def test_the_next_image_of_the_same_size_keeps_the_view_and_another_size_fits(desk):
    canvas = desk.canvas
    canvas.set_view(canvas.viewport.zoomed(6, 100, 100))
    view = canvas.viewport
    canvas.show_image(desk.image.copy(), LabelMap(desk.labels.copy()), "two")
    assert canvas.viewport == view
    canvas.show_image(np.zeros((900, 1200, 3), np.uint8), None, "three")
    assert canvas.zoom < 0.6


def test_resizing_keeps_the_whole_image_whole_and_the_middle_in_the_middle(desk):
    canvas = desk.canvas
    canvas.resize(900, 700)
    assert canvas.viewport.to_device(100, 75) == pytest.approx((450, 350), abs=1)
    canvas.set_view(canvas.viewport.zoomed(8, 200, 300))
    middle = canvas.image_point(QPointF(450, 350))
    canvas.resize(700, 500)
    assert canvas.image_point(QPointF(350, 250)) == pytest.approx(middle, abs=0.2)


def test_space_reaches_the_canvas_before_the_windows_shortcuts(desk):
    from PySide6.QtGui import QKeyEvent

    event = QKeyEvent(QEvent.Type.ShortcutOverride, Qt.Key.Key_Space, NONE)
    event.ignore()
    QApplication.sendEvent(desk.canvas, event)
    assert event.isAccepted()
    escape = QKeyEvent(QEvent.Type.ShortcutOverride, Qt.Key.Key_Escape, NONE)
    escape.ignore()
    QApplication.sendEvent(desk.canvas, escape)
    assert not escape.isAccepted(), "only while something is drawn"


def test_tools_and_modes_that_do_not_exist_are_refused(desk):
    with pytest.raises(ValueError, match="hammer"):
        desk.canvas.set_tool("hammer")
    with pytest.raises(ValueError, match="above"):
        desk.canvas.set_prediction(None, "above")


def test_menu_actions_can_be_tied_to_the_canvas_directly(desk):
    from PySide6.QtGui import QAction

    action = QAction(desk.canvas)
    action.triggered.connect(desk.canvas.brush_larger)
    action.trigger()
    assert desk.canvas.brush == 10


def test_a_canvas_is_let_go_when_it_is_closed(qapp):
    canvas = Canvas()
    canvas.show()
    canvas.set_live_overlay(None)
    gone = weakref.ref(canvas)
    canvas.close()
    del canvas
    gc.collect()
    assert gone() is None
