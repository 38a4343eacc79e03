"""SimSiam: its loss, and the stop of the gradient."""

import pytest
import torch
from lightly.loss import NegativeCosineSimilarity

from sslstudio.errors import UserError
from sslstudio.learning.backbones.encoder import create_encoder
from sslstudio.learning.methods.simsiam import SimSiam
from sslstudio.recipes.methods import SimSiamRecipe
from sslstudio.recipes.presets import PRESETS

LOOK = PRESETS["microscopy"].augmentation


def made(backbone="test_vit"):
    recipe = SimSiamRecipe(out=64, bottleneck=16)
    return SimSiam(create_encoder(backbone), recipe, resolution=64, look=LOOK).train()


def test_the_loss_is_equation_4_as_lightly_has_it():
    method, views = made(), torch.randn(8, 3, 64, 64)
    loss = float(method((views,)).loss)
    z = method.projector(method.encoder(views))
    p = method.predictor(z).chunk(2)
    z = z.chunk(2)
    criterion = NegativeCosineSimilarity()
    expected = (criterion(p[0], z[1].detach()) + criterion(p[1], z[0].detach())) / 2
    assert loss == pytest.approx(float(expected), abs=1e-5)


def test_what_is_predicted_gets_its_gradient_through_the_predictor_alone():
    """With a predictor whose weights are nought all gradients of the projector would come from the target."""
    method = made()
    for p in method.predictor[-1].parameters():
        torch.nn.init.zeros_(p)
    method.predictor[-1].bias.data.fill_(1.0)
    method((torch.randn(8, 3, 64, 64),)).loss.backward()
    assert all(p.grad is None or not bool(p.grad.any()) for p in method.projector.parameters())
    assert bool(method.predictor[-1].weight.grad.any())


def test_outputs_have_batch_norm_without_weights_at_the_end():
    last = made().projector[-1]
    assert isinstance(last, torch.nn.BatchNorm1d)
    assert not last.affine


def test_two_images_work_and_one_is_refused_in_words():
    method = made("test_resnet")
    assert bool(method((torch.randn(4, 3, 64, 64),)).loss.isfinite())
    with pytest.raises(UserError, match="single image"):
        method((torch.randn(2, 3, 64, 64),))
