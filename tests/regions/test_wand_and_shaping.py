"""Pure functions on labels and pixels against plain slow twins."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from sslstudio.regions import shaping
from sslstudio.regions.rect import Rect, whole
from sslstudio.regions.sieve import between
from sslstudio.regions.wand import similar, similar_connected

HEIGHT, WIDTH = 60, 80
seeds = st.integers(0, 10_000)


def blobs(seed: int, classes: int = 3, coarse: float = 3.0) -> np.ndarray:
    """Labels 0..classes-1 and 255 in irregular patches, (H, W) uint8."""
    rng = np.random.default_rng(seed)
    fields = ndimage.gaussian_filter(rng.normal(size=(classes + 1, HEIGHT, WIDTH)), (0, coarse, coarse))
    found = fields.argmax(0).astype(np.uint8)
    found[found == classes] = 255
    return found


def applied(labels: np.ndarray, changes) -> np.ndarray:
    after = labels.copy()
    for rect, part in changes:
        rect.of(after)[...] = part
    return after


def picture(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    smooth = ndimage.gaussian_filter(rng.normal(size=(HEIGHT, WIDTH, 3)), (4, 4, 0))
    return np.clip(128 + smooth * 600, 0, 255).astype(np.uint8)


@settings(deadline=None, max_examples=40)
@given(seeds, st.integers(0, WIDTH - 1), st.integers(0, HEIGHT - 1), st.integers(0, 90))
def test_the_wand_takes_what_is_near_in_every_channel(seed, x, y, tolerance):
    image = picture(seed)
    near = (np.abs(image.astype(int) - image[y, x]) <= tolerance).all(axis=2)
    for find, expected in ((similar, near), (similar_connected, _piece(near, x, y))):
        rect, inside = find(image, x, y, tolerance, whole(image.shape))
        found = np.zeros(near.shape, bool)
        rect.of(found)[...] = inside
        assert np.array_equal(found, expected)


def _piece(near: np.ndarray, x: int, y: int) -> np.ndarray:
    pieces, _ = ndimage.label(near)
    return pieces == pieces[y, x]


def test_a_large_region_is_found_whole_and_an_image_that_may_not_change_does_not():
    image = np.zeros((1500, 1900, 3), np.uint8)
    image[::2, 4:-4] = 200  # combs joined at the right
    image[:, -8:-4] = 200
    image.flags.writeable = False
    rect, inside = similar_connected(image, 10, 700, 10, whole(image.shape))
    assert (rect.width, rect.height) == (1892, 1500)
    assert inside.sum() == (image[..., 0] == 200).sum()


@pytest.mark.parametrize("tile", [16, 1024])
@settings(deadline=None, max_examples=25)
@given(seed=seeds, label=st.sampled_from([0, 1]), pixels=st.integers(1, 6))
def test_growing_takes_what_is_within_reach_and_nothing_else(tile, seed, label, pixels):
    labels = blobs(seed)
    after = tiled(tile, lambda: applied(labels, shaping.grown(labels, label, pixels, whole(labels.shape))))
    if not (labels == label).any():
        assert np.array_equal(after, labels)
        return
    away = ndimage.distance_transform_edt(labels != label)
    assert (after[away <= pixels] == label).all()
    assert np.array_equal(after[away > pixels + 0.5], labels[away > pixels + 0.5])


@pytest.mark.parametrize("tile", [16, 1024])
@settings(deadline=None, max_examples=25)
@given(seed=seeds, label=st.sampled_from([0, 1]), pixels=st.integers(1, 5))
def test_shrinking_takes_the_rim_and_gives_it_to_a_neighbour(tile, seed, label, pixels):
    labels = blobs(seed)
    after = tiled(tile, lambda: applied(labels, shaping.shrunk(labels, label, pixels, whole(labels.shape))))
    away = ndimage.distance_transform_edt(labels == label)
    assert (after[away > pixels + 0.5] == label).all()
    rim = (away > 0) & (away <= pixels)
    assert (after[rim] != label).all()
    assert np.array_equal(after[labels != label], labels[labels != label])
    neighbours = set(np.unique(labels)) - {label}
    assert set(np.unique(after[rim])) <= neighbours


@pytest.mark.parametrize("tile", [16, 1024])
@settings(deadline=None, max_examples=25)
@given(seed=seeds, pixels=st.integers(1, 40))
def test_specks_go_and_larger_pieces_stay(tile, seed, pixels):
    labels = blobs(seed, coarse=1.5)
    after = tiled(tile, lambda: applied(labels, shaping.without_specks(labels, 1, pixels, whole(labels.shape))))
    pieces, count = ndimage.label(labels == 1, np.ones((3, 3)))
    for piece in range(1, count + 1):
        size = (pieces == piece).sum()
        assert (after[pieces == piece] == 1).all() == (size >= pixels)
        assert (after[pieces == piece] == 1).any() == (size >= pixels)
    assert np.array_equal(after[labels != 1], labels[labels != 1])


@settings(deadline=None, max_examples=25)
@given(seeds, st.integers(1, 4))
def test_smoothing_is_the_same_in_tiles(seed, pixels):
    labels = blobs(seed)
    results = [
        tiled(tile, lambda: applied(labels, shaping.smoothed(labels, 1, pixels, whole(labels.shape))))
        for tile in (16, 1024)
    ]
    assert np.array_equal(results[0] == 1, results[1] == 1)


def test_smoothing_removes_threads_and_keeps_the_body():
    labels = np.full((60, 80), 255, np.uint8)
    labels[20:40, 20:60] = 1
    labels[10:20, 40] = 1
    after = applied(labels, shaping.smoothed(labels, 1, 2, whole(labels.shape)))
    assert (after[10:17, 40] == 255).all()
    assert (after[22:38, 22:58] == 1).all()


@settings(deadline=None, max_examples=40)
@given(seeds)
def test_holes_are_what_is_enclosed(seed):
    labels = blobs(seed, classes=2, coarse=1.5)
    fillable = np.zeros(256, bool)
    fillable[255] = True
    after = applied(labels, shaping.holes_filled(labels, 1, fillable, whole(labels.shape)))
    enclosed = ndimage.binary_fill_holes(labels == 1) & (labels != 1)
    assert np.array_equal(after == 1, (labels == 1) | (enclosed & (labels == 255)))
    assert np.array_equal(after[after != 1], labels[after != 1])


def test_holes_within_holes_are_filled_and_what_reaches_the_edge_is_none():
    labels = np.full((60, 80), 255, np.uint8)
    for inset, label in ((5, 1), (8, 255), (12, 1), (15, 255), (20, 3), (22, 255)):
        labels[inset : 60 - inset, inset : 60 - inset] = label
    labels[30, :4] = labels[40, 70:] = 1
    fillable = np.zeros(256, bool)
    fillable[255] = True
    after = applied(labels, shaping.holes_filled(labels, 1, fillable, whole(labels.shape)))
    assert (after[5:55, 5:55] != 255).all(), "all of it is enclosed"
    assert np.array_equal(after == 3, labels == 3)
    assert (after[:, 60:70] == 255).all()
    half = applied(labels, shaping.holes_filled(labels, 1, fillable, Rect(0, 0, 80, 30)))
    assert np.array_equal(half, labels), "in a part they may be open"


def test_only_the_rectangle_changes():
    labels = blobs(3)
    window = Rect(20, 10, 50, 40)
    for change in (shaping.grown, shaping.shrunk, shaping.smoothed, shaping.without_specks):
        after = applied(labels, change(labels, 1, 5, window))
        window.of(after)[...] = window.of(labels)
        assert np.array_equal(after, labels)


def test_between_measures_brightness():
    image = np.zeros((4, 6, 3), np.uint8)
    image[:, 3:] = 200
    assert between(image, Rect(2, 1, 5, 3), 150, 255).tolist() == [[False, True, True]] * 2


def tiled(side: int, run):
    """Run with another tile size."""
    kept, shaping._TILE = shaping._TILE, side
    try:
        return run()
    finally:
        shaping._TILE = kept
