"""Superpixels are made block by block, where somebody needs them, and only so many are kept."""

import numpy as np
import pytest

from sslstudio.regions import superpixels
from sslstudio.regions.superpixels import Superpixels

SIDE = 64


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(superpixels, "_BLOCK", SIDE)
    monkeypatch.setattr(superpixels, "_NEAR", SIDE // 4)
    monkeypatch.setattr(superpixels, "_KEPT", 3)


def chequered():
    rows, columns = np.indices((4 * SIDE, 4 * SIDE)) // 16
    return np.repeat(((rows + columns) % 2 * 200).astype(np.uint8)[..., None], 3, axis=2)


def test_more_blocks_than_are_kept_answer_everywhere_and_again():
    patches = Superpixels(chequered(), 16)
    places = [(x + 0.5, y + 0.5) for y in range(3, 4 * SIDE, 30) for x in range(3, 4 * SIDE, 30)]
    found = {}
    for _ in range(2):  # the second time each block was dropped in between
        for x, y in places:
            patches.ready(x, y)
            rect, inside = patches.at(x, y)
            assert inside[int(y) - rect.top, int(x) - rect.left]
            assert found.setdefault((x, y), (rect, inside.tobytes())) == (rect, inside.tobytes())


def test_the_corner_where_four_blocks_meet_needs_more_than_are_kept():
    patches = Superpixels(chequered(), 16)
    while not patches.ready(SIDE + 0.5, SIDE + 0.5):
        patches.at(SIDE + 0.5, SIDE + 0.5)
    assert patches.at(SIDE + 0.5, SIDE + 0.5)[1].any()


def test_beside_the_image_there_is_nothing_to_wait_for():
    patches = Superpixels(chequered(), 16)
    assert patches.ready(-5, 10)
    assert patches.ready(10, 4 * SIDE + 1)
    assert not patches.at(-5, 10)[1].any()
