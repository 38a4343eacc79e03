"""One face for every backbone: pooled features, dense feature levels, attention.

Two kinds: a plain vision transformer (``vit``; patch tokens of one size) and a network with a pyramid of
stages (``conv``). Images enter as (B, 3, H, W) floats that are already normalised with ``MEAN`` and ``STD``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Literal

import timm
import torch
from timm.layers import set_fused_attn
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn
from torch.nn import functional as F

from sslstudio.errors import UserError

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


class Encoder(nn.Module, ABC):
    """A backbone with one interface; ``width`` channels pooled, ``levels`` of (channels, stride) fine to coarse."""

    kind: Literal["vit", "conv"]
    name: str
    width: int
    stride: int
    levels: tuple[tuple[int, int], ...]

    @abstractmethod
    def feature_levels(self, images: Tensor) -> list[Tensor]:
        """Dense features (B, C_i, H/stride_i, W/stride_i), one per level; H and W multiples of ``stride``."""

    @abstractmethod
    def forward(self, images: Tensor) -> Tensor:
        """Pooled features (B, width); any H and W that are multiples of ``stride``."""

    @abstractmethod
    def blocks(self) -> list[nn.Module]:
        """The parts of the network from input to output, the units of "unfreeze the last n"."""


class ViTEncoder(Encoder):
    """A timm vision transformer; position embeddings are resampled for other sizes."""

    kind = "vit"
    net: Any  # timm's class, whose attributes its types do not promise

    def __init__(self, name: str, net: VisionTransformer) -> None:
        super().__init__()
        self.name, self.net = name, net
        self.width = net.embed_dim
        self.stride = int(net.patch_embed.patch_size[0])
        depth = len(net.blocks)
        # Four evenly spaced blocks: the published sweet spot for dense heads on plain ViTs (DINOv2, section 7.4).
        self._taps = tuple(round(depth * share / 4) - 1 for share in (1, 2, 3, 4))
        self.levels = tuple((self.width, self.stride) for _ in self._taps)

    def embed(
        self, images: Tensor, hidden: Tensor | None = None, stand_in: Tensor | None = None
    ) -> tuple[Tensor, tuple[int, int]]:
        """Patch tokens with positions, (B, N, D) in row order, and the grid (rows, columns).

        Where ``hidden`` (B, N) is true, the learnable ``stand_in`` (D,) takes the patch's place (BEiT, SimMIM, iBOT).
        """
        x = self.net.patch_embed.proj(images)  # (B, D, h, w)
        grid = (x.shape[-2], x.shape[-1])
        x = self.net.patch_embed.norm(x.flatten(2).transpose(1, 2))  # (B, N, D)
        if hidden is not None and stand_in is not None:
            x = torch.where(hidden[..., None], stand_in.to(x.dtype), x)
        return x + self._positions(grid, x.dtype), grid

    def _positions(self, grid: tuple[int, int], dtype: torch.dtype) -> Tensor:
        """Position embeddings of the patches, (1, N, D), resampled to ``grid``."""
        position = self.net.pos_embed[:, self._prefix_positions() :]
        rows, columns = self.net.patch_embed.grid_size
        if torch.onnx.is_in_onnx_export() or torch.compiler.is_exporting() or (rows, columns) != grid:
            square = position.reshape(1, rows, columns, -1).permute(0, 3, 1, 2).float()
            # Without antialiasing: ONNX runtimes disagree about antialiased cubic resampling.
            square = F.interpolate(square, size=grid, mode="bicubic", antialias=False, align_corners=False)
            position = square.flatten(2).transpose(1, 2)
        return position.to(dtype)

    def _prefix_positions(self) -> int:
        return 0 if self.net.no_embed_class else self.net.num_prefix_tokens

    def prefix(self, batch: int, dtype: torch.dtype) -> Tensor:
        """The class token and registers with their positions, (B, P, D)."""
        parts = [p for p in (self.net.cls_token, getattr(self.net, "reg_token", None)) if p is not None]
        if not parts:
            return self.net.pos_embed.new_zeros((batch, 0, self.width)).to(dtype)
        tokens = torch.cat(parts, dim=1)
        if not self.net.no_embed_class:
            tokens = tokens + self.net.pos_embed[:, : tokens.shape[1]]
        return tokens.to(dtype).expand(batch, -1, -1)

    def tokens(
        self,
        images: Tensor,
        keep: Tensor | None = None,
        hidden: Tensor | None = None,
        stand_in: Tensor | None = None,
    ) -> Tensor:
        """Normalised tokens after the last block, (B, P + K, D); P class and register tokens come first.

        ``keep`` (B, K) picks the patches that are seen at all (MAE); ``hidden`` and ``stand_in`` as in ``embed``.
        """
        x, _ = self.embed(images, hidden, stand_in)
        if keep is not None:
            x = x.gather(1, keep[..., None].expand(-1, -1, x.shape[-1]))
        x = torch.cat([self.prefix(x.shape[0], x.dtype), x], dim=1)
        x = self.net.norm_pre(self.net.pos_drop(x))
        for block in self.net.blocks:
            x = block(x)
        return self.net.norm(x)

    def forward(self, images: Tensor) -> Tensor:
        """The class token where there is one, else the mean of the patches, (B, width)."""
        x = self.tokens(images)
        return x[:, 0] if self.net.cls_token is not None else x[:, self.net.num_prefix_tokens :].mean(1)

    def feature_levels(self, images: Tensor) -> list[Tensor]:
        """Patch features after four evenly spaced blocks, each (B, D, H/stride, W/stride)."""
        x, (rows, columns) = self.embed(images)
        prefix = self.prefix(x.shape[0], x.dtype)
        x = self.net.norm_pre(self.net.pos_drop(torch.cat([prefix, x], dim=1)))
        found = []
        for number, block in enumerate(self.net.blocks):
            x = block(x)
            if number in self._taps:
                patches = self.net.norm(x)[:, prefix.shape[1] :]
                found.append(patches.transpose(1, 2).unflatten(2, (rows, columns)))
        return found

    def attention(self, images: Tensor, block: int = -1) -> tuple[Tensor, tuple[int, int]]:
        """Attention weights of one block, (B, heads, P + N, P + N), rows sum to 1; and the grid.

        Recomputed from queries and keys, because fused attention does not give its weights away.
        """
        x, grid = self.embed(images)
        x = self.net.norm_pre(self.net.pos_drop(torch.cat([self.prefix(x.shape[0], x.dtype), x], dim=1)))
        chosen = block % len(self.net.blocks)
        for number, layer in enumerate(self.net.blocks):
            if number == chosen:
                return _attention_weights(layer.attn, layer.norm1(x)), grid
            x = layer(x)
        raise AssertionError("unreachable")

    def blocks(self) -> list[nn.Module]:
        """Patch embedding, then every block, then the final norm with the last block."""
        *first, last = self.net.blocks
        return [self.net.patch_embed, *first, nn.ModuleList([last, self.net.norm])]


def _attention_weights(attention: Any, x: Tensor) -> Tensor:
    """Softmax of query times key of a timm attention layer for (B, T, D), giving (B, heads, T, T)."""
    batch, count, _ = x.shape
    qkv = attention.qkv(x).reshape(batch, count, 3, attention.num_heads, -1).permute(2, 0, 3, 1, 4)
    query, key = attention.q_norm(qkv[0]), attention.k_norm(qkv[1])
    return ((query * attention.scale) @ key.transpose(-2, -1)).float().softmax(dim=-1)


class ConvEncoder(Encoder):
    """A timm network with stages; also hierarchical transformers that give feature maps."""

    kind = "conv"
    net: Any

    def __init__(self, name: str, net: Any) -> None:
        super().__init__()
        self.name, self.net = name, net
        info = net.feature_info
        self.levels = tuple(zip(info.channels(), info.reduction(), strict=True))
        self.width = self.levels[-1][0]
        self.stride = int(self.levels[-1][1])

    def feature_levels(self, images: Tensor) -> list[Tensor]:
        """The output of every stage, fine to coarse."""
        return list(self.net(images))

    def forward(self, images: Tensor) -> Tensor:
        """The last stage's mean over positions, (B, width)."""
        return self.net(images)[-1].mean(dim=(-2, -1))

    def blocks(self) -> list[nn.Module]:
        """The children of the network, from stem to last stage."""
        return [child for child in self.net.children() if any(True for _ in child.parameters())]


def create_encoder(name: str, *, pretrained: bool = False) -> Encoder:
    """Build the encoder for a timm name; ``pretrained`` fetches timm's published weights.

    Raises UserError for an unknown name, a model without dense features, or missing network.
    """
    base = name.split(".")[0]
    if not timm.is_model(base):
        near = ", ".join(timm.list_models(f"{base.split('_')[0]}*")[:5])
        raise UserError(f"There is no backbone “{name}”.", f"Similar names: {near}." if near else "Use a timm name.")
    if not torch.cuda.is_available():
        # Measured on CPUs with bf16: training with timm's fused attention takes twice as long as without.
        set_fused_attn(enable=False)
    try:
        net = timm.create_model(name, pretrained=pretrained, num_classes=0, **_vit_options(base))
        if isinstance(net, VisionTransformer):
            return ViTEncoder(name, net)
        del net
        return ConvEncoder(name, timm.create_model(name, pretrained=pretrained, features_only=True))
    except UserError:
        raise
    except (RuntimeError, AttributeError, TypeError, NotImplementedError) as error:
        raise UserError(
            f"The backbone “{name}” gives no dense features ({error}).", "Choose a ViT, ResNet or ConvNeXt."
        ) from None
    except OSError as error:
        raise UserError(
            f"The published weights of “{name}” could not be fetched ({type(error).__name__}).",
            "Check the network, or start from scratch or from a file.",
        ) from None


def _vit_options(base: str) -> dict:
    return {"dynamic_img_size": True} if base.startswith(("vit_", "deit")) else {}
