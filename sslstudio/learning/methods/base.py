"""What every self-supervised method is to the loop: a module with an encoder, wished-for views and a loss."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from sslstudio.learning.backbones.encoder import Encoder
from sslstudio.recipes.presets import Augmentation


@dataclass(frozen=True)
class ViewSpec:
    """``count`` square views of ``size`` pixels, each showing a share of the image's area within ``crop``."""

    size: int
    count: int
    crop: tuple[float, float]
    augmentation: Augmentation


Views = tuple[Tensor, ...]
"""One tensor (count * B, 3, size, size) per ``ViewSpec``, normalised; first view of all images, then second."""


@dataclass(frozen=True)
class StepResult:
    """The loss to minimise (a scalar) and other figures worth plotting (a Tensor of one number is read when told)."""

    loss: Tensor
    figures: dict[str, float | Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class Position:
    """Where in the run a step is: ``share`` done (0 to 1) and how many steps the whole run may have."""

    share: float = 0.0
    expected_steps: int = 1000


class Method(nn.Module, ABC):
    """Owns heads, loss, momentum copies and masks; knows no optimiser, device, logger or file.

    ``encoder`` is what is kept when training ends. The loop sets ``position`` before every step, and before
    every forward pass ``pictures`` (B,), which says which picture each image is (None where that is unknown).
    Random numbers come from torch's default generators, whose state the loop keeps with the checkpoint.
    """

    encoder: Encoder
    views: tuple[ViewSpec, ...]
    position: Position = Position()
    pictures: Tensor | None = None

    @abstractmethod
    def forward(self, views: Views) -> StepResult:
        """The loss of one batch; ``views`` holds one tensor per entry of ``self.views``."""

    def begin_from_scratch(self) -> None:
        """Set weights that suit a new, random encoder; not called for one that has learned already."""

    def before_update(self) -> None:
        """Change gradients after the backward pass, before they are clipped and applied."""

    def after_step(self) -> None:
        """Slow copies follow: momentum teacher, queue."""


def full_precision(device: torch.device) -> torch.autocast:
    """Within it nothing is rounded to bf16: sums of exponentials and small differences need the digits."""
    return torch.autocast(device.type, enabled=False)


def two_views(encoder: Encoder, resolution: int, look: Augmentation) -> tuple[ViewSpec, ...]:
    """Two views of every image with the preset's look, as near to ``resolution`` pixels as the backbone allows."""
    return (ViewSpec(nearest_multiple(resolution, encoder.stride), 2, (look.crop_low, 1.0), look),)


def nearest_multiple(size: int, stride: int) -> int:
    """The multiple of ``stride`` nearest to ``size``, at least one stride (pixels)."""
    return max(1, round(size / stride)) * stride
