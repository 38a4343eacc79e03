"""BYOL: its loss, and the target network that follows without a gradient."""

import pytest
import torch
from lightly.loss import NegativeCosineSimilarity

from sslstudio.errors import UserError
from sslstudio.learning.backbones.encoder import create_encoder
from sslstudio.learning.methods.base import Position
from sslstudio.learning.methods.byol import BYOL
from sslstudio.recipes.methods import BYOLRecipe
from sslstudio.recipes.presets import PRESETS

LOOK = PRESETS["microscopy"].augmentation


def made(backbone="test_vit", **recipe):
    return BYOL(create_encoder(backbone), BYOLRecipe(hidden=64, out=32, **recipe), resolution=64, look=LOOK).train()


def test_the_loss_is_the_squared_distance_of_unit_vectors_both_ways():
    method, views = made(), torch.randn(8, 3, 64, 64)
    loss = float(method((views,)).loss)
    with torch.no_grad():
        p = method.predictor(method.projector(method.encoder(views))).chunk(2)
        z = method.target_projector(method.target_encoder(views)).chunk(2)
    lightly = sum(2 + 2 * float(NegativeCosineSimilarity()(p[i], z[1 - i])) for i in range(2))
    assert loss == pytest.approx(lightly, abs=1e-5)
    # Equation 2 itself, row by row.
    total = 0.0
    for i in range(2):
        for a, b in zip(p[i].double(), z[1 - i].double(), strict=True):
            total += float(((a / a.norm() - b / b.norm()) ** 2).sum()) / len(p[i])
    assert loss == pytest.approx(total, abs=1e-5)


@pytest.mark.parametrize("backbone", ["test_vit", "test_resnet"])
def test_the_target_gets_no_gradient_and_follows_ever_more_slowly(backbone):
    method = made(backbone, momentum=0.9)
    method((torch.randn(8, 3, 64, 64),)).loss.backward()
    slow = (*method.target_encoder.parameters(), *method.target_projector.parameters())
    trained = (*method.encoder.parameters(), *method.projector.parameters())
    assert all(p.grad is None and not p.requires_grad for p in slow)
    assert all(p.grad is not None for p in (*trained, *method.predictor.parameters()))
    with torch.no_grad():
        for p in trained:
            p.add_(1.0)
    for share, part in ((0.0, 0.1), (0.5, 0.05), (1.0, 0.0)):
        before = [p.clone() for p in slow]
        method.position = Position(share, 10_000)
        method.after_step()
        for old, new, goal in zip(before, slow, trained, strict=True):
            assert torch.allclose(new, old + part * (goal - old), atol=1e-5)


def test_the_predictor_is_on_one_side_only():
    method = made()
    assert [name for name, _ in method.named_children() if "predictor" in name] == ["predictor"]


def test_two_images_work_and_one_is_refused_in_words():
    method = made()
    assert bool(method((torch.randn(4, 3, 64, 64),)).loss.isfinite())
    with pytest.raises(UserError, match="single image"):
        method((torch.randn(2, 3, 64, 64),))
