"""I-JEPA: from a part of an image, foresee the features that a slow copy finds in four other parts.

Source: Assran et al. 2023, https://arxiv.org/abs/2301.08243, section 3 and appendix A.1.
Differs from the paper: smooth L1 between predictions and layer-normed targets, as in the authors' code, where the text
has a squared distance; the class token, which their ViT lacks, goes to the predictor along with the context, so that
it learns too; where contexts differ in size, random patches of the larger ones are left out (the last ones in their
code); a context never overlaps a target (their code gives way after some tries; here a context that would be too small
has its targets on one place); height and width of a block are drawn apart from its size; positions of the encoder
may be learned; in runs of few steps the teacher follows faster (it looks back over a fifth of the run); constant
weight decay; smaller predictor; crops as small as the paper's 0.3 of the area and, by domain preset, flips and turns.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, replace

import torch
from timm.models.vision_transformer import Block
from torch import Tensor, nn
from torch.nn import functional as F

from sslstudio.learning.backbones.encoder import Encoder, ViTEncoder
from sslstudio.learning.methods.base import Method, StepResult, Views, ViewSpec, full_precision, nearest_multiple
from sslstudio.learning.methods.heads import sin_cos_positions
from sslstudio.learning.methods.momentum import follow
from sslstudio.learning.methods.pairs import as_vit
from sslstudio.learning.methods.positions import start_from_sines
from sslstudio.recipes.methods import IJEPARecipe
from sslstudio.recipes.presets import Augmentation

ASPECT = (0.75, 1.5)  # of a target block, height over width
LEAST_CONTEXT = 10 / 196  # of the patches: the fewest that the authors' code lets a context keep
TRIES = 20
CROP_LOW = 0.3
HEAD = 32  # channels of an attention head of the predictor


class IJEPA(Method):
    """Context encoder, predictor, and a slow copy of the encoder, which makes the targets and is what is kept."""

    student: ViTEncoder
    encoder: ViTEncoder

    def __init__(self, encoder: Encoder, recipe: IJEPARecipe, *, resolution: int, look: Augmentation) -> None:
        super().__init__()
        encoder = as_vit("ijepa", encoder)
        self.recipe = recipe
        size = max(2 * encoder.stride, nearest_multiple(resolution, encoder.stride))
        self.side = size // encoder.stride
        crop = (max(CROP_LOW, look.crop_low), 1.0)
        self.views = (ViewSpec(size, 1, crop, replace(look, jitter=0.0, grey=0.0, blur=0.0, solarize=0.0, noise=0.0)),)
        self.student = encoder
        self.encoder = copy.deepcopy(encoder).requires_grad_(False)
        width = round(encoder.width * recipe.predictor_share)
        self.predictor = Predictor(encoder.width, width, recipe.predictor_depth, self.side)

    def begin_from_scratch(self) -> None:
        """Give both encoders the same places to begin with."""
        start_from_sines(self.student)
        start_from_sines(self.encoder)

    def forward(self, views: Views) -> StepResult:
        """Foresee the features of the target blocks; ``views`` holds one (B, 3, H, W)."""
        images, recipe = views[0], self.recipe
        low, high = sorted((recipe.target_scale_low, recipe.target_scale_high))
        masks = multi_block(len(images), self.side, recipe.targets, (low, high), (recipe.context_scale_low, 1.0)).to(
            images.device
        )
        with torch.no_grad():
            goal = picked(self._patches(self.encoder.tokens(images)), masks.targets)  # (B, T, M, D)
        context = self.student.tokens(images, keep=masks.context)  # (B, P + K, D)
        prediction = self.predictor(context, masks.context, masks.targets)
        with full_precision(images.device):
            return StepResult(ijepa_loss(prediction.float(), goal.float()))

    def _patches(self, tokens: Tensor) -> Tensor:
        return tokens[:, tokens.shape[1] - self.side**2 :]

    def after_step(self) -> None:
        """Let the copy follow, ever more slowly (appendix A.1: in a straight line from the start value to 1)."""
        start = patient_momentum(self.recipe.momentum, self.position.expected_steps)
        follow(self.encoder, self.student, start + (1 - start) * self.position.share)


def patient_momentum(momentum: float, expected_steps: int) -> float:
    """The start momentum, lowered so that the copy looks back over a fifth of the run at most.

    Measured on nuclei, 100 steps: when it looks back over a twentieth only, as other teachers here do, both networks
    agree on less (effective rank 1.5 in place of 1.7, and less of the painted nuclei can be told from the features).
    """
    return min(momentum, 1 - 5 / max(expected_steps, 10))


class Predictor(nn.Module):
    """A narrow transformer that completes the context by mask tokens at the places of one target at a time."""

    positions: Tensor

    def __init__(self, encoder_width: int, width: int, depth: int, side: int) -> None:
        super().__init__()
        width = max(HEAD, round(width / HEAD) * HEAD)
        self.enter = nn.Linear(encoder_width, width)
        self.mask_token = nn.Parameter(torch.empty(width))
        nn.init.trunc_normal_(self.mask_token, std=0.02)
        self.register_buffer("positions", sin_cos_positions(side, side, width), persistent=False)
        self.blocks = nn.ModuleList(Block(width, width // HEAD, qkv_bias=True) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.leave = nn.Linear(width, encoder_width)

    def forward(self, context: Tensor, places: Tensor, targets: Tensor) -> Tensor:
        """Features (B, T, M, D) at ``targets`` (B, T, M) from tokens (B, P + K, D), whose patches lie at ``places``."""
        batch, blocks, length = targets.shape
        x = self.enter(context)
        positions = self.positions.to(x.dtype)
        prefix = x.shape[1] - places.shape[1]
        x = torch.cat([x[:, :prefix], x[:, prefix:] + positions[places]], dim=1)
        asked = self.mask_token.to(x.dtype) + positions[targets.flatten(0, 1)]  # (B T, M, W)
        x = torch.cat([x.repeat_interleave(blocks, dim=0), asked], dim=1)
        for block in self.blocks:
            x = block(x)
        return self.leave(self.norm(x[:, -length:])).unflatten(0, (batch, blocks))


@dataclass(frozen=True)
class Masks:
    """Numbers of the patches of the context, (B, K), and of the target blocks, (B, T, M), in row order."""

    context: Tensor
    targets: Tensor

    def to(self, device: torch.device) -> Masks:
        """The same on ``device``."""
        return Masks(self.context.to(device), self.targets.to(device))


def multi_block(
    batch: int, side: int, targets: int, target_scale: tuple[float, float], context_scale: tuple[float, float]
) -> Masks:
    """Draw target blocks and, outside them, a context for every image of a grid of ``side`` x ``side``, 2 at least.

    Blocks have one size for the whole batch, so that it stays rectangular; their places differ. Random numbers come
    from torch's default generator on the CPU.
    """
    target_size, context_size = _size(side, target_scale, ASPECT), _size(side, context_scale, (1.0, 1.0))
    target_size = (min(target_size[0], side - 1), min(target_size[1], side - 1))  # something is left to look at
    least = max(1, round(LEAST_CONTEXT * side * side))
    blocks, context = _drawn(batch, side, targets, target_size, context_size)
    for _ in range(TRIES):
        small = (context.sum((1, 2)) < least).nonzero().flatten()
        if not len(small):
            break
        blocks[small], context[small] = _drawn(len(small), side, targets, target_size, context_size)
    else:
        # A tiny grid: all targets on one place, and all the rest is context.
        blocks[small] = blocks[small, :1]
        context[small] = ~blocks[small, 0]
    return Masks(_random_places(context.flatten(1)), _places(blocks.flatten(2)))


def _size(side: int, scale: tuple[float, float], aspect: tuple[float, float]) -> tuple[int, int]:
    """Height and width in patches of a block of random size and aspect, within the grid."""
    dice = torch.rand(2, dtype=torch.float64).tolist()
    patches = side * side * (scale[0] + dice[0] * (scale[1] - scale[0]))
    ratio = aspect[0] + dice[1] * (aspect[1] - aspect[0])
    height, width = round(math.sqrt(patches * ratio)), round(math.sqrt(patches / ratio))
    return min(max(1, height), side), min(max(1, width), side)


def _drawn(
    batch: int, side: int, targets: int, target_size: tuple[int, int], context_size: tuple[int, int]
) -> tuple[Tensor, Tensor]:
    """Target blocks (B, T, side, side) and contexts without them (B, side, side), both of bool."""
    blocks = _blocks(batch * targets, side, target_size).unflatten(0, (batch, targets))
    return blocks, _blocks(batch, side, context_size) & ~blocks.any(dim=1)


def _blocks(count: int, side: int, size: tuple[int, int]) -> Tensor:
    """``count`` blocks of one size at random places, (count, side, side) of bool."""
    top = torch.randint(side - size[0] + 1, (count, 1))
    left = torch.randint(side - size[1] + 1, (count, 1))
    line = torch.arange(side)
    rows = (line >= top) & (line < top + size[0])
    columns = (line >= left) & (line < left + size[1])
    return rows[:, :, None] & columns[:, None, :]


def _places(masks: Tensor) -> Tensor:
    """Numbers of the true places of (..., N), which are equally many in each row, in order."""
    count = int(masks.sum(-1).max())
    return masks.to(torch.uint8).argsort(dim=-1, descending=True, stable=True)[..., :count]


def _random_places(masks: Tensor) -> Tensor:
    """As many true places of every row of (B, N) as the poorest row has, chosen at random, in order."""
    count = int(masks.sum(1).min())
    chosen = (torch.rand(masks.shape) + masks).topk(count, dim=1).indices
    return chosen.sort(dim=1).values


def picked(features: Tensor, places: Tensor) -> Tensor:
    """Features (B, N, D) at ``places`` (B, T, M): (B, T, M, D)."""
    rows = places.flatten(1)[..., None].expand(-1, -1, features.shape[-1])
    return features.gather(1, rows).unflatten(1, places.shape[1:])


def ijepa_loss(prediction: Tensor, target: Tensor) -> Tensor:
    """Mean smooth L1 between predictions (..., D) and layer-normed targets (..., D); no gradient reaches these."""
    goal = F.layer_norm(target.detach(), target.shape[-1:])
    return F.smooth_l1_loss(prediction, goal)
