"""How well features know labels that they never saw: k-NN, linear probe and few-shot, gathered into one row each."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sslstudio.learning.evaluation import intervals
from sslstudio.learning.evaluation.few_shot import FewShot, balanced, few_shot
from sslstudio.learning.evaluation.neighbours import guesses
from sslstudio.learning.evaluation.probe import cross_validated


@dataclass(frozen=True)
class Score:
    """Share of each class that was recognised, averaged over classes (0 to 1), with its interval; and all samples'."""

    value: float
    low: float
    high: float
    accuracy: float


@dataclass(frozen=True)
class Knowledge:
    """All that was measured with one kind of labels; ``chance`` is what guessing gives; ``count`` labelled images."""

    classes: tuple[str, ...]
    count: int
    chance: float
    knn: Score
    probe: Score
    few_shot: tuple[FewShot, ...]

    def values(self) -> dict[str, Any]:
        """As plain values for JSON."""
        return asdict(self)


def knowledge(
    features: Tensor, labels: Tensor, classes: tuple[str, ...], groups: Tensor | None = None, *, seed: int = 0
) -> Knowledge:
    """Measure (N, D) ``features`` against ``labels`` (N,); members of one of ``groups`` (N,) never help each other."""
    present = labels.unique()
    compact = torch.searchsorted(present, labels)
    owners = torch.arange(len(labels)) if groups is None else groups
    return Knowledge(
        tuple(classes[int(label)] for label in present),
        len(owners.unique()),
        1 / len(present),
        _score(compact, guesses(features, compact, groups), owners),
        _score(compact, cross_validated(features, compact, groups, seed=seed), owners),
        tuple(few_shot(features, compact, groups, seed=seed)),
    )


def _score(truth: Tensor, guess: Tensor, owners: Tensor) -> Score:
    """Balanced accuracy; its interval comes from drawing whole images anew, as pixels of one are no new evidence."""
    right, labels, groups = (guess == truth).numpy(), truth.numpy(), owners.numpy()
    value = balanced(labels, guess.numpy())
    low, high = _bootstrapped(right, labels, groups)
    return Score(value, min(low, value), max(high, value), float(right.mean()))


def _bootstrapped(right: np.ndarray, labels: np.ndarray, groups: np.ndarray, draws: int = 1000) -> tuple[float, float]:
    names, group = np.unique(groups, return_inverse=True)
    classes = int(labels.max()) + 1
    hits, all_ = (np.zeros((len(names), classes)) for _ in range(2))
    np.add.at(hits, (group, labels), right)
    np.add.at(all_, (group, labels), 1)
    rng = np.random.default_rng(0)
    values = []
    for _ in range(draws):
        times = np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names))
        found, of = times @ hits, times @ all_
        values.append(float(np.mean(found[of > 0] / of[of > 0])))
    low, high = np.quantile(values, [(1 - intervals.SURE) / 2, (1 + intervals.SURE) / 2])
    return float(low), float(high)
