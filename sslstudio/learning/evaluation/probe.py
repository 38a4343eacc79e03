"""Logistic regression on features that stay as they are: how much of the labels lies open in them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

FOLDS = 5
_ITERATIONS = 200


@dataclass(frozen=True)
class Probe:
    """A linear classifier: scores are ``features @ weights.T + bias``."""

    weights: Tensor  # (K, D)
    bias: Tensor  # (K,)

    def guesses(self, features: Tensor) -> Tensor:
        """The most likely class (N,) of each of (N, D) features."""
        return (features @ self.weights.T + self.bias).argmax(dim=1)


def fit(features: Tensor, labels: Tensor, classes: int, *, penalty: float = 1.0) -> Probe:
    """The minimum of the summed cross-entropy plus ``penalty``/2 times the squared weights (not the bias)."""
    features, labels = features.double(), labels.long()
    weights = torch.zeros(classes, features.shape[1], dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(classes, dtype=torch.float64, requires_grad=True)
    solver = torch.optim.LBFGS(
        [weights, bias], max_iter=_ITERATIONS, tolerance_grad=1e-7, history_size=10, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        solver.zero_grad()
        loss = F.cross_entropy(features @ weights.T + bias, labels, reduction="sum")
        loss = (loss + penalty / 2 * weights.square().sum()) / len(features)
        loss.backward()
        return loss

    solver.step(closure)  # type: ignore[no-untyped-call]
    return Probe(weights.detach().float(), bias.detach().float())


def standardised(features: Tensor) -> Tensor:
    """Each direction of (N, D) with mean 0 and deviation 1; needs no labels, so test features may take part."""
    features = features.float()
    deviation = features.std(dim=0, correction=0)
    return (features - features.mean(dim=0)) / deviation.where(deviation > 1e-6, 1.0)


def folds(labels: np.ndarray, groups: np.ndarray | None = None, *, count: int = FOLDS, seed: int = 0) -> np.ndarray:
    """The fold (N,) of each sample, in which it is tested: groups stay whole, classes are spread evenly.

    Without groups, members of each class are dealt out in turn.
    """
    rng = np.random.default_rng(seed)
    if groups is not None:
        names = rng.permutation(np.unique(groups))
        fold_of = dict(zip(names.tolist(), (np.arange(len(names)) % min(count, len(names))).tolist(), strict=True))
        return np.array([fold_of[group] for group in groups.tolist()])
    found, next_fold = np.zeros(len(labels), int), 0
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        found[members] = (np.arange(len(members)) + next_fold) % count
        next_fold = (next_fold + len(members)) % count
    return found


def cross_validated(features: Tensor, labels: Tensor, groups: Tensor | None = None, *, seed: int = 0) -> Tensor:
    """For each of (N, D) ``features`` the class (N,) that a probe gives which was fitted without its fold."""
    classes = int(labels.max()) + 1
    fold_of = torch.from_numpy(folds(labels.numpy(), None if groups is None else groups.numpy(), seed=seed))
    ready = standardised(features)
    found = torch.full((len(labels),), -1)
    for fold in fold_of.unique():
        test = fold_of == fold
        if not test.all():
            found[test] = fit(ready[~test], labels[~test], classes).guesses(ready[test])
    return found
