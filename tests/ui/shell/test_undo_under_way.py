"""Undo of what is under way: what was done last goes first, and nothing that is finished goes for what is not."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from sslstudio.regions.rect import Rect
from sslstudio.ui.canvas.tools import box as box_tool

from .conftest import PATIENCE
from .test_hands import CTRL, NONE, SQUARE, Hands, Key, corners, hands  # noqa: F401


@pytest.fixture
def painted(hands) -> Hands:  # noqa: F811
    """Somebody who has finished a stroke, which nothing here may take away before its turn."""
    hands.drag((4, 29), (44, 29))
    hands.stroke = hands.labels.copy()
    assert (hands.stroke == 1).any()
    return hands


@pytest.fixture
def pointing(painted, monkeypatch) -> Hands:
    """The tool “similar regions”; the network never answers by itself."""
    monkeypatch.setattr(type(painted.window.session.inference), "similar", lambda *about, **part: None)
    painted.canvas.set_tool("similar")
    return painted


@pytest.fixture
def slow(painted, monkeypatch):
    """The box tool, which finds the whole box, and nothing until ``go`` is set."""
    painted.go = threading.Event()

    def waiting(image, box):
        assert painted.go.wait(PATIENCE / 1000)
        return box, np.ones((box.height, box.width), bool)

    monkeypatch.setattr(box_tool, "object_in", waiting)
    painted.canvas.set_tool("box")
    yield painted
    painted.go.set()


def undo(hands) -> None:  # noqa: F811
    hands.tap(Key.Key_Z, CTRL)


def redo(hands) -> None:  # noqa: F811
    hands.tap(Key.Key_Y, CTRL)


def untouched(hands) -> bool:  # noqa: F811
    return np.array_equal(hands.labels, hands.stroke)


# similar regions ----------------------------------------------------------------------------------------


def test_undo_takes_back_what_was_pointed_at_before_any_stroke(pointing):
    gesture = pointing.canvas.gesture
    pointing.click(10, 10)
    pointing.click(20, 10)
    undo(pointing)
    assert [int(one.left) for one in gesture.examples] == [10]
    pointing.window.similar.propose(np.ones((32, 48), np.float32))
    assert pointing.canvas.offers.labels is not None
    undo(pointing)
    assert not pointing.canvas.busy
    assert pointing.canvas.offers.labels is None
    assert untouched(pointing)
    undo(pointing)
    assert (pointing.labels == 255).all()


def test_undo_drops_what_another_image_proposes_by_a_search_of_the_folder(pointing):
    pointing.window.similar.propose(np.ones((32, 48), np.float32))
    undo(pointing)
    assert pointing.canvas.offers.labels is None
    assert untouched(pointing)


def test_undo_in_a_box_around_a_similar_region_drops_that_box_only(pointing):
    pointing.click(10, 10)
    pointing.press(20, 5)
    pointing.move(30, 15)
    undo(pointing)
    pointing.release(30, 15)
    assert len(pointing.canvas.gesture.examples) == 1
    assert untouched(pointing)


def test_a_change_of_the_mask_under_a_proposal_goes_first(pointing):
    pointing.click(10, 10)
    pointing.window.similar.propose(np.ones((32, 48), np.float32))
    pointing.canvas.act([(Rect(0, 0, 8, 8), np.full((8, 8), 1, np.uint8))])
    undo(pointing)
    assert untouched(pointing)
    assert pointing.canvas.offers.labels is not None


# other proposals, searches and drags --------------------------------------------------------------------


def test_undo_drops_the_proposal_of_the_attention_unless_something_was_painted_since(painted):
    canvas, answers = painted.canvas, []
    canvas.offers.answered.connect(answers.append)
    canvas.offers.show(np.full((32, 48), 1, np.uint8), answerable=True)
    painted.drag((4, 4), (44, 4))
    undo(painted)
    assert untouched(painted)
    assert not answers
    undo(painted)
    assert answers == [False]
    assert untouched(painted)


def test_undo_drops_the_newest_of_several_searches(qtbot, slow):
    slow.drag((4, 4), (12, 12))
    slow.drag((30, 4), (40, 12))
    undo(slow)
    assert len(slow.canvas.searches.running) == 1
    slow.go.set()
    qtbot.waitUntil(lambda: not slow.canvas.searches.running, timeout=PATIENCE)
    assert slow.labels[8, 8] == 1
    assert slow.labels[8, 35] == 255
    undo(slow)
    assert untouched(slow)


def test_a_corner_set_while_a_box_is_searched_goes_before_what_is_found(qtbot, slow):
    slow.drag((4, 4), (12, 12))
    corners(slow, "polygon", SQUARE[:2])
    slow.go.set()
    qtbot.waitUntil(lambda: not slow.canvas.searches.running, timeout=PATIENCE)
    undo(slow)
    assert len(slow.canvas.pen.points) == 1
    undo(slow)
    assert not slow.canvas.pen.points
    assert slow.labels[8, 8] == 1
    undo(slow)
    assert untouched(slow)
    for _ in range(3):
        redo(slow)
    assert len(slow.canvas.pen.points) == 2
    assert slow.labels[8, 8] == 1


def test_undo_in_a_stroke_leaves_what_is_being_looked_for(qtbot, slow):
    slow.drag((4, 4), (12, 12))
    slow.tap(Key.Key_B)
    slow.press(20, 18)
    slow.move(40, 18)
    undo(slow)
    slow.release(40, 18)
    assert untouched(slow)
    slow.go.set()
    qtbot.waitUntil(lambda: not slow.canvas.searches.running, timeout=PATIENCE)
    assert slow.labels[8, 8] == 1
    assert slow.labels[18, 30] == 255


@pytest.mark.parametrize("tool", ["lasso", "wand", "superpixels", "box", "select"])
def test_undo_in_a_drag_drops_it_and_leaves_stroke_and_options(painted, tool):
    canvas = painted.canvas
    canvas.set_tool(tool)
    options = canvas.options
    painted.press(8, 6)
    for place in ((20, 6), (30, 10), (30, 20)):
        painted.move(*place)
    undo(painted)
    painted.release(30, 20)
    assert untouched(painted)
    assert not canvas.busy
    assert not canvas.searches.running
    assert canvas.pen.selection.empty
    assert canvas.options == options
    undo(painted)
    assert (painted.labels == 255).all()


def test_escape_in_a_drag_of_the_wand_leaves_its_tolerance(painted):
    painted.canvas.set_tool("wand")
    options = painted.canvas.options
    painted.press(8, 6)
    painted.move(40, 6)
    assert not untouched(painted)
    painted.tap(Key.Key_Escape)
    painted.move(44, 6)
    painted.release(44, 6)
    assert untouched(painted)
    assert painted.canvas.options == options


# outlines -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tool", ["polygon", "livewire"])
def test_undo_after_escape_brings_the_outline_back(painted, tool):
    outlines = painted.canvas.outlines
    corners(painted, tool)
    drawn = outlines.now
    painted.tap(Key.Key_Escape)
    assert not painted.canvas.busy
    undo(painted)
    assert outlines.now == drawn
    assert untouched(painted)
    redo(painted)
    assert not outlines.now.pieces
    undo(painted)
    undo(painted)
    assert outlines.now.pieces == drawn.pieces[:-1]
    assert untouched(painted)


def test_what_escape_dropped_comes_back_after_another_tool_was_in_the_hand(painted):
    corners(painted, "polygon")
    drawn = painted.canvas.outlines.now
    painted.tap(Key.Key_Escape)
    painted.tap(Key.Key_B)
    painted.tap(Key.Key_P)
    undo(painted)
    assert painted.canvas.outlines.now == drawn


@pytest.mark.parametrize("tool", ["polygon", "livewire"])
def test_a_stroke_painted_while_an_outline_waits_goes_before_its_corners_and_comes_after_them(qtbot, painted, tool):
    outlines = painted.canvas.outlines
    corners(painted, tool, SQUARE[:3])
    drawn = outlines.now
    painted.down(Key.Key_B)
    painted.drag((4, 2), (44, 2))
    painted.up(Key.Key_B)
    qtbot.waitUntil(lambda: painted.canvas.tool == tool, timeout=PATIENCE)
    painted.click(*SQUARE[3])
    undo(painted)
    assert outlines.now == drawn, "the corner set after the stroke"
    assert not untouched(painted)
    undo(painted)
    assert outlines.now == drawn
    assert untouched(painted)
    undo(painted)
    assert outlines.now.pieces == drawn.pieces[:-1]
    assert untouched(painted)
    redo(painted)
    assert outlines.now == drawn
    assert untouched(painted)
    redo(painted)
    assert not untouched(painted)


@pytest.mark.parametrize("key", [Key.Key_Z, Key.Key_Backspace])
def test_corners_that_were_taken_back_stay_away_when_the_project_is_opened_again(painted, open_folder, key):
    window, outlines = painted.window, painted.canvas.outlines
    corners(painted, "polygon", (*SQUARE, (4, 16)))
    for _ in range(3):
        painted.tap(key, CTRL if key == Key.Key_Z else NONE)
    left, place = outlines.now, window.session.project.path
    assert len(left.pieces) == 2
    window.files.close_project()
    painted.canvas.set_tool("brush")
    open_folder(place)
    painted.canvas.set_tool("polygon")
    assert len(outlines.now.pieces) == 2


def test_undo_with_the_button_down_on_a_corner_ends_the_drag(painted):
    corners(painted, "polygon")
    painted.press(*SQUARE[1])
    painted.move(44, 2)
    undo(painted)
    painted.move(46, 4)
    painted.release(46, 4)
    assert [(int(x), int(y)) for x, y in painted.canvas.pen.points] == list(SQUARE)
    assert untouched(painted)
