"""MAE: hide most patches of an image and paint them back from the few that are left.

Source: He et al. 2021, https://arxiv.org/abs/2111.06377, section 3 and appendix A.1.
Differs from the paper: positions of the encoder start as sines and cosines but may be learned (timm's ViT has them
learnable); weights start as timm's do (normal, 0.02), not as Xavier's, with which it learned no more in trials of some
hundred steps; the decoder is smaller, for small images; flips, turns and the smallest crop follow the domain preset
(colours stay, as in the paper).
"""

from __future__ import annotations

from dataclasses import replace

import torch
from timm.models.vision_transformer import Block
from torch import Tensor, nn

from sslstudio.learning.backbones.encoder import Encoder, ViTEncoder
from sslstudio.learning.methods.base import Method, StepResult, Views, ViewSpec, full_precision, nearest_multiple
from sslstudio.learning.methods.heads import sin_cos_positions
from sslstudio.learning.methods.pairs import as_vit
from sslstudio.learning.methods.positions import start_from_sines
from sslstudio.recipes.methods import MAERecipe
from sslstudio.recipes.presets import Augmentation


class MAE(Method):
    """The encoder sees the visible patches only; a light decoder guesses the pixels of the hidden ones."""

    encoder: ViTEncoder

    def __init__(self, encoder: Encoder, recipe: MAERecipe, *, resolution: int, look: Augmentation) -> None:
        super().__init__()
        self.encoder = encoder = as_vit("mae", encoder)
        self.recipe = recipe
        size = nearest_multiple(resolution, encoder.stride)
        self.side = size // encoder.stride
        crop = (max(0.2, look.crop_low), 1.0)  # the paper's range of crops
        self.views = (ViewSpec(size, 1, crop, replace(look, jitter=0.0, grey=0.0, blur=0.0, solarize=0.0, noise=0.0)),)
        self.decoder = Decoder(
            encoder.width, recipe.decoder_width, recipe.decoder_depth, encoder.stride, self.side, encoder.channels
        )

    def begin_from_scratch(self) -> None:
        """Start the encoder's positions as sines and cosines, as in the paper."""
        start_from_sines(self.encoder)

    def forward(self, views: Views) -> StepResult:
        """Hide patches at random and rebuild them; ``views`` holds one (B, 3, H, W)."""
        images = views[0]
        keep, hidden, restore = random_masking(len(images), self.side**2, self.recipe.mask_ratio, images.device)
        tokens = self.encoder.tokens(images, keep=keep)  # (B, P + K, D)
        prediction = self.decoder(tokens, restore, tokens.shape[1] - keep.shape[1])
        with full_precision(images.device):
            target = patchify(images.float(), self.encoder.stride)
            return StepResult(mae_loss(prediction.float(), target, hidden, normalise=self.recipe.normalise_target))


class Decoder(nn.Module):
    """Visible tokens and mask tokens in patch order, with fixed positions, through a few blocks to pixels."""

    positions: Tensor

    def __init__(self, encoder_width: int, width: int, depth: int, patch: int, side: int, channels: int) -> None:
        super().__init__()
        width = max(32, width // 32 * 32)
        self.enter = nn.Linear(encoder_width, width)
        self.mask_token = nn.Parameter(torch.zeros(1, 1, width))
        nn.init.normal_(self.mask_token, std=0.02)
        self.register_buffer("positions", sin_cos_positions(side, side, width)[None], persistent=False)
        self.blocks = nn.ModuleList(Block(width, max(1, width // 32), qkv_bias=True) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.leave = nn.Linear(width, channels * patch * patch)

    def forward(self, tokens: Tensor, restore: Tensor, prefix: int) -> Tensor:
        """Pixels of all patches (B, N, C p p) from tokens (B, prefix + K, D) and the order ``restore`` (B, N)."""
        x = self.enter(tokens)
        first, visible = x[:, :prefix], x[:, prefix:]
        missing = self.mask_token.to(x.dtype).expand(len(x), restore.shape[1] - visible.shape[1], -1)
        patches = torch.cat([visible, missing], dim=1)  # (B, N, D) in shuffled order
        patches = patches.gather(1, restore[..., None].expand(-1, -1, patches.shape[-1]))
        x = torch.cat([first, patches + self.positions.to(x.dtype)], dim=1)
        for block in self.blocks:
            x = block(x)
        return self.leave(self.norm(x[:, prefix:]))


def random_masking(batch: int, count: int, ratio: float, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Which patches stay (B, K), which are hidden (B, N) as 0 or 1, and the way back to patch order (B, N)."""
    kept = min(count - 1, max(1, round(count * (1 - ratio))))
    order = torch.rand(batch, count, device=device).argsort(dim=1)
    hidden = torch.ones(batch, count, device=device)
    hidden.scatter_(1, order[:, :kept], 0.0)
    return order[:, :kept], hidden, order.argsort(dim=1)


def patchify(images: Tensor, patch: int) -> Tensor:
    """Cut (B, C, H, W) into patches in row order, (B, N, patch * patch * C)."""
    batch, channels, height, width = images.shape
    x = images.reshape(batch, channels, height // patch, patch, width // patch, patch)
    return x.permute(0, 2, 4, 3, 5, 1).reshape(batch, -1, patch * patch * channels)


def unpatchify(patches: Tensor, patch: int, rows: int, columns: int) -> Tensor:
    """Put patches (B, rows * columns, patch * patch * C) back together to (B, C, H, W)."""
    x = patches.reshape(len(patches), rows, columns, patch, patch, -1).permute(0, 5, 1, 3, 2, 4)
    return x.reshape(len(patches), -1, rows * patch, columns * patch)


def mae_loss(prediction: Tensor, target: Tensor, hidden: Tensor, *, normalise: bool) -> Tensor:
    """Mean squared error over hidden patches; (B, N, P), (B, N, P) and (B, N) of 0 or 1 (section 3)."""
    if normalise:
        variance, mean = torch.var_mean(target, dim=-1, keepdim=True)
        target = (target - mean) / (variance + 1e-6).sqrt()
    error = (prediction - target).square().mean(dim=-1)
    return (error * hidden).sum() / hidden.sum()
