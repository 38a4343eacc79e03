"""Losses in which an unpainted pixel does not exist: weighted cross-entropy and Dice."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from sslstudio.learning.segmentation.metrics import IGNORED


def segmentation_loss(logits: Tensor, labels: Tensor, weights: Tensor, dice: float) -> Tensor:
    """Weighted cross-entropy plus ``dice`` times the Dice loss; logits (B, K, H, W), labels (B, H, W) integers.

    Pixels labelled 255 add nothing, neither to the value nor to any gradient.
    """
    logits = logits.float()
    loss = weighted_cross_entropy(logits, labels, weights)
    return loss + dice * dice_loss(logits, labels) if dice > 0 else loss


def weighted_cross_entropy(logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """Cross-entropy, a weighted mean over painted pixels with weights (K,); 0 when nothing is painted."""
    labels = labels.long()
    total = F.cross_entropy(logits, labels, weights, ignore_index=IGNORED, reduction="sum")
    painted = labels != IGNORED
    weight = (weights[labels.clamp(max=len(weights) - 1)] * painted).sum()
    return total / weight.clamp(min=1e-6)


def dice_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """1 - 2 Σpt / (Σp + Σt) over painted pixels of the batch, mean over the classes painted in it."""
    classes, labels = logits.shape[1], labels.long()
    painted = labels != IGNORED
    truth = F.one_hot(labels.where(painted, 0), classes).movedim(-1, 1) * painted[:, None]  # (B, K, H, W)
    # ``where`` and not a product, so that no gradient, not even a rounded one, reaches unpainted pixels.
    guess = logits.softmax(1).where(painted[:, None], 0.0)
    overlap = (guess * truth).sum((0, 2, 3))
    size = truth.sum((0, 2, 3))
    score = (2 * overlap + 1.0) / (guess.sum((0, 2, 3)) + size + 1.0)
    present = size > 0
    return ((1 - score) * present).sum() / present.sum().clamp(min=1)


def class_weights(pixels: np.ndarray, balance: float) -> Tensor:
    """Weights (K,) from painted pixels per class: uniform at ``balance`` 0, inverse frequency at 1.

    Scaled so that the mean over painted pixels is 1; a class nobody painted weighs nothing.
    """
    share = pixels / max(pixels.sum(), 1)
    # Below a thousandth of the pixels the weights stop growing: a handful of pixels must not rule the run.
    weights = np.where(pixels > 0, np.maximum(share, 1e-3) ** -balance, 0.0)
    return torch.tensor(weights / max((weights * share).sum(), 1e-12), dtype=torch.float32)
