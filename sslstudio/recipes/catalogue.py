"""Every backbone that the program can use, read from a data file: no torch, no timm, a few milliseconds.

The file is made by ``packaging/backbone_catalogue.py`` and shipped: the window never loads timm (seconds, and half
a gigabyte), a first start need not wait for a worker to look through 1,300 networks, and the list is the same on
every machine that has the same version. A timm name that is not in it can be typed all the same.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

_PACKED = Path(__file__).parents[1] / "resources" / "backbones.csv"  # in the wheel
_SOURCE = Path(__file__).parents[2] / "resources" / "backbones.csv"  # in a checkout
FILE = _PACKED if _PACKED.exists() else _SOURCE
COLUMNS = ("name", "family", "kind", "parameters", "patch", "size", "fixed", "gflops", "activations", "weights")


@dataclass(frozen=True)
class Weights:
    """Published weights: timm's tag, the licence as published ("" where none is stated), the size in pixels."""

    tag: str
    licence: str
    size: int


@dataclass(frozen=True)
class Backbone:
    """A network that gives feature maps or patch tokens.

    ``patch`` is the side of a patch, or the stride of the coarsest map, in pixels; ``size`` the side of the images
    that it was made for; ``fixed`` whether other sizes are stretched to that one. ``gflops`` are 10⁹ operations of
    a forward pass and ``activations`` the megabytes (32-bit) kept for the backward pass, of one 224-pixel image.
    """

    name: str
    family: str
    kind: Literal["vit", "conv"]
    parameters: int
    patch: int
    size: int
    fixed: bool
    gflops: float
    activations: float
    weights: tuple[Weights, ...]

    @property
    def licence(self) -> str:
        """The licence of the default weights; empty where there are none or none is stated."""
        return self.weights[0].licence if self.weights else ""


@cache
def catalogue() -> dict[str, Backbone]:
    """All backbones by name, in timm's order; empty where the data file is missing."""
    try:
        text = FILE.read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    return {row["name"]: _backbone(row) for row in csv.DictReader(line for line in text if not line.startswith("#"))}


LEFT_OUT = "# left out: "


@cache
def left_out() -> dict[str, str]:
    """Networks of timm that this program cannot use, and why in a few words."""
    try:
        text = FILE.read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    rows = (line.removeprefix(LEFT_OUT).partition(": ") for line in text if line.startswith(LEFT_OUT))
    return {name: reason for name, _, reason in rows}


def made_with() -> str:
    """The version of timm that the data file was made with."""
    first = FILE.read_text(encoding="utf-8").split(";", 1)[0]
    return first.removeprefix("# timm ").strip()


def _backbone(row: dict[str, str]) -> Backbone:
    return Backbone(
        name=row["name"],
        family=FAMILIES.get(row["family"], row["family"].replace("_", " ").capitalize()),
        kind="vit" if row["kind"] == "vit" else "conv",
        parameters=int(row["parameters"]),
        patch=int(row["patch"]),
        size=int(row["size"]),
        fixed=row["fixed"] == "1",
        gflops=float(row["gflops"]),
        activations=float(row["activations"]),
        weights=tuple(_weights(part) for part in row["weights"].split()),
    )


def _weights(part: str) -> Weights:
    tag, licence, size = part.rsplit(":", 2)
    return Weights("" if tag == "-" else tag, "" if licence == "-" else licence, int(size))


def find(text: str, family: str = "") -> list[Backbone]:
    """Backbones with every word of ``text`` in their name, family or weights, and of ``family`` where given."""
    words = text.lower().split()
    return [
        row
        for row in catalogue().values()
        if (not family or row.family == family) and all(word in _haystack(row) for word in words)
    ]


def _haystack(row: Backbone) -> str:
    tags = " ".join(f"{weights.tag} {weights.licence}" for weights in row.weights)
    return f"{row.name} {row.family} {row.kind} {tags}".lower()


def families() -> dict[str, int]:
    """How many backbones each family has, by name."""
    found: dict[str, int] = {}
    for row in catalogue().values():
        found[row.family] = found.get(row.family, 0) + 1
    return dict(sorted(found.items(), key=lambda item: item[0].lower()))


# timm's modules in the names that people know.
FAMILIES = {
    "vision_transformer": "ViT",
    "vision_transformer_hybrid": "ViT with convolutions",
    "vision_transformer_relpos": "ViT, relative positions",
    "vision_transformer_sam": "ViT of Segment Anything",
    "eva": "EVA and rotary ViT",
    "deit": "DeiT",
    "beit": "BEiT",
    "resnet": "ResNet",
    "resnetv2": "ResNet v2",
    "resnest": "ResNeSt",
    "res2net": "Res2Net",
    "byobnet": "ResNet variants",
    "convnext": "ConvNeXt",
    "efficientnet": "EfficientNet",
    "mobilenetv3": "MobileNet v3",
    "mobilenetv5": "MobileNet v5",
    "regnet": "RegNet",
    "nfnet": "NFNet",
    "maxxvit": "MaxViT, CoAtNet",
    "metaformer": "MetaFormer",
    "swin_transformer": "Swin",
    "swin_transformer_v2": "Swin v2",
    "swin_transformer_v2_cr": "Swin v2 (CR)",
    "hrnet": "HRNet",
    "hieradet_sam2": "Hiera of SAM 2",
    "hgnet": "HGNet",
    "cspnet": "CSPNet",
    "densenet": "DenseNet",
    "senet": "SENet",
    "sknet": "SKNet",
    "vgg": "VGG",
    "dla": "DLA",
    "pvt_v2": "PVT v2",
    "naflexvit": "NaFlex ViT",
    "mlp_mixer": "MLP-Mixer",
    "cait": "CaiT",
    "xcit": "XCiT",
    "volo": "VOLO",
    "davit": "DaViT",
    "fastvit": "FastViT",
    "levit": "LeViT",
    "rexnet": "ReXNet",
    "vovnet": "VoVNet",
    "tiny_vit": "TinyViT",
    "repvit": "RepViT",
    "mvitv2": "MViT v2",
    "pit": "PiT",
    "edgenext": "EdgeNeXt",
    "ghostnet": "GhostNet",
    "repghost": "RepGhostNet",
    "focalnet": "FocalNet",
    "mambaout": "MambaOut",
    "gcvit": "GC ViT",
    "dpn": "DPN",
    "coat": "CoaT",
    "efficientformer": "EfficientFormer",
    "efficientformer_v2": "EfficientFormer v2",
    "efficientvit_mit": "EfficientViT (MIT)",
    "efficientvit_msra": "EfficientViT (Microsoft)",
    "byoanet": "ResNet variants with attention",
    "gemma4_vit": "Gemma 4 ViT",
    "hiera": "Hiera",
    "iformer": "iFormer",
    "inception_resnet_v2": "Inception-ResNet v2",
    "inception_v3": "Inception v3",
    "inception_v4": "Inception v4",
    "lowformer": "LowFormer",
    "nasnet": "NASNet",
    "nest": "NesT",
    "pnasnet": "PNASNet",
    "selecsls": "SelecSLS",
    "sequencer": "Sequencer",
    "shvit": "SHViT",
    "starnet": "StarNet",
    "swiftformer": "SwiftFormer",
    "tnt": "TNT",
    "tresnet": "TResNet",
    "twins": "Twins",
    "visformer": "Visformer",
    "vitamin": "ViTamin",
    "xception": "Xception",
    "xception_aligned": "Xception, aligned",
}
