"""SimMIM: the loss against a slow transcription, whole squares hidden, and what the encoder sees of them."""

import pytest
import torch

from sslstudio.errors import UserError
from sslstudio.learning.backbones.encoder import create_encoder
from sslstudio.learning.methods.registry import create_method
from sslstudio.learning.methods.simmim import SimMIM, simmim_loss
from sslstudio.recipes.methods import SimMIMRecipe
from sslstudio.recipes.presets import PRESETS

LOOK = PRESETS["microscopy"].augmentation


def made(resolution=128, **settings):
    return SimMIM(create_encoder("test_vit"), SimMIMRecipe(**settings), resolution=resolution, look=LOOK)


def test_loss_is_the_mean_absolute_error_of_hidden_pixels():
    prediction, target = torch.randn(3, 4, 6), torch.randn(3, 4, 6) * 2 + 1
    hidden = torch.tensor([[1, 0, 1, 0], [0, 0, 1, 1], [1, 1, 1, 0]]).bool()
    errors = [
        abs(float(prediction[b, n, c]) - float(target[b, n, c]))
        for b in range(3)
        for n in range(4)
        for c in range(6)
        if hidden[b, n]
    ]
    found = float(simmim_loss(prediction, target, hidden))
    assert found == pytest.approx(sum(errors) / len(errors), abs=1e-5)


def test_pixels_that_are_seen_pull_at_nothing():
    prediction = torch.randn(2, 4, 6, requires_grad=True)
    hidden = torch.tensor([[1, 0, 1, 0], [0, 0, 0, 1]]).bool()
    simmim_loss(prediction, torch.randn(2, 4, 6), hidden).backward()
    assert bool((prediction.grad[hidden] != 0).all())
    assert bool((prediction.grad[~hidden] == 0).all())


def masks_of(method, images=3):
    """The masks of one step, as the encoder gets them."""
    seen = []
    tokens = method.encoder.tokens
    method.encoder.tokens = lambda *a, **kw: seen.append(kw["hidden"]) or tokens(*a, **kw)
    spec = method.views[0]
    method((torch.randn(images, 3, spec.size, spec.size),))
    return seen[0]


def test_three_fifths_are_hidden_in_squares_of_32_pixels():
    hidden = masks_of(made()).view(3, 4, 2, 4, 2)  # 8 x 8 patches of 16 pixels
    units = hidden.permute(0, 1, 3, 2, 4).flatten(3)
    assert torch.equal(units.all(-1), units.any(-1))
    assert units.all(-1).sum((1, 2)).tolist() == [10, 10, 10]  # of 16


def test_squares_are_never_wider_than_half_the_view():
    assert masks_of(made(32)).sum(1).tolist() == [2, 2, 2]  # of 4 patches
    assert masks_of(made(128, mask_size=128)).sum(1).tolist() == [32, 32, 32]  # 2 of 4 squares


def test_what_is_hidden_does_not_reach_the_encoder():
    method = made(64)
    images = torch.randn(2, 3, 64, 64)
    hidden = torch.zeros(2, 16, dtype=torch.bool)
    hidden[:, 5] = True  # row 1, column 1
    other = images.clone()
    other[:, :, 16:32, 16:32] = torch.randn(2, 3, 16, 16)
    see = lambda x: method.encoder.tokens(x, hidden=hidden, stand_in=method.mask_token)  # noqa: E731
    assert torch.equal(see(images), see(other))
    assert not torch.equal(see(images), see(images + 1))


def test_the_head_is_one_layer_and_all_that_is_trained_gets_a_gradient():
    method = made(64)
    assert isinstance(method.head, torch.nn.Linear)
    method((torch.randn(4, 3, 64, 64),)).loss.backward()
    assert all(p.grad is not None for p in method.parameters())


def test_simmim_learns_to_fill_in_one_image():
    method = made(64, mask_ratio=0.5, mask_size=16)
    method.begin_from_scratch()
    rows = torch.arange(64).float()
    image = torch.sin(rows[None, :, None] / 6) * torch.cos(rows[None, None, :] / 9) * torch.ones(3, 1, 1)
    optimiser = torch.optim.AdamW(method.parameters(), 1e-3)
    losses = []
    for _ in range(150):
        loss = method((image[None].repeat(8, 1, 1, 1),)).loss
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert sum(losses[-10:]) < 0.6 * sum(losses[:10])


def test_a_convolutional_network_is_refused_with_a_way_out():
    with pytest.raises(UserError) as error:
        create_method(create_encoder("test_resnet"), SimMIMRecipe(), resolution=64, look=LOOK)
    assert "SimMIM cannot train “test_resnet”" in error.value.problem
    assert "SimCLR" in error.value.advice
