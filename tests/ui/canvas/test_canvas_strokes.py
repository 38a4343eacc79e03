"""Strokes as data: exact rectangles, exact undo, exact shapes, whatever is drawn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sslstudio.project.label_map import LabelMap
from sslstudio.ui.canvas.pyramid import LabelPyramid
from sslstudio.ui.canvas.strokes import Stroke, capsules, polygon_area
from sslstudio.ui.canvas.viewport import NOTHING, Rect

WIDTH, HEIGHT = 530, 300  # more than one tile, and not whole ones
places = st.tuples(st.floats(-40, WIDTH + 40), st.floats(-40, HEIGHT + 40))
lines = st.tuples(st.just("line"), places, places, st.integers(1, 90))
polygons = st.tuples(st.just("polygon"), st.lists(places, min_size=3, max_size=7))
fills = st.tuples(st.just("fill"), st.integers(0, WIDTH - 2), st.integers(0, HEIGHT - 1))
strokes = st.tuples(
    st.sampled_from([0, 1, 2, 255]), st.lists(st.one_of(lines, polygons, fills), min_size=1, max_size=6)
)


def draw(stroke: Stroke, steps) -> None:
    for name, *rest in steps:
        getattr(stroke, name)(*rest)


@settings(deadline=None, max_examples=60)
@given(st.lists(strokes, max_size=5))
def test_undo_and_redo_are_exact_and_the_rectangle_is_the_smallest(session):
    label_map = LabelMap(np.full((HEIGHT, WIDTH), 255, np.uint8))
    history, patches = [label_map.labels.copy()], []
    for value, steps in session:
        stroke = Stroke(label_map.labels, value)
        draw(stroke, steps)
        pair = stroke.patches()
        changed = label_map.labels != history[-1]
        assert (pair is None) == (not changed.any())
        if pair is not None:
            rows, columns = np.nonzero(changed)
            size = rows.max() + 1 - rows.min(), columns.max() + 1 - columns.min()
            for patch in pair:
                assert (patch.top, patch.left, *patch.labels.shape) == (rows.min(), columns.min(), *size)
            patches.append(pair)
            history.append(label_map.labels.copy())
    for (before, _), earlier in zip(reversed(patches), history[-2::-1], strict=True):
        label_map.put(before)
        assert np.array_equal(label_map.labels, earlier)
    for (_, after), later in zip(patches, history[1:], strict=True):
        label_map.put(after)
        assert np.array_equal(label_map.labels, later)


@settings(deadline=None, max_examples=40)
@given(strokes, strokes)
def test_cancelling_restores_everything(first, second):
    labels = np.full((HEIGHT, WIDTH), 255, np.uint8)
    draw(Stroke(labels, first[0]), first[1])
    before = labels.copy()
    stroke = Stroke(labels, second[0])
    draw(stroke, second[1])
    stroke.cancel()
    assert np.array_equal(labels, before)


@settings(deadline=None, max_examples=60)
@given(places, places, st.floats(0.5, 60))
def test_a_brush_line_is_the_set_of_pixels_within_its_radius(start, end, radius):
    parts = list(capsules(start, end, radius, (HEIGHT, WIDTH)))
    rect, inside = parts[0] if parts else (NOTHING, np.zeros((0, 0), bool))
    painted = np.zeros((HEIGHT, WIDTH), bool)
    painted[rect.top : rect.bottom, rect.left : rect.right] = inside
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    along = np.array(end) - start
    share = ((x - start[0]) * along[0] + (y - start[1]) * along[1]) / max(along @ along, 1e-12)
    share = np.clip(share, 0, 1)
    distance = np.hypot(x - start[0] - share * along[0], y - start[1] - share * along[1])
    assert painted[distance < radius - 1e-6].all()
    assert not painted[distance > radius + 1e-6].any()


def test_a_polygon_covers_the_pixels_inside_it():
    rect, inside = polygon_area([(10, 10), (50, 10), (50, 30), (10, 30)], (100, 100))
    painted = np.zeros((100, 100), bool)
    painted[rect.top : rect.bottom, rect.left : rect.right] = inside
    assert painted[10:30, 10:50].all()
    assert painted.sum() <= 42 * 22


@settings(deadline=None, max_examples=40)
@given(st.lists(strokes, max_size=4), st.integers(1, 5))
def test_far_zooms_see_the_same_whether_updated_or_built_anew(session, level):
    labels = np.full((HEIGHT, WIDTH - 1), 255, np.uint8)
    pyramid = LabelPyramid(labels)
    pyramid.level(level)
    for value, steps in session:
        stroke = Stroke(labels, value)
        draw(stroke, steps)
        pyramid.changed(stroke.touched)
    assert np.array_equal(pyramid.level(level), LabelPyramid(labels).level(level))


def test_a_thin_line_is_still_seen_from_far():
    labels = np.full((256, 256), 255, np.uint8)
    Stroke(labels, 3).line((0, 100), (256, 100), 1)
    assert (LabelPyramid(labels).level(4)[100 // 16] == 3).all()


def test_a_stroke_on_a_huge_image_keeps_only_the_tiles_it_touched():
    labels = np.full((20_000, 20_000), 255, np.uint8)
    stroke = Stroke(labels, 1)
    assert stroke.line((5000, 5000), (5400, 5400), 50) == stroke.touched
    kept = sum(tile.nbytes for tile in stroke._kept._tiles.values())
    assert kept < 2_000_000
    assert stroke.touched.within(Rect(4900, 4900, 5500, 5500)) == stroke.touched


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (3, 5), (64, 64), (65, 63), (130, 7)])
def test_halvings_keep_the_highest_painted_label_of_each_four(shape):
    labels = np.random.default_rng(1).choice([255, 0, 1, 200, 254], shape).astype(np.uint8)
    half = LabelPyramid(labels).level(1)
    assert half.shape == (-(-shape[0] // 2), -(-shape[1] // 2))
    for (row, column), kept in np.ndenumerate(half):
        four = labels[2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
        assert kept == max(four[four != 255], default=255)
