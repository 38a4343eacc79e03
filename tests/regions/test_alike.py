"""From a small map to a region of the image: smooth, the same in bands and at once, its edges those of the image."""

import cv2
import numpy as np
import pytest

from sslstudio.regions import alike
from sslstudio.regions.alike import Alike


def test_a_small_map_becomes_a_region_of_the_whole_image(monkeypatch):
    found, image = np.zeros((8, 8), np.float32), np.full((400, 320, 3), 90, np.uint8)
    found[2:5, 3:6] = 1
    rect, inside = Alike(found, image, clinging=False).region(0.5)
    exact = cv2.resize(found, (320, 400), interpolation=cv2.INTER_LINEAR) >= 0.5
    assert (rect.top, rect.left) == (100, 120)
    assert inside.shape == (rect.height, rect.width)
    assert np.mean(rect.of(exact) != inside) < 0.01
    assert inside.sum() == pytest.approx(exact.sum(), rel=0.01)
    monkeypatch.setattr(alike, "_BAND", 320 * 7)  # many bands
    again, banded = Alike(found, image, clinging=False).region(0.5)
    assert again == rect
    assert np.array_equal(banded, inside)


def test_edges_cling_to_those_of_the_image():
    y, x = np.mgrid[:256, :256]
    truth = (x - 130) ** 2 + (y - 120) ** 2 < 50**2
    image = np.where(truth[..., None], 200, 60).astype(np.uint8).repeat(3, 2)
    found = cv2.resize(truth.astype(np.float32), (16, 16), interpolation=cv2.INTER_AREA)

    def fit(clinging):
        rect, inside = Alike(found, image, clinging=clinging).region(0.5)
        full = np.zeros(truth.shape, bool)
        rect.of(full)[...] = inside
        return (full & truth).sum() / (full | truth).sum()

    assert fit(True) > 0.97
    assert fit(True) > fit(False)


def test_nothing_alike_is_an_empty_region():
    rect, inside = Alike(np.zeros((4, 4), np.float32), np.zeros((20, 20, 3), np.uint8)).region(0.5)
    assert rect.empty
    assert not inside.size


def test_a_preview_shows_what_will_be_taken():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, (300, 200, 3), np.uint8)
    found = cv2.GaussianBlur(rng.random((12, 8), np.float32), (0, 0), 1)
    one = Alike(found, image)
    shown = one.small(1000) >= 0.5
    rect, inside = one.region(0.5)
    full = np.zeros(shown.shape, bool)
    rect.of(full)[...] = inside
    assert np.mean(full != shown) < 0.005
