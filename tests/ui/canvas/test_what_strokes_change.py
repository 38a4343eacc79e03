"""What a stroke may change: everything, only unpainted, only one class; locked and hidden classes stay."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt

from sslstudio.ui.tool_options import ToolOptions, options_from_json

ALT = Qt.KeyboardModifier.AltModifier


def bind(desk, **values) -> None:
    desk.canvas.set_options(replace(desk.canvas.options, **values))


@pytest.fixture
def striped(desk):
    """Thirds: background, cell, unpainted; the pen holds nucleus."""
    desk.labels[:, :60], desk.labels[:, 60:120] = 0, 2
    return desk


@pytest.mark.parametrize(
    ("options", "changed"),
    [
        ({}, {30, 90, 150}),
        ({"only": 255}, {150}),
        ({"only": 2}, {90}),
        ({"locked": frozenset({2})}, {30, 150}),
        ({"hidden": frozenset({0})}, {90, 150}),
        ({"only": 2, "locked": frozenset({2})}, set()),
    ],
)
def test_a_stroke_across_three_labels_changes_what_it_may(striped, options, changed):
    bind(striped, **options)
    striped.drag((10, 40), (190, 40))
    assert {x for x in (30, 90, 150) if striped.labels[40, x] == 1} == changed
    assert len(striped.strokes) == bool(changed)


def test_every_tool_heeds_the_rule(striped):
    bind(striped, only=255)
    striped.canvas.set_tool("polygon")
    for corner in ((40, 20), (180, 20), (180, 100), (40, 100)):
        striped.click(*corner)
    striped.key(Qt.Key.Key_Return)
    assert not (striped.labels[:, :120] == 1).any()
    assert striped.labels[50, 150] == 1
    bind(striped, only=0)
    striped.canvas.set_tool("fill")
    striped.click(90, 50)
    assert striped.labels[50, 90] == 2


def test_erasing_heeds_locks_but_not_only_unpainted(striped):
    bind(striped, only=255, locked=frozenset({2}))
    striped.press(10, 40, modifiers=ALT)
    striped.release(10, 40)
    assert striped.labels[40, 10] == 255
    striped.canvas.set_tool("eraser")
    striped.drag((30, 40), (110, 40))
    assert striped.labels[40, 30] == 255
    assert striped.labels[40, 100] == 2


def test_what_a_bound_stroke_did_is_undone_byte_for_byte(striped):
    before = striped.labels.copy()
    bind(striped, only=2)
    striped.drag((10, 40), (190, 90))
    assert not np.array_equal(before, striped.labels)
    striped.canvas.apply_patch(striped.strokes[0][0])
    assert np.array_equal(before, striped.labels)


def test_a_hidden_class_is_not_seen(striped):
    striped.away()
    seen = striped.colour(90, 40)
    bind(striped, hidden=frozenset({2}))
    assert striped.colour(90, 40) == (60, 60, 60) != seen
    assert striped.colour(30, 43) is not None
    bind(striped, hidden=frozenset())
    assert striped.colour(90, 40) == seen


def test_a_square_brush_paints_squares_and_has_a_square_outline(desk):
    bind(desk, square=True)
    desk.click(50, 40)
    assert (desk.labels[36:45, 46:55] == 1).all()
    assert (desk.labels == 1).sum() == 81
    desk.drag((100, 40), (150, 90))
    for share in range(0, 51, 5):
        assert (desk.labels[36 + share : 45 + share, 96 + share : 105 + share] == 1).all()
    assert desk.labels[80, 105] == 255, "the hull of two squares, not their bounding box"


def test_options_come_back_from_json_and_a_bad_entry_costs_only_itself():
    options = ToolOptions(only=2, locked=frozenset({1, 3}), square=True)
    assert options_from_json(options.to_json()) == options
    assert options_from_json({"only": "x", "locked": [1, "a", 300], "square": True}) == ToolOptions(
        locked=frozenset({1}), square=True
    )
    assert options_from_json(None) == ToolOptions()
