"""One face for every backbone: pooled features, dense feature levels, attention.

Two kinds: a plain vision transformer (``vit``; patch tokens of one size) and a network with a pyramid of
stages (``conv``). Images enter as (B, C, H, W) floats that are already normalised (see ``normalisation``).
How one is made from a timm name stands in ``create.py``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Literal

import torch
from timm.models.vision_transformer import ResPostBlock
from torch import Tensor, nn
from torch.nn import functional as F

from sslstudio.errors import UserError
from sslstudio.language import tr

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


def normalisation(channels: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each channel, of pixels from 0 to 1, as encoders expect them.

    Three channels are RGB with its usual values; of other channels nothing is known, so each gets RGB's averages
    (0.449 and 0.226): an adapted stem then sees the range that it has learned on.
    """
    if channels == 3:
        return MEAN, STD
    return (round(sum(MEAN) / 3, 6),) * channels, (round(sum(STD) / 3, 6),) * channels


class Encoder(nn.Module, ABC):
    """A backbone with one interface; ``width`` channels pooled, ``levels`` of (channels, stride) fine to coarse."""

    kind: Literal["vit", "conv"]
    name: str
    width: int
    stride: int
    levels: tuple[tuple[int, int], ...]
    channels: int = 3  # of the images

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

    def __init__(self, name: str, net: Any) -> None:
        super().__init__()
        self.name, self.net = name, net
        net.attn_pool = None  # pools for a classifier, which is not there
        self.channels = int(net.patch_embed.proj.in_channels)
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
        if self.net.pos_embed is None:
            return x, grid
        return x + self._positions(grid, x.dtype), grid

    def _positions(self, grid: tuple[int, int], dtype: torch.dtype) -> Tensor:
        """Position embeddings of the patches, (1, N, D), resampled to ``grid``."""
        position = self.net.pos_embed[:, self.prefix_positions :]
        rows, columns = self.net.patch_embed.grid_size
        if torch.onnx.is_in_onnx_export() or torch.compiler.is_exporting() or (rows, columns) != grid:
            square = position.reshape(1, rows, columns, -1).permute(0, 3, 1, 2).float()
            # Without antialiasing: ONNX runtimes disagree about antialiased cubic resampling.
            square = F.interpolate(square, size=grid, mode="bicubic", antialias=False, align_corners=False)
            position = square.flatten(2).transpose(1, 2)
        return position.to(dtype)

    @property
    def prefix_positions(self) -> int:
        """How many of the position embeddings belong to class and register tokens."""
        return 0 if self.net.no_embed_class else self.net.num_prefix_tokens

    def prefix(self, batch: int, dtype: torch.dtype) -> Tensor:
        """The class token and registers with their positions, (B, P, D)."""
        names = ("cls_token", "dist_token", "reg_token")
        parts = [p for p in (getattr(self.net, name, None) for name in names) if p is not None]
        if not parts:
            return self.net.patch_embed.proj.weight.new_zeros((batch, 0, self.width)).to(dtype)
        tokens = torch.cat(parts, dim=1)
        if not self.net.no_embed_class and self.net.pos_embed is not None:
            tokens = tokens + self.net.pos_embed[:, : tokens.shape[1]]
        return tokens.to(dtype).expand(batch, -1, -1)

    @property
    def norm(self) -> nn.Module:
        """The norm after the last block; where timm norms only what it has pooled, that one."""
        plain = isinstance(self.net.norm, nn.Identity)
        return self.net.fc_norm if plain and hasattr(self.net, "fc_norm") else self.net.norm

    def _turns(self, grid: tuple[int, int], keep: Tensor | None = None) -> list[Any]:
        """What each block needs beside its tokens; nothing here, rotary angles in the subclass."""
        return [None] * len(self.net.blocks)

    def _block(self, block: nn.Module, x: Tensor, turn: Any) -> Tensor:
        return block(x)

    def _begin(self, x: Tensor) -> Tensor:
        """Tokens (B, P + K, D) as they enter the first block, from patches (B, K, D)."""
        x = torch.cat([self.prefix(x.shape[0], x.dtype), x], dim=1)
        return self.net.norm_pre(self.net.pos_drop(x))

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
        x, grid = self.embed(images, hidden, stand_in)
        if keep is not None:
            x = x.gather(1, keep[..., None].expand(-1, -1, x.shape[-1]))
        x = self._begin(x)
        for block, turn in zip(self.net.blocks, self._turns(grid, keep), strict=True):
            x = self._block(block, x, turn)
        return self.norm(x)

    def forward(self, images: Tensor) -> Tensor:
        """The class token where there is one, else the mean of the patches, (B, width)."""
        x = self.tokens(images)
        return x[:, 0] if self.net.cls_token is not None else x[:, self.net.num_prefix_tokens :].mean(1)

    def feature_levels(self, images: Tensor) -> list[Tensor]:
        """Patch features after four evenly spaced blocks, each (B, D, H/stride, W/stride)."""
        x, (rows, columns) = self.embed(images)
        x = self._begin(x)
        found = []
        for number, (block, turn) in enumerate(zip(self.net.blocks, self._turns((rows, columns)), strict=True)):
            x = self._block(block, x, turn)
            if number in self._taps:
                patches = self.norm(x)[:, self.net.num_prefix_tokens :]
                found.append(patches.transpose(1, 2).unflatten(2, (rows, columns)))
        return found

    def attention(self, images: Tensor, block: int = -1) -> tuple[Tensor, tuple[int, int]]:
        """Attention weights of one block, (B, heads, P + N, P + N), rows sum to 1; and the grid.

        Recomputed from queries and keys, because fused attention does not give its weights away.
        """
        x, grid = self.embed(images)
        x = self._begin(x)
        chosen = block % len(self.net.blocks)
        for number, (layer, turn) in enumerate(zip(self.net.blocks, self._turns(grid), strict=True)):
            if number == chosen:
                return self._weights(layer, x, turn), grid
            x = self._block(layer, x, turn)
        raise AssertionError("unreachable")

    def _weights(self, block: Any, x: Tensor, turn: Any) -> Tensor:
        """Attention of one block for the tokens (B, T, D) that enter it, (B, heads, T, T)."""
        if not hasattr(getattr(block, "attn", None), "qkv"):
            raise UserError(
                tr("“{name}” has blocks without attention maps.").format(name=self.name),
                tr("Choose another ViT backbone."),
            )
        post = isinstance(block, ResPostBlock)  # norms behind, not before, its attention
        return _attention_weights(block.attn, x if post else block.norm1(x))

    def blocks(self) -> list[nn.Module]:
        """Patch embedding, then every block, then the final norm with the last block."""
        *first, last = self.net.blocks
        return [self.net.patch_embed, *first, nn.ModuleList([last, self.norm])]


def _attention_weights(attention: Any, x: Tensor) -> Tensor:
    """Softmax of query times key of a timm attention layer for (B, T, D), giving (B, heads, T, T)."""
    batch, count, _ = x.shape
    qkv = attention.qkv(x).reshape(batch, count, 3, attention.num_heads, -1).permute(2, 0, 3, 1, 4)
    query, key = attention.q_norm(qkv[0]), attention.k_norm(qkv[1])
    return ((query * attention.scale) @ key.transpose(-2, -1)).float().softmax(dim=-1)


class ConvEncoder(Encoder):
    """A timm network with stages; also hierarchical transformers that give feature maps.

    A network that takes one size only gets every image stretched to ``fixed`` (height, width), and its maps are
    brought back to the image's own grid.
    """

    kind = "conv"
    net: Any

    def __init__(self, name: str, net: Any, channels: int = 3, fixed: tuple[int, int] | None = None) -> None:
        super().__init__()
        self.fixed = fixed
        self.name, self.net, self.channels = name, net, channels
        info = net.feature_info
        self.levels = tuple((int(c), int(r)) for c, r in zip(info.channels(), info.reduction(), strict=True))
        self.width = self.levels[-1][0]
        self.stride = int(self.levels[-1][1])
        self._last = str(getattr(net, "output_fmt", "NCHW")).endswith("NHWC")

    def feature_levels(self, images: Tensor) -> list[Tensor]:
        """The output of every stage, fine to coarse."""
        if self.fixed is None:
            return self._maps(images)
        height, width = images.shape[-2:]
        small = F.interpolate(images, size=self.fixed, mode="bilinear", align_corners=False)
        return [
            F.interpolate(level, size=(height // step, width // step), mode="bilinear", align_corners=False)
            for level, (_, step) in zip(self._maps(small), self.levels, strict=True)
        ]

    def _maps(self, images: Tensor) -> list[Tensor]:
        found = list(self.net(images))
        return [level.permute(0, 3, 1, 2) for level in found] if self._last else found

    def forward(self, images: Tensor) -> Tensor:
        """The last stage's mean over positions, (B, width)."""
        return self.feature_levels(images)[-1].mean(dim=(-2, -1))

    def blocks(self) -> list[nn.Module]:
        """The children of the network, from stem to last stage."""
        return [child for child in self.net.children() if any(True for _ in child.parameters())]


def create_encoder(name: str, *, pretrained: bool = False, channels: int = 3) -> Encoder:
    """Build the encoder for a timm name; see ``create.create``, which is loaded with timm at the first call."""
    from sslstudio.learning.backbones.create import create

    return create(name, pretrained=pretrained, channels=channels)
