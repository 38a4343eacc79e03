"""Barlow Twins: its loss against lightly's and a slow transcription."""

import math

import pytest
import torch
from lightly.loss import BarlowTwinsLoss

from sslstudio.errors import UserError
from sslstudio.learning.backbones.encoder import create_encoder
from sslstudio.learning.methods.barlow_twins import BarlowTwins, barlow_twins_loss
from sslstudio.recipes.methods import BarlowTwinsRecipe
from sslstudio.recipes.presets import PRESETS

LOOK = PRESETS["microscopy"].augmentation


def slow_barlow_twins(left, right, weight):
    """Equations 1 and 2, entry by entry in Python floats, with batch norm's small number under the root."""
    left, right = left.double().tolist(), right.double().tolist()
    n, d = len(left), len(left[0])

    def standard(z, j):
        column = [row[j] for row in z]
        mean = sum(column) / n
        size = math.sqrt(sum((v - mean) ** 2 for v in column) / n + 1e-5)
        return [(v - mean) / size for v in column]

    total = 0.0
    for i in range(d):
        for j in range(d):
            c = sum(a * b for a, b in zip(standard(left, i), standard(right, j), strict=True)) / n
            total += (1 - c) ** 2 if i == j else weight * c**2
    return total


@pytest.mark.parametrize("weight", [0.005, 0.2])
def test_barlow_twins_is_equation_1_and_lightlys(weight):
    left, right = torch.randn(7, 5) * 2 + 1, torch.randn(7, 5)
    ours = float(barlow_twins_loss(left, right, weight))
    assert ours == pytest.approx(slow_barlow_twins(left, right, weight), abs=1e-5)
    assert ours == pytest.approx(float(BarlowTwinsLoss(lambda_param=weight)(left, right)), abs=1e-5)


def test_equal_views_with_independent_outputs_are_perfect():
    signs = torch.tensor([[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
    assert float(barlow_twins_loss(signs * 5, signs + 3, 0.005)) == pytest.approx(0, abs=1e-5)
    assert float(barlow_twins_loss(signs, -signs, 0.005)) == pytest.approx(12, abs=1e-3)


def test_two_images_work_and_one_is_refused_in_words():
    recipe = BarlowTwinsRecipe(out=64)
    method = BarlowTwins(create_encoder("test_resnet"), recipe, resolution=64, look=LOOK).train()
    assert bool(method((torch.randn(4, 3, 64, 64),)).loss.isfinite())
    with pytest.raises(UserError, match="single image"):
        method((torch.randn(2, 3, 64, 64),))
