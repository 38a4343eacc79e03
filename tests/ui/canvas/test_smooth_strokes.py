"""Between the places where the hand was seen its way is smooth, for brush, eraser and lasso."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from sslstudio.project.label_map import LabelMap
from sslstudio.ui.canvas.strokes import Stroke
from sslstudio.ui.canvas.tools import wand

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


@pytest.fixture
def large(desk):
    """A larger image, shown pixel by pixel, so that a fast circle has room."""
    image = np.full((440, 600, 3), 60, np.uint8)
    desk.map = LabelMap(np.full((440, 600), 255, np.uint8))
    desk.canvas.show_image(image, desk.map, "large")
    desk.canvas.zoom_actual()
    return desk


def circle(events: int, radius: float = 180.0) -> list[tuple[float, float]]:
    turns = [2 * math.pi * n / events for n in range(events + 1)]
    return [(300 + radius * math.cos(turn), 220 + radius * math.sin(turn)) for turn in turns]


def distances(painted: np.ndarray) -> np.ndarray:
    """How far painted pixels lie from the circle's middle."""
    rows, columns = np.nonzero(painted)
    return np.hypot(columns + 0.5 - 300.5, rows + 0.5 - 220.5)


@pytest.mark.parametrize("tool", ["brush", "eraser"])
@pytest.mark.parametrize("events", [6, 8, 10])
def test_a_fast_circle_is_round(large, tool, events):
    if tool == "eraser":
        large.labels[:] = 1
        large.canvas.set_tool("eraser")
    large.canvas.set_brush(10)
    large.drag(*circle(events))
    ring = large.labels == (255 if tool == "eraser" else 1)
    allowed = {6: 8.0, 8: 4.0, 10: 3.0}[events]  # a hexagon's edges lie 24 pixels within
    assert distances(ring).min() > 180 - 5 - allowed
    assert distances(ring).max() < 180 + 5 + 1.5
    assert len(large.strokes) == 1


def test_a_fast_lasso_is_round(large):
    large.canvas.set_tool("lasso")
    large.drag(*circle(8))
    share = (large.labels == 1).sum() / (math.pi * 180**2)
    assert share == pytest.approx(1, abs=0.02), "an octagon has 90 %"


def test_the_line_reaches_the_pointer_at_each_event_and_keeps_nothing_of_what_was_only_likely(large):
    large.canvas.set_brush(10)
    places = circle(8)
    large.press(*places[0])
    for x, y in places[1:]:
        large.move(x, y)
        large.canvas.grab()
        assert large.labels[round(y), round(x)] == 1, "the tip does not lag behind the pointer"
    large.release(*places[-1])
    stroke = large.labels.copy()
    before, after = large.strokes[0]
    rows, columns = np.nonzero(stroke != 255)
    assert (before.top, before.left) == (rows.min(), columns.min()), "only what really changed is handed over"
    assert before.labels.shape == (rows.max() + 1 - rows.min(), columns.max() + 1 - columns.min())
    assert (before.labels == 255).all()
    assert np.array_equal(
        after.labels == 1, (stroke == 1)[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    )
    large.labels[:] = 255
    large.drag(*places)
    assert np.array_equal(large.labels, stroke)


def test_from_afar_the_newest_piece_comes_with_the_next_place_or_when_the_hand_rests(desk, qtbot):
    desk.map = LabelMap(np.full((4000, 6000), 255, np.uint8))
    desk.canvas.show_image(np.full((4000, 6000, 3), 60, np.uint8), desk.map, "afar")
    desk.canvas.zoom_fit()
    desk.canvas.set_brush(300)
    places = [(1000, 1000), (2500, 800), (4000, 1200), (5000, 2500)]
    desk.press(*places[0])
    for before, (x, y) in pairwise(places):
        desk.move(x, y)
        assert desk.canvas.pen.behind
        assert desk.labels[before[1], before[0]] == 1
    qtbot.waitUntil(lambda: desk.labels[2500, 5000] == 1)  # the hand rests
    desk.move(3000, 3500)
    assert desk.labels[3500, 3000] == 255
    desk.release(3000, 3500)
    assert desk.labels[3500, 3000] == 1
    stroke = desk.labels.copy()
    desk.labels[:] = 255
    desk.drag(*places, (3000, 3500))
    assert np.array_equal(desk.labels, stroke), "whether the hand rested or not"


def test_straight_strokes_and_meant_corners_stay_what_they_are(large):
    large.canvas.set_brush(7)
    for places in ([(50, 50), (90, 70), (250, 150), (270, 160)], [(60, 300), (200, 300), (200, 400), (80, 390)]):
        large.labels[:] = 255
        large.drag(*places)
        plain = LabelMap(np.full(large.labels.shape, 255, np.uint8))
        stroke = Stroke(plain.labels, 1)
        for start, end in pairwise(large.canvas.image_point(QPointF(large.at(*place))) for place in places):
            stroke.line(start, end, 7)
        assert np.array_equal(large.labels, plain.labels)


def test_escape_takes_back_a_curve_byte_for_byte(large):
    large.labels[100:300, 200:400] = 2
    before = large.labels.copy()
    places = circle(8)
    large.press(*places[0])
    for place in places[1:5]:
        large.move(*place)
    large.key(Qt.Key.Key_Escape)
    large.release(*places[5])
    assert np.array_equal(large.labels, before)
    assert large.strokes == []


def test_what_is_seen_while_it_is_drawn_is_what_is_painted(large):
    large.canvas.set_brush(30)
    places = circle(7)
    large.press(*places[0])
    for place in places[1:]:
        large.move(*place)
        large.canvas.grab()  # each event is painted, as in a window
    large.release(*places[-1])
    large.away()
    drawn = large.canvas.grab().toImage()
    large.canvas.rearrange()
    assert drawn == large.canvas.grab().toImage(), "nothing of a tip that was taken back is left in the picture"


def test_every_place_of_the_pointer_is_used_in_a_busy_window(large):
    """Two hundred events that are handled before anything is repainted are two hundred places of the stroke."""
    large.canvas.set_brush(5)
    waves = [(60 + 2 * n, 220 + 60 * math.sin(n / 3)) for n in range(200)]
    large.drag(*waves)
    for x, y in waves:
        assert large.labels[round(y), round(x)] == 1
    busy = large.labels.copy()
    large.labels[:] = 255
    large.press(*waves[0])
    for place in waves[1:]:
        large.move(*place)
        large.canvas.grab()
    large.release(*waves[-1])
    assert np.array_equal(large.labels, busy), "the same as in a window that has time"


def test_a_tool_that_takes_long_answers_only_the_newest_place_before_it_is_seen(desk, monkeypatch):
    side = 1800
    image = np.random.default_rng(0).integers(0, 255, (side, side, 3), np.uint8)
    desk.canvas.show_image(image, LabelMap(np.full((side, side), 255, np.uint8)), "noise")
    desk.canvas.set_tool("wand")
    desk.canvas.set_options(replace(desk.canvas.options, contiguous=False, tolerance=10))
    looked = []
    find = wand.similar
    monkeypatch.setattr(wand, "similar", lambda *given: looked.append(given) or find(*given))
    start = desk.canvas.rect().center()
    QTest.mousePress(desk.canvas, LEFT, NONE, start)
    for step in range(1, 61):
        QTest.mouseMove(desk.canvas, start + QPoint(step, 0))
    assert len(looked) < 12, "sixty moves are twenty tolerances"
    QTest.mouseRelease(desk.canvas, LEFT, NONE, start + QPoint(60, 0))
    assert desk.canvas.options.tolerance == 30
