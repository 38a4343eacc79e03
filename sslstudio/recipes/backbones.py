"""The backbones that the window offers first; any other timm name is accepted too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sslstudio.recipes.catalogue import catalogue


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
        BackboneInfo("resnet18", "ResNet-18", "conv", 11.2, 32, "Convolutional; quick on a CPU, keeps fine detail."),
        BackboneInfo("resnet50", "ResNet-50", "conv", 23.5, 32, "Convolutional; for a GPU."),
        BackboneInfo("convnext_atto", "ConvNeXt atto", "conv", 3.4, 32, "Small modern convolutional network."),
        BackboneInfo("convnext_tiny", "ConvNeXt tiny", "conv", 27.8, 32, "Modern convolutional network; for a GPU."),
        BackboneInfo(
            "vit_tiny_patch16_224", "ViT tiny, 16 px", "vit", 5.5, 16, "Transformer with attention maps; quick."
        ),
        BackboneInfo("vit_small_patch16_224", "ViT small, 16 px", "vit", 21.7, 16, "Transformer with attention maps."),
        BackboneInfo(
            "vit_small_patch8_224", "ViT small, 8 px", "vit", 21.7, 8, "Finer attention maps, four times the work."
        ),
        BackboneInfo("vit_base_patch16_224", "ViT base, 16 px", "vit", 85.8, 16, "Large transformer; for a GPU."),
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
