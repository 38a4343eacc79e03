"""What a hand does with the mouse ends up on the label map, and comes off it again byte for byte."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QFocusEvent, QInputDevice, QPointingDevice, QTabletEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from sslstudio.project.label_map import LabelMap

ALT, CTRL = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ControlModifier


def box(changed: np.ndarray) -> tuple[int, int, int, int]:
    rows, columns = np.nonzero(changed)
    return rows.min(), columns.min(), rows.max() + 1, columns.max() + 1


def test_one_click_paints_a_round_dab_under_the_pointer(desk):
    desk.click(50, 40)
    painted = desk.labels == 1
    assert box(painted) == (36, 46, 45, 55)
    assert abs(painted.sum() - np.pi * 4.5**2) < 6
    assert not painted[36, 46], "corners stay free: the brush is round"
    assert len(desk.strokes) == 1


def test_the_smallest_brush_paints_exactly_the_pixel_under_the_pointer(desk):
    desk.canvas.set_brush(1)
    desk.click(7, 9)
    assert np.argwhere(desk.labels == 1).tolist() == [[9, 7]]


def test_a_fast_stroke_leaves_no_gaps(desk):
    desk.drag((20, 20), (170, 120))
    for share in np.linspace(0, 1, 300):
        assert desk.labels[int(20 + 100 * share), int(20 + 150 * share)] == 1
    assert len(desk.strokes) == 1, "one stroke is one edit"


def test_a_stroke_hands_over_exactly_the_rectangle_that_changed(desk):
    desk.drag((30, 30), (60, 90), (90, 40))
    before, after = desk.strokes[0]
    top, left, bottom, right = box(desk.labels != 255)
    assert (before.top, before.left) == (after.top, after.left) == (top, left)
    assert before.labels.shape == after.labels.shape == (bottom - top, right - left)
    assert (before.labels == 255).all()
    assert np.array_equal(after.labels, desk.labels[top:bottom, left:right])


def test_undo_and_redo_restore_byte_for_byte_and_repaint(desk):
    desk.drag((30, 30), (60, 90))
    desk.canvas.set_current_class(2)
    middle = desk.labels.copy()
    desk.drag((20, 80), (90, 50))
    end = desk.labels.copy()
    before, after = desk.strokes[-1]
    desk.away()
    seen = desk.canvas.grab().toImage()
    desk.canvas.apply_patch(before)
    assert np.array_equal(desk.labels, middle)
    assert desk.canvas.grab().toImage() != seen
    desk.canvas.apply_patch(after)
    assert np.array_equal(desk.labels, end)
    assert desk.canvas.grab().toImage() == seen


def test_painting_what_is_painted_already_is_no_edit(desk):
    desk.click(50, 40)
    desk.click(50, 40)
    assert len(desk.strokes) == 1


def test_a_quick_second_dab_counts_though_qt_calls_it_a_double_click(desk):
    desk.press(50, 40)
    desk.release(50, 40)
    QTest.mouseDClick(desk.canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, desk.at(80, 40))
    assert desk.labels[40, 80] == 1


def test_the_eraser_and_alt_bring_back_unpainted(desk):
    desk.drag((30, 40), (120, 40))
    desk.click(60, 40, ALT)
    assert desk.labels[40, 60] == 255
    assert desk.labels[40, 90] == 1
    desk.canvas.set_tool("eraser")
    desk.click(90, 40)
    assert desk.labels[40, 90] == 255


def test_escape_takes_back_the_stroke_under_way(desk):
    desk.click(30, 30)
    before = desk.labels.copy()
    desk.press(30, 30)
    desk.move(120, 100)
    assert not np.array_equal(desk.labels, before)
    desk.key(Qt.Key.Key_Escape)
    assert np.array_equal(desk.labels, before)
    desk.move(150, 50)
    desk.release(150, 50)
    assert np.array_equal(desk.labels, before)
    assert len(desk.strokes) == 1


def test_losing_the_focus_finishes_the_stroke(desk):
    desk.press(30, 30)
    desk.move(60, 30)
    QApplication.sendEvent(desk.canvas, QFocusEvent(QEvent.Type.FocusOut))
    assert len(desk.strokes) == 1
    assert desk.labels[30, 60] == 1


def test_another_image_during_a_stroke_finishes_it_on_the_first(desk):
    desk.press(30, 30)
    desk.move(60, 30)
    other = LabelMap(np.full(desk.labels.shape, 255, np.uint8))
    desk.canvas.show_image(desk.image, other, "two")
    assert len(desk.strokes) == 1
    desk.move(100, 100)
    desk.release(100, 100)
    assert (other.labels == 255).all()


def test_nothing_is_painted_without_a_mask_or_an_image(desk):
    desk.canvas.show_image(desk.image, None)
    desk.drag((30, 30), (60, 60))
    desk.canvas.show_image(None, None)
    desk.drag((30, 30), (60, 60))
    assert desk.strokes == []


def test_a_stroke_may_leave_the_image(desk):
    desk.drag((195, 75), (230, 75), (195, 100))
    assert desk.labels[75, 199] == 1
    assert desk.labels[100, 199] == 1


@pytest.mark.parametrize("finish", ["enter", "double click"])
def test_a_polygon_is_filled_when_it_is_closed(desk, finish):
    desk.canvas.set_tool("polygon")
    for corner in ((40, 40), (100, 40), (100, 90), (40, 90)):
        desk.click(*corner)
    assert (desk.labels == 255).all()
    if finish == "enter":
        desk.key(Qt.Key.Key_Return)
    else:
        QTest.mouseDClick(desk.canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, desk.at(40, 90))
    assert (desk.labels[42:88, 42:98] == 1).all()
    assert (desk.labels == 1).sum() < 62 * 52
    assert len(desk.strokes) == 1


def test_backspace_removes_the_last_corner_and_escape_all(desk):
    desk.canvas.set_tool("polygon")
    for corner in ((40, 40), (100, 40), (100, 90), (190, 140)):
        desk.click(*corner)
    desk.key(Qt.Key.Key_Backspace)
    desk.key(Qt.Key.Key_Return)
    assert desk.labels[50, 90] == 1
    assert desk.labels[135, 185] == 255
    desk.click(20, 20)
    desk.click(20, 60)
    desk.key(Qt.Key.Key_Escape)
    desk.key(Qt.Key.Key_Return)
    assert len(desk.strokes) == 1


def test_a_polygon_can_be_drawn_free_hand(desk):
    desk.canvas.set_tool("polygon")
    circle = [(100 + 40 * np.cos(a), 75 + 40 * np.sin(a)) for a in np.linspace(0, 6.2, 60)]
    desk.drag(*circle)
    desk.key(Qt.Key.Key_Return)
    assert abs((desk.labels == 1).sum() / (np.pi * 40**2) - 1) < 0.05


def test_fill_takes_the_enclosed_region_and_nothing_else(desk):
    desk.labels[30:100, 30] = desk.labels[30:100, 120] = 2
    desk.labels[30, 30:121] = desk.labels[99, 30:121] = 2
    desk.canvas.set_tool("fill")
    desk.click(60, 60)
    assert (desk.labels[31:99, 31:120] == 1).all()
    assert (desk.labels == 1).sum() == 68 * 89
    assert desk.labels[10, 10] == 255
    before, _ = desk.strokes[0]
    assert (before.top, before.left, before.labels.shape) == (31, 31, (68, 89))


def test_fill_does_not_leak_through_a_diagonal(desk):
    for step in range(150):
        desk.labels[step, step] = 2
    desk.canvas.set_tool("fill")
    desk.click(100, 20)
    assert desk.labels[100, 20] == 255


@pytest.mark.parametrize("way", ["control", "right"])
def test_a_class_is_picked_from_the_mask(desk, qtbot, way):
    desk.labels[40:60, 40:60] = 2
    with qtbot.waitSignal(desk.canvas.class_changed) as picked:
        if way == "control":
            desk.click(50, 50, CTRL)
        else:
            desk.click(50, 50, button=Qt.MouseButton.RightButton)
    assert picked.args == [2]
    desk.click(5, 5, CTRL)
    assert desk.canvas.current_class == 2, "unpainted is no class"
    assert desk.strokes == []


def test_a_pen_paints_by_pressure_and_erases_with_its_other_end(desk):
    desk.canvas.set_brush(41)
    _pen(desk, 100, 70, 0.25, QPointingDevice.PointerType.Pen)
    light = (desk.labels == 1).sum()
    _pen(desk, 100, 70, 1.0, QPointingDevice.PointerType.Pen)
    assert 0 < light < (desk.labels == 1).sum() / 3
    _pen(desk, 100, 70, 1.0, QPointingDevice.PointerType.Eraser)
    assert (desk.labels == 255).all()


def test_a_pen_that_hardly_touches_draws_thin_and_its_width_follows_the_hand(desk):
    desk.canvas.set_brush(40)
    _pen(desk, 100, 75, 0.0, QPointingDevice.PointerType.Pen)
    assert (desk.labels == 1).sum() == pytest.approx(np.pi * 4**2, abs=8), "a fifth of the brush, not all of it"
    desk.labels[:] = 255
    _tell(desk, QEvent.Type.TabletPress, 40, 75, 0.0)
    desk.press(40, 75)
    for x, pressure in ((90, 0.5), (140, 1.0)):
        _tell(desk, QEvent.Type.TabletMove, x, 75, pressure)
        desk.move(x, 75)
    _tell(desk, QEvent.Type.TabletRelease, 140, 75, 0.0)
    desk.release(140, 75)
    widths = (desk.labels == 1).sum(axis=0)
    assert widths[45] < widths[60] < widths[75] < widths[90] < widths[110] < widths[138]
    assert np.abs(np.diff(widths[38:139])).max() <= 2, "evenly, and not in steps"


def _pen(desk, x, y, pressure, end):
    """A pen going down and up: the tablet event, then the mouse event that Qt makes of it."""
    _tell(desk, QEvent.Type.TabletPress, x, y, pressure, end)
    desk.press(x, y)
    _tell(desk, QEvent.Type.TabletRelease, x, y, 0.0, end)
    desk.release(x, y)


def _tell(desk, kind, x, y, pressure, end=QPointingDevice.PointerType.Pen):
    """One event of a tablet."""
    device = QPointingDevice("pen", 7, QInputDevice.DeviceType.Stylus, end, QInputDevice.Capability.Pressure, 1, 1)
    place = QPointF(desk.at(x, y))
    left = Qt.MouseButton.LeftButton
    plain = Qt.KeyboardModifier.NoModifier
    event = QTabletEvent(kind, device, place, place, pressure, 0, 0, 0, 0, 0, plain, left, left)
    QApplication.sendEvent(desk.canvas, event)


def test_the_pointers_place_and_class_are_told(desk, qtbot):
    desk.labels[70, 90] = 2
    desk.canvas.zoom_fit()
    seen = []
    desk.canvas.cursor_moved.connect(lambda *told: seen.append(told))
    desk.move(90, 70)
    desk.move(91, 70)
    QTest.mouseMove(desk.canvas, QPoint(1, 1))
    assert seen[-3:] == [(90, 70, 2), (91, 70, None), (-1, -1, None)]


def test_attention_asks_for_the_place_under_the_pointer(desk, qtbot):
    asked = []
    desk.canvas.query_hovered.connect(lambda x, y: asked.append((x, y)))
    desk.move(50, 50)
    assert asked == []
    desk.canvas.set_attention_mode(True)
    desk.move(120, 80)
    assert asked[-1] == pytest.approx((120.5, 80.5), abs=0.5)
    QTest.mouseMove(desk.canvas, QPoint(1, 1))
    assert len(asked) == 1, "beside the image there is nothing to ask for"
