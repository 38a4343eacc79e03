"""Nearest neighbours among features: guessing a label from those around, and finding images alike.

Source: Wu et al. 2018, https://arxiv.org/abs/1805.01978, section 3.4, as used by DINO: votes weighted by
exp(cosine / 0.07) among the 20 nearest.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

NEIGHBOURS, TEMPERATURE = 20, 0.07
_ROWS = 1024  # compared at a time, so that a large folder needs little memory


def guesses(
    features: Tensor,
    labels: Tensor,
    groups: Tensor | None = None,
    *,
    count: int = NEIGHBOURS,
    temperature: float = TEMPERATURE,
) -> Tensor:
    """For each of (N, D) ``features`` the label (N,) that its nearest neighbours vote for; -1 where nobody may vote.

    Nobody votes for itself or for one of its own of ``groups`` (N,), so that pixels of one image do not help
    each other.
    """
    unit = F.normalize(features.float(), dim=1)
    groups = torch.arange(len(unit)) if groups is None else groups
    classes = int(labels.max()) + 1
    found = []
    for rows in torch.arange(len(unit)).split(_ROWS):
        alike = unit[rows] @ unit.T
        alike[groups[rows][:, None] == groups[None]] = -torch.inf
        near, which = alike.topk(min(count, len(unit)), dim=1)
        weights = ((near - 1) / temperature).exp()  # 0 for those that may not vote; shifted so that none overflows
        votes = torch.zeros(len(rows), classes).scatter_add_(1, labels[which], weights)
        best = votes.argmax(dim=1)
        found.append(best.where(votes.sum(dim=1) > 0, -1))
    return torch.cat(found)
