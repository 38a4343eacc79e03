"""How far a few labels go: linear probes on 1, 5, 10 and 100 examples per class, drawn several times."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sslstudio.learning.evaluation import intervals
from sslstudio.learning.evaluation.probe import fit, standardised

SHOTS = (1, 5, 10, 100)
DRAWS = 10
_MOST_TESTED = 2000  # samples per draw; more would not change the mean


@dataclass(frozen=True)
class FewShot:
    """Mean recall over the classes (0 to 1) after ``shots`` examples per class, with its interval over draws."""

    shots: int
    value: intervals.Interval
    draws: int


def few_shot(
    features: Tensor,
    labels: Tensor,
    groups: Tensor | None = None,
    *,
    shots: tuple[int, ...] = SHOTS,
    draws: int = DRAWS,
    seed: int = 0,
) -> list[FewShot]:
    """Accuracy per number of examples; a number that some class cannot give (and leave one to test) is left out.

    Of ``groups`` (N,), a random half teaches and the other half is tested, as an image's pixels are all alike.
    """
    ready, truth = standardised(features), labels.numpy()
    owners = None if groups is None else groups.numpy()
    found = []
    for count in shots:
        rng = np.random.default_rng((seed, count))
        values = [_draw(ready, truth, owners, count, rng) for _ in range(draws)]
        known = [value for value in values if value is not None]
        if len(known) >= 2:
            found.append(FewShot(count, intervals.mean(known), len(known)))
    return found


def _draw(
    features: Tensor, labels: np.ndarray, groups: np.ndarray | None, count: int, rng: np.random.Generator
) -> float | None:
    """One draw's balanced accuracy; None where a class has too few examples."""
    teaches = _teaching(labels, groups, rng)
    classes = np.unique(labels)
    chosen = []
    for label in classes:
        members = np.flatnonzero(teaches & (labels == label))
        if len(members) < count:
            return None
        chosen.append(rng.permutation(members)[:count])
    train = np.concatenate(chosen)
    tested = np.ones(len(labels), bool) if groups is None else ~teaches
    tested[train] = False
    test = rng.permutation(np.flatnonzero(tested))[:_MOST_TESTED]
    if set(labels[test]) != set(classes):
        return None
    probe = fit(features[train], torch.from_numpy(labels[train]), int(classes.max()) + 1)
    return balanced(labels[test], probe.guesses(features[test]).numpy())


def _teaching(labels: np.ndarray, groups: np.ndarray | None, rng: np.random.Generator) -> np.ndarray:
    if groups is None:
        return np.ones(len(labels), bool)
    names = rng.permutation(np.unique(groups))
    return np.isin(groups, names[: max(1, len(names) // 2)])


def balanced(truth: np.ndarray, guess: np.ndarray) -> float:
    """The share of each class that was found (0 to 1), averaged over the classes, so that a large one cannot hide."""
    return float(np.mean([(guess[truth == label] == label).mean() for label in np.unique(truth)]))
