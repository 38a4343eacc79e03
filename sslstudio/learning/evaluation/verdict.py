"""Did it help? Scores of folds into one sentence that claims no more than they show. No torch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sslstudio.language import later, tr
from sslstudio.learning.evaluation import intervals

NAMES = {
    "random": later("random weights"),
    "start": later("the published weights alone"),
    "domain": later("pretraining on your images"),
}


@dataclass(frozen=True)
class Comparison:
    """One start against another: the difference in overlap (mIoU, -1 to 1), its interval, and what that means.

    ``shown`` says whether luck is ruled out; ``low`` and ``high`` are missing where one fold is all there is.
    """

    better: str
    than: str
    difference: float
    low: float | None
    high: float | None
    shown: bool
    sentence: str

    def values(self) -> dict[str, Any]:
        """As plain values for JSON."""
        return asdict(self)


def compare(
    scores: Mapping[str, Sequence[float]], one: str, other: str, *, masks: int, test_share: float
) -> Comparison:
    """``one`` against ``other`` from their ``scores`` (mIoU per fold, paired)."""
    found = intervals.paired(scores[one], scores[other], test_share=test_share)
    bounded = math.isfinite(found.low)
    before, after = (sum(scores[name]) / len(scores[name]) for name in (other, one))
    return Comparison(
        one,
        other,
        found.value,
        found.low if bounded else None,
        found.high if bounded else None,
        found.excludes_zero,
        _sentence(found, one, other, masks, (before, after)),
    )


def _sentence(found: intervals.Interval, one: str, other: str, masks: int, overlaps: tuple[float, float]) -> str:
    points, reach = 100 * found.value, 100 * (found.high - found.value)
    if not math.isfinite(reach):
        return tr(
            "The time was enough for one comparison ({points:+.1f} points), which proves nothing. Give it more minutes."
        ).format(points=points)
    figures = tr("{points:+.1f} ± {reach:.1f} points").format(points=points, reach=reach)
    if not found.excludes_zero:
        return tr("No difference could be shown with {masks} masks: {figures}.").format(masks=masks, figures=figures)
    overlap = tr("overlap {before:.0f} % → {after:.0f} %").format(before=100 * overlaps[0], after=100 * overlaps[1])
    way = tr("helped") if points > 0 else tr("did harm")
    answer = tr("Yes") if points > 0 else tr("No")
    return tr("{answer}: compared with {other}, {one} {way} by {figures} ({overlap}).").format(
        answer=answer, other=tr(NAMES[other]), one=tr(NAMES[one]), way=way, figures=figures, overlap=overlap
    )


def primary(comparisons: Sequence[Comparison]) -> Comparison:
    """The comparison that answers the question: pretraining against what it began from."""
    asked = [found for found in comparisons if found.better == "domain"]
    return next((found for found in asked if found.than == "start"), asked[0] if asked else comparisons[0])
