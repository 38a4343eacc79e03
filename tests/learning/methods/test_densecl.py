"""DenseCL: places matched by features, the dense loss against a slow transcription, two queues."""

import math

import pytest
import torch
from torch.nn import functional as F

from sslstudio.learning.backbones.encoder import create_encoder
from sslstudio.learning.methods.base import Position
from sslstudio.learning.methods.contrast import EMPTY
from sslstudio.learning.methods.densecl import DenseCL, most_alike, whole_and_places
from sslstudio.recipes.methods import DenseCLRecipe, Folder
from sslstudio.recipes.presets import PRESETS

LOOK = PRESETS["microscopy"].augmentation
LATER = Position(0.5, 10_000)


def made(backbone="test_vit", resolution=64, **recipe):
    recipe = DenseCLRecipe(**{"queue": 8, "projection_out": 16, **recipe})
    method = DenseCL(create_encoder(backbone), recipe, resolution=resolution, look=LOOK).train()
    method.position = LATER
    return method


def test_each_place_finds_the_one_that_points_most_the_same_way():
    places = torch.randn(2, 5, 6)
    order = torch.stack([torch.randperm(5), torch.randperm(5)])
    moved = places.gather(1, order[..., None].expand(-1, -1, 6)) * torch.rand(2, 5, 1).add(0.1)
    found = most_alike(places, moved)
    assert torch.equal(order.gather(1, found), torch.arange(5).expand(2, 5))


@pytest.mark.parametrize("backbone", ["test_vit", "test_resnet"])
@pytest.mark.parametrize("grid", [2, 7])
def test_places_stand_in_row_order_and_their_features_are_the_encoders(backbone, grid):
    encoder = create_encoder(backbone).eval()
    images = torch.randn(2, 3, 64, 96)
    with torch.no_grad():
        pooled, places = whole_and_places(encoder, images, grid)
        level = encoder.feature_levels(images)[-1]
        assert torch.allclose(pooled, encoder(images), atol=1e-5)
    rows, columns = min(grid, level.shape[-2]), min(grid, level.shape[-1])
    expected = F.adaptive_avg_pool2d(level, (rows, columns))
    assert torch.allclose(places.transpose(1, 2).unflatten(2, (rows, columns)), expected, atol=1e-5)


def slow_dense_loss(queries, keys, features, key_features, negatives, temperature):
    """Equation 3, place by place in Python floats; ``negatives`` has one list per image."""

    def dot(a, b):
        return sum(x * y for x, y in zip(a, b, strict=True))

    def unit(v):
        size = math.sqrt(dot(v, v))
        return [x / size for x in v]

    total, count = 0.0, 0
    for b in range(len(queries)):
        for place, query in enumerate(queries[b]):
            alike = [dot(unit(features[b][place]), unit(other)) for other in key_features[b]]
            key = unit(keys[b][alike.index(max(alike))])
            top = math.exp(dot(unit(query), key) / temperature)
            others = sum(math.exp(dot(unit(query), unit(n)) / temperature) for n in negatives[b])
            total -= math.log(top / (top + others))
            count += 1
    return total / count


@pytest.mark.parametrize("backbone", ["test_vit", "test_resnet"])
def test_the_dense_loss_is_equation_3_with_the_batch_and_the_queue_as_negatives(backbone):
    method = made(backbone, dense_weight=1.0, temperature=0.3, queue=3)
    for module in method.modules():  # no statistics of a batch, so that both sides can be computed again
        if isinstance(module, torch.nn.BatchNorm2d):
            module.eval()
    method((torch.randn(6, 3, 64, 64),))
    queue = method.dense_queue.keys[:3].double().tolist()
    views = torch.randn(6, 3, 64, 64)
    left, right = views.chunk(2)
    with torch.no_grad():
        _, features = whole_and_places(method.encoder, left, 7)
        _, key_features = whole_and_places(method.key_encoder, right, 7)
        queries, keys = method.dense_head(features), method.key_dense_head(key_features)
        means = keys.mean(dim=1).double().tolist()
    negatives = [[*(means[o] for o in range(3) if o != b), *queue] for b in range(3)]
    arguments = (x.double().tolist() for x in (queries, keys, features, key_features))
    slow = slow_dense_loss(*arguments, negatives, 0.3)
    assert float(method((views,)).loss) == pytest.approx(slow, abs=1e-5)


def test_whole_images_and_places_are_weighed_and_places_join_later():
    views = (torch.randn(6, 3, 64, 64),)
    losses = {}
    for weight in (0.0, 0.5, 1.0):
        torch.manual_seed(3)
        losses[weight] = float(made(dense_weight=weight)(views).loss)
    assert losses[0.5] == pytest.approx((losses[0.0] + losses[1.0]) / 2, abs=1e-5)
    torch.manual_seed(3)
    early = made(dense_weight=0.5, dense_start=0.2)
    early.position = Position(0.1, 1000)
    assert float(early(views).loss) == pytest.approx(losses[0.0], abs=1e-5)


def test_both_queues_take_each_picture_once_and_leave_out_its_own_places():
    method = made()
    method.pictures = torch.tensor([4, 9])
    method((torch.randn(4, 3, 64, 64),))
    for queue in (method.queue, method.dense_queue):
        assert queue.pictures.tolist() == [4, 9, *[EMPTY] * 6]
        assert torch.allclose(queue.keys[:2].norm(dim=1), torch.ones(2), atol=1e-5)
    method.pictures = torch.tensor([4, 4])
    assert float(method((torch.randn(4, 3, 64, 64),)).loss) > 0  # 9 is still there to be told from
    lonely = made()
    lonely.pictures = torch.tensor([4, 4])
    assert float(lonely((torch.randn(4, 3, 64, 64),)).loss) == 0


@pytest.mark.parametrize("backbone", ["test_vit", "test_resnet"])
def test_slow_copies_get_no_gradient_and_follow(backbone):
    method = made(backbone, momentum=0.9)
    method((torch.randn(8, 3, 64, 64),)).loss.backward()
    pairs = (
        (method.key_encoder, method.encoder),
        (method.key_head, method.head),
        (method.key_dense_head, method.dense_head),
    )
    for slow, trained in pairs:
        assert all(p.grad is None and not p.requires_grad for p in slow.parameters())
        assert all(p.grad is not None for p in trained.parameters())
        before = [p.clone() for p in slow.parameters()]
        with torch.no_grad():
            for p in trained.parameters():
                p.add_(1.0)
        slow.before = before
    method.after_step()
    for slow, trained in pairs:
        for old, new, goal in zip(slow.before, slow.parameters(), trained.parameters(), strict=True):
            assert torch.allclose(new, 0.9 * old + 0.1 * goal, atol=1e-6)


def test_the_queue_is_no_longer_than_the_folder():
    (fitted,) = DenseCLRecipe.fitted(Folder(100, 32, "cpu", 10, "natural", "conv"))
    assert (fitted.key, fitted.value) == ("queue", 68)
