"""SimSiam: its loss, the stop of the gradient, and what happens without it."""

import pytest
import torch
from lightly.loss import NegativeCosineSimilarity

from sslstudio.errors import UserError
from sslstudio.learning.backbones.encoder import create_encoder
from sslstudio.learning.evaluation.effective_rank import spread
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


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_without_the_stop_of_the_gradient_it_collapses(monkeypatch):
    """The paper's figure 2: both views alike is easiest where every output is the same."""

    def trained(stop):
        torch.manual_seed(0)
        method = made("test_resnet")
        if not stop:
            monkeypatch.setattr(
                "sslstudio.learning.methods.simsiam.across",
                lambda p, z: -torch.nn.functional.cosine_similarity(p, z.roll(len(z) // 2, dims=0)).mean(),
            )
        optimiser = torch.optim.SGD(method.parameters(), 0.05, momentum=0.9)
        images = torch.nn.functional.interpolate(torch.randn(24, 3, 6, 6), size=48, mode="bicubic")
        for _ in range(120):
            views = torch.cat([images, images]) + 0.3 * torch.randn(48, 3, 48, 48)
            loss = method((views,)).loss
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        with torch.no_grad():
            return float(loss), spread(method.predictor(method.projector(method.encoder(images))))

    kept, fallen = trained(stop=True), trained(stop=False)
    assert fallen[0] < -0.99
    assert fallen[1] < 0.5 * kept[1]
