"""Rotation prediction: the turns, the loss beside a slow transcription, and an answer that stays visible."""

import math

import pytest
import torch

from sslstudio.learning.backbones.encoder import create_encoder
from sslstudio.learning.methods.rotation import Rotation, all_turns, rotation_loss
from sslstudio.recipes.methods import RotationRecipe
from sslstudio.recipes.presets import PRESETS


@pytest.mark.parametrize("memory", [torch.contiguous_format, torch.channels_last])
def test_every_image_is_there_in_all_four_ways(memory):
    images = torch.randn(3, 2, 5, 5).contiguous(memory_format=memory)
    turned = all_turns(images).unflatten(0, (4, 3))
    for turns in range(4):
        for y in range(5):
            for x in range(5):
                to_y, to_x = y, x
                for _ in range(turns):  # a quarter to the left
                    to_y, to_x = 4 - to_x, to_y
                assert torch.equal(turned[turns, :, :, to_y, to_x], images[:, :, y, x])
    assert all_turns(images).is_contiguous(memory_format=memory)


def test_the_loss_is_equation_2_over_all_turns_of_all_images():
    scores = torch.randn(12, 4)
    total = 0.0
    for image in range(3):
        for turn in range(4):
            row = scores[turn * 3 + image].double().tolist()
            total -= math.log(math.exp(row[turn]) / sum(math.exp(v) for v in row)) / 4
    assert float(rotation_loss(scores)) == pytest.approx(total / 3, abs=1e-5)


@pytest.mark.parametrize("preset", PRESETS)
def test_views_are_never_turned_or_stood_on_their_head(preset):
    method = Rotation(create_encoder("test_vit"), RotationRecipe(), resolution=64, look=PRESETS[preset].augmentation)
    assert [(v.augmentation.rotate_quarter, v.augmentation.flip_vertical) for v in method.views] == [(0.0, 0.0)]
    assert method.views[0].augmentation.brightness == PRESETS[preset].augmentation.brightness


@pytest.mark.parametrize("backbone", ["test_vit", "test_resnet"])
@pytest.mark.parametrize("hidden", [0, 32])
def test_rotation_learns_where_up_is(backbone, hidden):
    look = PRESETS["natural"].augmentation
    method = Rotation(create_encoder(backbone), RotationRecipe(hidden=hidden), resolution=64, look=look)
    optimiser = torch.optim.AdamW(method.parameters(), 1e-3)
    sky = torch.linspace(2, -2, 64).view(1, 1, 64, 1)  # bright above
    losses = []
    for _ in range(15):
        loss = method((sky + 0.3 * torch.randn(8, 3, 64, 64),)).loss
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[0] > 1.0
    assert losses[-1] < 0.7
