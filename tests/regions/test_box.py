"""What stands out in a box, also where things of its kind lie close by, where it is dark, and where it has a hole."""

import numpy as np
import pytest

from sslstudio.regions.box import object_in
from sslstudio.regions.rect import Rect

SIDE = 120
Y, X = np.mgrid[0:SIDE, 0:SIDE] + 0.5


def disc(radius, x=60.0, y=60.0):
    return (X - x) ** 2 + (Y - y) ** 2 < radius**2


def picture(inside, ground, colour, noise=3.0):
    grey = np.where(inside, colour, ground) + np.random.default_rng(0).normal(0, noise, inside.shape)
    return np.repeat(grey.clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)


def overlap(found, truth):
    box, inside = found
    taken = np.zeros(truth.shape, bool)
    taken[box.top : box.bottom, box.left : box.right] = inside
    return (taken & truth).sum() / (taken | truth).sum()


BOX = Rect(38, 38, 82, 82)  # a tenth larger than the disc of 20


@pytest.mark.parametrize(("ground", "colour"), [(40, 160), (160, 40), (8, 24), (120, 140)])
def test_an_object_among_others_of_its_kind(ground, colour):
    others = disc(14, 60, 22) | disc(14, 98, 60) | disc(14, 24, 60) | disc(14, 60, 97)
    image = picture(disc(20) | others, ground, colour, noise=2)
    assert overlap(object_in(image, BOX), disc(20)) > 0.9


def test_a_ring_has_its_hole():
    ring = disc(20) & ~disc(10)
    assert overlap(object_in(picture(ring, 40, 160), BOX), ring) > 0.85


def test_a_thin_thing_across_the_box():
    bar = (abs(X - Y) < 6) & disc(28)
    assert (
        overlap(object_in(picture(bar, 40, 160), Rect(38, 38, 82, 82)), bar & (abs(X - 60) < 22) & (abs(Y - 60) < 22))
        > 0.8
    )


def test_nothing_stands_out_where_all_is_alike():
    assert not object_in(np.full((SIDE, SIDE, 3), 90, np.uint8), BOX)[1].any()
