"""MoCo v2: its loss with a queue, the slow copy, and folders smaller than the queue."""

import math

import pytest
import torch
from torch.nn import functional as F

from sslstudio.learning.backbones.encoder import create_encoder
from sslstudio.learning.methods.base import Position
from sslstudio.learning.methods.contrast import EMPTY
from sslstudio.learning.methods.moco_v2 import MoCoV2
from sslstudio.recipes.methods import Folder, MoCoV2Recipe
from sslstudio.recipes.presets import PRESETS
from sslstudio.recipes.suggest import suggest

LOOK = PRESETS["microscopy"].augmentation


def made(backbone="test_vit", **recipe):
    return MoCoV2(create_encoder(backbone), MoCoV2Recipe(**recipe), resolution=64, look=LOOK).train()


def views(images=4):
    return (torch.randn(2 * images, 3, 64, 64),)


def test_the_first_step_tells_each_image_from_the_others_of_its_batch():
    method = made(queue=16, temperature=0.2)
    pair = views()
    left, right = pair[0].chunk(2)
    with torch.no_grad():
        queries = F.normalize(method.head(method.encoder(left)), dim=1)
        keys = F.normalize(method.key_head(method.key_encoder(right)), dim=1)
    scores = queries @ keys.T / 0.2 + math.log(19 / 3) * (1 - torch.eye(4))  # 3 negatives stand for 16 + 3
    expected = F.cross_entropy(scores, torch.arange(4))
    assert float(method(pair).loss) == pytest.approx(float(expected), abs=1e-5)
    # Now the queue holds these keys, in order.
    assert torch.allclose(method.queue.keys[:4], keys, atol=1e-6)
    assert method.queue.pictures.tolist()[4:] == [EMPTY] * 12


def test_the_next_step_has_the_queue_as_well():
    method = made(queue=4)
    method(views())
    pair = views()
    left, right = pair[0].chunk(2)
    with torch.no_grad():
        queries = F.normalize(method.head(method.encoder(left)), dim=1)
        keys = F.normalize(method.key_head(method.key_encoder(right)), dim=1)
    scores = torch.cat([queries @ keys.T, queries @ method.queue.keys[:4].T], dim=1) / 0.2
    expected = F.cross_entropy(scores, torch.arange(4))
    assert float(method(pair).loss) == pytest.approx(float(expected), abs=1e-5)


def test_pictures_that_come_again_do_not_count_against_themselves():
    """With one picture alone in every step and queue there is nothing to tell it from."""
    method = made(queue=16)
    for _ in range(3):
        method.pictures = torch.tensor([5, 5, 5, 5])
        assert float(method(views()).loss) == 0
    method.pictures = torch.tensor([5, 6, 5, 6])
    assert float(method(views()).loss) > 0


def test_a_method_that_is_only_looked_at_leaves_its_queue_alone():
    method = made(queue=16).eval()
    method(views())
    assert method.queue.pictures.tolist() == [EMPTY] * 16


@pytest.mark.parametrize("backbone", ["test_vit", "test_resnet"])
def test_keys_get_no_gradient_and_follow_by_the_momentum(backbone):
    method = made(backbone, momentum=0.9)
    method(views()).loss.backward()
    for module in (method.key_encoder, method.key_head):
        assert all(p.grad is None and not p.requires_grad for p in module.parameters())
    with torch.no_grad():
        for p in (*method.encoder.parameters(), *method.head.parameters()):
            p.add_(1.0)
    before = [p.clone() for p in (*method.key_encoder.parameters(), *method.key_head.parameters())]
    method.position = Position(0.5, 10_000)
    method.after_step()
    now = (*method.key_encoder.parameters(), *method.key_head.parameters())
    trained = (*method.encoder.parameters(), *method.head.parameters())
    for old, new, goal in zip(before, now, trained, strict=True):
        assert torch.allclose(new, 0.9 * old + 0.1 * goal, atol=1e-6)


def test_the_slow_copy_sees_random_groups_where_there_is_batch_norm():
    seen = {}
    for backbone in ("test_resnet", "test_vit"):
        method, sizes = made(backbone), []
        method.key_head.register_forward_hook(lambda _m, inputs, _o, sizes=sizes: sizes.append(len(inputs[0])))
        method(views(32))
        seen[backbone] = sizes
    assert seen == {"test_resnet": [8] * 4, "test_vit": [32]}


@pytest.mark.parametrize(
    ("images", "batch", "queue"), [(2, 2, 0), (40, 32, 8), (600, 64, 536), (4160, 64, 4096), (90_000, 64, 4096)]
)
def test_the_queue_is_no_longer_than_the_folder(images, batch, queue):
    (fitted,) = MoCoV2Recipe.fitted(Folder(images, batch, "cpu", 10, "natural", "conv"))
    assert (fitted.key, fitted.value) == ("queue", queue)
    assert str(images) in fitted.reason


def test_a_suggested_recipe_has_the_fitted_queue_and_says_why():
    recipe, reasons = suggest(100, [(256, 256)] * 100, 3, "cpu", 5, "microscopy", method="moco_v2")
    assert recipe.method.queue == 100 - recipe.batch_size
    assert any(reason.key == "method.queue" and "100 images" in reason.text for reason in reasons)


def test_it_learns_without_a_queue_too():
    method = made(queue=0)
    method(views(2)).loss.backward()
    assert method.head[0].weight.grad.abs().sum() > 0
