"""SparK: sparse convolution and the loss beside slow twins, the mask, and the network that is kept."""

import math

import pytest
import torch
from torch import nn

from sslstudio.errors import UserError
from sslstudio.learning.backbones.encoder import create_encoder
from sslstudio.learning.methods.mae import random_masking
from sslstudio.learning.methods.spark import SparK, sees_only_what_is_visible, visible_levels
from sslstudio.learning.methods.visible_cells import VisibleCells, seeing_only
from sslstudio.recipes.methods import SparKRecipe
from sslstudio.recipes.presets import PRESETS

LOOK = PRESETS["microscopy"].augmentation
CONVOLUTIONAL = ["test_resnet", "test_convnext", "test_efficientnet", "convnextv2_atto"]


def lively(name):
    """An encoder whose every weight matters: gates and scales that begin at zero are moved."""
    encoder = create_encoder(name)
    with torch.no_grad():
        for weight in encoder.parameters():
            if weight.squeeze().dim() < 2:
                weight.add_(0.3 * torch.randn_like(weight))
    return encoder


def some_cells(batch=3, side=3, kept=4):
    keep = torch.stack([torch.randperm(side * side)[:kept] for _ in range(batch)])
    return keep, VisibleCells(keep, side, side)


def shown(keep, side, size):
    """A map (B, 1, size, size) of ones where a cell is visible."""
    seen = torch.zeros(len(keep), side * side).scatter_(1, keep, 1.0).view(-1, 1, side, side)
    return nn.functional.interpolate(seen, size=(size, size), mode="nearest")


def test_cells_come_back_to_their_places():
    keep, cells = some_cells()
    images = torch.randn(3, 5, 12, 12)
    small = cells.cut(images)
    assert small.shape == (12, 5, 4, 4)
    row, column = divmod(int(keep[1, 2]), 3)
    assert torch.equal(small[4 + 2], images[1, :, 4 * row : 4 * row + 4, 4 * column : 4 * column + 4])
    assert torch.equal(cells.put(small), images * shown(keep, 3, 12))


@pytest.mark.parametrize("border", [1, 3, 4])
def test_the_border_is_what_is_visible_around_a_cell(border):
    keep, cells = some_cells()
    images = torch.randn(3, 2, 12, 12)
    padded = nn.functional.pad(images * shown(keep, 3, 12), (border,) * 4)
    got = cells.bordered(cells.cut(images), border)
    for n in range(12):
        row, column = divmod(int(keep.flatten()[n]), 3)
        side = 4 + 2 * border
        want = padded[n // 4, :, 4 * row : 4 * row + side, 4 * column : 4 * column + side]
        assert torch.equal(got[n], want)


def test_gradients_of_the_three_ways_are_exact():
    _, cells = some_cells(batch=2, side=2, kept=3)
    images = torch.randn(2, 2, 6, 6, dtype=torch.double, requires_grad=True)
    small = torch.randn(6, 2, 3, 3, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(cells.cut, images)
    assert torch.autograd.gradcheck(cells.put, small)
    for border in (1, 2, 3):
        assert torch.autograd.gradcheck(lambda x, b=border: cells.bordered(x, b), small)


class SlowSparse:
    """The paper's emulation: dense layers, hidden places set to zero after each, batch norm over visible places."""

    def __init__(self, keep, side):
        self.keep, self.side = keep, side

    def mask(self, x):
        return x * shown(self.keep, self.side, x.shape[-1]).to(x.dtype)

    def norm(self, norm, x):
        seen = shown(self.keep, self.side, x.shape[-1])[:, 0] > 0
        rows = x.permute(0, 2, 3, 1)[seen]  # (n, C)
        mean, variance = rows.mean(0), rows.var(0, unbiased=False)
        y = (x - mean[:, None, None]) / (variance[:, None, None] + norm.eps).sqrt()
        return self.mask(y * norm.weight[:, None, None] + norm.bias[:, None, None])

    def block(self, block, x):
        y = self.norm(block.bn1, self.mask(block.conv1(x))).relu()
        y = self.norm(block.bn2, self.mask(block.conv2(y)))
        if block.downsample is not None:
            conv, norm = [m for m in block.downsample if not isinstance(m, nn.Identity)]
            x = self.norm(norm, self.mask(conv(x)))
        return self.mask((y + x).relu())

    def resnet(self, net, images):
        x = self.norm(net.bn1, self.mask(net.conv1(self.mask(images)))).relu()
        found = [x]
        x = self.mask(net.maxpool(x))
        for layer in (net.layer1, net.layer2, net.layer3, net.layer4):
            for block in layer:
                x = self.block(block, x)
            found.append(x)
        return found


def test_resnet_on_cells_is_the_papers_masking_after_every_layer():
    encoder = lively("resnet18").double().train()
    keep, cells = some_cells(batch=2, side=3, kept=4)
    images = torch.randn(2, 3, 96, 96, dtype=torch.double)
    slow = SlowSparse(keep, 3).resnet(encoder.net, images)
    fast = visible_levels(encoder, images, cells)
    for a, b in zip(fast, slow, strict=True):
        assert torch.allclose(cells.put(a), b, atol=1e-9)
    # The running figures of batch norm are those of visible places only.
    x = encoder.net.conv1(images * shown(keep, 3, 96))
    rows = x.permute(0, 2, 3, 1)[shown(keep, 3, 48)[:, 0] > 0]
    assert torch.allclose(encoder.net.bn1.running_mean, 0.1 * rows.mean(0), atol=1e-9)


@pytest.mark.parametrize("name", CONVOLUTIONAL)
def test_hidden_pixels_change_nothing_of_what_is_visible(name):
    encoder = lively(name).train()
    keep, cells = some_cells()
    images = torch.randn(3, 3, 96, 96)
    mask = shown(keep, 3, 96)
    other = images * mask + (1 - mask) * 50 * torch.randn_like(images)
    for a, b in zip(visible_levels(encoder, images, cells), visible_levels(encoder, other, cells), strict=True):
        assert torch.equal(a, b)
    changed = images.clone()
    changed[mask.expand_as(images) > 0] += 0.1
    assert not torch.equal(visible_levels(encoder, changed, cells)[-1], visible_levels(encoder, images, cells)[-1])


@pytest.mark.parametrize("name", CONVOLUTIONAL)
def test_with_nothing_hidden_the_features_are_the_usual_ones(name):
    encoder = lively(name).eval()
    images = torch.randn(2, 3, 96, 96)
    cells = VisibleCells(torch.arange(9).expand(2, 9), 3, 3)
    for a, b in zip(visible_levels(encoder, images, cells), encoder.feature_levels(images), strict=True):
        assert torch.allclose(cells.put(a), b, rtol=1e-3, atol=1e-3 * float(b.detach().abs().max()))


def test_afterwards_the_network_is_an_ordinary_one():
    encoder = create_encoder("test_resnet")
    images = torch.randn(2, 3, 64, 64)
    before = [level.clone() for level in encoder.eval().feature_levels(images)]
    _, cells = some_cells(batch=2, side=2, kept=2)
    with pytest.raises(RuntimeError, match="in the middle"), seeing_only(encoder.net, cells):
        raise RuntimeError("in the middle")
    visible_levels(encoder, images, cells)
    assert all("forward" not in vars(module) for module in encoder.modules())
    for a, b in zip(before, encoder.feature_levels(images), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize(("size", "kept"), [(128, 6), (224, 20), (64, 2)])
def test_sixty_per_cent_of_the_squares_are_hidden(size, kept):
    method = SparK(create_encoder("test_resnet"), SparKRecipe(), resolution=size, look=LOOK)
    assert method.side == size // 32
    seen = []
    method.encoder.net.conv1[0].register_forward_hook(lambda _m, inputs, _o: seen.append(len(inputs[0])))
    method(batch_for(method, images=3))
    assert seen == [3 * kept]


def batch_for(method, images=4):
    return tuple(torch.randn(spec.count * images, 3, spec.size, spec.size) for spec in method.views)


def slow_loss(prediction, images, hidden, side):
    """Mean squared error to pixels with their own square's mean and spread removed, hidden squares only."""
    total, count, size = 0.0, 0, images.shape[-1] // side
    for b in range(len(images)):
        for n in range(side * side):
            if not hidden[b, n]:
                continue
            top, left = n // side * size, n % side * size
            goal = images[b, :, top : top + size, left : left + size].double().flatten().tolist()
            guess = prediction[b, :, top : top + size, left : left + size].double().flatten().tolist()
            mean = sum(goal) / len(goal)
            spread = math.sqrt(sum((v - mean) ** 2 for v in goal) / (len(goal) - 1) + 1e-6)
            total += sum((g - (v - mean) / spread) ** 2 for g, v in zip(guess, goal, strict=True)) / len(goal)
            count += 1
    return total / count


def test_the_loss_is_that_of_hidden_squares_only():
    method = SparK(create_encoder("test_resnet"), SparKRecipe(decoder_width=32), resolution=64, look=LOOK)
    guesses = []
    method.decoder.register_forward_hook(lambda _m, _i, out: guesses.append(out.detach()))
    images = torch.randn(3, 3, 64, 64) * 2 + 1
    torch.manual_seed(5)
    loss = method((images,)).loss
    torch.manual_seed(5)
    _, hidden, _ = random_masking(3, 4, 0.6, images.device)
    assert float(loss.detach()) == pytest.approx(slow_loss(guesses[0], images, hidden, 2), abs=1e-5)


@pytest.mark.parametrize("name", ["test_resnet", "test_convnext"])
def test_spark_learns_to_fill_in_one_image(name):
    method = SparK(create_encoder(name), SparKRecipe(decoder_width=32), resolution=64, look=LOOK)
    rows = torch.arange(64).float()
    image = torch.sin(rows[None, :, None] / 6) * torch.cos(rows[None, None, :] / 9) * torch.ones(3, 1, 1)
    views = (image[None].repeat(8, 1, 1, 1),)
    optimiser = torch.optim.AdamW(method.parameters(), 3e-3)
    losses = []
    for _ in range(60):
        loss = method(views).loss
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.3 * losses[0]


@pytest.mark.parametrize("name", ["edgenext_xx_small", "test_vit"])
def test_a_network_that_mixes_all_positions_is_refused(name):
    encoder = create_encoder(name)
    with pytest.raises(UserError, match=f"SparK cannot hide parts of an image from “{name}”"):
        SparK(encoder, SparKRecipe(), resolution=64, look=LOOK)


def test_networks_with_gates_over_the_whole_image_can_be_trained():
    assert sees_only_what_is_visible(create_encoder("mobilenetv3_small_100"))
