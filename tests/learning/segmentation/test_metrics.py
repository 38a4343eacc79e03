"""Figures are what a slow count by hand gives."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sslstudio.learning.segmentation.metrics import Confusion

MASKS = hnp.arrays(np.uint8, (5, 7), elements=st.sampled_from([0, 1, 2, 255]))
GUESSES = hnp.arrays(np.uint8, (5, 7), elements=st.sampled_from([0, 1, 2]))


def slow_counts(truth, guess, number):
    """True positives, false positives, false negatives of one class, pixel by pixel."""
    hit = extra = missed = 0
    for t, g in zip(truth.ravel().tolist(), guess.ravel().tolist(), strict=True):
        if t == 255:
            continue
        hit += t == number and g == number
        extra += t != number and g == number
        missed += t == number and g != number
    return hit, extra, missed


@given(MASKS, GUESSES)
def test_iou_and_dice_are_what_counting_by_hand_gives(truth, guess):
    confusion = Confusion(["a", "b", "c"])
    confusion.add(truth, guess)
    slow_iou, slow_dice = {}, {}
    for number, name in enumerate("abc"):
        hit, extra, missed = slow_counts(truth, guess, number)
        if hit + extra + missed:
            slow_iou[name] = hit / (hit + extra + missed)
            slow_dice[name] = 2 * hit / (2 * hit + extra + missed)
    assert confusion.iou() == pytest.approx(slow_iou)
    assert confusion.dice() == pytest.approx(slow_dice)
    painted = truth != 255
    if painted.any():
        assert confusion.miou() == pytest.approx(sum(slow_iou.values()) / len(slow_iou))
        assert confusion.pixel_accuracy() == pytest.approx((truth == guess)[painted].mean())


def test_two_images_count_as_one_large_one():
    rng = np.random.default_rng(0)
    truth, guess = rng.integers(0, 3, (2, 8, 8)), rng.integers(0, 3, (2, 8, 8))
    parts, whole = Confusion(3), Confusion(3)
    for t, g in zip(truth, guess, strict=True):
        parts.add(t, g)
    whole.add(truth.reshape(16, 8), guess.reshape(16, 8))
    assert parts.iou() == whole.iou()


def test_a_prediction_outside_the_classes_is_a_miss():
    confusion = Confusion(2)
    confusion.add(np.array([[0, 1, 1]], np.uint8), np.array([[0, 1, 255]], np.uint8))
    assert confusion.iou() == {"0": 1.0, "1": 0.5}
    assert confusion.pixel_accuracy() == pytest.approx(2 / 3)


def test_nothing_painted_gives_no_figure():
    confusion = Confusion(2)
    confusion.add(np.full((3, 3), 255, np.uint8), np.zeros((3, 3), np.uint8))
    assert np.isnan(confusion.miou())
    assert confusion.iou() == {}


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match="truth is"):
        Confusion(2).add(np.zeros((2, 2), np.uint8), np.zeros((2, 3), np.uint8))
