"""From a timm name to an encoder: which face fits a network, and what makes it take images of any size."""

from __future__ import annotations

import inspect
from typing import Any

import timm
import torch
from timm.layers import PatchEmbed, set_fused_attn
from timm.models.eva import Eva
from timm.models.vision_transformer import VisionTransformer

from sslstudio.errors import UserError
from sslstudio.language import tr
from sslstudio.learning.backbones.encoder import ConvEncoder, Encoder, ViTEncoder
from sslstudio.learning.backbones.rotary import RotaryViTEncoder

# What timm's classes call the wish to see images of other sizes than the one they were built for.
_ANY_SIZE: dict[str, Any] = {"dynamic_img_size": True, "strict_img_size": False}
_TAPS = 4  # levels of a network whose blocks all have one size


def create(name: str, *, pretrained: bool = False, channels: int = 3) -> Encoder:
    """Build the encoder for a timm name; ``pretrained`` fetches timm's published weights.

    Raises UserError for an unknown name, a model without dense features, or missing network.
    """
    base = name.split(".")[0]
    if not timm.is_model(base):
        near = ", ".join(timm.list_models(f"{base.split('_')[0]}*")[:5])
        raise UserError(
            tr("There is no backbone “{name}”.").format(name=name),
            tr("Similar names: {near}.").format(near=near) if near else tr("Use a timm name."),
        )
    if not torch.cuda.is_available():
        # Measured on CPUs with bf16: training with timm's fused attention takes twice as long as without.
        set_fused_attn(enable=False)
    more = {"in_chans": channels, **(_published(name) if pretrained else {})}
    try:
        return _build(name, more)
    except UserError:
        raise
    except (RuntimeError, AttributeError, TypeError, NotImplementedError, AssertionError, ValueError) as error:
        raise UserError(
            tr("The backbone “{name}” gives no dense features ({error}).").format(name=name, error=error),
            tr("Choose a ViT, ResNet or ConvNeXt."),
        ) from None


def _published(name: str) -> dict[str, Any]:
    """What makes timm take its published weights, fetched before if need be."""
    from sslstudio.learning.backbones.published import load_published

    return {"pretrained": True, "pretrained_cfg_overlay": {"state_dict": load_published(name)}}


def _build(name: str, more: dict[str, Any]) -> Encoder:
    face, options, free = plan(name)
    if face is ConvEncoder:
        fixed = None if free else fixed_size(name, options)
        net = timm.create_model(name, features_only=True, **options, **more)
        return ConvEncoder(name, net, more["in_chans"], fixed=fixed)
    return face(name, timm.create_model(name, num_classes=0, **options, **more))


def plan(name: str) -> tuple[Any, dict[str, Any], bool]:
    """The encoder's class for a timm name, options that let it take any size, and whether it surely does."""
    with torch.device("meta"):  # the structure alone, without its weights
        net: Any = timm.create_model(name, num_classes=0)
    known = inspect.signature(type(net).__init__).parameters
    options = {key: value for key, value in _ANY_SIZE.items() if key in known}
    if _has_plain_patches(net):
        if isinstance(net, Eva):
            return RotaryViTEncoder, options, True
        if isinstance(net, VisionTransformer) and net.pos_embed is not None:
            return ViTEncoder, options, True
    info = getattr(net, "feature_info", None) or []
    steps = [row["reduction"] for row in info] if isinstance(info, list) else []
    if len(steps) > _TAPS and len(set(steps)) == 1:  # blocks of one size: four evenly spaced ones, as with ViTs
        options["out_indices"] = tuple(round(len(steps) * share / _TAPS) - 1 for share in range(1, _TAPS + 1))
    return ConvEncoder, options, type(net).__name__ in _FREE


# Networks without windows, position tables or other things that tie them to a size: no need to try.
_FREE = ("ResNet", "ConvNeXt", "EfficientNet", "RegNet", "ResNetV2", "MobileNetV3", "DenseNet", "VGG")


def fixed_size(name: str, options: dict[str, Any]) -> tuple[int, int] | None:
    """Height and width that a network with stages insists on; None for one that takes any multiple of its stride.

    Found by trying, on tensors without content. Raises UserError for one whose maps are not what it says.
    """
    with torch.device("meta"), torch.no_grad():
        encoder = ConvEncoder(name, timm.create_model(name, features_only=True, **options).eval())
        if _maps_fit(encoder, (3 * encoder.stride, 4 * encoder.stride)):
            return None
        made_for = timm.models.get_pretrained_cfg(name.split(".")[0])
        if made_for is not None and _maps_fit(encoder, made_for.input_size[1:]):
            return made_for.input_size[1], made_for.input_size[2]
    raise UserError(
        tr("The backbone “{name}” gives no usable feature maps.").format(name=name),
        tr("Choose a ViT, ResNet or ConvNeXt."),
    )


def _maps_fit(encoder: ConvEncoder, size: tuple[int, int]) -> bool:
    """Whether images of ``size`` give maps of the promised shapes."""
    try:
        levels = encoder.feature_levels(torch.empty(2, 3, *size, device="meta"))
    except (RuntimeError, AssertionError, ValueError, TypeError, IndexError):
        return False
    wanted = [(2, width, size[0] // step, size[1] // step) for width, step in encoder.levels]
    return [tuple(level.shape) for level in levels] == wanted


def _has_plain_patches(net: Any) -> bool:
    """Whether images become tokens by one convolution, whose square patches do not overlap."""
    patches = getattr(net, "patch_embed", None)
    if type(patches) is not PatchEmbed or not hasattr(net, "blocks"):
        return False
    return patches.patch_size[0] == patches.patch_size[1] and type(net).forward_features in _KNOWN


# Subclasses with another way through their blocks are taken by their feature maps.
_KNOWN = (VisionTransformer.forward_features, Eva.forward_features)
