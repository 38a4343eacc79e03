"""Which method to suggest: a table of rules, of which the first that fits decides.

A rule is changed, moved or added here and nowhere else; ``docs/methods.md`` shows what was measured. On a processor
another method than SimCLR stands here only where it was measured to be better in the same minutes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sslstudio.recipes.methods.info import BackboneKind


@dataclass(frozen=True)
class Situation:
    """What the choice of a method depends on; ``side`` is the view's side in pixels."""

    images: int
    side: int
    device: Literal["cpu", "cuda"]
    minutes: float
    backbone: BackboneKind


@dataclass(frozen=True)
class MethodRule:
    """``method`` is suggested where ``fits``; ``reason`` is one sentence that may name {images}."""

    method: str
    fits: Callable[[Situation], bool]
    reason: str


# Steps that a GPU makes in ten minutes; with fewer a slow teacher is still close to the random network it began as.
ENOUGH_MINUTES = 10
# Some hundred images are seen so often that hidden patches can be known by heart.
ENOUGH_IMAGES = 1000
# Hidden blocks need a grid to lie in: 6 by 6 patches of 16 pixels.
ENOUGH_PIXELS = 96

RULES: tuple[MethodRule, ...] = (
    MethodRule(
        "simclr",
        lambda s: s.device == "cpu",
        "Useful after the few steps that a processor makes, also with {images} images.",
    ),
    MethodRule(
        "simclr",
        lambda s: s.minutes < ENOUGH_MINUTES,
        "In so short a time it gets further than methods with a slow teacher.",
    ),
    MethodRule(
        # The paper's gain over DINO is largest where every place counts, as in segmentation (its section 4.2).
        "ibot",
        lambda s: s.backbone == "vit" and s.images >= ENOUGH_IMAGES and s.side >= ENOUGH_PIXELS,
        "With a GPU and {images} images it learns about places as well as images, which helps to segment.",
    ),
    MethodRule(
        "dino",
        lambda s: s.backbone == "vit",
        "The usual best on a GPU with {images} images, and its attention maps find objects.",
    ),
    MethodRule(
        # The paper's ResNet-50 is as good with DINO as with the best others (its table 2).
        "dino",
        lambda s: True,
        "It works well with convolutional networks on a GPU, and needs no large batch.",
    ),
)


def suggest_method(situation: Situation) -> tuple[str, str]:
    """The id of the method that suits, and why in one sentence."""
    rule = next(rule for rule in RULES if rule.fits(situation))
    return rule.method, rule.reason.format(images=f"{situation.images:,}")
