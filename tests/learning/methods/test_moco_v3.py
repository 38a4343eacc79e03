"""MoCo v3: its symmetric loss within the batch, the fixed patch projection, and the slow copy."""

import pytest
import torch
from torch.nn import functional as F

from sslstudio.errors import UserError
from sslstudio.learning.backbones.encoder import create_encoder
from sslstudio.learning.methods.base import Position
from sslstudio.learning.methods.heads import sin_cos_positions
from sslstudio.learning.methods.moco_v3 import MoCoV3, patch_projection
from sslstudio.learning.training.optimiser import make_optimiser
from sslstudio.recipes.methods import MoCoV3Recipe
from sslstudio.recipes.presets import PRESETS

LOOK = PRESETS["microscopy"].augmentation


def made(backbone="test_vit", **recipe):
    recipe = MoCoV3Recipe(hidden=64, out=32, **recipe)
    return MoCoV3(create_encoder(backbone), recipe, resolution=64, look=LOOK).train()


def outputs(method, views):
    with torch.no_grad():
        queries = method.predictor(method.projector(method.encoder(views)))
        keys = method.key_projector(method.key_encoder(views))
    return F.normalize(queries, dim=1).chunk(2), F.normalize(keys, dim=1).chunk(2)


@pytest.mark.parametrize("backbone", ["test_vit", "test_resnet"])
def test_the_loss_is_algorithm_1(backbone):
    method, views = made(backbone, temperature=0.3), torch.randn(10, 3, 64, 64)
    loss = float(method((views,)).loss)
    (q1, q2), (k1, k2) = outputs(method, views)

    def one_way(queries, keys):
        return 2 * 0.3 * F.cross_entropy(queries @ keys.T / 0.3, torch.arange(5))

    assert loss == pytest.approx(float(one_way(q1, k2) + one_way(q2, k1)), abs=1e-5)


def test_an_image_that_is_twice_in_the_batch_is_not_its_own_negative():
    method, views = made(), torch.randn(8, 3, 64, 64)
    method.pictures = torch.tensor([3, 3, 3, 3])
    assert float(method((views,)).loss) == 0
    method.pictures = torch.tensor([3, 4, 3, 5])
    loss = float(method((views,)).loss)
    (q1, q2), (k1, k2) = outputs(method, views)
    blocked = torch.zeros(4, 4)
    blocked[0, 2] = blocked[2, 0] = float("-inf")
    expected = sum(0.4 * F.cross_entropy(q @ k.T / 0.2 + blocked, torch.arange(4)) for q, k in ((q1, k2), (q2, k1)))
    assert loss == pytest.approx(float(expected), abs=1e-5)


@pytest.mark.parametrize("backbone", ["test_vit", "test_resnet"])
def test_keys_get_no_gradient_and_follow_ever_more_slowly(backbone):
    method = made(backbone, momentum=0.9)
    method((torch.randn(8, 3, 64, 64),)).loss.backward()
    slow = (*method.key_encoder.parameters(), *method.key_projector.parameters())
    trained = (*method.encoder.parameters(), *method.projector.parameters())
    assert all(p.grad is None and not p.requires_grad for p in slow)
    with torch.no_grad():
        for p in trained:
            p.add_(1.0)
    for share, part in ((0.0, 0.1), (0.5, 0.05), (1.0, 0.0)):
        before = [p.clone() for p in slow]
        method.position = Position(share, 10_000)
        method.after_step()
        for old, new, goal in zip(before, slow, trained, strict=True):
            assert torch.allclose(new, old + part * (goal - old), atol=1e-5)


def test_a_vits_patch_projection_stays_as_it_began():
    method = made()
    method.begin_from_scratch()
    start = [p.clone() for p in patch_projection(method.encoder).parameters()]
    optimiser = make_optimiser(method, learning_rate=0.01, weight_decay=0.5)
    for _ in range(2):
        method((torch.randn(8, 3, 64, 64),)).loss.backward()
        optimiser.step()
        method.after_step()
    for module in (method.encoder, method.key_encoder):
        assert all(torch.equal(a, b) for a, b in zip(start, patch_projection(module).parameters(), strict=True))
    free = made(freeze_patches=False)
    assert all(p.requires_grad for p in free.encoder.parameters())
    assert all(p.requires_grad for p in made("test_resnet").encoder.parameters())


def test_a_new_vit_starts_with_sines_and_both_copies_alike():
    method = made()
    method.begin_from_scratch()
    net = method.encoder.net
    rows, columns = net.patch_embed.grid_size
    expected = sin_cos_positions(rows, columns, method.encoder.width)
    assert torch.equal(net.pos_embed[0, -rows * columns :], expected)
    for one, other in zip(method.encoder.parameters(), method.key_encoder.parameters(), strict=True):
        assert torch.equal(one, other)


def test_two_images_work_and_one_is_refused_in_words():
    method = made()
    assert bool(method((torch.randn(4, 3, 64, 64),)).loss.isfinite())
    with pytest.raises(UserError, match="single image"):
        method((torch.randn(2, 3, 64, 64),))
