"""How alike a method's answers are: what a collapse shows in, when batch norm hides it from the features.

A network with batch norm blows up whatever small differences are left between the images of a batch, so that its
features seem rich although the method's answers are the same for all of them.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

FEWEST = 4  # images of a step, below which a mean over pairs says little
IMAGES, VIEWS = "likeness", "likeness_of_views"  # the figures' names


@torch.no_grad()
def of_images(answers: Tensor) -> dict[str, float | Tensor]:
    """The mean cosine between answers (B, D) for different images: 1 where all are the same."""
    if len(answers) < FEWEST:
        return {}
    unit = F.normalize(answers.detach().float(), dim=1)
    together = unit.sum(dim=0).square().sum() - unit.square().sum()  # over all pairs of different rows
    return {IMAGES: together / (len(unit) * (len(unit) - 1))}


@torch.no_grad()
def of_images_and_views(answers: Tensor) -> dict[str, float | Tensor]:
    """Beside ``of_images`` that of an image's two views; ``answers`` (2B, D), all first views before all second ones.

    Healthy answers are more alike for the views of one image than for different images.
    """
    first, second = F.normalize(answers.detach().float(), dim=1).chunk(2)
    if len(first) < FEWEST:
        return {}
    same = (first * second).sum()
    different = (first.sum(dim=0) * second.sum(dim=0)).sum() - same
    count = len(first)
    return {IMAGES: different / (count * (count - 1)), VIEWS: same / count}
