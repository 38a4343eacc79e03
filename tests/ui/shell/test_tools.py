"""Tools in the window: options, locks and what is kept with the project."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QComboBox

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
    box = opened.findChild(QComboBox, "panel.paint.only")
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
