"""From feature levels to class scores: the 1×1 projection and the multi-level decoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Levels = Sequence[tuple[int, int]]  # (channels, stride), fine to coarse, as encoders declare them

# Channels of the multi-level decoder at each stride: fine maps are large, so they are thin.
_WIDTHS = {1: 16, 2: 32, 4: 64, 8: 96}
_COARSEST_WIDTH = 128


def create_decoder(kind: Literal["multilevel", "linear"], levels: Levels, classes: int, channels: int = 3) -> nn.Module:
    """The decoder of that kind for an encoder's levels; ``channels`` of the images."""
    return LinearDecoder(levels, classes) if kind == "linear" else MultiLevelDecoder(levels, classes, channels)


class LinearDecoder(nn.Module):
    """One linear classifier over all levels at once: each is projected to classes, and the maps are added.

    Projecting each level and adding is the same as projecting their concatenation, without building it.
    """

    def __init__(self, levels: Levels, classes: int) -> None:
        super().__init__()
        # Levels differ in scale by orders of magnitude; without a norm the largest one decides.
        self.norms = nn.ModuleList(nn.GroupNorm(1, channels) for channels, _ in levels)
        self.heads = nn.ModuleList(nn.Conv2d(channels, classes, 1) for channels, _ in levels)

    def forward(self, features: Sequence[Tensor], images: Tensor) -> Tensor:
        """Scores (B, K, H, W) from features (B, C_i, h_i, w_i) and the images (B, C, H, W) they came from."""
        size = features[0].shape[-2:]
        total: Tensor | None = None
        for norm, head, level in zip(self.norms, self.heads, features, strict=True):
            scores = _resized(head(norm(level)), size)
            total = scores if total is None else total + scores
        assert total is not None
        return _resized(total, images.shape[-2:])


class MultiLevelDecoder(nn.Module):
    """A U-shaped decoder over all feature levels, down to full resolution.

    Encoders stop at a stride of 2 (ResNet), 4 (ConvNeXt) or 16 (ViT); what is finer comes from a light
    convolutional branch on the image itself, so that edges are sharp at full resolution with any of them.
    """

    def __init__(self, levels: Levels, classes: int, bands: int = 3) -> None:
        super().__init__()
        channels: dict[int, int] = {}
        for width, stride in levels:
            channels[stride] = channels.get(stride, 0) + width
        self.level_strides = tuple(stride for _, stride in levels)
        self.detail = DetailBranch(min(channels), bands)
        self.strides = tuple(sorted([*channels, *self.detail.channels], reverse=True))  # coarse to fine
        self.laterals = nn.ModuleList(
            _layer(channels[s], _width(s), s, size=1) if s in channels else nn.Identity() for s in self.strides
        )
        self.ups = nn.ModuleList(
            nn.Conv2d(_width(above), _width(here), 1)
            for above, here in zip(self.strides, self.strides[1:], strict=False)
        )
        self.fuses = nn.ModuleList(_layer(2 * _width(s), _width(s), s) for s in self.strides[1:])
        self.head = nn.Conv2d(_width(self.strides[-1]), classes, 1)

    def forward(self, features: Sequence[Tensor], images: Tensor) -> Tensor:
        """Scores (B, K, H, W) from features (B, C_i, h_i, w_i) and the images (B, C, H, W) they came from."""
        found: dict[int, list[Tensor]] = {}
        for stride, level in zip(self.level_strides, features, strict=True):
            found.setdefault(stride, []).append(level)
        for stride, level in self.detail(images).items():
            found[stride] = [level]
        parts = [found[stride] for stride in self.strides]
        levels = [
            lateral(torch.cat(p, 1) if len(p) > 1 else p[0]) for lateral, p in zip(self.laterals, parts, strict=True)
        ]
        x = levels[0]
        for up, fuse, here in zip(self.ups, self.fuses, levels[1:], strict=True):
            # narrowed before it is enlarged, (B, C, 2h, 2w), and laid beside the level of that size
            x = fuse(torch.cat([_resized(up(x), here.shape[-2:]), here], 1))
        return self.head(x)


class DetailBranch(nn.Module):
    """Light convolutions on the image at every stride (1, 2, 4, …) finer than ``finest``."""

    def __init__(self, finest: int, bands: int = 3) -> None:
        super().__init__()
        self.channels = {s: _width(s) for s in (1, 2, 4, 8) if s < finest}
        widths = [bands, *self.channels.values()]
        self.steps = nn.ModuleList(
            _layer(before, after, s, step=1 if s == 1 else 2)
            for s, before, after in zip(self.channels, widths, widths[1:], strict=False)
        )

    def forward(self, images: Tensor) -> dict[int, Tensor]:
        """Maps (B, C, H/s, W/s) by stride s, for images (B, C, H, W)."""
        found, x = {}, images
        for stride, step in zip(self.channels, self.steps, strict=True):
            x = step(x)
            found[stride] = x
        return found


def _width(stride: int) -> int:
    return _WIDTHS.get(stride, _COARSEST_WIDTH)


def _layer(before: int, after: int, stride: int, *, size: int = 3, step: int = 1) -> nn.Module:
    """Convolution, norm, ReLU; the norm (over groups) does not mind batches of one.

    At full resolution the norm and its gradient cost more than all else on a CPU, and scores need none there.
    """
    norm = nn.GroupNorm(8, after) if stride > 1 else nn.Identity()
    return nn.Sequential(
        nn.Conv2d(before, after, size, step, padding=size // 2, bias=stride == 1), norm, nn.ReLU(inplace=True)
    )


def _resized(x: Tensor, size: Sequence[int]) -> Tensor:
    return F.interpolate(x, size=tuple(size), mode="bilinear", align_corners=False)
