"""Views and crops of images with any number of channels: the same on both paths, light varied band by band."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from sslstudio.learning.backbones.encoder import MEAN, STD, normalisation
from sslstudio.learning.evaluation.attention import to_input
from sslstudio.learning.methods.base import ViewSpec
from sslstudio.learning.segmentation.crops import CropSampler, normalised, recoloured
from sslstudio.learning.segmentation.labelled import Painted, shrunk_pixels
from sslstudio.learning.training import views as v
from sslstudio.recipes.presets import PRESETS, Augmentation

STILL = Augmentation(
    crop_low=1.0, flip_horizontal=0, brightness=0, contrast=0, saturation=0, hue=0, jitter=0, grey=0, blur=0
)


def smooth(channels, count=6, side=128):
    small = np.random.default_rng(0).integers(0, 255, (count, channels, 9, 9)).astype(np.float32)
    large = torch.nn.functional.interpolate(torch.from_numpy(small), size=side, mode="bicubic").clamp(0, 255)
    return large.permute(0, 2, 3, 1).round().to(torch.uint8).contiguous()


def whole(look):
    """The same look on the whole image as it lies."""
    return replace(look, place=torch.eye(2, 3).expand(len(look.place), 2, 3).clone())


def shown(images, look, size):
    mean, std = (torch.tensor(row).view(1, -1, 1, 1) for row in normalisation(images.shape[3]))
    return v.apply(images, look, size) * std + mean


@pytest.mark.parametrize("channels", [1, 2, 4, 5, 16])
@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize(("size", "crop"), [(64, (0.25, 1.0)), (32, (0.05, 0.25))])
def test_both_paths_make_the_same_views_of_any_channels(channels, preset, size, crop):
    images = smooth(channels)
    spec = ViewSpec(size, 3, crop, replace(PRESETS[preset].augmentation, solarize=0.2))
    look = v.draw(spec, torch.ones(len(images)), torch.Generator().manual_seed(1), channels)
    cpu, tensors = shown(images, look, size), v.apply_tensors(images, look, size)
    assert cpu.shape == tensors.shape == (18, channels, size, size)
    still = look.solarize == 0  # at its threshold a rounding error is a jump
    difference = (cpu - tensors).abs()[still]
    assert float(difference.mean()) < 0.006
    assert float(difference.mean((1, 2, 3)).max()) < 0.015


def test_noise_of_many_large_channels_has_enough_numbers():
    images = smooth(16, count=1, side=600)
    spec = ViewSpec(600, 1, (1.0, 1.0), replace(STILL, noise=0.2))
    look = v.draw(spec, torch.ones(1), torch.Generator().manual_seed(1), 16)
    cpu, tensors = shown(images, look, 600), v.apply_tensors(images, look, 600)
    assert float((cpu - tensors).abs().mean()) < 0.01


def test_nothing_asked_nothing_changed():
    images = smooth(5, side=64)
    look = whole(v.draw(ViewSpec(64, 1, (1.0, 1.0), STILL), torch.ones(6), torch.Generator(), 5))
    assert torch.allclose(shown(images, look, 64), images.permute(0, 3, 1, 2) / 255, atol=1e-5)


def test_the_light_of_each_band_varies_on_its_own():
    images = smooth(5, side=64)
    spec = ViewSpec(64, 1, (1.0, 1.0), replace(STILL, jitter=1.0, brightness=0.3))
    look = whole(v.draw(spec, torch.ones(6), torch.Generator().manual_seed(0), 5))
    means = v.apply_tensors(images, look, 64).mean((2, 3)) / (images.permute(0, 3, 1, 2) / 255).mean((2, 3))
    assert float(means.std(dim=1).min()) > 0.03
    crops = recoloured(images.permute(0, 3, 1, 2), spec.augmentation, torch.Generator().manual_seed(0))
    means = crops.mean((2, 3)) / images.permute(0, 3, 1, 2).float().mean((2, 3))
    assert float(means.std(dim=1).min()) > 0.03


def test_contrast_turns_about_the_bands_own_mean():
    images = smooth(2, side=64) // 2 + 60
    spec = ViewSpec(64, 1, (1.0, 1.0), replace(STILL, jitter=1.0, contrast=0.4))
    look = whole(v.draw(spec, torch.ones(6), torch.Generator().manual_seed(0), 2))
    plain = images.permute(0, 3, 1, 2) / 255
    out = v.apply_tensors(images, look, 64)
    assert torch.allclose(out.mean((2, 3)), plain.mean((2, 3)), atol=0.01)
    assert float((out.std((2, 3)) / plain.std((2, 3)) - 1).abs().max()) > 0.2


def test_normalisation_is_rgbs_for_three_and_its_mean_for_others():
    assert normalisation(3) == (MEAN, STD)
    assert normalisation(5) == ((0.449,) * 5, (0.226,) * 5)
    images = torch.full((2, 5, 8, 8), 0.449 * 255)
    assert float(normalised(images).abs().max()) < 1e-5


@pytest.mark.parametrize("channels", [1, 2, 5])
def test_crops_shrinking_and_input_keep_all_channels(channels):
    rng = np.random.default_rng(0)
    pixels, labels = rng.integers(0, 256, (70, 90, channels), np.uint8), rng.integers(0, 2, (70, 90), np.uint8)
    sampler = CropSampler([Painted("a", pixels, labels)], 2, 64, PRESETS["microscopy"].augmentation, 0)
    batch = sampler.batch(0, 3)
    assert batch.images.shape == (3, channels, 64, 64)
    look = replace(PRESETS["microscopy"].augmentation, blur=2.0, noise=0.1)
    assert recoloured(batch.images, look, torch.Generator()).shape == batch.images.shape
    assert shrunk_pixels(pixels, 4).shape == (18, 23, channels)
    assert to_input(pixels, 16, 64).shape == (1, channels, 48, 64)
