"""MoCo v3: each view of an image finds the other among the batch's images, as a slow copy of the network sees them.

Source: Chen et al. 2021, https://arxiv.org/abs/2104.02057, section 3 (equation 1, algorithm 1) and section 4.2
(a ViT's patch projection stays as it began).
Differs from the paper: a ViT's positions start as sines and cosines but may be learned, and its blocks start as
timm has them; narrower heads (4,096 hidden); temperature 0.2 for convolutional networks too (1.0), for small
batches; an image that is twice in a batch is not its own negative; batch norm sees both views of a batch
together; in runs of few steps the slow copy follows faster; AdamW also for convolutional networks (LARS);
augmentation by domain preset, the same for both views.
"""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sslstudio.learning.backbones.encoder import Encoder, ViTEncoder
from sslstudio.learning.methods.base import Method, StepResult, Views, full_precision, two_views
from sslstudio.learning.methods.batch_norm import refuse_single
from sslstudio.learning.methods.contrast import info_nce, known_pictures, negatives_for
from sslstudio.learning.methods.heads import tower
from sslstudio.learning.methods.momentum import follow, rising_momentum
from sslstudio.learning.methods.positions import start_from_sines
from sslstudio.recipes.methods import MoCoV3Recipe
from sslstudio.recipes.presets import Augmentation


class MoCoV3(Method):
    """``encoder``, ``projector`` and ``predictor`` make queries; slow copies of the first two make keys."""

    def __init__(self, encoder: Encoder, recipe: MoCoV3Recipe, *, resolution: int, look: Augmentation) -> None:
        super().__init__()
        self.encoder = encoder
        self.recipe = recipe
        # The authors' code: three layers after a ViT, two after a ResNet, whose predictor has no last batch norm.
        vit = encoder.kind == "vit"
        hidden = [recipe.hidden] * (2 if vit else 1)
        self.projector = tower(encoder.width, *hidden, recipe.out, last_norm=True)
        self.predictor = tower(recipe.out, recipe.hidden, recipe.out, last_norm=vit)
        if recipe.freeze_patches and isinstance(encoder, ViTEncoder):
            patch_projection(encoder).requires_grad_(False)
        self.key_encoder = copy.deepcopy(encoder).requires_grad_(False)
        self.key_projector = copy.deepcopy(self.projector).requires_grad_(False)
        self.views = two_views(encoder, resolution, look)

    def begin_from_scratch(self) -> None:
        """Start a ViT's positions as sines and cosines, and its patch projection as the authors' code does."""
        if isinstance(self.encoder, ViTEncoder):
            start_vit(self.encoder)
            self.key_encoder.load_state_dict(self.encoder.state_dict())

    def forward(self, views: Views) -> StepResult:
        """Both ways (algorithm 1); ``views`` holds one (2B, 3, H, W)."""
        refuse_single(len(views[0]) // 2)
        queries = self.predictor(self.projector(self.encoder(views[0]))).float()
        with torch.no_grad():
            keys = self.key_projector(self.key_encoder(views[0])).float()
        pictures = known_pictures(self.pictures, keys[: len(keys) // 2])
        with full_precision(keys.device):
            first, second = F.normalize(queries, dim=1).chunk(2)
            key_first, key_second = F.normalize(keys, dim=1).chunk(2)
            loss = self._one_way(first, key_second, pictures) + self._one_way(second, key_first, pictures)
            return StepResult(loss)

    def _one_way(self, queries: Tensor, keys: Tensor, pictures: Tensor) -> Tensor:
        """The loss of queries of one view with keys of the other, (B, D) each; 2 * temperature as in algorithm 1."""
        temperature = self.recipe.temperature
        return 2 * temperature * info_nce(queries, keys, negatives_for(pictures, keys), temperature)

    def after_step(self) -> None:
        """Let the slow copies follow, ever more slowly (appendix A: cosine from the start value to 1)."""
        momentum = rising_momentum(self.recipe.momentum, self.position)
        follow(self.key_encoder, self.encoder, momentum)
        follow(self.key_projector, self.projector, momentum)


def patch_projection(encoder: ViTEncoder) -> nn.Module:
    """The first layer of a ViT, which turns pixels into tokens."""
    return encoder.net.patch_embed.proj


@torch.no_grad()
def start_vit(encoder: ViTEncoder) -> None:
    """Positions as sines and cosines, the patch projection uniform as a linear layer of its pixels (Xavier)."""
    start_from_sines(encoder)
    projection = patch_projection(encoder)
    if isinstance(projection, nn.Conv2d):  # weight (D, 3, patch, patch)
        border = math.sqrt(6 / (projection.weight[0].numel() + len(projection.weight)))
        nn.init.uniform_(projection.weight, -border, border)
        if projection.bias is not None:
            nn.init.zeros_(projection.bias)
