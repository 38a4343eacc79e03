"""While the mask is being worked on for long, the window never stands still: what is done meanwhile comes after it."""

from __future__ import annotations

import sys
import threading

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from sslstudio.project.project import Project
from sslstudio.regions import shaping
from sslstudio.regions.rect import whole
from sslstudio.ui.canvas.strokes import Stroke
from sslstudio.ui.wiring import tools as wiring_tools

from .conftest import PATIENCE
from .test_tools import key, paint, stored
from .test_window import drag_across


@pytest.fixture
def slow(opened, monkeypatch):
    """Growing takes until ``slow.go`` is set; waiting for it in the window's thread is a failure at once."""
    go, window = threading.Event(), threading.get_ident()

    def waiting(labels, label, options, within):
        assert threading.get_ident() != window, "the window's thread does the work"
        assert go.wait(PATIENCE / 1000)
        yield from shaping.grown(labels, label, 2, within)

    monkeypatch.setattr(wiring_tools, "_AT_ONCE", 0)
    opened.actions_["paint.grow"].triggered.disconnect()
    opened.actions_["paint.grow"].triggered.connect(lambda: opened.tools.shape(waiting))
    monkeypatch.setattr(
        type(opened.canvas.searches), "settle", lambda self: pytest.fail("waits") if self.running else None
    )
    opened.go = go
    paint(opened, slice(8, 20), slice(10, 30), 1)
    yield opened
    go.set()


def over(qtbot, window) -> None:
    window.go.set()
    qtbot.waitUntil(lambda: not window.canvas.searches.running, timeout=PATIENCE)


def grow(window) -> None:
    window.canvas.setFocus()
    window.actions_["paint.grow"].trigger()


def test_a_stroke_drawn_meanwhile_is_seen_at_once_and_comes_after_the_change(qtbot, slow):
    before = stored(slow).copy()
    grow(slow)
    slow.painting.choose_class(0)
    drag_across(slow.canvas)
    seen = slow.canvas.pen.labels.copy()
    assert (seen == 0).any(), "the stroke is not seen"
    assert np.array_equal(stored(slow), before), "the stroke is an edit before the change that came first"
    over(qtbot, slow)
    both = stored(slow).copy()
    assert np.array_equal(both == 0, seen == 0), "the change has eaten the stroke"
    assert np.isin(both[8:20, 8:32], (0, 1)).all()
    assert np.array_equal(slow.canvas.pen.labels, both)
    slow.actions_["edit.undo"].trigger()
    assert not (stored(slow) == 0).any(), "undo takes the stroke first"
    assert (stored(slow)[8:20, 8:32] == 1).all()
    slow.actions_["edit.undo"].trigger()
    assert np.array_equal(stored(slow), before)


def test_two_changes_and_a_stroke_between_them_keep_their_order(qtbot, slow):
    slow.canvas.set_brush(1)
    grow(slow)
    drag_across(slow.canvas)  # of the class that grows: what grows second must hold it
    grow(slow)
    slow.painting.choose_class(0)
    slow.go.set()
    qtbot.waitUntil(lambda: not slow.canvas.searches.running, timeout=PATIENCE)
    both = stored(slow).copy()
    slow.actions_["edit.undo"].trigger()
    between = stored(slow).copy()
    assert (both == 1).sum() > (between == 1).sum()
    assert np.array_equal(both, grown(between)), "the second does not see the stroke"


def grown(labels: np.ndarray) -> np.ndarray:
    after = labels.copy()
    for rect, new in list(shaping.grown(labels, 1, 2, whole(labels.shape))):
        rect.of(after)[...] = new
    return after


def test_what_is_drawn_over_its_own_class_stays_on_top(qtbot, slow):
    """The brush changes nothing that is seen there, yet the change that came first must not take it."""
    paint(slow, slice(8, 20), slice(30, 40), 0)
    slow.painting.choose_class(1)
    grow(slow)
    slow.painting.choose_class(0)
    slow.canvas.set_brush(60)
    drag_across(slow.canvas)
    seen = slow.canvas.pen.labels.copy()
    over(qtbot, slow)
    assert np.array_equal(stored(slow) == 0, seen == 0)


def test_going_on_to_other_images_waits_its_turn_and_loses_nothing(qtbot, slow):
    first = slow.session.image
    places = [record.path for record in slow.session.records]
    key(slow, Qt.Key.Key_B)
    grow(slow)
    key(slow, Qt.Key.Key_D)
    key(slow, Qt.Key.Key_D)
    slow.painting.choose_class(0)
    drag_across(slow.canvas)
    assert slow.session.image == first
    over(qtbot, slow)
    qtbot.waitUntil(lambda: slow.session.labels is not None, timeout=PATIENCE)
    assert slow.session.image == places[places.index(first) + 2]
    kept = slow.session.project.label_map(first).labels
    assert (kept == 0).any(), "the stroke is lost"
    assert (kept[8:20, 8:10] != 255).all(), "the change is lost"


def test_undo_takes_back_what_was_drawn_meanwhile_then_calls_the_change_off(slow):
    before = stored(slow).copy()
    grow(slow)
    slow.painting.choose_class(0)
    drag_across(slow.canvas)
    slow.actions_["edit.undo"].trigger()
    assert np.array_equal(slow.canvas.pen.labels, before)
    assert slow.canvas.searches.running
    slow.actions_["edit.undo"].trigger()
    assert not slow.canvas.searches.running
    assert np.array_equal(stored(slow), before)


def test_escape_calls_the_change_off_and_keeps_what_was_drawn(slow):
    grow(slow)
    slow.painting.choose_class(0)
    drag_across(slow.canvas)
    QTest.keyClick(slow.canvas, Qt.Key.Key_Escape)
    assert not slow.canvas.searches.running
    assert (stored(slow) == 0).any()
    assert (stored(slow)[8:20, 8:10] == 255).all()


def test_closing_the_project_waits_its_turn(qtbot, slow):
    project = slow.session.project.path
    image = slow.session.image
    grow(slow)
    slow.files.close_project()
    assert slow.session.project is not None
    with qtbot.waitSignal(slow.session.closed, timeout=PATIENCE):
        slow.go.set()
    with Project.open(project) as again:
        assert (again.label_map(image).labels[6:22, 10:30] == 1).all()


def test_a_change_that_breaks_holds_nothing_up(qtbot, slow, monkeypatch):
    bugs = []
    monkeypatch.setattr(sys, "excepthook", lambda *about: bugs.append(about))

    def broken(labels, label, options, within):
        assert slow.go.wait(PATIENCE / 1000)
        raise ValueError("broken")
        yield

    slow.tools.shape(broken)
    slow.painting.choose_class(0)
    drag_across(slow.canvas)
    over(qtbot, slow)
    assert (stored(slow) == 0).any()
    qtbot.waitUntil(lambda: bool(bugs), timeout=PATIENCE)
    assert bugs[0][0] is ValueError


def test_what_a_stroke_took_back_itself_is_not_drawn_anew():
    """The end of a smooth stroke is drawn for the moment only, until the pointer goes on."""
    labels = np.full((40, 60), 255, np.uint8)
    stroke = Stroke(labels, 1)
    stroke.recorded = []
    stroke.line((5, 20), (20, 20), 5)
    stroke.begin_tip()
    stroke.line((20, 20), (20, 5), 5)
    stroke.take_tip_back()
    stroke.line((20, 20), (40, 30), 5)
    seen = labels.copy()
    stroke.cancel()
    assert (labels == 255).all()
    stroke.again()
    assert np.array_equal(labels, seen)
