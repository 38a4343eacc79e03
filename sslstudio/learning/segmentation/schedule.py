"""When what learns: the phases of a fine-tuning run and the learning rate within them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sslstudio.language import tr
from sslstudio.recipes.finetune import FinetuneRecipe

_WARMUP = 0.03  # share of the time in which the rate rises, at the start and after unfreezing


@dataclass(frozen=True)
class Stage:
    """From share ``start`` of the time on, the last ``blocks`` blocks of the encoder learn with the decoder."""

    text: str
    start: float
    blocks: int


@dataclass(frozen=True)
class Schedule:
    """The stages of a run; ``backbone_rate`` is the encoder's learning rate as a share of the decoder's."""

    stages: tuple[Stage, ...]
    backbone_rate: float

    def stage(self, share: float) -> Stage:
        """The stage at ``share`` (0 to 1) of the time."""
        return [stage for stage in self.stages if stage.start <= share or stage.start == 0][-1]

    def rate(self, share: float) -> float:
        """The learning rate at ``share`` of the time, as a share of the highest: a rise per stage, then a cosine."""
        rise = min(1.0, (share - self.stage(share).start) / _WARMUP + 0.02)
        return rise * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(share, 1.0))))


def plan(recipe: FinetuneRecipe, *, trained: bool) -> Schedule:
    """The stages for an encoder that has learned something (``trained``) or nothing yet.

    Random features are nothing worth protecting: such an encoder learns from the start and at the full rate.
    """
    if not trained and recipe.unfreeze_blocks:
        return Schedule((Stage(tr("Training encoder and decoder"), 0.0, recipe.unfreeze_blocks),), 1.0)
    first = Stage(tr("Training the decoder"), 0.0, 0)
    if recipe.unfreeze_blocks == 0 or recipe.frozen_share >= 1:
        return Schedule((first,), recipe.backbone_rate)
    second = Stage(tr("Fine-tuning the last blocks"), recipe.frozen_share, recipe.unfreeze_blocks)
    stages = (first, second) if recipe.frozen_share > 0 else (second,)
    return Schedule(stages, recipe.backbone_rate)
