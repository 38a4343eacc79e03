"""Colorization: give an image's lightness to the network and ask for its colours.

Source: Zhang et al. 2016, https://arxiv.org/abs/1603.08511, section 2 (Lab, regression: equation 1; classes with soft
encoding: equation 2; rebalancing by the smoothed colours of the data: equations 3 and 4).
Differs from the paper: the encoder is any backbone, with a small head on all its stages that colours at a stride
of 8 pixels (the paper's: 4); the distribution of colours is that of the folder, counted in the first steps, not
ImageNet's; the bins are the grid points next to any colour of a screen, a few less than the paper's 313;
losses are means over places, with colours in units of 110 in the regression; AdamW.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sslstudio.errors import UserError
from sslstudio.language import tr
from sslstudio.learning.backbones.encoder import MEAN, STD, Encoder
from sslstudio.learning.methods.base import Method, StepResult, Views, ViewSpec, full_precision, nearest_multiple
from sslstudio.learning.methods.lab import colour_bins, rgb_to_lab
from sslstudio.recipes.methods import ColorizationRecipe
from sslstudio.recipes.presets import Augmentation

STRIDE = 8  # pixels per predicted colour
NEIGHBOURS, SIGMA = 5, 5.0  # of the soft encoding (section 2.2) and of the smoothing (footnote there)
COUNTED_STEPS = 50
MOST_AB = 110.0
LOOKED_AT, COLOURFUL, LEAST_SHARE = 5, 6.0, 1e-3
"""Steps after which a folder without colour is refused: fewer than this share of places is this far from grey."""


class Colorization(Method):
    """The encoder sees lightness three times over; the head gives a and b, or scores of their bins."""

    bins: Tensor
    colours: Tensor
    counted: Tensor
    smoothing: Tensor

    def __init__(self, encoder: Encoder, recipe: ColorizationRecipe, *, resolution: int, look: Augmentation) -> None:
        super().__init__()
        self.encoder, self.recipe = encoder, recipe
        self.register_buffer("bins", colour_bins())
        self.register_buffer("colours", torch.zeros(len(self.bins)))
        self.register_buffer("counted", torch.zeros((), dtype=torch.long))
        self.register_buffer("smoothing", _kernel(self.bins), persistent=False)
        self._looked, self._most_colourful = 0, 0.0
        size = nearest_multiple(resolution, max(encoder.stride, STRIDE))
        # What is asked for must stay as it is: no change of colours, and no coloured noise.
        plain = replace(look, jitter=0.0, grey=0.0, blur=0.0, solarize=0.0, noise=0.0)
        self.views = (ViewSpec(size, 1, (look.crop_low, 1.0), plain),)
        self.head = Head(encoder.levels, recipe.head_width, len(self.bins) if recipe.target == "classes" else 2)

    def forward(self, views: Views) -> StepResult:
        """Colour grey copies of the images; ``views`` holds one (B, 3, H, W)."""
        images = views[0]
        with full_precision(images.device), torch.no_grad():
            grey, colour = grey_and_colour(images.float())
            self._refuse_grey(colour)
        guess = self.head(self.encoder.feature_levels(grey.to(images.dtype)), images.shape[-1] // STRIDE).float()
        with full_precision(images.device):
            if self.recipe.target == "regression":
                return StepResult(regression_loss(guess, colour))
            near, share = soft_encoding(colour, self.bins)
            self._count(near, share)
            weights = rebalanced(self.colours, self.smoothing, self.recipe.rebalance)
            return StepResult(classes_loss(guess, near, share, weights))

    @torch.no_grad()
    def _count(self, near: Tensor, share: Tensor) -> None:
        """Add a batch to the folder's colours, in the first steps of a run."""
        if self.training:
            found = torch.zeros_like(self.colours).scatter_add_(0, near.flatten(), share.flatten())
            self.colours += torch.where(self.counted < COUNTED_STEPS, found, torch.zeros_like(found))
            self.counted += 1

    def _refuse_grey(self, colour: Tensor) -> None:
        """Raise UserError when the first batches have shown no colour."""
        if self._looked >= LOOKED_AT or not self.training:
            return
        self._looked += 1
        share = float((colour.norm(dim=1) > COLOURFUL).float().mean())
        self._most_colourful = max(self._most_colourful, share)
        if self._looked == LOOKED_AT and self._most_colourful < LEAST_SHARE:
            raise UserError(
                tr("These images have no colours, so there is nothing to learn from colouring them."),
                tr("Choose another method, for example SimCLR or, with a convolutional backbone, SparK."),
            )


def grey_and_colour(images: Tensor) -> tuple[Tensor, Tensor]:
    """Of normalised images (B, 3, H, W): lightness as an input of that shape, and ab (B, 2, H/8, W/8)."""
    mean, std = images.new_tensor(MEAN).view(3, 1, 1), images.new_tensor(STD).view(3, 1, 1)
    lab = rgb_to_lab((images * std + mean).clamp(0, 1))
    grey = (lab[:, :1] / 100 - mean) / std
    if images.is_contiguous(memory_format=torch.channels_last):
        grey = grey.contiguous(memory_format=torch.channels_last)
    return grey, F.avg_pool2d(lab[:, 1:], STRIDE)


class Head(nn.Module):
    """All of the encoder's stages at one size, added, and two convolutions on top."""

    def __init__(self, levels: tuple[tuple[int, int], ...], width: int, out: int) -> None:
        super().__init__()
        self._used = [
            number for number, (_, stride) in enumerate(levels) if stride >= STRIDE or number + 1 == len(levels)
        ]
        self.enter = nn.ModuleList(nn.Conv2d(levels[number][0], width, 1) for number in self._used)
        self.body = nn.Sequential(
            nn.BatchNorm2d(width), nn.ReLU(), nn.Conv2d(width, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, out, 1)
        )

    def forward(self, levels: list[Tensor], side: int) -> Tensor:
        """(B, out, side, side) from the stages' features."""
        parts = [
            F.interpolate(enter(levels[number]), size=(side, side), mode="bilinear", align_corners=False)
            for enter, number in zip(self.enter, self._used, strict=True)
        ]
        return self.body(torch.stack(parts).sum(0))


def regression_loss(guess: Tensor, colour: Tensor) -> Tensor:
    """Half the mean squared distance of (B, 2, h, w) from ab in units of 110 (equation 1)."""
    return 0.5 * (guess - colour / MOST_AB).square().sum(dim=1).mean()


def soft_encoding(colour: Tensor, bins: Tensor) -> tuple[Tensor, Tensor]:
    """The 5 bins nearest to each place of ab (B, 2, h, w), nearest first, and their shares: both (B, 5, h, w)."""
    points = colour.permute(0, 2, 3, 1)
    distance = torch.cdist(points.flatten(0, 2), bins, compute_mode="donot_use_mm_for_euclid_dist")
    nearest, number = distance.topk(NEIGHBOURS, dim=1, largest=False)
    # Relative to the nearest one, so that colours far outside all bins do not divide zero by zero.
    share = torch.exp((nearest[:, :1].square() - nearest.square()) / (2 * SIGMA**2))
    share = share / share.sum(dim=1, keepdim=True)
    shape = points.shape[:3]
    return number.unflatten(0, shape).permute(0, 3, 1, 2), share.unflatten(0, shape).permute(0, 3, 1, 2)


def rebalanced(colours: Tensor, smoothing: Tensor, even: float) -> Tensor:
    """Weights (Q,) of the bins from how often each was counted: rare colours count more (equation 4).

    Their mean over the smoothed distribution of colours is 1.
    """
    known = colours / colours.sum().clamp(min=1e-12)
    smooth = smoothing @ known
    smooth = smooth / smooth.sum().clamp(min=1e-12)
    weights = 1 / ((1 - even) * smooth + even / len(colours)).clamp(min=1e-6)
    return weights / (smooth * weights).sum().clamp(min=1e-12)


def _kernel(bins: Tensor) -> Tensor:
    """Gaussian weights between all bins (Q, Q); each bin gives away 1 in all."""
    kernel = torch.exp(-torch.cdist(bins, bins).square() / (2 * SIGMA**2))
    return kernel / kernel.sum(dim=0, keepdim=True)


def classes_loss(scores: Tensor, near: Tensor, share: Tensor, weights: Tensor) -> Tensor:
    """Mean weighted cross-entropy between scores (B, Q, h, w) and softly encoded colours (equations 2 and 3).

    ``near`` and ``share`` as from ``soft_encoding``; a place weighs as its nearest bin.
    """
    cross = -(share * scores.log_softmax(dim=1).gather(1, near)).sum(dim=1)  # (B, h, w)
    return (weights[near[:, 0]] * cross).mean()
