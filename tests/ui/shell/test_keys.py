"""Keys that the user changes, and the command palette."""

from __future__ import annotations

import re

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QWidget

from sslstudio import language
from sslstudio.project.classes import LabelClass, default_colour
from sslstudio.ui import shortcuts, state
from sslstudio.ui.actions import ACTIONS
from sslstudio.ui.dialogs.palette import PaletteDialog
from sslstudio.ui.dialogs.shortcuts import ShortcutsDialog
from sslstudio.ui.finding import found
from sslstudio.ui.synonyms import SYNONYMS

CTRL = Qt.KeyboardModifier.ControlModifier


def dialog(window) -> ShortcutsDialog:
    window.actions_["help.shortcuts"].trigger()
    return next(one for one in window.findChildren(ShortcutsDialog) if one.isVisible())


def choose(shown: ShortcutsDialog, name: str, key: Qt.Key, held=Qt.KeyboardModifier.NoModifier) -> None:
    """Type a key into an action's field."""
    shown.fields[name].setFocus()
    QTest.keyClick(shown.fields[name], key, held)


def palette(window) -> PaletteDialog:
    QTest.keyClick(window, Qt.Key.Key_K, CTRL)
    return next(one for one in QApplication.topLevelWidgets() if isinstance(one, PaletteDialog) and one.isVisible())


def test_a_changed_key_works_at_once_is_told_and_is_kept(qtbot, opened):
    shown = dialog(opened)
    choose(shown, "paint.wand", Qt.Key.Key_Z)
    QTest.mouseClick(shown.findChild(QPushButton, "shortcuts.keep"), Qt.MouseButton.LeftButton)
    assert opened.actions_["paint.wand"].shortcut() == QKeySequence("Z")
    assert opened.actions_["paint.wand"].toolTip().endswith("(Z)")
    qtbot.waitUntil(lambda: opened.isActiveWindow())
    opened.canvas.setFocus()
    QTest.keyClick(opened, Qt.Key.Key_W)
    assert opened.canvas.tool == "brush"
    QTest.keyClick(opened, Qt.Key.Key_Z)
    assert opened.canvas.tool == "wand"
    assert shortcuts.kept()["paint.wand"] == ("Z",)
    assert shortcuts.kept()["paint.brush"] == ("B",)


def test_tool_tips_in_the_panels_name_the_key_that_was_chosen(opened):
    opened.go_to_step("paint")
    panel = opened.panels["paint"]
    shrink = opened.findChild(QPushButton, "panel.paint.whole.shrink")
    assert shrink.toolTip().endswith("(,)")
    assert panel.tool.brush.slider.toolTip().endswith("([ and ])")
    shown = dialog(opened)
    choose(shown, "paint.shrink", Qt.Key.Key_Z)
    shown.fields["paint.larger"].clear()
    QTest.mouseClick(shown.keep, Qt.MouseButton.LeftButton)
    assert shrink.toolTip().endswith("(Z)")
    assert panel.tool.brush.slider.toolTip().endswith("([)")


def test_no_tool_tip_writes_a_key_by_hand(opened):
    """Whatever names a key does so through ``tell_keys`` or its action, so that it follows a change."""
    away = {row.id: () for row in ACTIONS}
    shortcuts.apply(opened.actions_, away)
    shortcuts.tell_again(opened, away)
    keys = {key for row in ACTIONS for key in row.shortcuts if len(key) > 1 or key.isalpha()}
    for widget in opened.findChildren(QWidget):
        told = re.findall(r"\(([^)]*)\)$", widget.toolTip())
        assert not keys & set(told), f"{widget.objectName()}: {widget.toolTip()}"


def test_a_key_wanted_twice_is_told_and_cannot_be_kept(opened):
    shown = dialog(opened)
    assert shown.keep.isEnabled()
    choose(shown, "paint.wand", Qt.Key.Key_B)
    assert not shown.keep.isEnabled()
    assert "B is wanted by “Brush” and “Magic wand”." in shown.note.text()
    choose(shown, "paint.brush", Qt.Key.Key_Z)
    assert shown.keep.isEnabled()
    choose(shown, "paint.brush", Qt.Key.Key_Space)
    assert "Space is needed for moving the image" in shown.note.text()
    QTest.mouseClick(shown.reset, Qt.MouseButton.LeftButton)
    assert shown.keep.isEnabled()
    shown.reject()
    assert shortcuts.kept() == shortcuts.defaults()


def test_other_keys_of_an_action_stay_and_all_can_be_taken_away(opened):
    shown = dialog(opened)
    choose(shown, "edit.redo", Qt.Key.Key_Z)
    shown.fields["paint.fill"].clear()
    QTest.mouseClick(shown.keep, Qt.MouseButton.LeftButton)
    assert shortcuts.kept()["edit.redo"] == ("Z", "Ctrl+Y")
    assert shortcuts.kept()["paint.fill"] == ()


def test_a_second_key_can_be_given_up_and_the_first_does_not_bring_it_back(opened):
    shown = dialog(opened)
    second = shown.rows["edit.redo"][1].field
    assert second.key == "Ctrl+Y"
    second.clear()
    choose(shown, "paint.wand", Qt.Key.Key_Y, CTRL)
    choose(shown, "edit.redo", Qt.Key.Key_Z, CTRL | Qt.KeyboardModifier.ShiftModifier)
    assert shown.keep.isEnabled(), shown.note.text()
    QTest.mouseClick(shown.keep, Qt.MouseButton.LeftButton)
    assert shortcuts.kept()["edit.redo"] == ("Ctrl+Shift+Z",)
    assert shortcuts.kept()["paint.wand"] == ("Ctrl+Y",)


@pytest.mark.parametrize(("letter", "menu"), [("F", "File"), ("P", "Paint"), ("H", "Help")])
def test_keys_that_open_menus_are_conflicts(opened, letter, menu):
    assert f"&{menu}" in [one.text() for one in opened.menuBar().actions()]
    shown = dialog(opened)
    choose(shown, "paint.brush", getattr(Qt.Key, f"Key_{letter}"), Qt.KeyboardModifier.AltModifier)
    assert not shown.keep.isEnabled()
    assert f"Alt+{letter} is needed for opening the menu “{menu}”" in shown.note.text()


def test_escape_in_a_field_keeps_its_key_and_the_dialog(opened):
    shown = dialog(opened)
    choose(shown, "paint.brush", Qt.Key.Key_Escape)
    assert shown.isVisible()
    assert shown.fields["paint.brush"].key == "B"
    choose(shown, "paint.brush", Qt.Key.Key_Z)
    QTest.keyClick(shown.fields["paint.brush"], Qt.Key.Key_Escape)
    assert shown.fields["paint.brush"].key == "B"


def test_each_field_goes_back_to_its_first_key(opened):
    shown = dialog(opened)
    row = shown.rows["paint.brush"][0]
    assert not row.back.isVisible()
    choose(shown, "paint.brush", Qt.Key.Key_Z)
    assert row.back.isVisible()
    QTest.mouseClick(row.back, Qt.MouseButton.LeftButton)
    assert row.field.key == "B"
    QTest.mouseClick(shown.keep, Qt.MouseButton.LeftButton)
    assert shortcuts.kept() == shortcuts.defaults()


def test_the_search_leaves_what_fits_and_enter_in_it_keeps_nothing(opened):
    shown = dialog(opened)
    QTest.keyClicks(shown.search, "rubber")
    assert [name for name, rows in shown.rows.items() if rows[0].isVisible()] == ["paint.eraser"]
    QTest.keyClick(shown.search, Qt.Key.Key_Return)
    assert shown.isVisible()
    shown.search.clear()
    QTest.keyClicks(shown.search, "ctrl+shift+k")
    assert "learn.working" in [name for name, rows in shown.rows.items() if rows[0].isVisible()]
    shown.search.clear()
    assert all(rows[0].isVisible() for rows in shown.rows.values())


def test_what_is_said_about_a_conflict_moves_nothing(opened):
    shown = dialog(opened)
    field = shown.fields["paint.box"]
    before = field.mapTo(shown, field.rect().topLeft())
    choose(shown, "paint.wand", Qt.Key.Key_B)
    QApplication.sendPostedEvents()
    shown.layout().activate()
    assert shown.note.isVisible()
    assert field.mapTo(shown, field.rect().topLeft()) == before


def test_held_keys_follow_the_keys_of_their_tools(opened):
    shown = dialog(opened)
    choose(shown, "paint.eraser", Qt.Key.Key_Z)
    QTest.mouseClick(shown.keep, Qt.MouseButton.LeftButton)
    texts = [one.text() for one in dialog(opened).findChildren(QLabel)]
    assert "hold Z, or Alt (where the desktop lets it through)" in texts


def test_a_damaged_file_of_keys_costs_only_what_is_damaged(window):
    state.settings().setValue("shortcuts", '{"paint.wand": ["Z"], "paint.fill": 7, "gone.action": ["Z"]}')
    assert shortcuts.kept() == {**shortcuts.defaults(), "paint.wand": ("Z",)}
    state.settings().setValue("shortcuts", "{broken")
    assert shortcuts.kept() == shortcuts.defaults()


def test_the_palette_finds_a_command_by_letters_and_does_it(opened):
    opened.canvas.setFocus()
    shown = palette(opened)
    QTest.keyClicks(shown.line, "magic")
    assert shown.list.item(0).text().startswith("Magic wand")
    QTest.keyClick(shown.line, Qt.Key.Key_Return)
    assert opened.canvas.tool == "wand"
    assert not shown.isVisible()


def test_arrows_choose_in_the_palette_and_escape_does_nothing(opened):
    shown = palette(opened)
    QTest.keyClicks(shown.line, "zoom")
    first = shown.list.currentItem().text()
    QTest.keyClick(shown.line, Qt.Key.Key_Down)
    assert shown.list.currentItem().text() != first
    QTest.keyClick(shown.line, Qt.Key.Key_Escape)
    assert not shown.isVisible()


def test_the_palette_leaves_out_what_cannot_be_done(window):
    shown = palette(window)
    texts = [shown.list.item(at).text() for at in range(shown.list.count())]
    assert any(text.startswith("Open project") for text in texts)
    assert not any(text.startswith("Brush") for text in texts)
    shown.close()


WORDS = {
    "rubber": "Eraser",
    "grabcut": "Object in a box",
    "bucket": "Fill",
    "flood": "Fill",
    "dilate": "Grow",
    "erode": "Shrink",
    "eyedropper": "Pick the class",
    "threshold": "Magic wand",
    "morphology": "Grow",
    "magnetic lasso": "Live-wire",
    "intelligent scissors": "Live-wire",
    "opacity": "Overlay opacity",
    "colour": "Classes",
    "rectangle": "Object in a box",
    "contrast": "Contrast and channels",
    "brightness": "Contrast and channels",
    "unpainted": "Eraser",  # it stands in the tip
}


def listed(shown: PaletteDialog) -> list[str]:
    return [shown.list.item(at).text() for at in range(shown.list.count())]


@pytest.mark.parametrize("words", WORDS)
def test_the_palette_knows_what_others_call_it(opened, words):
    shown = palette(opened)
    QTest.keyClicks(shown.line, words)
    assert WORDS[words] in listed(shown)[:4]
    assert "Export model" not in listed(shown)
    shown.close()


def test_what_cannot_be_done_stands_there_with_the_reason_and_does_nothing(opened):
    shown = palette(opened)
    QTest.keyClicks(shown.line, "undo")
    assert listed(shown)[0] == "Undo"
    assert shown.list.item(0).data(Qt.ItemDataRole.AccessibleTextRole) == "Undo, nothing to take back"
    QTest.keyClick(shown.line, Qt.Key.Key_Return)
    assert shown.isVisible()
    shown.close()


def test_the_palette_says_when_nothing_fits(opened):
    shown = palette(opened)
    QTest.keyClicks(shown.line, "qqq")
    assert not shown.list.isVisible()
    assert shown.nothing.isVisible()
    assert shown.nothing.text().startswith("Nothing fits “qqq”. Try")
    QTest.keyClick(shown.line, Qt.Key.Key_Return)
    shown.line.clear()
    assert shown.list.isVisible()
    assert not shown.nothing.isVisible()
    shown.close()


def test_the_palette_leads_to_the_opacity_at_the_bottom(qtbot, opened):
    shown = palette(opened)
    QTest.keyClicks(shown.line, "transparency")
    QTest.keyClick(shown.line, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: opened.status.opacity.hasFocus(), timeout=5000)
    before = opened.painting.opacity
    QTest.keyClick(opened.status.opacity, Qt.Key.Key_Right)
    assert opened.painting.opacity > before


def test_the_palette_knows_german_words(monkeypatch, opened):
    monkeypatch.setenv(language.VARIABLE, "de")
    shown = palette(opened)
    QTest.keyClicks(shown.line, "Radiergummi")
    assert shown.list.count() >= 1
    QTest.keyClick(shown.line, Qt.Key.Key_Return)
    assert opened.canvas.tool == "eraser"


def test_every_synonym_belongs_to_an_action():
    assert set(SYNONYMS) <= {row.id for row in ACTIONS}


@pytest.fixture
def many(opened):
    """Fourteen classes."""
    opened.painting._set_classes(tuple(LabelClass(f"c{at + 1}", default_colour(at)) for at in range(14)))
    opened.canvas.setFocus()
    return opened


def test_the_tenth_class_has_a_key_and_all_are_in_the_palette(many):
    QTest.keyClick(many, Qt.Key.Key_0)
    assert many.canvas.current_class == 9
    assert many.actions_["paint.class_10"].isChecked()
    shown = palette(many)
    QTest.keyClicks(shown.line, "c12")
    assert listed(shown)[0] == "Class: c12"
    QTest.keyClick(shown.line, Qt.Key.Key_Return)
    assert many.canvas.current_class == 11
    assert not many.actions_["paint.class_10"].isChecked()


def test_keys_go_to_the_next_and_the_previous_class(many):
    many.painting.choose_class(11)
    QTest.keyClick(many, Qt.Key.Key_Down, CTRL)
    QTest.keyClick(many, Qt.Key.Key_Down, CTRL)
    assert many.canvas.current_class == 13
    QTest.keyClick(many, Qt.Key.Key_Down, CTRL)
    assert many.canvas.current_class == 0
    QTest.keyClick(many, Qt.Key.Key_Up, CTRL)
    assert many.canvas.current_class == 13


def test_a_long_list_of_classes_scrolls_and_the_panels_end_stays_reachable(qtbot, many):
    many.resize(1366, 768)
    many.go_to_step("paint")
    many.drawing.draw()
    classes, panel = many.panels["paint"].classes, many.panels["paint"]
    assert len(classes.lines) == 14
    assert classes.area.height() < 9 * 44
    key = QTest.keyClick
    key(many, Qt.Key.Key_1)
    key(many, Qt.Key.Key_Up, CTRL)
    chosen = classes.lines[13]
    qtbot.waitUntil(lambda: chosen.isChecked() and not chosen.visibleRegion().isEmpty(), timeout=5000)
    assert chosen.visibleRegion().boundingRect().height() == chosen.height()
    panel.verticalScrollBar().setValue(panel.verticalScrollBar().maximum())
    assert not panel.go_on.visibleRegion().isEmpty()


def test_finding_prefers_beginnings():
    texts = ["Smaller brush", "Brush", "Square brush", "Whole image"]
    assert [texts[at] for at in found("bru", texts)] == ["Brush", "Smaller brush", "Square brush"]
    assert found("", texts) == [0, 1, 2, 3]
    assert found("sq br", texts) == [2]
    assert found("whim", texts) == [3]
    assert found("xyz", texts) == []
