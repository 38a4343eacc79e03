"""Attention maps show what the network does; feature colours and effective rank say what they mean."""

import numpy as np
import pytest
import torch

from sslstudio.errors import UserError
from sslstudio.learning.backbones.encoder import create_encoder
from sslstudio.learning.evaluation.attention import attention_maps, feature_colours, heat_overlay
from sslstudio.learning.evaluation.effective_rank import effective_rank, spread


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)
    torch.set_num_threads(1)


IMAGE = np.random.default_rng(0).integers(0, 255, (96, 160, 3), dtype=np.uint8)


@pytest.mark.parametrize("name", ["test_vit", "vit_tiny_patch16_224", "vit_small_patch16_dinov3"])
def test_maps_have_one_plane_per_head_and_the_mean_first(name):
    try:
        encoder = create_encoder(name)
    except UserError as error:
        pytest.skip(str(error))
    if encoder.kind != "vit":
        pytest.skip("not a plain ViT in this version of timm")
    heads = encoder.net.blocks[0].attn.num_heads
    maps = attention_maps(encoder, IMAGE)
    assert maps.shape == (heads + 1, 6, 10)
    assert maps.dtype == np.float32
    assert maps.min() >= 0
    assert maps.max() <= 1


def test_attention_is_what_the_network_computes():
    encoder = create_encoder("vit_tiny_patch16_224").eval()
    images = torch.randn(1, 3, 64, 64)
    weights, grid = encoder.attention(images, block=0)
    assert grid == (4, 4)
    assert torch.allclose(weights.sum(-1), torch.ones_like(weights.sum(-1)), atol=1e-5)
    seen = {}
    layer = encoder.net.blocks[0].attn
    layer.register_forward_hook(lambda _m, inputs, output: seen.update(x=inputs[0], y=output))
    encoder(images)
    qkv = layer.qkv(seen["x"]).reshape(1, 17, 3, layer.num_heads, -1).permute(2, 0, 3, 1, 4)
    mine = layer.proj((weights @ qkv[2]).transpose(1, 2).reshape(1, 17, -1))
    assert torch.allclose(mine, seen["y"], atol=1e-4)


def test_the_point_that_asks_matters_and_may_lie_outside():
    encoder = create_encoder("test_vit")
    with torch.no_grad():
        encoder.net.pos_embed.mul_(50)
    here, there = (attention_maps(encoder, IMAGE, query=point) for point in ((5, 5), (150, 90)))
    assert np.abs(here - there).max() > 0.1
    assert np.array_equal(attention_maps(encoder, IMAGE, query=(1e9, 1e9)), there)


def test_looking_changes_nothing():
    encoder = create_encoder("test_vit").train()
    attention_maps(encoder, IMAGE)
    assert encoder.training
    assert all(p.grad is None for p in encoder.parameters())


def test_a_convolutional_network_is_refused_with_a_way_out():
    with pytest.raises(UserError) as error:
        attention_maps(create_encoder("test_resnet"), IMAGE)
    assert "ViT" in error.value.advice


def test_a_block_that_is_not_there_is_refused():
    encoder = create_encoder("vit_tiny_patch16_224")
    assert np.array_equal(attention_maps(encoder, IMAGE, block=11), attention_maps(encoder, IMAGE, block=-1))
    for block in (12, -13):
        with pytest.raises(UserError, match="no block"):
            attention_maps(encoder, IMAGE, block=block)


@pytest.mark.parametrize("name", ["test_vit", "test_resnet"])
def test_feature_colours_tell_two_halves_apart(name):
    image = np.zeros((128, 128, 3), np.uint8)
    image[:, 64:] = 255
    colours = feature_colours(create_encoder(name), image).astype(int)
    third = colours.shape[1] // 3
    left, right = colours[:, :third].mean((0, 1)), colours[:, -third:].mean((0, 1))
    assert np.abs(left - right).max() > 40


def test_the_overlay_glows_where_the_map_is_high():
    heat = np.zeros((6, 10), np.float32)
    heat[:, 7:] = 1
    picture = heat_overlay(np.full((96, 160, 3), 128, np.uint8), heat)
    assert picture.shape == (96, 160, 3)
    assert picture[:, 130:].mean() > picture[:, :60].mean() + 50


@pytest.mark.parametrize("rank", [1, 5, 20])
def test_effective_rank_counts_equal_directions(rank):
    directions = torch.linalg.qr(torch.randn(64, rank))[0]
    points = torch.linalg.qr(torch.randn(200, rank))[0]
    assert effective_rank(points @ directions.T) == pytest.approx(rank, rel=0.02)


def test_effective_rank_by_a_slow_transcription_of_rankme():
    z = torch.randn(40, 12)
    values = np.sqrt(np.linalg.eigvalsh((z.T @ z).double().numpy()).clip(0))
    p = values / values.sum() + 1e-7
    assert effective_rank(z) == pytest.approx(float(np.exp(-(p * np.log(p)).sum())), rel=1e-4)


def test_equal_features_have_no_spread():
    assert spread(torch.ones(50, 8)) == pytest.approx(0, abs=1e-6)
    assert effective_rank(torch.ones(50, 8)) == pytest.approx(1, abs=0.01)
    assert effective_rank(torch.zeros(50, 8)) == 1.0
    assert spread(torch.randn(500, 64)) == pytest.approx(1, abs=0.01)
