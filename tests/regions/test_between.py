"""Masks between two slices are what the bodies that were cut really look like there."""

import numpy as np
import pytest

from sslstudio.project.label_map import UNPAINTED
from sslstudio.regions.between import Between

SIDE = 100
Y, X = np.mgrid[0:SIDE, 0:SIDE] + 0.5


def disc(radius, x=50.0, y=50.0):
    return (X - x) ** 2 + (Y - y) ** 2 < radius**2


def mask(ground, **shapes):
    labels = np.full((SIDE, SIDE), ground, np.uint8)
    for name, inside in shapes.items():
        labels[inside] = int(name[1:])
    return labels


def dice(one, other):
    return 2 * (one & other).sum() / (one.sum() + other.sum())


@pytest.mark.parametrize("ground", [0, UNPAINTED])
def test_a_sphere(ground):
    def cut(z):
        return mask(ground, _1=disc(np.sqrt(40**2 - z**2)))

    between = Between(cut(-8), cut(8), background=0)
    for z in range(-7, 8):
        assert dice(between.at((z + 8) / 16) == 1, cut(z) == 1) > 0.97
    between = Between(cut(4), cut(20), background=0)
    for z in range(5, 20):
        found = between.at((z - 4) / 16)
        assert set(np.unique(found)) == {ground, 1}
        assert dice(found == 1, cut(z) == 1) > 0.97


def test_a_cone_tapers_to_its_tip():
    between = Between(mask(0, _1=disc(40)), mask(0), background=0)
    for step in range(1, 9):
        assert dice(between.at(step / 10) == 1, disc(40 - 4 * step)) > 0.94
    assert not (between.at(1.0) == 1).any()


def test_a_slanted_cylinder_keeps_its_width():
    between = Between(mask(0, _1=disc(12, 20, 30)), mask(0, _1=disc(12, 78, 60)), background=0)
    for step in range(1, 10):
        share = step / 10
        assert dice(between.at(share) == 1, disc(12, 20 + 58 * share, 30 + 30 * share)) > 0.96


@pytest.mark.parametrize(("large", "small"), [(20, 10), (24, 5), (10, 20)])
def test_a_body_that_wanders_and_shrinks_stays_round(large, small):
    between = Between(mask(0, _1=disc(large, 26, 50)), mask(0, _1=disc(small, 72, 50)), background=0)
    for step in range(1, 10):
        share = step / 10
        cut = disc((1 - share) * large + share * small, 26 + 46 * share, 50)
        assert dice(between.at(share) == 1, cut) > 0.96


def test_touching_classes_leave_no_gap():
    body = disc(40)
    before, after = (mask(UNPAINTED, _1=body, _2=body & (50 + at < X)) for at in (-10, 10))
    found = Between(before, after).at(0.5)
    assert dice(found == 2, body & (X > 50)) > 0.97
    assert dice(found != UNPAINTED, body) > 0.99


def test_a_nucleus_that_wanders_within_its_cell_leaves_no_hole():
    before, after = (mask(UNPAINTED, _0=disc(48), _1=disc(30), _2=disc(8, x)) for x in (40, 60))
    found = Between(before, after).at(0.5)
    assert dice(found == 2, disc(8, 50)) > 0.93
    assert not (found[disc(47)] == UNPAINTED).any()


def test_both_ends_are_as_they_were():
    before, after = mask(0, _1=disc(20, 30)), mask(0, _1=disc(10, 60), _2=disc(5, 80))
    between = Between(before, after, background=0)
    assert np.array_equal(between.at(0.0), before)
    assert np.array_equal(between.at(1.0), after)


def test_shapes_at_the_rim_and_full_masks():
    halves = [mask(0, _1=at > Y) for at in (20, 60)]
    assert dice(Between(*halves, background=0).at(0.5) == 1, Y < 40) > 0.97
    full = mask(3)
    assert (Between(full, full, background=0).at(0.3) == 3).all()
    nothing = mask(UNPAINTED)
    assert (Between(nothing, nothing).at(0.5) == UNPAINTED).all()
