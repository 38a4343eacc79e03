"""The backbones that the window offers first; any other timm name is accepted too."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

from sslstudio.errors import UserError
from sslstudio.language import later, tr
from sslstudio.recipes.catalogue import catalogue, left_out, made_with


@dataclass(frozen=True)
class BackboneInfo:
    """A row of the backbones' table: ``parameters`` in millions, ``patch`` in pixels (stride for conv)."""

    name: str
    label: str
    kind: Literal["vit", "conv"]
    parameters: float
    patch: int
    summary: str


BACKBONES: dict[str, BackboneInfo] = {
    info.name: info
    for info in (
        BackboneInfo(
            "resnet18", "ResNet-18", "conv", 11.2, 32, later("Convolutional; quick on a CPU, keeps fine detail.")
        ),
        BackboneInfo("resnet50", "ResNet-50", "conv", 23.5, 32, later("Convolutional; for a GPU.")),
        BackboneInfo("convnext_atto", "ConvNeXt atto", "conv", 3.4, 32, later("Small modern convolutional network.")),
        BackboneInfo(
            "convnext_tiny", "ConvNeXt tiny", "conv", 27.8, 32, later("Modern convolutional network; for a GPU.")
        ),
        BackboneInfo(
            "vit_tiny_patch16_224",
            "ViT tiny, 16 px",
            "vit",
            5.5,
            16,
            later("Transformer with attention maps; quick."),
        ),
        BackboneInfo(
            "vit_small_patch16_224",
            "ViT small, 16 px",
            "vit",
            21.7,
            16,
            later("Transformer with attention maps."),
        ),
        BackboneInfo(
            "vit_small_patch8_224",
            "ViT small, 8 px",
            "vit",
            21.7,
            8,
            later("Finer attention maps, four times the work."),
        ),
        BackboneInfo(
            "vit_base_patch16_224", "ViT base, 16 px", "vit", 85.8, 16, later("Large transformer; for a GPU.")
        ),
    )
}

BACKBONE_NAMES: dict[str, str] = {info.name: info.label for info in BACKBONES.values()}


def kind_of(name: str) -> Literal["vit", "conv"]:
    """Whether a timm name is a plain vision transformer or a network with a pyramid of stages."""
    base = name.split(".")[0]
    if base in BACKBONES:
        return BACKBONES[base].kind
    if base in catalogue():
        return catalogue()[base].kind
    return "vit" if name.startswith(("vit_", "deit", "beit", "eva", "dinov")) else "conv"


def check_backbone(name: str) -> None:
    """Raise UserError for a name that no run could use, before there is a run.

    The catalogue decides only where it was made with the timm that is installed: another one may know more.
    """
    base, _, tag = name.partition(".")
    if base.startswith("test_") or not _catalogue_is_whole():  # timm's own small networks for tests
        return
    row = catalogue().get(base)
    if base in left_out():
        raise UserError(
            tr("The backbone “{base}” cannot be used: {left_out}.").format(base=base, left_out=left_out()[base]),
            tr("Choose a ViT, a ResNet or a ConvNeXt."),
        )
    if row is None:
        raise UserError(tr("There is no backbone “{name}”.").format(name=name), _near(base))
    tags = [weights.tag for weights in row.weights if weights.tag]
    if tag and tag not in tags:
        known = (
            tr("Known: {tags}.").format(tags=", ".join(f"{base}.{one}" for one in tags[:4]))
            if tags
            else tr("Choose “{base}”.").format(base=base)
        )
        raise UserError(tr("There are no weights “{tag}” of the backbone “{base}”.").format(tag=tag, base=base), known)


def _near(base: str) -> str:
    """What may have been meant."""
    first = [name for name in catalogue() if name.startswith(base)] if len(base) > 2 else []
    near = first[:3] or difflib.get_close_matches(base, catalogue(), n=3, cutoff=0.7)
    near = near or [name for name in catalogue() if name.startswith(f"{base.split('_')[0]}_")][:3]
    return (
        tr("Similar names: {near}.").format(near=", ".join(near))
        if near
        else tr("“sslstudio backbones --all” lists all names.")
    )


@cache
def _catalogue_is_whole() -> bool:
    try:
        return bool(catalogue()) and made_with() == version("timm")
    except PackageNotFoundError:
        return False
