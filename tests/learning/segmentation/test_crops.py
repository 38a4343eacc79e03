"""Crops show an image and its mask moved alike, around what is painted."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from sslstudio.errors import UserError
from sslstudio.learning.segmentation.crops import CropSampler, recoloured
from sslstudio.learning.segmentation.labelled import Painted, at_scale, choose_shrink, shrunk_labels
from sslstudio.recipes.finetune import FinetuneRecipe
from sslstudio.recipes.presets import PRESETS, Augmentation
from sslstudio.recipes.settings import settings_of


def coded(height=80, width=120):
    """An image whose grey value says its label: 40 per class in stripes."""
    labels = (np.arange(width) // 20 % 3).astype(np.uint8)[None].repeat(height, 0)
    pixels = np.repeat((labels * 40 + 40)[..., None], 3, 2)
    return Painted("a.png", pixels, np.ascontiguousarray(labels))


def test_image_and_mask_are_moved_alike_by_every_preset():
    for preset in PRESETS.values():
        sampler = CropSampler([coded()], 3, 64, preset.augmentation, seed=1)
        batch = sampler.batch(0, 16)
        grey = batch.images[:, 0].float()
        wanted = batch.labels.float() * 40 + 40
        # borders between stripes blend in the image and jump in the mask
        assert ((grey - wanted).abs() < 2).float().mean() > 0.8, preset.id
        assert (batch.labels != 255).all()


def test_strokes_that_shrinking_loses_are_passed_over_and_all_lost_is_told():
    thin = np.full((80, 120), 255, np.uint8)
    thin[41, 41] = 1  # not in the middle of its block of 8 by 8
    pairs = at_scale([coded(), Painted("b.png", np.zeros((80, 120, 3), np.uint8), thin)], 8, Path())
    sampler = CropSampler(pairs, 3, 32, Augmentation(), seed=0)
    for step in range(20):
        assert (sampler.batch(step, 4).labels != 255).any()
    with pytest.raises(UserError, match="nothing of what was painted is left") as error:
        CropSampler(pairs[1:], 3, 32, Augmentation(), seed=0)
    (shrink,) = [entry for entry in settings_of(FinetuneRecipe) if entry.key == "shrink"]
    assert f"“{shrink.label}”" in error.value.advice


def test_a_step_gives_the_same_crops_again():
    sampler = CropSampler([coded()], 3, 32, Augmentation(), seed=4)
    assert torch.equal(sampler.batch(7, 4).images, sampler.batch(7, 4).images)
    assert not torch.equal(sampler.batch(7, 4).images, sampler.batch(8, 4).images)


def test_crops_of_a_large_sparsely_painted_image_hold_paint_and_rare_classes():
    labels = np.full((1500, 1500), 255, np.uint8)
    labels[100:200, 100:200] = 0
    labels[1400:1404, 1400:1404] = 1
    painted = Painted("a.png", np.zeros((1500, 1500, 3), np.uint8), labels)
    batch = CropSampler([painted], 2, 64, Augmentation(), seed=0).batch(0, 400)
    assert ((batch.labels != 255).flatten(1).sum(1) > 0).float().mean() > 0.95
    assert ((batch.labels == 1).flatten(1).sum(1) > 0).float().mean() > 0.2


def test_an_image_smaller_than_the_crop_goes_on_mirrored():
    batch = CropSampler([coded(20, 24)], 3, 64, Augmentation(), seed=0).batch(0, 8)
    assert batch.images.shape == (8, 3, 64, 64)
    assert (batch.images.float().mean((1, 2, 3)) > 30).all()


def test_colours_vary_within_limits_and_grey_stays_grey():
    images = torch.full((6, 3, 16, 16), 128, dtype=torch.uint8)
    calm = dataclasses.replace(Augmentation(), jitter=0.0, grey=0.0, blur=0.0, noise=0.0)
    generator = torch.Generator().manual_seed(0)
    assert torch.allclose(recoloured(images, calm, generator), images.float(), atol=0.5)
    lively = recoloured(images, PRESETS["xray"].augmentation, generator)
    assert lively.min() >= 0
    assert lively.max() <= 255
    assert lively.mean((1, 2, 3)).std() > 1


def test_large_paint_in_large_images_is_shrunk_and_thin_paint_is_not():
    broad, thin = np.zeros((2, 2000, 2000), np.uint8)
    broad[400:1200, 400:1200] = 1
    thin[1000:1003] = 1
    pixels = np.zeros((2000, 2000, 3), np.uint8)
    assert choose_shrink([Painted("a", pixels, broad)], 256) > 1
    assert choose_shrink([Painted("a", pixels, thin)], 256) == 1
    assert choose_shrink([Painted("a", pixels[:300, :300], broad[400:700, 300:600])], 256) == 1


def test_an_image_of_two_crops_is_seen_whole_where_all_its_things_are_broad():
    def painted(width, *, side=512):
        labels = np.zeros((side, side), np.uint8)
        labels[:, 100 : 100 + width] = 1
        return Painted("a", np.zeros((side, side, 3), np.uint8), labels)

    assert choose_shrink([painted(40)], 256) == 2
    assert choose_shrink([painted(16)], 256) == 1
    assert choose_shrink([painted(40), painted(40), painted(9)], 256) == 2  # one of three is no rule
    assert choose_shrink([painted(40, side=400)], 256) == 1


def test_shrinking_keeps_image_and_mask_together(tmp_path):
    pair = coded(81, 121)
    small = at_scale([pair], 3, tmp_path)[0]
    assert small.pixels.shape[:2] == small.labels.shape == (27, 41)
    assert (np.abs(small.pixels[..., 0].astype(int) - (small.labels * 40 + 40)) < 25).mean() > 0.9
    assert shrunk_labels(np.full((4, 4), 255, np.uint8), 2).tolist() == [[255, 255], [255, 255]]
