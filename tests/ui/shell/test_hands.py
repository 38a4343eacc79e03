"""Hands on keyboard and mouse: events come through the window's frame, and the keyboard is where the last click was."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenuBar

from sslstudio.ui.wiring import hand

from .conftest import PATIENCE

Key, LEFT = Qt.Key, Qt.MouseButton.LeftButton
NONE, ALT, CTRL, SHIFT = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.AltModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
)


class Hands:
    """A keyboard and a mouse on a window: what the system would send to its frame; places are image pixels."""

    def __init__(self, window) -> None:
        self.window, self.frame, self.canvas = window, window.windowHandle(), window.canvas

    @property
    def labels(self) -> np.ndarray:
        return self.window.session.labels.labels

    def at(self, x: float, y: float) -> QPoint:
        return self.canvas.mapTo(self.window, self.canvas.widget_points((x + 0.5, y + 0.5))[0].toPoint())

    def tap(self, key, held=NONE) -> None:
        QTest.keyClick(self.frame, key, held)

    def type(self, text: str) -> None:
        QTest.keyClicks(self.window.focusWidget(), text)

    def down(self, key) -> None:
        QTest.keyPress(self.frame, key)

    def up(self, key) -> None:
        QTest.keyRelease(self.frame, key)

    def repeat(self, key) -> None:
        """What X sends while a key is held: a release and a press that look real, both at one time."""
        for _ in range(3):
            self.up(key)
            self.down(key)

    def press(self, x, y, held=NONE) -> None:
        QTest.mouseMove(self.frame, self.at(x, y))
        QTest.mousePress(self.frame, LEFT, held, self.at(x, y))

    def move(self, x, y) -> None:
        QTest.mouseMove(self.frame, self.at(x, y))

    def release(self, x, y, held=NONE) -> None:
        QTest.mouseRelease(self.frame, LEFT, held, self.at(x, y))

    def click(self, x, y) -> None:
        self.press(x, y)
        self.release(x, y)

    def drag(self, start, end, held=NONE) -> None:
        self.press(*start, held)
        self.move(*end)
        self.release(*end, held)

    def click_on(self, widget) -> None:
        """Click a widget; the keyboard goes to it."""
        place = widget.mapTo(self.window, widget.rect().center())
        QTest.mouseMove(self.frame, place)
        QTest.mouseClick(self.frame, LEFT, NONE, place)
        widget.setFocus(Qt.FocusReason.MouseFocusReason)

    def elsewhere(self) -> None:
        """One click on a switch in the panel, twice, so that nothing else changes."""
        switch = self.window.panels["paint"].classes.lines[0].lock
        self.click_on(switch)
        self.click_on(switch)
        assert not self.canvas.hasFocus()


@pytest.fixture
def hands(qtbot, opened):
    """A window in the step Paint, with a brush of five pixels on an image of 48 × 32 pixels."""
    opened.go_to_step("paint")
    qtbot.waitUntil(lambda: len(opened.panels["paint"].classes.lines) == 2, timeout=PATIENCE)
    opened.canvas.set_brush(5)
    assert opened.canvas.current_class == 1
    return Hands(opened)


SQUARE = ((10, 6), (36, 6), (36, 26), (10, 26))


def corners(hands, tool: str, places=SQUARE) -> None:
    hands.canvas.set_tool(tool)
    for place in places:
        hands.click(*place)


@pytest.mark.parametrize("where", ["switch", "thumbnails"])
def test_space_moves_the_image_after_a_click_anywhere(hands, where):
    hands.canvas.zoom_in()
    hands.canvas.zoom_in()
    if where == "switch":
        hands.elsewhere()
    else:
        hands.click_on(hands.window.browser.view)
    before, middle = hands.canvas.viewport, hands.canvas.image_point(hands.canvas.rect().center().toPointF())
    hands.move(*middle)
    hands.down(Key.Key_Space)
    hands.drag(middle, (middle[0] + 2, middle[1] + 2))
    hands.up(Key.Key_Space)
    assert (hands.labels == 255).all(), "it painted"
    assert hands.canvas.viewport != before
    hands.drag(middle, (middle[0] + 2, middle[1]))
    assert (hands.labels == 1).any(), "and let go of, it paints again"


def test_space_is_typed_where_somebody_types_and_presses_what_was_reached_by_tab(hands):
    search = hands.window.browser.search
    hands.click_on(search)
    hands.move(20, 15)
    hands.tap(Key.Key_Space)
    assert search.text() == " "
    lock = hands.window.panels["paint"].classes.lines[1].lock
    hands.canvas.setFocus()
    hands.tap(Key.Key_Tab)
    lock.setFocus(Qt.FocusReason.TabFocusReason)
    hands.tap(Key.Key_Space)
    assert hands.canvas.options.locked == {1}


@pytest.mark.parametrize("tool", ["polygon", "livewire"])
def test_enter_escape_and_backspace_reach_what_is_drawn_after_a_click_in_the_panel(hands, tool):
    corners(hands, tool, (*SQUARE, (4, 16)))
    hands.elsewhere()
    hands.tap(Key.Key_Backspace)
    assert len(hands.canvas.outlines.now.pieces) == 4
    hands.elsewhere()
    hands.tap(Key.Key_Return)
    assert hands.labels[16, 20] == 1
    corners(hands, tool, SQUARE[:2])
    hands.elsewhere()
    hands.tap(Key.Key_Escape)
    assert not hands.canvas.busy


@pytest.mark.parametrize(("pressed", "taken"), [(Key.Key_Return, True), (Key.Key_Escape, False)])
def test_a_proposal_is_answered_after_a_click_in_the_panel(qtbot, hands, pressed, taken):
    hands.canvas.offers.show(np.full((32, 48), 1, np.uint8), answerable=True)
    hands.elsewhere()
    with qtbot.waitSignal(hands.canvas.offers.answered, check_params_cb=lambda given: given is taken, timeout=PATIENCE):
        hands.tap(pressed)


@pytest.mark.parametrize("tool", ["polygon", "livewire"])
def test_what_is_half_drawn_waits_for_its_tool_and_its_image(qtbot, hands, tool):
    window, canvas = hands.window, hands.canvas
    first = window.session.image
    corners(hands, tool, SQUARE[:3])
    drawn = canvas.outlines.now
    hands.tap(Key.Key_B)
    assert not canvas.busy
    qtbot.waitUntil(lambda: "is kept" in window.notice.shown(), timeout=PATIENCE)
    hands.tap(Key.Key_P if tool == "polygon" else Key.Key_I)
    assert canvas.outlines.now == drawn
    assert "is kept" not in window.notice.shown()
    hands.tap(Key.Key_D)
    qtbot.waitUntil(lambda: canvas.key not in ("", first), timeout=PATIENCE)
    assert not canvas.outlines.now.pieces
    qtbot.waitUntil(lambda: "cell_1" in window.notice.shown(), timeout=PATIENCE)
    hands.tap(Key.Key_A)
    qtbot.waitUntil(lambda: canvas.key == first, timeout=PATIENCE)
    assert canvas.outlines.now == drawn
    hands.tap(Key.Key_Return)
    assert hands.labels[8, 30] == 1


@pytest.mark.parametrize("tool", ["polygon", "livewire"])
def test_what_is_half_drawn_is_there_again_tomorrow(qtbot, hands, open_folder, tool):
    window, canvas = hands.window, hands.canvas
    corners(hands, tool, SQUARE[:3])
    drawn, place = canvas.outlines.now, window.session.project.path
    qtbot.waitUntil(lambda: window.session.recall("outlines", []) == canvas.outlines.to_json(), timeout=PATIENCE)
    window.files.close_project()
    assert not canvas.busy
    canvas.set_tool("brush")
    open_folder(place)
    canvas.set_tool(tool)
    assert [len(piece) for piece in canvas.outlines.now.pieces] == [len(piece) for piece in drawn.pieces]
    assert np.allclose(canvas.outlines.now.pieces[-1], drawn.pieces[-1], atol=0.01)
    hands.tap(Key.Key_Escape)
    assert window.session.recall("outlines", []) == []


def test_enter_with_too_few_corners_says_so_and_keeps_them(hands):
    corners(hands, "polygon", SQUARE[:2])
    hands.tap(Key.Key_Return)
    assert len(hands.canvas.pen.points) == 2
    assert "three corners" in hands.window.notice.shown()


@pytest.mark.parametrize("tool", ["polygon", "livewire"])
def test_undo_takes_corners_back_before_strokes_and_redo_brings_them_again(hands, tool):
    hands.drag((4, 29), (44, 29))
    stroke = hands.labels.copy()
    corners(hands, tool)
    drawn = hands.canvas.outlines.now
    hands.tap(Key.Key_Z, CTRL)
    assert hands.canvas.outlines.now.pieces == drawn.pieces[:-1]
    assert np.array_equal(hands.labels, stroke)
    hands.tap(Key.Key_Y, CTRL)
    assert hands.canvas.outlines.now == drawn
    for _ in range(4):
        hands.tap(Key.Key_Z, CTRL)
    assert np.array_equal(hands.labels, stroke)
    hands.tap(Key.Key_Z, CTRL)
    assert (hands.labels == 255).all()


def test_undo_in_the_first_stroke_on_an_image_drops_it(hands):
    assert not hands.window.actions_["edit.undo"].isEnabled()
    hands.press(10, 10)
    hands.move(30, 10)
    hands.tap(Key.Key_Z, CTRL)
    assert (hands.labels == 255).all()
    hands.move(40, 10)
    hands.release(40, 10)
    assert (hands.labels == 255).all()
    assert not hands.window.actions_["edit.undo"].isEnabled()


def test_undo_in_a_stroke_that_has_changed_nothing_leaves_the_one_before(hands):
    hands.drag((10, 10), (30, 10))
    painted = hands.labels.copy()
    hands.press(20, 10)
    hands.tap(Key.Key_Z, CTRL)
    hands.release(20, 10)
    assert np.array_equal(hands.labels, painted)


def test_the_eraser_is_in_the_hand_as_long_as_its_key_is_held_and_stays_after_a_tap(qtbot, hands):
    hands.drag((6, 15), (42, 15))
    hands.elsewhere()
    hands.down(Key.Key_E)
    hands.drag((20, 15), (24, 15))
    assert hands.canvas.tool == "eraser"
    hands.up(Key.Key_E)
    qtbot.waitUntil(lambda: hands.canvas.tool == "brush", timeout=PATIENCE)
    assert hands.labels[15, 22] == 255
    assert hands.labels[15, 10] == 1
    hands.tap(Key.Key_E)
    assert hands.canvas.tool == "eraser"


def test_a_key_let_go_of_in_the_middle_of_a_stroke_waits_for_its_end(qtbot, hands):
    hands.drag((6, 15), (42, 15))
    hands.down(Key.Key_E)
    hands.press(10, 15)
    hands.up(Key.Key_E)
    hands.move(40, 15)
    hands.release(40, 15)
    assert (hands.labels[15, 12:40] == 255).all()
    qtbot.waitUntil(lambda: hands.canvas.tool == "brush", timeout=PATIENCE)


def test_the_eraser_stays_while_the_system_repeats_its_key(qtbot, hands):
    hands.drag((6, 15), (42, 15))
    hands.down(Key.Key_E)
    hands.repeat(Key.Key_E)
    hands.drag((20, 15), (24, 15))
    hands.repeat(Key.Key_E)
    assert hands.canvas.tool == "eraser"
    hands.drag((30, 15), (34, 15))
    hands.up(Key.Key_E)
    hands.drag((6, 25), (42, 25))
    assert hands.canvas.tool == "brush", "no wait: the next stroke is the brush's"
    assert (hands.labels[15, [22, 32]] == 255).all()
    assert (hands.labels[25, 8:40] == 1).all()


def test_a_key_was_held_from_its_first_press(qtbot, hands, monkeypatch):
    hands.down(Key.Key_E)
    monkeypatch.setattr(hand, "TAP", 0)
    hands.repeat(Key.Key_E)
    hands.up(Key.Key_E)
    qtbot.waitUntil(lambda: hands.canvas.tool == "brush", timeout=PATIENCE)


def test_space_stays_while_the_system_repeats_it(qtbot, hands):
    hands.move(20, 15)
    hands.down(Key.Key_Space)
    for _ in range(3):
        hands.up(Key.Key_Space)
        assert hands.canvas.cursor().shape() == Qt.CursorShape.OpenHandCursor
        hands.down(Key.Key_Space)
    hands.up(Key.Key_Space)
    qtbot.waitUntil(lambda: hands.canvas.cursor().shape() == Qt.CursorShape.BlankCursor, timeout=PATIENCE)


def test_keys_held_within_each_other_lead_back_to_the_first_tool(qtbot, hands, monkeypatch):
    monkeypatch.setattr(hand, "TAP", 0)
    for first, second, after in ((Key.Key_W, Key.Key_E, "eraser"), (Key.Key_E, Key.Key_W, "wand")):
        hands.down(Key.Key_E)
        hands.repeat(Key.Key_E)
        hands.down(Key.Key_W)
        hands.repeat(Key.Key_W)
        assert hands.canvas.tool == "wand"
        hands.up(first)
        qtbot.waitUntil(lambda after=after: hands.canvas.tool == after, timeout=PATIENCE)
        hands.up(second)
        qtbot.waitUntil(lambda: hands.canvas.tool == "brush", timeout=PATIENCE)


@pytest.mark.parametrize("held", [False, True])
def test_a_tool_taken_in_the_middle_of_a_stroke_waits_for_its_end(qtbot, hands, monkeypatch, held):
    hands.press(6, 15)
    hands.move(20, 15)
    hands.down(Key.Key_E)
    if held:
        monkeypatch.setattr(hand, "TAP", 0)
        hands.repeat(Key.Key_E)
    hands.move(30, 15)
    hands.up(Key.Key_E)
    hands.move(40, 15)
    hands.release(40, 15)
    assert (hands.labels[15, 8:40] == 1).all()
    qtbot.waitUntil(lambda: hands.canvas.tool == ("brush" if held else "eraser"), timeout=PATIENCE)
    hands.tap(Key.Key_Z, CTRL)
    assert (hands.labels == 255).all(), "it was one stroke"


def test_a_tool_taken_in_a_stroke_that_is_dropped_comes_with_the_button(hands):
    hands.press(6, 15)
    hands.move(20, 15)
    hands.tap(Key.Key_E)
    hands.tap(Key.Key_Escape)
    hands.release(20, 15)
    assert hands.canvas.tool == "eraser"
    assert (hands.labels == 255).all()


def test_a_digit_pressed_while_alt_erases_chooses_the_class_and_not_the_step(hands):
    hands.press(10, 10, ALT)
    hands.tap(Key.Key_1, ALT)
    hands.release(10, 10, ALT)
    assert hands.window.step == "paint"
    assert hands.canvas.current_class == 0
    hands.tap(Key.Key_1, ALT)
    assert hands.window.step == "images", "with no button held it goes to the step"


def test_alt_alone_over_the_image_leaves_the_keyboard_where_it_is(hands):
    hands.drag((10, 10), (20, 10), ALT)
    hands.tap(Key.Key_Alt)
    assert not isinstance(hands.window.focusWidget(), QMenuBar)
    hands.tap(Key.Key_P)
    assert hands.canvas.tool == "polygon"


@pytest.mark.parametrize("end", [Key.Key_Return, Key.Key_Escape])
def test_a_field_gives_the_keyboard_back(qtbot, hands, end):
    window = hands.window
    hands.tap(Key.Key_F, CTRL)
    hands.type("cell_3")
    hands.tap(end)
    hands.tap(Key.Key_P)
    assert hands.canvas.tool == "polygon"
    assert window.browser.search.text() == "cell_3"
    if end == Key.Key_Return:
        assert window.browser.model.rowCount() == 1
    hands.click_on(window.panels["paint"].classes.new)
    hands.type("crack")
    hands.tap(end)
    hands.tap(Key.Key_B)
    assert hands.canvas.tool == "brush"
    assert len(window.session.project.classes) == (3 if end == Key.Key_Return else 2)


def test_painting_what_is_not_seen_is_told_once_and_can_be_seen_by_a_button(hands):
    window = hands.window
    hands.tap(Key.Key_H)
    hands.drag((10, 10), (20, 10))
    assert "Masks are hidden" in window.notice.shown()
    told = window.notice.notices[-1]
    hands.drag((10, 20), (20, 20))
    assert window.notice.notices == [told]
    hands.click_on(window.notice._button)
    assert window.actions_["view.masks"].isChecked()
    hands.canvas.setFocus()
    hands.tap(Key.Key_H, SHIFT)
    hands.drag((30, 10), (40, 10))
    assert "“object” is hidden, so you do not see" in window.notice.shown()
    hands.tap(Key.Key_H, SHIFT)
    assert not window.notice.notices


def test_a_stroke_that_may_change_nothing_says_why(hands):
    window = hands.window
    hands.drag((6, 15), (42, 15))
    assert not window.notice.notices
    hands.window.tools.lock(1, True)
    hands.tap(Key.Key_E)
    hands.drag((10, 15), (30, 15))
    assert "“object” is locked" in window.notice.shown()
    hands.window.tools.lock(1, False)
    assert not window.notice.notices
    hands.tap(Key.Key_B)
    hands.window.tools.change(only=1)
    hands.drag((10, 25), (30, 25))
    assert "Strokes change only “object”, with which you paint" in window.notice.shown()
    hands.window.tools.change(only=-1)
    hands.drag((10, 25), (30, 25))
    assert (hands.labels[25, 10:30] == 1).all()
    assert not window.notice.notices


@pytest.mark.parametrize("tool", ["polygon", "livewire"])
@pytest.mark.parametrize("twice", [False, True])
def test_a_click_on_the_first_corner_closes_and_a_double_one_begins_nothing_new(hands, tool, twice):
    corners(hands, tool)
    assert hands.canvas.outlines.closes(hands.canvas.widget_points((20.5, 15.5))[0]) is None
    (QTest.mouseDClick if twice else QTest.mouseClick)(hands.frame, LEFT, NONE, hands.at(*SQUARE[0]))
    assert not hands.canvas.busy
    assert hands.labels[16, 20] == 1


def test_a_corner_of_the_polygon_under_way_can_be_dragged(hands):
    corners(hands, "polygon")
    hands.drag(SQUARE[1], (44, 2))
    assert [(int(x), int(y)) for x, y in hands.canvas.pen.points] == [(10, 6), (44, 2), (36, 26), (10, 26)]
    hands.tap(Key.Key_Z, CTRL)
    assert [(int(x), int(y)) for x, y in hands.canvas.pen.points] == list(SQUARE)


def test_the_status_line_names_what_is_under_the_pointer_after_strokes_and_undo(hands):
    place = hands.window.status.place
    hands.press(20, 15)
    hands.release(20, 15)
    assert place.text().startswith("object")
    hands.tap(Key.Key_Z, CTRL)
    assert place.text().startswith("unpainted")
    hands.tap(Key.Key_Y, CTRL)
    assert place.text().startswith("object")
