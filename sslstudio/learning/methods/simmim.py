"""SimMIM: cover squares of an image and guess their pixels with a single layer.

Source: Xie et al. 2021, https://arxiv.org/abs/2111.09886, sections 3.1 to 3.5 (loss: equation 1).
Differs from the paper: a plain ViT with learnable positions that start as sines and cosines, in place of Swin or a
ViT with relative ones; the number of hidden squares is rounded, not rounded up; squares are at most half a view
wide; flips and turns follow the domain preset (crops and colours are the paper's).
"""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor, nn

from sslstudio.learning.backbones.encoder import Encoder, ViTEncoder
from sslstudio.learning.methods.base import Method, StepResult, Views, ViewSpec, full_precision, nearest_multiple
from sslstudio.learning.methods.mae import patchify
from sslstudio.learning.methods.pairs import as_vit
from sslstudio.learning.methods.patch_masks import some_but_not_all, uniform_masks
from sslstudio.learning.methods.positions import start_from_sines
from sslstudio.recipes.methods import SimMIMRecipe
from sslstudio.recipes.presets import Augmentation

CROP = (0.67, 1.0)  # section 4.1.1: little cropping


class SimMIM(Method):
    """The encoder sees every patch, hidden ones as one learned token; one linear layer tells their pixels."""

    encoder: ViTEncoder

    def __init__(self, encoder: Encoder, recipe: SimMIMRecipe, *, resolution: int, look: Augmentation) -> None:
        super().__init__()
        self.encoder = encoder = as_vit("simmim", encoder)
        size = max(2 * encoder.stride, nearest_multiple(resolution, encoder.stride))
        self.side = size // encoder.stride
        self.unit = max(1, min(round(recipe.mask_size / encoder.stride), self.side // 2))  # in patches
        self.mask_ratio = some_but_not_all(recipe.mask_ratio, math.ceil(self.side / self.unit) ** 2)
        self.views = (ViewSpec(size, 1, CROP, replace(look, jitter=0.0, grey=0.0, blur=0.0, solarize=0.0, noise=0.0)),)
        self.mask_token = nn.Parameter(torch.empty(encoder.width))
        nn.init.trunc_normal_(self.mask_token, std=0.02)
        self.head = nn.Linear(encoder.width, encoder.channels * encoder.stride**2)

    def begin_from_scratch(self) -> None:
        """Give the encoder places to begin with."""
        start_from_sines(self.encoder)

    def forward(self, views: Views) -> StepResult:
        """Cover squares and guess their pixels; ``views`` holds one (B, 3, H, W)."""
        images = views[0]
        hidden = uniform_masks(len(images), self.side, self.side, self.mask_ratio, unit=self.unit, device=images.device)
        tokens = self.encoder.tokens(images, hidden=hidden, stand_in=self.mask_token)
        prediction = self.head(tokens[:, tokens.shape[1] - hidden.shape[1] :])  # (B, N, p p C)
        with full_precision(images.device):
            target = patchify(images.float(), self.encoder.stride)
            return StepResult(simmim_loss(prediction.float(), target, hidden))


def simmim_loss(prediction: Tensor, target: Tensor, hidden: Tensor) -> Tensor:
    """Mean absolute error over the hidden pixels; (B, N, P), (B, N, P) and (B, N) of bool (equation 1)."""
    error = (prediction - target).abs().mean(dim=-1)
    return (error * hidden).sum() / hidden.sum()
