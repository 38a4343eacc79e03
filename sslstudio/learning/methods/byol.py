"""BYOL: predict what a slow copy of the network sees in the image's other view.

Source: Grill et al. 2020, https://arxiv.org/abs/2006.07733, section 3 (loss: equation 2, both ways; momentum: 3.3).
Differs from the paper: AdamW in place of LARS; a narrower projector and predictor (4,096 hidden); batch norm sees
both views of a batch together, which steadies small batches; both views are drawn by the domain preset, where the
paper blurs and solarises them differently; in runs of few steps the slow copy follows faster.
"""

from __future__ import annotations

import copy

import torch

from sslstudio.learning.backbones.encoder import Encoder
from sslstudio.learning.methods.base import Method, StepResult, Views, full_precision, two_views
from sslstudio.learning.methods.batch_norm import refuse_single
from sslstudio.learning.methods.heads import mlp
from sslstudio.learning.methods.likeness import of_images_and_views
from sslstudio.learning.methods.momentum import follow, rising_momentum
from sslstudio.learning.methods.siamese import across
from sslstudio.recipes.methods import BYOLRecipe
from sslstudio.recipes.presets import Augmentation


class BYOL(Method):
    """``encoder``, ``projector`` and ``predictor`` are trained; the target network is a slow copy of the first two."""

    def __init__(self, encoder: Encoder, recipe: BYOLRecipe, *, resolution: int, look: Augmentation) -> None:
        super().__init__()
        self.encoder = encoder
        self.recipe = recipe
        self.projector = mlp(encoder.width, recipe.hidden, recipe.out)
        self.predictor = mlp(recipe.out, recipe.hidden, recipe.out)
        self.target_encoder = copy.deepcopy(encoder).requires_grad_(False)
        self.target_projector = copy.deepcopy(self.projector).requires_grad_(False)
        self.views = two_views(encoder, resolution, look)

    def forward(self, views: Views) -> StepResult:
        """Each view predicts the other's target; ``views`` holds one (2B, 3, H, W)."""
        refuse_single(len(views[0]) // 2)
        predictions = self.predictor(self.projector(self.encoder(views[0]))).float()  # (2B, D)
        with torch.no_grad():
            targets = self.target_projector(self.target_encoder(views[0])).float()
        with full_precision(targets.device):
            # Equation 2 is 2 - 2 cos; the paper adds both ways, across() takes their mean.
            return StepResult(4 + 4 * across(predictions, targets), of_images_and_views(predictions))

    def after_step(self) -> None:
        """Let the target network follow, ever more slowly (section 3.3: cosine from the start value to 1)."""
        momentum = rising_momentum(self.recipe.momentum, self.position)
        follow(self.target_encoder, self.encoder, momentum)
        follow(self.target_projector, self.projector, momentum)
