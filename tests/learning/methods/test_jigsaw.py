"""Jigsaw: the set of orders, the tiles, the loss beside a slow transcription, and what prevents shortcuts."""

import itertools
import math

import numpy as np
import pytest
import torch

from sslstudio.learning.backbones.encoder import create_encoder
from sslstudio.learning.methods.jigsaw import (
    FLATTEST,
    Jigsaw,
    mixed,
    normalised,
    permutation_set,
    random_tiles,
    tile_and_view,
)
from sslstudio.recipes.methods import Folder, JigsawRecipe
from sslstudio.recipes.presets import PRESETS

LOOK = PRESETS["natural"].augmentation


def distances(orders):
    return [int((a != b).sum()) for a, b in itertools.combinations(orders, 2)]


@pytest.mark.parametrize(("count", "nearest", "mean"), [(9, 9, 9.0), (24, 7, 8.2), (64, 7, 8.0), (100, 6, 7.9)])
def test_the_orders_are_far_from_each_other_and_always_the_same(count, nearest, mean):
    orders = permutation_set(count)
    assert orders.shape == (count, 9)
    assert all(sorted(order) == list(range(9)) for order in orders.tolist())
    assert min(distances(orders)) >= nearest
    assert np.mean(distances(orders)) >= mean
    permutation_set.cache_clear()
    assert np.array_equal(permutation_set(count), orders)


def test_each_order_is_the_farthest_from_those_before_it():
    orders = permutation_set(12)
    every = np.array(list(itertools.permutations(range(9))), dtype=np.int8)
    for n in (1, 5, 11):
        apart = (every[:, None] != orders[None, :n]).sum(-1)  # (9!, n)
        mine = (orders[n] != orders[:n]).sum(-1)
        assert mine.min() == apart.min(1).max()
        assert mine.sum() == apart[apart.min(1) == mine.min()].sum(1).max()


def test_the_loss_is_the_mean_over_puzzles_of_the_order_not_named():
    method = Jigsaw(create_encoder("test_vit"), JigsawRecipe(permutations=5, puzzles=3), resolution=64, look=LOOK)
    scores = []
    method.head.register_forward_hook(lambda _m, _i, out: scores.append(out.detach()))
    images = torch.randn(2, 3, method.views[0].size, method.views[0].size)
    torch.manual_seed(3)
    loss = float(method((images,)).loss.detach())
    torch.manual_seed(3)
    random_tiles(images, method.tile)
    order = torch.randint(5, (2, 3))
    total = 0.0
    for b in range(2):
        for q in range(3):
            row = scores[0][b, q].double().tolist()
            total -= math.log(math.exp(row[order[b, q]]) / sum(math.exp(v) for v in row))
    assert loss == pytest.approx(total / 6, abs=1e-5)


def test_the_head_sees_the_tiles_in_the_order_that_it_must_name():
    features, orders = torch.randn(2, 9, 4), torch.stack([torch.randperm(9) for _ in range(6)]).view(2, 3, 9)
    got = mixed(features, orders)
    for b in range(2):
        for q in range(3):
            for place in range(9):
                assert torch.equal(got[b, q, place], features[b, orders[b, q, place]])


def test_tiles_come_from_their_own_ninth_at_random_places():
    images = torch.arange(60 * 60).float().view(1, 1, 60, 60).repeat(300, 2, 1, 1)
    tiles = random_tiles(images, 16)
    assert tiles.shape == (300, 9, 2, 16, 16)
    for n in range(9):
        corner = tiles[:, n, 0, 0, 0].long()
        rows, columns = corner // 60 - n // 3 * 20, corner % 60 - n % 3 * 20
        assert sorted(set(rows.tolist())) == sorted(set(columns.tolist())) == [0, 1, 2, 3, 4]
    steps = tiles - tiles[..., :1, :1]
    assert torch.equal(steps[7, 3, 1, :, 0], torch.arange(16) * 60.0)
    assert torch.equal(steps[7, 3, 1, 0], torch.arange(16) * 1.0)


def test_brightness_and_contrast_of_a_tile_say_nothing_of_its_place():
    tiles = torch.randn(2, 9, 3, 16, 16) * 5 + torch.randn(2, 9, 3, 1, 1) * 10
    out = normalised(tiles)
    assert out.mean((-2, -1)).abs().max() < 1e-4
    assert torch.allclose(out.std((-2, -1)), torch.tensor(1.0), atol=0.05)
    flat = normalised(1e-3 * torch.randn(1, 9, 3, 16, 16) + 4)
    assert flat.abs().max() < 0.01 / FLATTEST


@pytest.mark.parametrize(("stride", "resolution"), [(32, 128), (32, 224), (16, 128), (16, 224), (16, 64), (8, 96)])
def test_tiles_suit_the_backbone(stride, resolution):
    tile, view = tile_and_view(resolution, stride, 0.15)
    assert tile % stride == 0
    assert tile >= 2 * stride
    assert view % stride == 0
    assert 0.1 < 1 - tile / (view // 3) < 0.2


def test_without_gaps_the_tiles_fill_the_view():
    assert tile_and_view(224, 32, 0.0) == (64, 192)
    assert random_tiles(torch.zeros(1, 3, 192, 192), 64).shape == (1, 9, 3, 64, 64)


def test_few_images_get_few_orders():
    counts = [
        JigsawRecipe.fitted(Folder(images, 32, "cpu", 5, "natural", "conv"))[0].value
        for images in (100, 3000, 30_000, 100_000)
    ]
    assert counts == [24, 64, 100, 500]


@pytest.mark.parametrize("backbone", ["test_vit", "test_resnet"])
def test_jigsaw_learns_where_tiles_belong(backbone):
    recipe = JigsawRecipe(permutations=4)
    method = Jigsaw(create_encoder(backbone), recipe, resolution=64, look=LOOK)
    size = method.views[0].size
    line = torch.linspace(0, 1, size)
    wave = torch.sin(40 * line**2)[None, None, :, None] + torch.sin(25 * line**2)[None, None, None, :]  # finer below
    optimiser = torch.optim.AdamW(method.parameters(), 1e-3)
    losses = []
    for _ in range(15):
        loss = method((wave + 0.1 * torch.randn(8, 3, size, size),)).loss
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[0] > 1.0
    assert losses[-1] < 0.5 * losses[0]
