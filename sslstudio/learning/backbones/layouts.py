"""Whose checkpoint is it: the names that others give to weights, turned into timm's; and which backbone fits them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import timm
import torch
from torch import Tensor

Renames = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Piece:
    """A tensor under timm's name, and the names in the file that it was made from."""

    value: Tensor
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Dialect:
    """A way of naming: ``marker`` is found in some name of a file that speaks it; what is before a match stays."""

    label: str
    marker: str
    renames: Renames


_START = r"(?:^|(?<=\.))"  # where a name begins, after whatever prefix

_DINO_FAMILY: Renames = (
    (r"blocks\.\d+\.(\d+)\.(?=[a-z])", r"blocks.\1."),  # blocks in chunks, as large models are trained
    (_START + r"(?:register|storage)_tokens$", "reg_token"),
    (r"\.mlp\.w12\.", ".mlp.fc1."),
    (r"\.mlp\.w1\.", ".mlp.fc1_g."),
    (r"\.mlp\.w2\.", ".mlp.fc1_x."),
    (r"\.mlp\.w3\.", ".mlp.fc2."),
)
_TORCHVISION_VIT: Renames = (
    (_START + r"class_token$", "cls_token"),
    (_START + r"conv_proj\.", "patch_embed.proj."),
    (_START + r"encoder\.pos_embedding$", "pos_embed"),
    (_START + r"encoder\.ln\.", "norm."),
    (_START + r"encoder\.layers\.encoder_layer_(\d+)\.", r"blocks.\1."),
    (r"(blocks\.\d+)\.ln_([12])\.", r"\1.norm\2."),
    (r"\.self_attention\.in_proj_(weight|bias)$", r".attn.qkv.\1"),
    (r"\.self_attention\.out_proj\.", ".attn.proj."),
    (r"\.mlp\.(?:0|linear_1)\.", ".mlp.fc1."),
    (r"\.mlp\.(?:3|linear_2)\.", ".mlp.fc2."),
)
_CONVNEXT_BLOCK: Renames = (
    (r"\.block\.0\.", ".conv_dw."),
    (r"\.block\.2\.", ".norm."),
    (r"\.block\.3\.", ".mlp.fc1."),
    (r"\.block\.5\.", ".mlp.fc2."),
    (r"(stages\.\d+\.blocks\.\d+)\.layer_scale$", r"\1.gamma"),
)
_TORCHVISION_CONVNEXT: Renames = (
    (_START + r"features\.0\.", "stem."),
    *((_START + rf"features\.{2 * s + 1}\.(\d+)\.", rf"stages.{s}.blocks.\1.") for s in range(4)),
    *((_START + rf"features\.{2 * s}\.(\d)\.", rf"stages.{s}.downsample.\1.") for s in range(1, 4)),
    *_CONVNEXT_BLOCK,
)
_CONVNEXT_LAYERS: Renames = (
    (r"\.dwconv\.", ".conv_dw."),
    (r"\.pwconv([12])\.", r".mlp.fc\1."),
    (r"(blocks\.\d+)\.grn\.(?:gamma|weight)$", r"\1.mlp.grn.weight"),
    (r"(blocks\.\d+)\.grn\.(?:beta|bias)$", r"\1.mlp.grn.bias"),
)
_META_CONVNEXT: Renames = (
    (_START + r"downsample_layers\.0\.", "stem."),
    (_START + r"downsample_layers\.(\d)\.", r"stages.\1.downsample."),
    (_START + r"stages\.(\d)\.(\d+)\.", r"stages.\1.blocks.\2."),
    *_CONVNEXT_LAYERS,
)
_HF_CONVNEXT: Renames = (
    (_START + r"embeddings\.patch_embeddings\.", "stem.0."),
    (_START + r"embeddings\.layernorm\.", "stem.1."),
    (_START + r"encoder\.stages\.(\d)\.downsampling_layer\.", r"stages.\1.downsample."),
    (_START + r"encoder\.stages\.(\d)\.layers\.(\d+)\.", r"stages.\1.blocks.\2."),
    (r"(blocks\.\d+)\.layernorm\.", r"\1.norm."),
    (r"(blocks\.\d+)\.layer_scale_parameter$", r"\1.gamma"),
    *_CONVNEXT_LAYERS,
)
_HF_DINOV3_CONVNEXT: Renames = (
    (_START + r"stages\.0\.downsample_layers\.", "stem."),
    (_START + r"stages\.(\d)\.downsample_layers\.", r"stages.\1.downsample."),
    (_START + r"stages\.(\d)\.layers\.(\d+)\.", r"stages.\1.blocks.\2."),
    (r"(blocks\.\d+)\.layer_norm\.", r"\1.norm."),
    (r"\.depthwise_conv\.", ".conv_dw."),
    (r"\.pointwise_conv([12])\.", r".mlp.fc\1."),
)
_HF_RESNET: Renames = (
    (_START + r"embedder\.embedder\.convolution\.", "conv1."),
    (_START + r"embedder\.embedder\.normalization\.", "bn1."),
    *((_START + rf"encoder\.stages\.{s}\.layers\.(\d+)\.", rf"layer{s + 1}.\1.") for s in range(4)),
    (r"(layer\d\.\d+)\.shortcut\.convolution\.", r"\1.downsample.0."),
    (r"(layer\d\.\d+)\.shortcut\.normalization\.", r"\1.downsample.1."),
    *((rf"(layer\d\.\d+)\.layer\.{n}\.convolution\.", rf"\1.conv{n + 1}.") for n in range(3)),
    *((rf"(layer\d\.\d+)\.layer\.{n}\.normalization\.", rf"\1.bn{n + 1}.") for n in range(3)),
)
_HF_EMBEDDINGS: Renames = (
    (_START + r"embeddings\.(cls_token|mask_token)$", r"\1"),
    (_START + r"embeddings\.register_tokens$", "reg_token"),
    (_START + r"embeddings\.position_embeddings$", "pos_embed"),
    (_START + r"embeddings\.patch_embeddings\.(?:projection\.)?(weight|bias)$", r"patch_embed.proj.\1"),
)
_HF_VIT: Renames = (
    *_HF_EMBEDDINGS,
    (_START + r"encoder\.layer\.(\d+)\.", r"blocks.\1."),
    (r"(blocks\.\d+)\.attention\.attention\.(query|key|value)\.", lambda m: f"{m[1]}.attn.{m[2][0]}."),  # type: ignore[arg-type]
    (r"(blocks\.\d+)\.attention\.output\.dense\.", r"\1.attn.proj."),
    (r"(blocks\.\d+)\.intermediate\.dense\.", r"\1.mlp.fc1."),
    (r"(blocks\.\d+)\.output\.dense\.", r"\1.mlp.fc2."),
    (r"(blocks\.\d+)\.layernorm_before\.", r"\1.norm1."),
    (r"(blocks\.\d+)\.layernorm_after\.", r"\1.norm2."),
    (r"\.layer_scale([12])\.lambda1$", r".ls\1.gamma"),
    (r"\.mlp\.weights_in\.", ".mlp.fc1."),
    (r"\.mlp\.weights_out\.", ".mlp.fc2."),
    (_START + r"layernorm\.", "norm."),
)
_HF_DINOV3: Renames = (
    *_HF_EMBEDDINGS,
    (_START + r"layer\.(\d+)\.(?=norm|attention|layer_scale|mlp)", r"blocks.\1."),
    (r"(blocks\.\d+)\.attention\.([qkv])_proj\.", r"\1.attn.\2."),
    (r"(blocks\.\d+)\.attention\.o_proj\.", r"\1.attn.proj."),
    (r"\.layer_scale([12])\.lambda1$", r".ls\1.gamma"),
    (r"\.mlp\.gate_proj\.", ".mlp.fc1_g."),
    (r"\.mlp\.up_proj\.", ".mlp.fc1."),
    (r"\.mlp\.down_proj\.", ".mlp.fc2."),
)
_SEQUENTIAL_RESNET: Renames = (
    (_START + r"(?<!downsample\.)0\.weight$", "conv1.weight"),
    (_START + r"(?<!downsample\.)1\.(weight|bias|running_mean|running_var|num_batches_tracked)$", r"bn1.\1"),
    *((_START + rf"{place + 3}\.(\d+)\.(?=conv|bn|downsample)", rf"layer{place}.\1.") for place in (1, 2, 3, 4)),
)

DIALECTS = (
    Dialect("torchvision's ViT", r"encoder\.layers\.encoder_layer_0\.", _TORCHVISION_VIT),
    Dialect("torchvision's ConvNeXt", r"features\.1\.0\.block\.0\.", _TORCHVISION_CONVNEXT),
    Dialect("Meta's ConvNeXt", r"downsample_layers\.0\.0\.", _META_CONVNEXT),
    Dialect("Hugging Face's ConvNeXt", r"encoder\.stages\.0\.layers\.0\.dwconv\.", _HF_CONVNEXT),
    Dialect("Hugging Face's DINOv3 ConvNeXt", r"stages\.0\.layers\.0\.depthwise_conv\.", _HF_DINOV3_CONVNEXT),
    Dialect("Hugging Face's ResNet", r"embedder\.embedder\.convolution\.weight$", _HF_RESNET),
    Dialect("Hugging Face's DINOv3", r"layer\.0\.attention\.q_proj\.", _HF_DINOV3),
    Dialect("Hugging Face's ViT or DINOv2", r"encoder\.layer\.0\.attention\.attention\.query\.", _HF_VIT),
    Dialect("a ResNet in a sequence", _START + r"4\.0\.conv1\.weight$", _SEQUENTIAL_RESNET),
    Dialect("DINOv3", r"(?:^|\.)storage_tokens$", _DINO_FAMILY),
    Dialect("DINOv2", r"(?:^|\.)register_tokens$|blocks\.\d+\.\d+\.norm1|mlp\.w12\.", _DINO_FAMILY),
)
PLAIN = Dialect("timm's names", "", ())


def dialects_of(names: Iterable[str]) -> tuple[Dialect, ...]:
    """Those that a file may speak; timm's own comes last, since it fits every file a little."""
    known = list(names)
    found = [d for d in DIALECTS if any(re.search(d.marker, name) for name in known)]
    return (*found, PLAIN)


def translated(tensors: Mapping[str, Tensor], dialect: Dialect) -> dict[str, Piece]:
    """A file's tensors under timm's names, with the prefix that they carry; queries, keys and values are joined."""
    rules = [(re.compile(pattern), new) for pattern, new in dialect.renames]
    found: dict[str, Piece] = {}
    for name, value in tensors.items():
        new = name
        for pattern, replacement in rules:
            new = pattern.sub(replacement, new)
        found[new] = Piece(value, (name,))
    return _joined(found)


def _joined(pieces: dict[str, Piece]) -> dict[str, Piece]:
    """With ``attn.q``, ``attn.k`` and ``attn.v`` made into one ``attn.qkv``; a missing bias is zero."""
    for name in [n for n in pieces if n.endswith(".attn.q.weight")]:
        base = name.removesuffix("q.weight")
        parts = [pieces.pop(f"{base}{letter}.weight", None) for letter in "qkv"]
        if any(part is None for part in parts):
            continue
        whole = [part for part in parts if part is not None]
        pieces[f"{base}qkv.weight"] = _cat(whole)
        biases = [pieces.pop(f"{base}{letter}.bias", None) for letter in "qkv"]
        if any(bias is not None for bias in biases):
            zero = [Piece(part.value.new_zeros(len(part.value)), ()) for part in whole]
            pieces[f"{base}qkv.bias"] = _cat([bias or none for bias, none in zip(biases, zero, strict=True)])
    return pieces


def _cat(parts: list[Piece]) -> Piece:
    return Piece(torch.cat([p.value for p in parts]), tuple(name for p in parts for name in p.sources))


# what was it made by, and for ----------------------------------------------------------------------------

_MADE_BY = (
    ("DINOv3", r"storage_tokens|rope_embed\.periods"),
    ("DINOv2", r"ibot_head|dino_head\.|register_tokens"),
    ("MAE", r"decoder_embed\.|decoder_blocks\.|decoder\.decoder_layers"),
    ("MoCo", r"momentum_encoder\.|encoder_q\.|backbone_momentum\."),
    ("DINO", r"^teacher\.|^student\.|teacher_backbone\."),
    ("Lightly", r"projection_head\.|prediction_head\."),
)


def made_by(names: Iterable[str], dialect: Dialect) -> str:
    """In words, which program or method a file seems to come from."""
    known = list(names)
    method = next((label for label, marker in _MADE_BY if any(re.search(marker, n) for n in known)), "")
    if dialect is PLAIN or dialect.label == method:
        return method or dialect.label
    if "DINOv3" in dialect.label:
        return dialect.label
    return f"{method}, {dialect.label}" if method and method not in dialect.label else dialect.label


_WIDTHS = {192: "tiny", 384: "small", 768: "base", 1024: "large", 1280: "huge", 1536: "giant"}
_RESNETS = {
    ((2, 2, 2, 2), False): "resnet18",
    ((2, 2, 2, 2), True): "resnet26",
    ((3, 4, 6, 3), False): "resnet34",
    ((3, 4, 6, 3), True): "resnet50",
    ((3, 4, 23, 3), True): "resnet101",
    ((3, 8, 36, 3), True): "resnet152",
}
_CONVNEXTS = {
    (2, 40): "atto",
    (2, 48): "femto",
    (2, 64): "pico",
    (2, 80): "nano",
    (9, 96): "tiny",
    (27, 96): "small",
    (27, 128): "base",
    (27, 192): "large",
    (27, 256): "xlarge",
    (27, 352): "huge",
}


def guess_backbone(pieces: Mapping[str, Piece]) -> str:
    """The timm name that the shapes in a file point to; empty where they point to none that timm has."""
    for guess in (_guess_vit(pieces), _guess_resnet(pieces), _guess_convnext(pieces)):
        if guess and timm.is_model(guess):
            return guess
    return ""


def _first(pieces: Mapping[str, Piece], ending: str) -> Tensor | None:
    return next((piece.value for name, piece in pieces.items() if re.search(_START + ending, name)), None)


def _guess_vit(pieces: Mapping[str, Piece]) -> str:
    patches = _first(pieces, r"patch_embed\.proj\.weight$")
    if patches is None or patches.dim() != 4 or _first(pieces, r"blocks\.0\.norm1\.weight$") is None:
        return ""
    size, patch = _WIDTHS.get(len(patches), ""), patches.shape[-1]
    registers = _first(pieces, r"reg_token$")
    scaled = _first(pieces, r"blocks\.0\.(?:ls1\.gamma|gamma_1)$") is not None
    if _first(pieces, r"pos_embed$") is None:
        plus = "_plus" if _first(pieces, r"blocks\.0\.mlp\.fc1_g\.weight$") is not None else ""
        return f"vit_{size}{plus}_patch{patch}_dinov3"
    if scaled:
        return f"vit_{size}_patch{patch}_{'reg4_' if registers is not None else ''}dinov2"
    return f"vit_{size}_patch{patch}_224"


def _guess_resnet(pieces: Mapping[str, Piece]) -> str:
    found = [set[str](), set[str](), set[str](), set[str]()]
    deep = False
    for name in pieces:
        if match := re.search(_START + r"layer([1-4])\.(\d+)\.conv(\d)\.weight$", name):
            found[int(match[1]) - 1].add(match[2])
            deep = deep or match[3] == "3"
    return _RESNETS.get((tuple(len(blocks) for blocks in found), deep), "")  # type: ignore[arg-type]


def _guess_convnext(pieces: Mapping[str, Piece]) -> str:
    stem = _first(pieces, r"stem\.0\.weight$")
    blocks = {m[1] for name in pieces if (m := re.search(r"stages[._]2\.blocks\.(\d+)\.conv_dw\.weight$", name))}
    if stem is None or not blocks:
        return ""
    depth = len(blocks) if len(blocks) > 8 else 2
    size = _CONVNEXTS.get((depth, len(stem)), "")
    second = any(name.endswith(".mlp.grn.weight") for name in pieces)
    return f"convnext{'v2' if second else ''}_{size}" if size else ""
