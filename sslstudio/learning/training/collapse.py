"""Notices when a method's answers no longer depend on the image, from the figures of its steps.

One step proves nothing: the teacher of DINO says the same of all images for some steps of a healthy run, and a
predictor that has just begun does so, too. Hence a mean, or the best, over many steps after the first ones.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from sslstudio.learning.methods.likeness import IMAGES, VIEWS

FIRST, LASTING = 30, 30  # steps that are not judged, and over how many what follows is
SAME = 1 - 1e-4
"""Likeness above which all answers count as one, if it stays above; healthy runs of DINO come below every 20 steps."""
ALIKE, SURELY, CONTRAST, RISING = 0.85, 0.975, 1.3, 1.06
"""Likeness above, and distance of images over distance of views below which answers are one, if that does not rise.
Where answers are surely alike, a rise is noise.

Measured over 60 to 120 steps of SimSiam and BYOL with ResNets and ViTs: collapsing runs have a likeness of 0.9 to 1.0,
a contrast of 0.8 to 1.3 that falls or stands; healthy ones 0.1 to 0.96, and 1.2 rising by a tenth, or 1.4 to 4.3.
"""


class Answers:
    """Keeps the likeness of the last steps' answers; ``collapsed`` judges it."""

    def __init__(self) -> None:
        self._kept: deque[tuple[float, float | None]] = deque(maxlen=LASTING)

    def add(self, step: int, figures: Mapping[str, float]) -> None:
        """Take in the figures of a step; methods that tell no likeness are never judged."""
        if step > FIRST and IMAGES in figures:
            self._kept.append((figures[IMAGES], figures.get(VIEWS)))

    def collapsed(self) -> bool:
        """Whether the answers have been the same for all images, or as good as that, for many steps."""
        if len(self._kept) < LASTING:
            return False
        return min(likeness for likeness, _ in self._kept) > SAME or self._without_contrast()

    def _without_contrast(self) -> bool:
        """Whether answers are alike, and those for two views of one image hardly more than those for two images."""
        pairs = [(1 - likeness, 1 - views) for likeness, views in self._kept if views is not None]
        if not pairs or _contrast(pairs) >= CONTRAST:
            return False
        likeness = 1 - sum(between for between, _ in pairs) / len(pairs)
        before, now = _contrast(pairs[: LASTING // 2]), _contrast(pairs[LASTING // 2 :])
        return likeness > (ALIKE if now < RISING * before else SURELY)


def _contrast(pairs: list[tuple[float, float]]) -> float:
    """How much farther apart images are than views, from their distances step by step."""
    return sum(between for between, _ in pairs) / max(1e-9, sum(within for _, within in pairs))
