"""Cuts views from a batch of images: crop, flip, turn, colour, blur, noise, all images at once.

Every image gets its own parameters, drawn from an explicit generator on the CPU (so a run can be resumed
exactly); ``draw`` makes them, ``apply`` carries them out on whatever device the images are. Crop, flip
and quarter turn are one resampling; brightness, contrast, saturation, hue and grey are one 3x3 matrix. Images
with other than three channels have no colour: brightness and contrast of each channel vary on their own.
On a CPU the same parameters go to OpenCV's kernels: measured, a tenth of the tensor operations' time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from sslstudio.learning.backbones.encoder import normalisation
from sslstudio.learning.methods.base import Views, ViewSpec
from sslstudio.learning.training import views_cpu
from sslstudio.learning.training.views_cpu import LUMA, NOISE_BANK

TAPS = 7  # of the blur, at the view's resolution


@dataclass(frozen=True)
class Look:
    """Parameters of V views of B images (all first views, then all second ones); N = V * B.

    ``place`` (N, 2, 3) maps output to input coordinates, both -1 to 1; ``colour`` (N, 3, 3) takes RGB 0 to 1 to
    its new value, to which ``pivot`` (N,) of the view's mean grey is added (see ``_colour``); for other channels
    both are (N, C): a factor of each channel, and how much of its own mean is added. ``blur`` (N,) is sigma in
    pixels, 0 for none; ``noise`` (N,) a standard deviation; ``solarize`` (N,) is 1 where it applies.
    """

    place: Tensor
    colour: Tensor
    pivot: Tensor
    blur: Tensor
    noise: Tensor
    noise_at: Tensor
    solarize: Tensor


def draw(spec: ViewSpec, aspect: Tensor, generator: torch.Generator, channels: int = 3) -> Look:
    """Choose parameters for ``spec.count`` views of every image; ``aspect`` (B,) is true width over height."""
    aspect = aspect.repeat(spec.count).float()
    count, look = len(aspect), spec.augmentation
    dice = torch.rand(24, count, generator=generator)
    place = _place(spec, aspect, dice[:10])
    if channels == 3:
        colour, pivot = _colour(spec, dice[10:18])
    else:
        colour, pivot = _light(spec, dice[10], torch.rand(2, count, channels, generator=generator))
    sigma = torch.where(dice[18] < look.blur, 0.1 + dice[19] * (0.1 + spec.size / 90), torch.zeros(count))
    noise_at = (dice[22].double() * max(0, NOISE_BANK - channels * spec.size**2)).long()
    return Look(place, colour, pivot, sigma, dice[20] * look.noise, noise_at, (dice[21] < look.solarize).float())


def _place(spec: ViewSpec, aspect: Tensor, dice: Tensor) -> Tensor:
    """Random resized crop, flips and quarter turns as (N, 2, 3); shapes are true to the uncropped image."""
    low, high = spec.crop
    area = low + (high - low) * dice[0]
    ratio = torch.exp((dice[1] * 2 - 1) * math.log(4 / 3))
    width, height = (area * aspect * ratio).sqrt(), (area * aspect / ratio).sqrt()  # in image heights
    fit = torch.minimum(torch.ones_like(width), torch.minimum(aspect / width, 1 / height))
    width, height = width * fit / aspect, height * fit  # as shares of the image
    x, y = (dice[2] * 2 - 1) * (1 - width), (dice[3] * 2 - 1) * (1 - height)
    look = spec.augmentation
    mirror = 1 - 2 * (dice[4] < look.flip_horizontal).float()
    topple = 1 - 2 * (dice[5] < look.flip_vertical).float()
    turns = torch.where(dice[6] < look.rotate_quarter, 1 + (dice[7] * 3).floor().clamp(max=2), torch.zeros_like(x))
    cos, sin = torch.cos(turns * math.pi / 2).round(), torch.sin(turns * math.pi / 2).round()
    top = torch.stack([width * mirror * cos, -width * mirror * sin, x], dim=1)
    bottom = torch.stack([height * topple * sin, height * topple * cos, y], dim=1)
    return torch.stack([top, bottom], dim=1)


def _colour(spec: ViewSpec, dice: Tensor) -> tuple[Tensor, Tensor]:
    """One 3x3 matrix per view for brightness, contrast, saturation, hue and grey, and the weight of the mean.

    The view becomes ``matrix @ rgb + pivot * matrix_brightness * mean_grey``: contrast turns about the mean.
    """
    look, count = spec.augmentation, dice.shape[1]
    on = (dice[0] < look.jitter).float()
    sway = (dice[1:5] * 2 - 1) * on
    bright, contrast = 1 + sway[0] * look.brightness, 1 + sway[1] * look.contrast
    saturation = 1 + sway[2] * look.saturation
    saturation = torch.where(dice[5] < look.grey, torch.zeros(count), saturation)
    grey = torch.tensor(LUMA).expand(3, 3)
    angle = sway[3] * look.hue * 2 * math.pi
    mixed = _hue_rotation(angle)
    mixed = saturation[:, None, None] * mixed + (1 - saturation)[:, None, None] * grey
    return mixed * (bright * contrast)[:, None, None], bright * (1 - contrast)


def _light(spec: ViewSpec, jitter: Tensor, dice: Tensor) -> tuple[Tensor, Tensor]:
    """A factor for every channel, and the share of its own mean that is added, both (N, C): contrast about the mean.

    ``jitter`` (N,) decides which views change at all, ``dice`` (2, N, C) by how much.
    """
    look = spec.augmentation
    sway = (dice * 2 - 1) * (jitter < look.jitter).float()[:, None]
    bright, contrast = 1 + sway[0] * look.brightness, 1 + sway[1] * look.contrast
    return bright * contrast, bright * (1 - contrast)


def _hue_rotation(angle: Tensor) -> Tensor:
    """Turn colours about the grey axis by ``angle`` (N,) in radians, keeping luma: (N, 3, 3)."""
    to_yiq = torch.tensor([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])
    turn = torch.zeros(len(angle), 3, 3)
    turn[:, 0, 0] = 1
    turn[:, 1, 1] = turn[:, 2, 2] = angle.cos()
    turn[:, 1, 2], turn[:, 2, 1] = -angle.sin(), angle.sin()
    return torch.linalg.inv(to_yiq) @ turn @ to_yiq


def apply(images: Tensor, look: Look, size: int) -> Tensor:
    """Carry out ``look`` on uint8 images (B, H, W, C): normalised float views (V * B, C, size, size)."""
    if images.device.type == "cpu":
        views = views_cpu.apply(images.numpy(), look, size)
        return torch.from_numpy(views).permute(0, 3, 1, 2)  # channels last in memory, as convolutions like it
    return normalise(apply_tensors(images, look, size))


def apply_tensors(images: Tensor, look: Look, size: int) -> Tensor:
    """Carry out ``look`` by tensor operations: views (V * B, C, size, size), 0 to 1, not yet normalised."""
    device = images.device
    source = images.permute(0, 3, 1, 2).contiguous().float().div_(255)
    source = _shrunk(source, look, size)
    place = on_pixels(look.place, images.shape[1], images.shape[2], size).to(device, non_blocking=True)
    views = torch.cat([_resample(source, part, size) for part in place.split(len(source))])
    views = _recolour(views, look)
    views = _blurred(views, look.blur)
    if bool((look.noise > 0).any()):
        views += _noise(look, views.shape, device)
    views = views.clamp_(0, 1)
    solarize = look.solarize.to(device)[:, None, None, None] > 0
    return torch.where(solarize & (views >= 0.5), 1 - views, views) if bool((look.solarize > 0).any()) else views


def on_pixels(place: Tensor, height: int, width: int, size: int) -> Tensor:
    """Move the edges of every crop of ``place`` (N, 2, 3) to pixel edges, as ``views_cpu.boxes`` does."""
    found = torch.from_numpy(views_cpu.boxes(place.numpy(), height, width, size)).float()
    sides = torch.tensor([width, height])
    low, high = found[:, :2] / sides, found[:, 2:] / sides  # (N, 2), 0 to 1
    stretch = (high - low) / place[:, :, :2].abs().sum(dim=2)
    return torch.cat([place[:, :, :2] * stretch[:, :, None], (low + high - 1)[:, :, None]], dim=2)


def _shrunk(source: Tensor, look: Look, size: int) -> Tensor:
    """Halve the images while even the smallest crop keeps two pixels per view pixel: no aliasing, less work."""
    smallest = float(look.place[:, :, :2].abs().amax(dim=(1, 2)).min()) * min(source.shape[-2:])
    while smallest >= 2 * size:
        source, smallest = F.avg_pool2d(source, 2), smallest / 2
    return source


def _resample(source: Tensor, place: Tensor, size: int) -> Tensor:
    """Bilinear samples of every image at its own affine grid, (B, C, size, size)."""
    line = (torch.arange(size, device=source.device) * 2 + 1) / size - 1
    x, y = line.view(1, 1, size, 1), line.view(1, size, 1, 1)
    grid = place[:, None, None, :, 0] * x + place[:, None, None, :, 1] * y + place[:, None, None, :, 2]
    return F.grid_sample(source, grid, mode="bilinear", padding_mode="reflection", align_corners=False)


def _recolour(views: Tensor, look: Look) -> Tensor:
    """Apply the colour matrices; the mean grey of each view (of each channel, without colours) is the pivot."""
    colour, pivot = look.colour.to(views.device), look.pivot.to(views.device)
    if views.shape[1] != 3:
        return views * colour[..., None, None] + views.mean(dim=(2, 3), keepdim=True) * pivot[..., None, None]
    grey = views.mean(dim=(2, 3)) @ torch.tensor(LUMA, device=views.device)  # (N,)
    return torch.einsum("nij,njhw->nihw", colour, views) + (pivot * grey)[:, None, None, None]


def _blurred(views: Tensor, sigma: Tensor) -> Tensor:
    """Gaussian blur of the chosen views by two passes of a grouped convolution."""
    chosen = torch.nonzero(sigma > 0).flatten()
    if not len(chosen):
        return views
    index = chosen.to(views.device)
    kernels = blur_kernels(sigma[chosen]).to(views.device).repeat_interleave(views.shape[1], dim=0)  # (C n, TAPS)
    some = views[index].flatten(0, 1)[None]  # (1, C n, H, W)
    half, groups = TAPS // 2, len(kernels)
    some = F.pad(some, (half, half, half, half), mode="reflect")
    some = F.conv2d(some, kernels[:, None, None, :], groups=groups)
    some = F.conv2d(some, kernels[:, None, :, None], groups=groups)
    views[index] = some[0].unflatten(0, (len(chosen), views.shape[1]))
    return views


def blur_kernels(sigma: Tensor) -> Tensor:
    """Gaussians with these widths (n,) in pixels, (n, TAPS), each summing to 1."""
    place = torch.arange(TAPS) - TAPS // 2
    kernels = torch.exp(-0.5 * (place / sigma[:, None]) ** 2)
    return kernels / kernels.sum(dim=1, keepdim=True)


_banks: dict[torch.device, Tensor] = {}


def _noise(look: Look, shape: torch.Size, device: torch.device) -> Tensor:
    """Gaussian noise (N, C, H, W) cut at random places from one bank: fresh noise costs as much as the crops."""
    if device not in _banks:
        _banks[device] = torch.from_numpy(views_cpu.noise_bank()).to(device)
    count = math.prod(shape[1:])
    bank = _banks[device].repeat(-(-count // NOISE_BANK)) if count > NOISE_BANK else _banks[device]
    pieces = bank.unfold(0, count, 1)[look.noise_at.to(device)]
    noise = (pieces * look.noise.to(device)[:, None]).view(shape[0], *shape[2:], shape[1])
    return noise.permute(0, 3, 1, 2)


def normalise(views: Tensor) -> Tensor:
    """Shift and scale channels of 0 to 1 to what encoders expect."""
    mean, std = (torch.tensor(row, device=views.device).view(1, -1, 1, 1) for row in normalisation(views.shape[1]))
    return (views - mean) / std


def make_views(images: Tensor, aspect: Tensor, specs: tuple[ViewSpec, ...], generator: torch.Generator) -> Views:
    """All views that a method wants from uint8 images (B, H, W, C); one tensor per spec."""
    return tuple(apply(images, draw(spec, aspect, generator, images.shape[3]), spec.size) for spec in specs)
