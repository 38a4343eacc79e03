"""How sure a figure is: 95 % intervals for shares, means and paired differences. NumPy and SciPy only.

Sources: Wilson 1927 for a share; Nadeau and Bengio 2003, "Inference for the generalization error", section 3, for
differences between folds, whose training sets overlap.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

SURE = 0.95
_Z = 1.959964  # of the normal distribution, for 95 %


@dataclass(frozen=True)
class Interval:
    """An estimate and the range that holds the true value in 95 of 100 repetitions."""

    value: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether a difference this large would be rare by luck alone."""
        return self.low > 0 or self.high < 0


def share(right: int, of: int) -> Interval:
    """A share of successes with Wilson's interval, which stays within 0 to 1 also for few trials."""
    if of <= 0:
        return Interval(math.nan, 0.0, 1.0)
    p = right / of
    centre = (p + _Z**2 / (2 * of)) / (1 + _Z**2 / of)
    reach = _Z / (1 + _Z**2 / of) * math.sqrt(p * (1 - p) / of + _Z**2 / (4 * of**2))
    return Interval(p, max(0.0, centre - reach), min(1.0, centre + reach))


def mean(values: Sequence[float] | np.ndarray) -> Interval:
    """A mean with Student's interval; without bounds for a single value, which says nothing about its spread."""
    found = np.asarray(values, np.float64)
    if len(found) < 2:
        return Interval(float(found.mean()) if len(found) else math.nan, -math.inf, math.inf)
    return _around(float(found.mean()), float(found.std(ddof=1)) / math.sqrt(len(found)), len(found) - 1)


def paired(ours: Sequence[float], theirs: Sequence[float], *, test_share: float) -> Interval:
    """The mean of ``ours`` minus ``theirs`` over folds, each of which tests on ``test_share`` (0 to 1) of the images.

    Folds share most of their training images, so their differences vary less than those of fresh data would:
    the variance is taken as (1/k + test/train) of theirs, not 1/k.
    """
    differences = np.asarray(ours, np.float64) - np.asarray(theirs, np.float64)
    count = len(differences)
    if count < 2:
        return Interval(float(differences.mean()) if count else math.nan, -math.inf, math.inf)
    variance = float(differences.var(ddof=1)) * (1 / count + test_share / (1 - test_share))
    return _around(float(differences.mean()), math.sqrt(variance), count - 1)


def _around(value: float, error: float, freedom: int) -> Interval:
    reach = float(student.ppf(0.5 + SURE / 2, freedom)) * error
    return Interval(value, value - reach, value + reach)
