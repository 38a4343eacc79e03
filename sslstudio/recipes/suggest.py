"""Good values for a data set, as pure functions; each value comes with its reason in plain words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal

from sslstudio.errors import UserError
from sslstudio.language import tr
from sslstudio.recipes.backbones import BACKBONE_NAMES, kind_of
from sslstudio.recipes.channels import suggest_channels
from sslstudio.recipes.finetune import FinetuneRecipe
from sslstudio.recipes.method_rules import Material, Situation, doubts, suggest_method
from sslstudio.recipes.methods import METHODS, BackboneKind, Folder, MethodInfo
from sslstudio.recipes.pretrain import PretrainRecipe
from sslstudio.recipes.settings import build

Device = Literal["cpu", "cuda"]
Sizes = Sequence[tuple[int, int]]
DOUBT = "doubt"  # in place of a setting's key: what speaks against the chosen method
Channels = int | Sequence[int]  # of all images, or of each of them
FILLERS = ("mae", "simmim", "beit", "spark")  # methods that learn by filling gaps with pixels or their names


@dataclass(frozen=True)
class Reason:
    """Why a setting got its suggested value; ``key`` is the setting's, ``text`` one sentence."""

    key: str
    text: str


class _Choices:
    """Values with their reasons, gathered one by one."""

    def __init__(self, **given: Any) -> None:
        self.values: dict[str, Any] = given
        self.reasons: list[Reason] = []

    def add(self, key: str, value: Any, text: str) -> Any:
        """Keep one value with its reason, and return it for what follows from it."""
        self.values[key] = value
        self.reasons.append(Reason(key, text))
        return value


def suggest(
    images: int,
    sizes: Sizes,
    channels: Channels,
    device: Device,
    minutes: float,
    preset: str,
    backbone: str | None = None,
    method: str | None = None,
) -> tuple[PretrainRecipe, tuple[Reason, ...]]:
    """A pretraining recipe for ``images`` images of ``sizes`` (width, height), and why each value was chosen.

    ``channels`` are those of each image, or one number for all. A ``backbone`` or ``method`` that the user chose is
    kept, and the rest is fitted to it.
    """
    if method is not None and method not in METHODS:
        raise UserError(
            tr("There is no method “{method}”.").format(method=method),
            tr("Known methods: {methods}.").format(methods=", ".join(METHODS)),
        )
    choices = _Choices(minutes=minutes, preset=preset)
    backbone = backbone or _backbone(choices, device, method)
    kind = kind_of(backbone)
    resolution = _resolution(choices, sizes, device)
    method = method or _method(choices, Situation(images, resolution, device, minutes, kind))
    if kind not in METHODS[method].backbones:
        raise _misfit(method, backbone)
    counts = _counts(channels)
    material = Material(preset, max(counts), _short_side(sizes) if sizes else 0)
    choices.reasons += [Reason(DOUBT, text) for text in doubts(method, material)]
    _channels(choices, counts, method)
    if max(counts) == 1:
        choices.add("grey", True, tr("The images are grey: views differ in brightness and contrast, not in hue."))
    batch = _pretrain_batch(choices, images, device, resolution, METHODS[method])
    _learning_rate(choices, METHODS[method], kind, batch)
    _warmup(choices, images, batch)
    folder = Folder(images, batch, device, minutes, preset, kind)
    choices.values |= {"backbone": backbone, "method": _method_values(choices, method, folder)}
    return build(PretrainRecipe, choices.values), tuple(choices.reasons)


def why(reasons: Sequence[Reason]) -> str:
    """Why this backbone, this method and other channels than three, in a sentence each; empty where all is usual."""
    texts = {reason.key: reason.text for reason in reasons}
    return " ".join(texts[key] for key in ("backbone", "method", "channels") if key in texts)


def why_channels(reasons: Sequence[Reason]) -> str:
    """Why the network sees so many channels of the images; empty for colour and grey ones."""
    return next((reason.text for reason in reasons if reason.key == "channels"), "")


def doubt_of(reasons: Sequence[Reason]) -> str:
    """What speaks against the chosen method for these images, in a sentence or two; empty in most cases."""
    return " ".join(reason.text for reason in reasons if reason.key == DOUBT)


def in_words(recipe: PretrainRecipe, reasons: Sequence[Reason]) -> str:
    """What will be trained how, why, and what speaks against it, in a few sentences."""
    net = BACKBONE_NAMES.get(recipe.backbone, recipe.backbone)
    told = (
        tr("{name} on {net}.").format(name=METHODS[recipe.method.id].name, net=net),
        why(reasons),
        doubt_of(reasons),
    )
    return " ".join(part for part in told if part)


def _misfit(method: str, backbone: str) -> UserError:
    other = {"vit": tr("a convolutional network such as resnet18"), "conv": tr("a ViT such as vit_tiny_patch16_224")}
    return UserError(
        tr("{name} does not work with the backbone “{backbone}”.").format(name=METHODS[method].name, backbone=backbone),
        tr("Choose {other}, or another method.").format(other=other[kind_of(backbone)]),
    )


def _backbone(choices: _Choices, device: Device, method: str | None) -> str:
    kinds = ("vit", "conv") if method is None else METHODS[method].backbones
    if device == "cuda" and "vit" in kinds:
        # A small ViT learns well from some thousand images and gives attention maps.
        return choices.add("backbone", "vit_small_patch16_224", tr("A GPU is at hand: a small transformer pays."))
    if device == "cuda":
        return choices.add("backbone", "resnet50", tr("The usual convolutional network for a GPU."))
    if "conv" not in kinds:
        return choices.add("backbone", "vit_tiny_patch16_224", tr("The smallest transformer, for a processor."))
    # Convolutions need far fewer images and steps than a transformer before their features are useful.
    return choices.add("backbone", "resnet18", tr("Learns most per minute on a processor."))


def _method(choices: _Choices, situation: Situation) -> str:
    method, reason = suggest_method(situation)
    return choices.add("method", method, reason)


def _counts(channels: Channels) -> Sequence[int]:
    """Channels of every image; 3 where nothing is known."""
    return [channels] if isinstance(channels, int) else [count for count in channels if count > 0] or [3]


def _channels(choices: _Choices, counts: Sequence[int], method: str | None = None) -> None:
    channels, reason = suggest_channels(counts, method)
    if reason:
        choices.add("channels", channels, reason)


def _warmup(choices: _Choices, images: int, batch: int) -> None:
    # A tenth at most: what the rate rises over is lost for learning, and short runs have nothing to lose.
    if images < 10 * batch:
        choices.add("warmup", 0.1, tr("A longer gentle start, because few images make a restless beginning."))
    else:
        choices.add("warmup", 0.05, tr("A short gentle start is enough with so many images."))


def _resolution(choices: _Choices, sizes: Sizes, device: Device) -> int:
    """Side of a view: what the device affords, and no more than the images hold; a multiple of 32."""
    afforded = 224 if device == "cuda" else 128
    short = _short_side(sizes)
    side = max(32, min(afforded, short // 32 * 32))
    if side < afforded:
        return choices.add("resolution", side, tr("The images are only about {short} pixels high.").format(short=short))
    return choices.add("resolution", side, tr("As fine as this device learns from at a good speed."))


def _pretrain_batch(choices: _Choices, images: int, device: Device, resolution: int, info: MethodInfo) -> int:
    # Where the images of a batch are compared, more is better, up to what memory and speed allow; elsewhere a
    # processor's time is better spent on more steps. Measured for DINO, iBOT and DINOv2 on two folders, a minute of
    # one core each: steps of 16 in place of 64 changed the k-NN by -1.3 to +1.7 points and the mIoU of a model
    # fine-tuned from it by -0.4 to +1.2, and took up to a third less memory.
    largest = 256 if device == "cuda" else 64 if info.compares else 16
    if resolution > 224:
        largest //= 4
    batch = max(2, min(largest, _power_of_two(images)))
    if batch < largest:
        return choices.add("batch_size", batch, tr("No larger than the folder: {images} images.").format(images=images))
    if not info.compares:
        return choices.add("batch_size", batch, tr("Images are not compared, so many quick steps teach most."))
    return choices.add("batch_size", batch, tr("As many images to compare per step as this device handles well."))


def _learning_rate(choices: _Choices, info: MethodInfo, kind: BackboneKind, batch: int) -> float:
    # AdamW: square-root rule from values known to train calmly at 64 images per step.
    base = info.rates[0] if kind == "vit" else info.rates[1]
    rate = round(base * (batch / 64) ** 0.5, 6)
    return choices.add(
        "learning_rate", min(rate, 2 * max(info.rates)), tr("Fitted to steps of {batch} images.").format(batch=batch)
    )


def _method_values(choices: _Choices, method: str, folder: Folder) -> dict[str, Any]:
    """The method's id and those of its own settings that it fits to the folder."""
    values: dict[str, Any] = {"id": method}
    for fitted in METHODS[method].recipe.fitted(folder):
        values[fitted.key] = fitted.value
        choices.reasons.append(Reason(f"method.{fitted.key}", fitted.reason))
    return values


def suggest_finetune(
    painted: int,
    sizes: Sizes,
    device: Device,
    minutes: float,
    preset: str,
    backbone: str | None = None,
    pretrained_by: str = "",
    channels: Channels = 3,
) -> tuple[FinetuneRecipe, tuple[Reason, ...]]:
    """A fine-tuning recipe for ``painted`` images with masks of ``sizes`` (width, height), and why.

    ``pretrained_by`` is the method of the pretraining run that it starts from, if any; ``channels`` as in ``suggest``.
    """
    choices = _Choices(minutes=minutes, preset=preset)
    _channels(choices, _counts(channels))
    if pretrained_by in FILLERS:
        # Their features are rich but not sorted by meaning (MAE, section 4.3): frozen they are worth little.
        name = METHODS[pretrained_by].name
        choices.add(
            "frozen_share",
            0.05,
            tr("{name} fills gaps, so its network must learn along soon, not stay frozen.").format(name=name),
        )
        choices.add(
            "unfreeze_blocks", 99, tr("All of a network that {name} has trained learns along.").format(name=name)
        )
    choices.values["backbone"] = backbone or _backbone(choices, device, None)
    short = _short_side(sizes)
    # Large crops show context; a processor affords 256 pixels, and no crop need be larger than the image.
    crop = max(32, min(512 if device == "cuda" else 256, -(-short // 32) * 32))
    choices.add("crop", crop, tr("Fits images about {short} pixels high.").format(short=short))
    # Measured on two cores, 10 masks of road damage, equal time: mIoU 0.400 with 4 crops, 0.375 with 8.
    choices.add("batch_size", 16 if device == "cuda" else 4, tr("More steps in the same time on a processor."))
    if painted < 4:
        choices.add("validation", 0.0, tr("With so few masks, all of them are needed for learning."))
    elif painted < 20:
        # A fifth of ten masks would cost the model more than the finer figure is worth to the user.
        choices.add("validation", 0.1, tr("Masks are few: one in ten is kept to measure, the others teach."))
    else:
        choices.add("validation", 0.2, tr("One mask in five is kept to measure how good the model is."))
    return build(FinetuneRecipe, choices.values), tuple(choices.reasons)


def _short_side(sizes: Sizes) -> int:
    """The usual shorter side in pixels; 256 where nothing is known."""
    return int(median(min(size) for size in sizes)) if sizes else 256


def _power_of_two(number: int) -> int:
    """The largest power of two that is not above ``number``; 1 for less."""
    return 1 << max(0, number.bit_length() - 1)
