"""VICReg: its loss against lightly's and a slow transcription, and what keeps it from collapsing."""

import math

import pytest
import torch
from lightly.loss import VICRegLoss

from sslstudio.errors import UserError
from sslstudio.learning.backbones.encoder import create_encoder
from sslstudio.learning.methods.vicreg import VICReg, repetition, too_narrow, vicreg_loss
from sslstudio.recipes.methods import VICRegRecipe
from sslstudio.recipes.presets import PRESETS

LOOK = PRESETS["microscopy"].augmentation


def slow_vicreg(left, right, weights):
    """Equations 1 to 6, output by output in Python floats; the invariance is a mean over outputs."""
    left, right = left.double().tolist(), right.double().tolist()
    n, d = len(left), len(left[0])

    def column(z, j):
        return [row[j] for row in z]

    def covariance(a, b):
        mean_a, mean_b = sum(a) / n, sum(b) / n
        return sum((x - mean_a) * (y - mean_b) for x, y in zip(a, b, strict=True)) / (n - 1)

    same = sum((left[i][j] - right[i][j]) ** 2 for i in range(n) for j in range(d)) / (n * d)
    narrow, repeated = 0.0, 0.0
    for z in (left, right):
        columns = [column(z, j) for j in range(d)]
        narrow += sum(max(0.0, 1 - math.sqrt(covariance(c, c) + 1e-4)) for c in columns) / d / 2
        repeated += sum(covariance(columns[i], columns[j]) ** 2 for i in range(d) for j in range(d) if i != j) / d
    return weights[0] * same + weights[1] * narrow + weights[2] * repeated


@pytest.mark.parametrize("weights", [(25.0, 25.0, 1.0), (1.0, 2.0, 3.0)])
@pytest.mark.parametrize("scale", [0.3, 2.0])
def test_vicreg_is_equation_6_and_lightlys(weights, scale):
    left, right = torch.randn(7, 5) * scale, torch.randn(7, 5) * scale
    ours = float(vicreg_loss(left, right, *weights))
    assert ours == pytest.approx(slow_vicreg(left, right, weights), rel=1e-6, abs=1e-5)
    lightly = VICRegLoss(lambda_param=weights[0], mu_param=weights[1], nu_param=weights[2])
    assert ours == pytest.approx(float(lightly(left, right)), rel=1e-6, abs=1e-5)


def test_each_term_punishes_its_own_fault():
    wide = torch.randn(1000, 4) * 2
    assert float(too_narrow(wide)) == 0
    assert float(too_narrow(torch.ones(8, 4))) == pytest.approx(0.99, abs=1e-5)  # 1 - sqrt(0.0001)
    twice = torch.randn(1000, 1).repeat(1, 4)
    assert float(repetition(twice)) == pytest.approx(3.0, rel=0.2)
    assert float(repetition(wide)) < 0.3


def test_gradients_of_a_collapsed_network_stay_finite_and_push_apart():
    z = (torch.ones(8, 4) + 1e-4 * torch.randn(8, 4)).requires_grad_()
    vicreg_loss(z, z.clone(), 25.0, 25.0, 1.0).backward()
    assert bool(z.grad.isfinite().all())
    assert float(too_narrow(z.detach() - z.grad)) < float(too_narrow(z.detach()))


def test_two_images_work_and_one_is_refused_in_words():
    method = VICReg(create_encoder("test_resnet"), VICRegRecipe(out=64), resolution=64, look=LOOK).train()
    assert bool(method((torch.randn(4, 3, 64, 64),)).loss.isfinite())
    with pytest.raises(UserError, match="single image"):
        method((torch.randn(2, 3, 64, 64),))
