"""Views: the tensor path and the CPU path agree, and each parameter does what its name says."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from sslstudio.learning.backbones.encoder import MEAN, STD
from sslstudio.learning.methods.base import ViewSpec
from sslstudio.learning.training import views as v
from sslstudio.recipes.presets import PRESETS, Augmentation

STILL = Augmentation(
    crop_low=1.0, flip_horizontal=0, brightness=0, contrast=0, saturation=0, hue=0, jitter=0, grey=0, blur=0
)


@pytest.fixture(autouse=True)
def _threads():
    torch.set_num_threads(1)


def smooth(count=6, side=128, seed=0):
    small = np.random.default_rng(seed).integers(0, 255, (count, 3, 9, 9)).astype(np.float32)
    large = torch.nn.functional.interpolate(torch.from_numpy(small), size=side, mode="bicubic").clamp(0, 255)
    return large.permute(0, 2, 3, 1).round().to(torch.uint8).contiguous()


def shown(images, spec, seed=0, aspect=None):
    """Views as RGB 0 to 1, as the training device would get them."""
    look = v.draw(spec, torch.ones(len(images)) if aspect is None else aspect, torch.Generator().manual_seed(seed))
    out = v.apply(images, look, spec.size)
    return out * torch.tensor(STD).view(1, 3, 1, 1) + torch.tensor(MEAN).view(1, 3, 1, 1), look


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize(("size", "crop"), [(64, (0.25, 1.0)), (32, (0.05, 0.25)), (48, (0.9, 1.0))])
def test_both_paths_make_the_same_views(preset, size, crop):
    images = smooth()
    spec = ViewSpec(size, 3, crop, replace(PRESETS[preset].augmentation, solarize=0.2))
    cpu, look = shown(images, spec)
    tensors = v.apply_tensors(images, look, size)
    assert cpu.shape == tensors.shape == (18, 3, size, size)
    difference = (cpu - tensors).abs()
    solar = look.solarize > 0  # at its threshold a rounding error is a jump
    assert float(difference[~solar].mean()) < 0.006
    assert float(difference[~solar].mean((1, 2, 3)).max()) < 0.015


def test_same_generator_state_same_views():
    images, spec = smooth(), ViewSpec(32, 2, (0.2, 1.0), PRESETS["microscopy"].augmentation)
    generator = torch.Generator().manual_seed(3)
    v.make_views(images, torch.ones(6), (spec,), generator)
    state = generator.get_state()
    first = v.make_views(images, torch.ones(6), (spec,), generator)[0]
    generator.set_state(state)
    assert torch.equal(v.make_views(images, torch.ones(6), (spec,), generator)[0], first)


def test_nothing_asked_nothing_changed():
    images = smooth(side=64)
    out, _ = shown(images, ViewSpec(64, 1, (1.0, 1.0), STILL), seed=1)
    # A crop of the whole area with another shape is trimmed; look at its middle only.
    same = images.permute(0, 3, 1, 2).float() / 255
    place = torch.tensor([[1.0, 0, 0], [0, 1, 0]]).expand(6, 2, 3)
    look = v.draw(ViewSpec(64, 1, (1.0, 1.0), STILL), torch.ones(6), torch.Generator())
    exact = v.apply(images, replace(look, place=place), 64)
    exact = exact * torch.tensor(STD).view(1, 3, 1, 1) + torch.tensor(MEAN).view(1, 3, 1, 1)
    assert float((exact - same).abs().max()) < 1e-5
    assert out.shape == same.shape


@pytest.mark.parametrize("kind", ["flip_horizontal", "flip_vertical", "rotate_quarter"])
def test_flips_and_turns_only_move_pixels(kind):
    images = smooth(8, side=32)
    spec = ViewSpec(32, 1, (1.0, 1.0), replace(STILL, **{kind: 1.0}))
    look = v.draw(spec, torch.ones(8), torch.Generator().manual_seed(0))
    square = look.place.clone()
    square[:, :, :2] = square[:, :, :2].sign() * (square[:, :, :2].abs() > 1e-6)
    square[:, :, 2] = 0
    out = v.apply(images, replace(look, place=square), 32)
    out = out * torch.tensor(STD).view(1, 3, 1, 1) + torch.tensor(MEAN).view(1, 3, 1, 1)
    source = images.permute(0, 3, 1, 2).float() / 255
    options = {
        "flip_horizontal": [source.flip(3)],
        "flip_vertical": [source.flip(2)],
        "rotate_quarter": [source.rot90(n, (2, 3)) for n in (1, 2, 3)],
    }[kind]
    near = torch.stack([(out - option).abs().amax((1, 2, 3)) for option in options]).amin(0)
    assert float(near.max()) < 0.01


def test_crops_show_the_share_of_the_area_that_was_asked():
    spec = ViewSpec(32, 1, (0.3, 0.6), Augmentation())
    look = v.draw(spec, torch.ones(500), torch.Generator().manual_seed(0))
    area = (look.place[:, 0, :2].abs().sum(1) * look.place[:, 1, :2].abs().sum(1)).numpy()
    assert area.min() > 0.29
    assert area.max() < 0.61
    reach = look.place[:, :, :2].abs().sum(2) + look.place[:, :, 2].abs()
    assert float(reach.max()) <= 1 + 1e-5  # never outside the image


def test_oblong_images_are_cropped_in_their_true_shape():
    spec = ViewSpec(32, 1, (0.2, 0.4), STILL)
    look = v.draw(spec, torch.full((500,), 2.0), torch.Generator().manual_seed(0))
    width, height = look.place[:, 0, 0].abs() * 2.0, look.place[:, 1, 1].abs()
    ratio = (width / height).log()
    assert float(ratio.abs().max()) < np.log(4 / 3) + 1e-4


def test_brightness_contrast_and_grey_do_what_they_say():
    images = smooth()
    # One strength at a time; parameters differ per image.
    _, look = shown(
        images, ViewSpec(64, 1, (1, 1), replace(STILL, jitter=1.0, brightness=0.3, contrast=0, saturation=0, hue=0))
    )
    assert len({round(float(c), 4) for c in look.colour[:, 0, 0]}) == 6
    grey, _ = shown(images, ViewSpec(64, 1, (1, 1), replace(STILL, grey=1.0)))
    assert float((grey.amax(1) - grey.amin(1)).max()) < 0.01
    spec = ViewSpec(64, 1, (1, 1), replace(STILL, jitter=1.0, contrast=0.4, brightness=0, saturation=0, hue=0))
    flat, look = shown(images, spec)
    plain, _ = shown(images, replace(spec, augmentation=STILL))
    factor = look.colour[:, 0, 0]
    lower = factor < 1  # no clipping there
    mean = lambda x: (x.mean((2, 3)) @ torch.tensor(v.LUMA))[lower]  # noqa: E731
    assert torch.allclose(mean(flat), mean(plain), atol=0.01)
    assert torch.allclose(flat.std((1, 2, 3))[lower] < plain.std((1, 2, 3))[lower], torch.tensor(True))


def test_hue_keeps_grey_grey_and_turns_full_circle():
    turn = v._hue_rotation(torch.tensor([0.7, 2 * np.pi]))
    assert torch.allclose(turn[0] @ torch.ones(3), torch.ones(3), atol=1e-5)
    assert torch.allclose(turn[1], torch.eye(3), atol=1e-4)
    assert torch.allclose(torch.tensor(v.LUMA) @ turn[0], torch.tensor(v.LUMA), atol=2e-3)


def test_noise_has_the_drawn_strength():
    images = torch.full((4, 64, 64, 3), 128, dtype=torch.uint8)
    out, look = shown(images, ViewSpec(64, 1, (1, 1), replace(STILL, noise=0.1)))
    assert out.std((1, 2, 3)).tolist() == pytest.approx(look.noise.tolist(), rel=0.05, abs=0.002)


def test_blur_takes_detail_away_from_the_chosen_only():
    images = torch.randint(0, 255, (40, 32, 32, 3), dtype=torch.uint8)
    out, look = shown(images, ViewSpec(32, 1, (1, 1), replace(STILL, blur=0.5)))
    rough = (out[..., 1:] - out[..., :-1]).abs().mean((1, 2, 3))
    chosen = look.blur > 0.5
    assert 0 < int(chosen.sum()) < 40
    assert float(rough[chosen].max()) < float(rough[look.blur == 0].min())
