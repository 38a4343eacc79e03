"""Health of features without labels: how many directions they use, and how far they differ.

Sources: Garrido et al. 2022, "RankMe", https://arxiv.org/abs/2210.02885, section 3 (equation 1); the deviation is
that of Chen and He 2020, "SimSiam", https://arxiv.org/abs/2011.10566, section 4.1.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def effective_rank(features: Tensor) -> float:
    """Exponential of the entropy of the normalised singular values of (N, D): 1 to min(N, D)."""
    values = torch.linalg.svdvals(features.float().cpu())
    total = values.sum()
    if not bool(total > 0):
        return 1.0
    p = values / total + 1e-7
    return float(torch.exp(-(p * p.log()).sum()))


def spread(features: Tensor) -> float:
    """How much the directions of features (N, D) differ: 0 when all are the same, near 1 when all ways are used."""
    unit = F.normalize(features.float(), dim=1)
    return float((unit - unit.mean(dim=0)).square().sum(dim=1).mean().sqrt())


def deviation(features: Tensor) -> float:
    """Mean standard deviation of the entries of unit features (N, D) times √D: 0 when collapsed, 1 for noise."""
    unit = F.normalize(features.float(), dim=1)
    return float(unit.std(dim=0, correction=0).mean() * features.shape[1] ** 0.5)
