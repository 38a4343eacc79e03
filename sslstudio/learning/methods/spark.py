"""SparK: hide most squares of an image from a convolutional network and paint them back, as MAE does for ViTs.

Source: Tian et al. 2023, https://arxiv.org/abs/2301.03580, section 3 (sparse encoding, hierarchical decoding) and
appendix A.
Differs from the paper: sparse convolution is carried out on the visible squares alone (``visible_cells``), with
the same result as masking after every layer; the decoder is narrower, projects before it fills in the mask
embeddings, and ends at the encoder's stride of 4 pixels, from where a pointwise layer gives the pixels; AdamW in
place of LAMB, since batches are small; flips, turns and the smallest crop follow the domain preset.
"""

from __future__ import annotations

import copy
from dataclasses import replace

import torch
from torch import Tensor, nn

from sslstudio.errors import UserError
from sslstudio.language import tr
from sslstudio.learning.backbones.encoder import ConvEncoder, Encoder
from sslstudio.learning.methods.base import Method, StepResult, Views, ViewSpec, full_precision, nearest_multiple
from sslstudio.learning.methods.mae import mae_loss, patchify, random_masking
from sslstudio.learning.methods.visible_cells import VisibleCells, seeing_only
from sslstudio.recipes.methods import SparKRecipe
from sslstudio.recipes.presets import Augmentation

FINEST = 4  # stride in pixels of the finest features that the decoder uses


class SparK(Method):
    """The encoder sees the visible squares only; a light decoder guesses the pixels of the hidden ones."""

    encoder: ConvEncoder

    def __init__(self, encoder: Encoder, recipe: SparKRecipe, *, resolution: int, look: Augmentation) -> None:
        super().__init__()
        if not isinstance(encoder, ConvEncoder) or not sees_only_what_is_visible(encoder):
            raise UserError(
                tr("SparK cannot hide parts of an image from “{name}”.").format(name=encoder.name),
                tr("Choose a convolutional backbone such as resnet18 or convnext_atto, or another method."),
            )
        self.encoder = encoder
        self.recipe = recipe
        size = max(2 * encoder.stride, nearest_multiple(resolution, encoder.stride))
        self.side = size // encoder.stride
        crop = (max(0.2, look.crop_low), 1.0)
        self.views = (ViewSpec(size, 1, crop, replace(look, jitter=0.0, grey=0.0, blur=0.0, solarize=0.0, noise=0.0)),)
        self.decoder = Decoder(encoder.levels, recipe.decoder_width, encoder.channels)

    def forward(self, views: Views) -> StepResult:
        """Hide squares at random and rebuild them; ``views`` holds one (B, 3, H, W)."""
        images, stride = views[0], self.encoder.stride
        keep, hidden, _ = random_masking(len(images), self.side**2, self.recipe.mask_ratio, images.device)
        cells = VisibleCells(keep, self.side, self.side)
        prediction = self.decoder(visible_levels(self.encoder, images, cells), cells)  # (B, C, H, W)
        with full_precision(images.device):
            guess, target = patchify(prediction.float(), stride), patchify(images.float(), stride)
            return StepResult(mae_loss(guess, target, hidden, normalise=self.recipe.normalise_target))


def visible_levels(encoder: ConvEncoder, images: Tensor, cells: VisibleCells) -> list[Tensor]:
    """Features (B * K, C_i, h_i, w_i) of the visible cells at every stage, untouched by the hidden ones."""
    with seeing_only(encoder.net, cells):
        return encoder.feature_levels(cells.cut(images))


@torch.no_grad()
def sees_only_what_is_visible(encoder: ConvEncoder) -> bool:
    """Whether all layers of ``encoder`` can work on cells: with nothing hidden the features must be the usual ones.

    Networks with layers that mix positions in ways that ``visible_cells`` does not know differ, or fail.
    """
    probe = copy.deepcopy(encoder).cpu().float().eval()
    for weight in probe.parameters():
        if weight.squeeze().dim() < 2:
            # Layer scales and gates that begin at zero would hide what their layers do.
            weight.copy_(torch.where(weight.abs() < 0.01, 0.1, weight))
    size = 2 * encoder.stride
    image = torch.linspace(-2, 2, encoder.channels * size * size).mul(97).sin().view(1, -1, size, size)
    cells = VisibleCells(torch.arange(4)[None], 2, 2)
    try:
        seen, usual = visible_levels(probe, image, cells), [cells.cut(x) for x in probe.feature_levels(image)]
        return all(bool((a - b).abs().max() < 1e-3 * b.abs().max()) for a, b in zip(seen, usual, strict=True))
    except (RuntimeError, ValueError, AssertionError, TypeError):
        return False


class Decoder(nn.Module):
    """Fills every stage's hidden places with an embedding and goes up from coarse to fine, to pixels."""

    def __init__(self, levels: tuple[tuple[int, int], ...], width: int, channels: int) -> None:
        super().__init__()
        used = [(number, *level) for number, level in enumerate(levels) if level[1] >= FINEST or level is levels[-1]]
        used.reverse()  # coarse to fine
        self._numbers = [number for number, _, _ in used]
        strides = [stride for _, _, stride in used]
        widths = [max(16, width * stride // strides[0]) for stride in strides]
        self.fills = nn.ModuleList(Fill(wide, w) for (_, wide, _), w in zip(used, widths, strict=True))
        steps = zip(widths, widths[1:], strides, strides[1:], strict=False)
        self.ups = nn.ModuleList(Up(wide, narrow, coarse // fine) for wide, narrow, coarse, fine in steps)
        self.leave = nn.Sequential(
            nn.Conv2d(widths[-1], widths[-1], 3, padding=1, bias=False),
            nn.BatchNorm2d(widths[-1]),
            nn.ReLU6(),
            nn.Conv2d(widths[-1], channels * strides[-1] ** 2, 1),
            nn.PixelShuffle(strides[-1]),
        )

    def forward(self, levels: list[Tensor], cells: VisibleCells) -> Tensor:
        """Pixels (B, C, H, W) from the visible cells' features at every stage."""
        filled = [fill(levels[number], cells) for fill, number in zip(self.fills, self._numbers, strict=True)]
        x = filled[0]
        for up, finer in zip(self.ups, filled[1:], strict=True):
            x = up(x) + finer
        return self.leave(x)


class Fill(nn.Module):
    """Norm and projection of what is visible, and an embedding everywhere else (section 3.2, “densify”)."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)
        self.project = nn.Conv2d(channels, width, 1)
        self.mask_token = nn.Parameter(torch.zeros(1, width, 1, 1))
        nn.init.trunc_normal_(self.mask_token, std=0.02)

    def forward(self, features: Tensor, cells: VisibleCells) -> Tensor:
        """(B * K, C, h, w) to (B, width, H, W)."""
        x = self.project(self.norm(features))
        token = self.mask_token.to(x.dtype)
        return cells.put(x - token) + token


class Up(nn.Module):
    """Twice (or ``factor`` times) as fine by a transposed convolution, then two convolutions with norms."""

    def __init__(self, wide: int, narrow: int, factor: int) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(wide, wide, 2 * factor, factor, factor // 2)
        self.body = nn.Sequential(
            nn.Conv2d(wide, wide, 3, padding=1, bias=False),
            nn.BatchNorm2d(wide),
            nn.ReLU6(),
            nn.Conv2d(wide, narrow, 3, padding=1, bias=False),
            nn.BatchNorm2d(narrow),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, wide, H, W) to (B, narrow, factor H, factor W)."""
        return self.body(self.up(x))
