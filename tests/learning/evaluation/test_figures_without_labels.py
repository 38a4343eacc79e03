"""Rank, spread and deviation of features; the map and the groups of a folder."""

import math

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness

from sslstudio.learning.evaluation.effective_rank import deviation, effective_rank, spread
from sslstudio.learning.evaluation.layout import clusters, layout, main_directions


def test_the_effective_rank_is_rankme():
    features = torch.randn(40, 12, generator=torch.Generator().manual_seed(0))
    values = np.linalg.svd(features.numpy(), compute_uv=False)
    slow = 0.0
    for value in values:
        p = value / values.sum() + 1e-7
        slow -= p * math.log(p)
    assert effective_rank(features) == pytest.approx(math.exp(slow), rel=1e-5)
    assert effective_rank(torch.ones(40, 12)) == pytest.approx(1, abs=0.01)
    assert effective_rank(torch.eye(12)) == pytest.approx(12, rel=1e-3)


def test_collapsed_features_have_no_spread_and_no_deviation_and_noise_has_both():
    noise = torch.randn(2000, 64, generator=torch.Generator().manual_seed(0))
    same = torch.ones(50, 64) + 1e-4 * noise[:50]
    assert deviation(noise) == pytest.approx(1, abs=0.02)
    assert spread(noise) == pytest.approx(1, abs=0.02)
    assert deviation(same) < 0.001
    assert spread(same) < 0.001


def three_heaps(count: int = 60, width: int = 24) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    middles = 4 * rng.normal(size=(3, width))
    owners = np.repeat(np.arange(3), count // 3)
    return (middles[owners] + rng.normal(size=(count, width))).astype(np.float32), owners


def test_the_map_keeps_neighbours_and_is_the_same_each_time():
    features, owners = three_heaps()
    places = layout(features, seed=3)
    assert places.shape == (60, 2)
    assert places.min() >= 0
    assert places.max() <= 1
    assert trustworthiness(features, places, n_neighbors=5) > 0.85
    assert np.array_equal(places, layout(features, seed=3))
    for heap in range(3):
        inside = places[owners == heap]
        others = places[owners != heap].mean(axis=0)
        assert np.linalg.norm(inside - inside.mean(axis=0), axis=1).mean() < np.linalg.norm(
            inside.mean(axis=0) - others
        )


def test_main_directions_are_those_of_scikit_learn():
    features, _ = three_heaps()
    ours, theirs = main_directions(features, 3), PCA(3).fit_transform(features)
    assert np.allclose(np.abs(ours), np.abs(theirs), atol=1e-3)
    many = np.random.default_rng(0).normal(size=(3000, 8)) * np.arange(1, 9)
    assert np.allclose(np.abs(main_directions(many, 2)), np.abs(PCA(2).fit_transform(many)), atol=1e-3)


@pytest.mark.parametrize("count", [1, 2, 5, 9])
def test_few_or_equal_images_have_a_map_too(count):
    for features in (np.ones((count, 6), np.float32), np.random.default_rng(0).normal(size=(count, 6))):
        places = layout(features)
        assert places.shape == (count, 2)
        assert np.isfinite(places).all()
        assert clusters(features).shape == (count,)


def test_groups_are_the_heaps():
    features, owners = three_heaps()
    found = clusters(features, seed=0)
    assert len(set(zip(found.tolist(), owners.tolist(), strict=True))) == 3
    assert np.array_equal(found, clusters(features, seed=0))
