"""Notices when a method's answers no longer depend on the image, from the figures of its steps.

One step proves nothing: the teacher of DINO says the same of all images for some steps of a healthy run, and a
predictor that has just begun does so, too. Hence a mean, or the best, over many steps after the first ones.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from sslstudio.learning.methods.likeness import IMAGES, VIEWS

FIRST, LASTING = 50, 30  # steps that are not judged, and over how many what follows is
SAME = 1 - 1e-4
"""Likeness above which all answers count as one, if it stays above; healthy runs of DINO come below every 20 steps."""
ALIKE = ((0.85, 1.2), (0.97, 2.0))
"""Likeness above which, and distance of images over distance of views below which, answers count as one; either pair.

Chosen on few runs of SimSiam and BYOL of 80 to 120 steps, timm's test_resnet and test_vit, mostly made pictures:
without a stop-gradient a likeness of 0.94 to 1.0 and a contrast of 0.8 to 1.3, so that slow collapses are told late;
healthy 0.1 to 0.95 and 1.4 to 4.3. Before step 80 healthy BYOL looks like the others. Looked at with ResNet-18 and
ViT tiny on real folders (nuclei, roads; 100 to 140 steps of 64): healthy SimSiam and BYOL 0.08 to 0.39 and 4.7 to 200,
healthy DINO at most 0.997; BYOL at 300 times its rate 0.986 and 1.5, which the second pair is for. VICReg without
what keeps images apart had come to 0.84 only: such slow ones are told when they are there.
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
        between, within = (sum(part) for part in zip(*pairs, strict=True)) if pairs else (1.0, 0.0)
        return any(between < (1 - alike) * len(pairs) and between < contrast * within for alike, contrast in ALIKE)
