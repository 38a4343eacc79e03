"""Tools in the window: options, locks and what is kept with the project."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QComboBox

from sslstudio.regions import shaping
from sslstudio.regions.rect import Rect
from sslstudio.ui.wiring import tools as wiring_tools

from .conftest import PATIENCE
from .test_window import drag_across

SHIFT = Qt.KeyboardModifier.ShiftModifier


def press(window, name) -> None:
    QTest.mouseClick(window.findChild(QAbstractButton, name), Qt.MouseButton.LeftButton)


def test_a_locked_class_stays_and_one_can_see_and_say_so(qtbot, opened):
    opened.go_to_step("paint")
    drag_across(opened.canvas)
    painted = opened.session.labels.labels.copy()
    press(opened, "panel.paint.classes.1.lock")
    assert opened.canvas.options.locked == {1}
    qtbot.waitUntil(lambda: opened.panels["paint"].classes.lines[1].lock.accessibleName() == "Unlock object")
    assert opened.actions_["paint.lock"].isChecked()
    opened.canvas.setFocus()
    QTest.keyClick(opened, Qt.Key.Key_1)
    drag_across(opened.canvas)
    assert (opened.session.labels.labels == painted).all()
    QTest.keyClick(opened, Qt.Key.Key_2)
    QTest.keyClick(opened, Qt.Key.Key_L, SHIFT)
    assert opened.canvas.options.locked == frozenset()


def test_a_class_is_hidden_and_shown_by_its_eye_and_by_key(opened):
    opened.go_to_step("paint")
    press(opened, "panel.paint.classes.1.hide")
    assert opened.canvas.options.hidden == {1}
    opened.canvas.setFocus()
    QTest.keyClick(opened, Qt.Key.Key_H, SHIFT)
    assert opened.canvas.options.hidden == frozenset()


def test_what_strokes_change_is_chosen_in_the_panel_and_by_key(qtbot, opened):
    opened.go_to_step("paint")
    box = opened.findChild(QComboBox, "panel.paint.strokes.only")
    qtbot.waitUntil(lambda: box.count() == 4, timeout=PATIENCE)
    assert [box.itemText(at) for at in range(4)] == [
        "Everything", "Only what is unpainted", "Only background", "Only object",
    ]  # fmt: skip
    box.setFocus()
    QTest.keyClick(box, Qt.Key.Key_Down)
    assert opened.canvas.options.only == 255
    opened.canvas.setFocus()
    for expected in (1, -1, 255):
        QTest.keyClick(opened, Qt.Key.Key_U, SHIFT)
        assert opened.canvas.options.only == expected


def test_the_brushs_shape_and_locks_are_kept_with_the_project_a_restriction_is_not(opened, open_folder):
    opened.tools.change(square=True, locked=frozenset({0}), only=255)
    place = opened.session.project.path
    opened.files.close_project()
    open_folder(place)
    assert opened.canvas.options.square
    assert opened.canvas.options.locked == {0}
    assert opened.canvas.options.only == -1
    assert opened.actions_["paint.square"].isChecked()


def test_locks_go_with_their_class_when_another_is_taken_away(qtbot, opened):
    opened.painting.add_class("third")
    opened.tools.lock(2, True)
    with qtbot.waitSignal(opened.session.classes_changed, timeout=PATIENCE):
        opened.painting.remove_class(0)
    assert [one.name for one in opened.session.project.classes] == ["object", "third"]
    assert opened.canvas.options.locked == {1}


def paint(window, rows: slice, columns: slice, label: int) -> None:
    """Put a rectangle of a class on the mask, as one stroke."""
    area = Rect(columns.start, rows.start, columns.stop, rows.stop)
    window.canvas.act([(area, np.full((area.height, area.width), label, np.uint8))])


def key(window, key, modifier=Qt.KeyboardModifier.NoModifier) -> None:
    window.canvas.setFocus()
    QTest.keyClick(window, key, modifier)


def stored(window) -> np.ndarray:
    """What the project has of the current image's mask."""
    return window.session.project.label_map(window.session.image).labels


def test_grow_and_shrink_by_key_are_one_edit_each_that_reaches_the_project(opened):
    paint(opened, slice(8, 20), slice(10, 30), 1)
    before = stored(opened).copy()
    key(opened, Qt.Key.Key_Period)
    assert (stored(opened)[6:22, 12:28] == 1).all()
    assert (stored(opened) == 1).sum() > (before == 1).sum()
    opened.actions_["edit.undo"].trigger()
    assert np.array_equal(stored(opened), before)
    assert np.array_equal(opened.session.labels.labels, before)
    key(opened, Qt.Key.Key_Comma)
    assert (stored(opened) == 1).sum() == 8 * 16
    assert (stored(opened)[10:18, 12:28] == 1).all()


def test_specks_go_holes_are_filled_and_jags_smoothed(opened):
    paint(opened, slice(4, 20), slice(10, 30), 1)
    paint(opened, slice(8, 14), slice(14, 20), 255)
    paint(opened, slice(26, 28), slice(40, 43), 1)
    key(opened, Qt.Key.Key_K)
    assert (stored(opened)[26:28, 40:43] == 255).all()
    key(opened, Qt.Key.Key_F, SHIFT)
    assert (stored(opened)[4:20, 10:30] == 1).all()
    paint(opened, slice(20, 28), slice(20, 21), 1)
    key(opened, Qt.Key.Key_M, SHIFT)
    assert (stored(opened)[23:28, 20] == 255).all()


def test_a_selection_bounds_what_changes_and_escape_takes_it_away(opened):
    paint(opened, slice(4, 28), slice(10, 30), 1)
    key(opened, Qt.Key.Key_Q)
    canvas = opened.canvas
    ends = [canvas.widget_points(place)[0].toPoint() for place in ((0.5, 0.5), (19.5, 31.5))]
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=ends[0])
    QTest.mouseMove(canvas, ends[1])
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=ends[1])
    assert canvas.pen.selection == Rect(0, 0, 20, 32)
    key(opened, Qt.Key.Key_Comma)
    assert (stored(opened)[6:26, 10:12] == 255).all()
    assert (stored(opened)[4:28, 20:30] == 1).all()
    QTest.keyClick(canvas, Qt.Key.Key_Escape)
    assert canvas.pen.selection.empty


def test_where_nothing_can_change_one_is_told(opened):
    key(opened, Qt.Key.Key_Period)
    assert "nothing of “object”" in opened.notice.notices[-1].text
    paint(opened, slice(4, 28), slice(10, 30), 1)
    key(opened, Qt.Key.Key_Period)
    assert not opened.notice.notices


def test_the_mask_of_the_image_before_is_copied_where_it_may(qtbot, opened):
    paint(opened, slice(4, 28), slice(10, 30), 1)
    key(opened, Qt.Key.Key_C)
    assert "first image" in opened.notice.notices[-1].text
    with qtbot.waitSignal(opened.session.image_ready, timeout=PATIENCE):
        key(opened, Qt.Key.Key_D)
    paint(opened, slice(0, 10), slice(0, 20), 0)
    opened.tools.change(only=255)
    key(opened, Qt.Key.Key_C)
    mask = stored(opened)
    assert (mask[:10, :20] == 0).all()
    assert (mask[10:28, 10:30] == 1).all()
    assert (mask[28:] == 255).all()
    opened.actions_["edit.undo"].trigger()
    assert (stored(opened)[10:] == 255).all()


def test_the_panels_buttons_and_sliders_do_the_same(qtbot, opened):
    opened.go_to_step("paint")
    paint(opened, slice(8, 20), slice(10, 30), 1)
    press(opened, "panel.paint.whole.head")
    opened.panels["paint"].whole.amount.slider.setValue(4)
    assert opened.canvas.options.amount == 4
    press(opened, "panel.paint.whole.shrink")
    assert (stored(opened) == 1).sum() == 4 * 12
    opened.canvas.set_tool("wand")
    rows = opened.panels["paint"].tool.rows
    qtbot.waitUntil(lambda: rows["tolerance"].isVisible() and not rows["brush"].isVisible(), timeout=PATIENCE)
    rows["tolerance"].slider.setValue(77)
    assert opened.canvas.options.tolerance == 77


def test_a_stroke_on_the_image_that_is_still_seen_goes_to_that_image(qtbot, opened):
    """The next one is on its way for a moment; whoever paints meanwhile paints what is in sight."""
    first, second = (opened.browser.model.record_at(at).path for at in (0, 1))
    assert opened.session.image == first
    with qtbot.waitSignal(opened.session.image_ready, timeout=PATIENCE):
        key(opened, Qt.Key.Key_D)
        paint(opened, slice(4, 28), slice(10, 30), 1)
    project = opened.session.project
    assert (project.label_map(first).labels[4:28, 10:30] == 1).all()
    assert (project.label_map(second).labels == 255).all()


def test_the_head_of_what_is_folded_says_what_is_in_force(opened):
    opened.go_to_step("paint")
    strokes = opened.panels["paint"].strokes
    opened.drawing.draw()
    assert strokes.head.text() == "Stroke options"
    opened.tools.change(only=255, square=True, sieved=True)
    opened.drawing.draw()
    assert strokes.head.text().startswith("Strokes: only unpainted, square, ")
    assert strokes.head.toolTip().endswith(", brightness 128 to 255")
    assert not strokes.content.isVisible()
    opened.canvas.set_tool("lasso")
    opened.drawing.draw()
    assert strokes.head.text() == "Strokes: only unpainted"


def test_darkest_and_brightest_push_each_other(opened):
    opened.tools.change(high=100)
    assert (opened.canvas.options.low, opened.canvas.options.high) == (100, 100)
    opened.tools.change(low=150)
    assert (opened.canvas.options.low, opened.canvas.options.high) == (150, 150)


def test_a_box_with_nothing_in_it_is_told(qtbot, opened):
    opened.canvas.set_tool("box")
    plain = np.full_like(opened.session.pixels, 90)
    opened.canvas.show_image(plain, opened.session.labels, opened.session.image)
    drag_across(opened.canvas)
    qtbot.waitUntil(lambda: not opened.canvas.searches.running, timeout=PATIENCE)
    assert "Nothing stands out" in opened.notice.notices[-1].text


@pytest.fixture
def beside(opened, monkeypatch):
    """Changes to the whole mask are looked for beside the window, and only when ``beside.go`` is set."""
    go = threading.Event()

    def waiting(*about):
        assert go.wait(PATIENCE / 1000)
        yield from shaping.grown(*about)

    monkeypatch.setattr(wiring_tools, "_AT_ONCE", 0)
    monkeypatch.setitem(
        wiring_tools.SHAPINGS, "grow", lambda labels, label, options, within: waiting(labels, label, 2, within)
    )
    opened.actions_["paint.grow"].triggered.disconnect()
    opened.actions_["paint.grow"].triggered.connect(lambda: opened.tools.shape(wiring_tools.SHAPINGS["grow"]))
    opened.go = go
    paint(opened, slice(8, 20), slice(10, 30), 1)
    yield opened
    go.set()


def test_a_large_mask_is_changed_beside_the_window(qtbot, beside):
    before = stored(beside).copy()
    key(beside, Qt.Key.Key_Period)
    assert np.array_equal(stored(beside), before), "the window waits for it"
    beside.go.set()
    qtbot.waitUntil(lambda: not beside.canvas.searches.running, timeout=PATIENCE)
    assert (stored(beside)[6:22, 12:28] == 1).all()
    beside.actions_["edit.undo"].trigger()
    assert np.array_equal(stored(beside), before)


@pytest.mark.parametrize("hand", ["escape", "undo"])
def test_a_change_of_the_mask_can_be_called_off(beside, hand):
    before = stored(beside).copy()
    key(beside, Qt.Key.Key_Period)
    if hand == "escape":
        QTest.keyClick(beside.canvas, Qt.Key.Key_Escape)
    else:
        beside.actions_["edit.undo"].trigger()
    assert not beside.canvas.searches.running
    assert np.array_equal(stored(beside), before)


def test_a_stroke_waits_for_the_mask_that_is_being_changed(qtbot, beside):
    key(beside, Qt.Key.Key_Period)
    beside.go.set()
    beside.painting.choose_class(0)
    drag_across(beside.canvas)
    qtbot.waitUntil(lambda: not beside.canvas.searches.running, timeout=PATIENCE)
    assert beside.session.project.can_undo(beside.session.image)
    beside.actions_["edit.undo"].trigger()
    assert (stored(beside)[6:22, 12:28] == 1).all(), "the stroke is one edit, the change another"
