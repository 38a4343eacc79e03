"""How much attention lies on the brightest places, against a slow sum."""

import numpy as np
import pytest
import torch

from sslstudio.learning.backbones.encoder import create_encoder
from sslstudio.learning.evaluation.attention import attend


def test_the_mass_is_the_share_on_places_at_least_as_bright():
    torch.manual_seed(0)
    encoder = create_encoder("test_vit").eval()
    pixels = np.random.default_rng(0).integers(0, 255, (96, 128, 3), dtype=np.uint8)
    found = attend(encoder, pixels, longest=128)
    maps, mass = found.maps(), found.mass()
    assert mass.shape == maps.shape
    for bright, held in zip(maps, mass, strict=True):
        order = np.argsort(-bright.ravel())
        assert (np.diff(held.ravel()[order]) >= -1e-6).all(), "the brightest places come first"
        assert held.max() == pytest.approx(1, abs=1e-5)
        assert held.min() >= 1 / held.size - 1e-6, "the brightest place holds at least its share"
    weights = found.weights[:, 0, 1:].mean(0).double().numpy()
    slow = [float(weights[weights >= weight].sum() / weights.sum()) for weight in weights]
    assert np.allclose(mass[0].ravel(), slow, atol=1e-5)
