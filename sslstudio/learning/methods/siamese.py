"""What BYOL and SimSiam compare two views with."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def negative_cosine(predictions: Tensor, targets: Tensor) -> Tensor:
    """Mean of minus the cosine between predictions and targets, both (B, D); no gradient reaches the targets."""
    return -F.cosine_similarity(predictions, targets.detach(), dim=1).mean()


def across(predictions: Tensor, targets: Tensor) -> Tensor:
    """``negative_cosine`` of each view's prediction with the other view's target, the mean over both ways.

    Both are (2B, D), all first views before all second ones.
    """
    return negative_cosine(predictions, targets.roll(len(targets) // 2, dims=0))
