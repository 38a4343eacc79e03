"""SimCLR: the loss against a slow, literal transcription of its equation."""

import math

import pytest
import torch

from sslstudio.learning.backbones.encoder import create_encoder
from sslstudio.learning.methods.simclr import SimCLR, nt_xent
from sslstudio.recipes.methods import SimCLRRecipe
from sslstudio.recipes.presets import PRESETS

LOOK = PRESETS["microscopy"].augmentation


def cosine(a, b):
    dot = sum(x * y for x, y in zip(a, b, strict=True))
    return dot / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))


def slow_nt_xent(left, right, temperature):
    """Algorithm 1 of SimCLR, sample by sample in Python floats."""
    z = [*left.double().tolist(), *right.double().tolist()]
    n = len(left)
    total = 0.0
    for i in range(2 * n):
        j = i + n if i < n else i - n
        top = math.exp(cosine(z[i], z[j]) / temperature)
        bottom = sum(math.exp(cosine(z[i], z[k]) / temperature) for k in range(2 * n) if k != i)
        total += -math.log(top / bottom)
    return total / (2 * n)


@pytest.mark.parametrize("temperature", [0.07, 0.15, 0.5, 1.0])
def test_nt_xent_is_equation_1(temperature):
    left, right = torch.randn(5, 7), torch.randn(5, 7)
    assert float(nt_xent(left, right, temperature)) == pytest.approx(slow_nt_xent(left, right, temperature), abs=1e-5)


@pytest.mark.parametrize("backbone", ["test_vit", "test_resnet"])
def test_simclr_tells_images_apart_after_some_steps(backbone):
    method = SimCLR(create_encoder(backbone), SimCLRRecipe(), resolution=64, look=LOOK)
    images = torch.randn(8, 3, 64, 64)
    optimiser = torch.optim.AdamW(method.parameters(), 1e-3)
    losses = []
    for _ in range(25):
        views = torch.cat([images + 0.1 * torch.randn_like(images), images + 0.1 * torch.randn_like(images)])
        loss = method((views,)).loss
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


def test_losses_keep_their_digits_under_autocast():
    torch.manual_seed(1)
    left, right = torch.randn(4, 8), torch.randn(4, 8)

    class Fixed(torch.nn.Module):
        width, stride, kind = 8, 16, "conv"

        def forward(self, x):
            return torch.cat([left, right])

    method = SimCLR(Fixed(), SimCLRRecipe(), resolution=64, look=LOOK)
    method.head = torch.nn.Identity()
    with torch.autocast("cpu", torch.bfloat16):
        loss = method((torch.zeros(8, 3, 64, 64),)).loss
    assert float(loss) == pytest.approx(slow_nt_xent(left, right, 0.15), abs=1e-5)
