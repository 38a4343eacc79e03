"""Colorization: Lab beside OpenCV, losses and rebalancing beside slow transcriptions, and folders without colour."""

import math

import cv2
import numpy as np
import pytest
import torch

from sslstudio.errors import UserError
from sslstudio.learning.backbones.encoder import MEAN, STD, create_encoder
from sslstudio.learning.methods.colorization import (
    COUNTED_STEPS,
    LOOKED_AT,
    Colorization,
    classes_loss,
    grey_and_colour,
    rebalanced,
    regression_loss,
    soft_encoding,
)
from sslstudio.learning.methods.lab import colour_bins, lab_to_rgb, rgb_to_lab
from sslstudio.recipes.methods import ColorizationRecipe
from sslstudio.recipes.presets import PRESETS

LOOK = PRESETS["microscopy"].augmentation


def made(backbone="test_resnet", **settings):
    return Colorization(create_encoder(backbone), ColorizationRecipe(**settings), resolution=64, look=LOOK).train()


def pictures(rgb):
    """Normalised as encoders expect."""
    return (rgb - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)


def slow_lab(r, g, b):
    """The definitions of sRGB and Lab with white D65, in Python floats."""
    red, green, blue = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in (r, g, b))
    x = 0.412453 * red + 0.357580 * green + 0.180423 * blue
    y = 0.212671 * red + 0.715160 * green + 0.072169 * blue
    z = 0.019334 * red + 0.119193 * green + 0.950227 * blue
    fx, fy, fz = (t ** (1 / 3) if t > 216 / 24389 else t * 841 / 108 + 4 / 29 for t in (x / 0.950456, y, z / 1.088754))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def test_lab_is_its_definition_and_opencvs():
    rgb = torch.rand(1, 3, 20, 25)
    rgb[0, :, 0, :3] = torch.tensor([[0.0, 1.0, 0.02], [0.0, 1.0, 0.01], [0.0, 1.0, 0.03]])
    lab = rgb_to_lab(rgb)[0].permute(1, 2, 0)
    pixels = rgb[0].permute(1, 2, 0)
    want = torch.tensor([slow_lab(*pixel) for pixel in pixels.flatten(0, 1).double().tolist()])
    assert torch.allclose(lab.flatten(0, 1), want, atol=1e-3)
    # OpenCV interpolates between coarse table entries, hence half a unit.
    theirs = cv2.cvtColor(pixels.numpy(), cv2.COLOR_RGB2Lab)
    assert np.abs(lab.numpy() - theirs).max() < 0.6
    assert np.abs(lab.numpy() - theirs).mean() < 0.15


def test_known_colours_have_their_known_values():
    rgb = torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1], [0, 0, 0]]).T.reshape(1, 3, 5, 1)
    want = [[53.24, 80.09, 67.20], [87.73, -86.18, 83.18], [32.30, 79.19, -107.86], [100, 0, 0], [0, 0, 0]]
    assert torch.allclose(rgb_to_lab(rgb)[0, :, :, 0].T, torch.tensor(want), atol=0.03)


def test_lab_and_back_is_where_it_was():
    rgb = torch.rand(2, 3, 30, 30, dtype=torch.double)
    assert torch.allclose(lab_to_rgb(rgb_to_lab(rgb)), rgb, atol=1e-6)
    assert torch.allclose(lab_to_rgb(rgb_to_lab(rgb.float())), rgb.float(), atol=1e-4)


def test_the_bins_hold_all_colours_of_a_screen():
    bins = colour_bins()
    assert 300 <= len(bins) <= 320  # the paper's: 313
    assert torch.equal(bins, (bins / 10).round() * 10)
    ab = rgb_to_lab(torch.rand(1, 3, 200, 100))[0, 1:].flatten(1).T
    assert torch.cdist(ab, bins).min(dim=1).values.max() <= 10 / math.sqrt(2) + 0.01


def test_the_network_sees_lightness_only():
    rgb = torch.rand(2, 3, 32, 32)
    lab = rgb_to_lab(rgb)
    grey, colour = grey_and_colour(pictures(rgb))
    for channel in range(3):
        assert torch.allclose(grey[:, channel] * STD[channel] + MEAN[channel], lab[:, 0] / 100, atol=1e-4)
    assert torch.allclose(colour[1, 0, 2, 3], lab[1, 1, 16:24, 24:32].mean(), atol=1e-2)
    # Other colours of the same lightness look the same to it.
    other = lab.clone()
    other[:, 1:] *= 0.5
    assert torch.allclose(grey_and_colour(pictures(lab_to_rgb(other)))[0], grey, atol=1e-3)


def slow_nearest(ab, bins):
    """The five nearest bins with Gaussian shares, in Python floats (section 2.2)."""
    distance = sorted((math.dist(ab, centre), q) for q, centre in enumerate(bins))[:5]
    share = [math.exp(-(d**2) / (2 * 5**2)) for d, _ in distance]
    return [(q, s / sum(share)) for (_, q), s in zip(distance, share, strict=True)]


def test_soft_encoding_is_that_of_the_paper():
    bins = colour_bins()
    colour = torch.rand(2, 2, 3, 3) * 100 - 50
    near, share = soft_encoding(colour, bins)
    for b in range(2):
        for y in range(3):
            for x in range(3):
                slow = slow_nearest(colour[b, :, y, x].double().tolist(), bins.double().tolist())
                assert near[b, :, y, x].tolist() == [q for q, _ in slow]
                assert share[b, :, y, x].tolist() == pytest.approx([s for _, s in slow], abs=1e-5)
    far, even = soft_encoding(torch.full((1, 2, 1, 1), 5000.0), bins)
    assert bool(even.isfinite().all())
    assert float(even.sum()) == pytest.approx(1)
    assert far.shape == (1, 5, 1, 1)


@pytest.mark.parametrize("even", [0.0, 0.5, 1.0])
def test_weights_are_equation_4(even):
    method = made()
    colours = torch.rand(len(method.bins)) ** 8 * 1000
    bins = method.bins.double().tolist()
    known = (colours.double() / colours.double().sum()).tolist()
    smooth = [0.0] * len(bins)
    for q, centre in enumerate(bins):  # every bin gives its share away to those around it
        kernel = [math.exp(-(math.dist(centre, other) ** 2) / (2 * 5**2)) for other in bins]
        for p in range(len(bins)):
            smooth[p] += known[q] * kernel[p] / sum(kernel)
    raw = [1 / ((1 - even) * p + even / len(bins)) for p in smooth]
    mean = sum(p * w for p, w in zip(smooth, raw, strict=True))
    got = rebalanced(colours, method.smoothing, even)
    want = torch.tensor([w / mean for w in raw])
    assert torch.allclose(got, want, rtol=1e-3)
    assert float((got * torch.tensor(smooth)).sum()) == pytest.approx(1, abs=1e-4)


def test_the_loss_of_classes_is_equations_2_and_3():
    scores, weights = torch.randn(2, 7, 2, 2), torch.rand(7) + 0.5
    near = torch.stack([torch.randperm(7)[:5] for _ in range(8)]).view(2, 2, 2, 5).permute(0, 3, 1, 2)
    share = torch.rand(2, 5, 2, 2)
    share = share / share.sum(1, keepdim=True)
    total = 0.0
    for b in range(2):
        for y in range(2):
            for x in range(2):
                row = scores[b, :, y, x].double().tolist()
                bottom = math.log(sum(math.exp(v) for v in row))
                cross = sum(
                    float(s) * (bottom - row[q]) for q, s in zip(near[b, :, y, x], share[b, :, y, x], strict=True)
                )
                total += float(weights[near[b, 0, y, x]]) * cross
    assert float(classes_loss(scores, near, share, weights)) == pytest.approx(total / 8, abs=1e-5)


def test_the_loss_of_regression_is_equation_1():
    guess, colour = torch.randn(2, 2, 3, 3), torch.randn(2, 2, 3, 3) * 50
    total = sum(
        0.5 * sum((float(guess[b, c, y, x]) - float(colour[b, c, y, x]) / 110) ** 2 for c in range(2))
        for b in range(2)
        for y in range(3)
        for x in range(3)
    )
    assert float(regression_loss(guess, colour)) == pytest.approx(total / 18, abs=1e-5)


def test_the_folders_colours_are_counted_in_the_first_steps_only():
    method = made()
    near, share = soft_encoding(torch.randn(1, 2, 4, 4) * 30, method.bins)
    for step in range(COUNTED_STEPS + 5):
        method._count(near, share)
        assert float(method.colours.sum()) == pytest.approx(16 * min(step + 1, COUNTED_STEPS), rel=1e-4)
    method.eval()._count(near, share)
    assert int(method.counted) == COUNTED_STEPS + 5
    assert {"colours", "counted"} <= set(method.state_dict())


@pytest.mark.parametrize("target", ["classes", "regression"])
def test_images_without_colour_are_refused_in_a_sentence(target):
    method = made(target=target)
    grey = pictures(torch.rand(4, 1, 64, 64).expand(4, 3, 64, 64))
    for _ in range(LOOKED_AT - 1):
        method((grey,))
    with pytest.raises(UserError, match="no colours"):
        method((grey,))


def test_a_few_coloured_images_among_grey_ones_are_enough():
    method = made()
    images = torch.rand(4, 1, 64, 64).repeat(1, 3, 1, 1)
    images[0, 0] *= 0.5
    for _ in range(LOOKED_AT + 1):
        assert bool(method((pictures(images),)).loss.isfinite())


@pytest.mark.parametrize("backbone", ["test_vit", "test_resnet"])
@pytest.mark.parametrize("target", ["classes", "regression"])
def test_colorization_learns_that_bright_is_red_and_dark_is_blue(backbone, target):
    method = made(backbone, target=target)
    optimiser = torch.optim.AdamW(method.parameters(), 3e-3)
    losses = []
    for _ in range(20):
        light = torch.nn.functional.interpolate(torch.rand(8, 1, 4, 4), size=(64, 64))
        loss = method((pictures(torch.cat([light, 0.3 * torch.ones_like(light), 1 - light], dim=1)),)).loss
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[1]
