"""Which method to suggest, and what speaks against one that was chosen: two tables of rules.

Of the first the first rule that fits decides; of the second each that fits is told.

A rule is changed, moved or added here and nowhere else; ``docs/methods.md`` shows what was measured. On a processor
another method than SimCLR stands here only where it was measured to be better in the same minutes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sslstudio.language import grouped, later, tr, within
from sslstudio.recipes.methods.info import BackboneKind
from sslstudio.recipes.presets import PRESETS


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
        later("Useful after the few steps that a processor makes, also with {images} images."),
    ),
    MethodRule(
        "simclr",
        lambda s: s.minutes < ENOUGH_MINUTES,
        later("In so short a time it gets further than methods with a slow teacher."),
    ),
    MethodRule(
        # The paper's gain over DINO is largest where every place counts, as in segmentation (its section 4.2).
        "ibot",
        lambda s: s.backbone == "vit" and s.images >= ENOUGH_IMAGES and s.side >= ENOUGH_PIXELS,
        later("With a GPU and {images} images it learns about places as well as images, which helps to segment."),
    ),
    MethodRule(
        "dino",
        lambda s: s.backbone == "vit",
        later("The usual best on a GPU with {images} images, and its attention maps find objects."),
    ),
    MethodRule(
        # The paper's ResNet-50 is as good with DINO as with the best others (its table 2).
        "dino",
        lambda s: True,
        later("It works well with convolutional networks on a GPU, and needs no large batch."),
    ),
)


def suggest_method(situation: Situation) -> tuple[str, str]:
    """The id of the method that suits, and why in one sentence."""
    rule = next(rule for rule in RULES if rule.fits(situation))
    return rule.method, tr(rule.reason).format(images=grouped(situation.images))


# what speaks against a method -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Material:
    """What the images of a folder are: ``short`` is their usual shorter side in pixels, 0 where it is unknown."""

    preset: str
    channels: int
    short: int

    @property
    def kind(self) -> str:
        """The preset's name within a sentence."""
        name = tr(PRESETS[self.preset].name)
        return name if name.startswith("X") else within(name)

    @property
    def has_an_up(self) -> bool:
        """Whether the preset keeps what is up at the top: where views may be turned over, nothing is up."""
        look = PRESETS[self.preset].augmentation
        return look.rotate_quarter == 0 and look.flip_vertical == 0


@dataclass(frozen=True)
class Doubt:
    """``method`` is a poor choice where ``fits``; ``text`` says why, and may name {kind} and {short}."""

    method: str
    fits: Callable[[Material], bool]
    text: str


# A ninth of a smaller image is hardly more than two patches of 16 pixels, or two cells of a ResNet's last map.
ENOUGH_FOR_NINTHS = 128

DOUBTS: tuple[Doubt, ...] = (
    Doubt(
        "rotation",
        lambda m: not m.has_an_up,
        later(
            "Rotation learns which way is up, but images of this kind ({kind}) have no up and down: "
            "SimCLR will learn more."
        ),
    ),
    Doubt(
        "colorization",
        lambda m: m.channels == 1,
        later(
            "Colorization learns from colours, but these images are grey: choose another method, for example SimCLR."
        ),
    ),
    Doubt(
        "colorization",
        lambda m: m.channels != 1 and m.preset == "xray",
        later(
            "Colorization learns from colours, and images of this kind ({kind}) seldom have any: "
            "SimCLR will learn more."
        ),
    ),
    Doubt(
        "jigsaw",
        lambda m: 0 < m.short < ENOUGH_FOR_NINTHS,
        later(
            "Jigsaw cuts each image into nine, but these are only about {short} pixels high, so a "
            "part shows too little: SimCLR will learn more."
        ),
    ),
    Doubt(
        "jigsaw",
        lambda m: m.preset in ("microscopy", "satellite"),
        later(
            "Jigsaw learns where in an image a part belongs, but images of this kind ({kind}) often "
            "look alike everywhere: SimCLR will learn more."
        ),
    ),
)


def doubts(method: str, material: Material) -> tuple[str, ...]:
    """What speaks against a method for these images, a sentence each; nothing in most cases."""
    found = (doubt.text for doubt in DOUBTS if doubt.method == method and doubt.fits(material))
    return tuple(tr(text).format(kind=material.kind, short=material.short) for text in found)
