"""Rotation prediction: turn an image by quarter turns and ask by how many.

Source: Gidaris et al. 2018, https://arxiv.org/abs/1803.07728, section 3.1 (equations 1 to 3): all four turns of
every image are in the batch.
Differs from the paper: AdamW in place of SGD; colours change as the domain preset says. Its turns and vertical flips
are left out, since after them no answer would be visible; mirroring left to right keeps what is up.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sslstudio.learning.backbones.encoder import Encoder
from sslstudio.learning.methods.base import Method, StepResult, Views, ViewSpec, full_precision, nearest_multiple
from sslstudio.recipes.methods import RotationRecipe
from sslstudio.recipes.presets import Augmentation

TURNS = 4


class Rotation(Method):
    """One view per image, shown in all four ways, and a head that names the way."""

    def __init__(self, encoder: Encoder, recipe: RotationRecipe, *, resolution: int, look: Augmentation) -> None:
        super().__init__()
        self.encoder = encoder
        self.head: nn.Module = nn.Linear(encoder.width, TURNS)
        if recipe.hidden:
            self.head = nn.Sequential(
                nn.Linear(encoder.width, recipe.hidden), nn.ReLU(), nn.Linear(recipe.hidden, TURNS)
            )
        upright = replace(look, flip_vertical=0.0, rotate_quarter=0.0)
        size = nearest_multiple(resolution, encoder.stride)
        self.views = (ViewSpec(size, 1, (look.crop_low, 1.0), upright),)

    def forward(self, views: Views) -> StepResult:
        """Turn every image in all four ways and name them; ``views`` holds one (B, 3, H, H)."""
        scores = self.head(self.encoder(all_turns(views[0]))).float()  # (4B, 4)
        with full_precision(scores.device):
            return StepResult(rotation_loss(scores))


def all_turns(images: Tensor) -> Tensor:
    """The images (B, C, H, H) as they are, then all turned by one quarter to the left, by two, by three: (4B, ...)."""
    turned = torch.cat([images.rot90(turns, (2, 3)) for turns in range(TURNS)])
    channels_last = images.is_contiguous(memory_format=torch.channels_last)
    return turned.contiguous(memory_format=torch.channels_last if channels_last else torch.contiguous_format)


def rotation_loss(scores: Tensor) -> Tensor:
    """Mean cross-entropy of naming the turn, for (4B, 4) in the order of ``all_turns`` (equations 2 and 3)."""
    turn = torch.arange(TURNS, device=scores.device).repeat_interleave(len(scores) // TURNS)
    return F.cross_entropy(scores, turn)
