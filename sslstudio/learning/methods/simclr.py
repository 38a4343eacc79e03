"""SimCLR: find the other view of the same image among the views of many images.

Source: Chen et al. 2020, https://arxiv.org/abs/2002.05709, sections 2.1 to 2.3 (loss: equation 1, algorithm 1).
Differs from the paper: AdamW in place of LARS and a lower temperature with small batches, since one
processor holds small batches; each device contrasts its own images only; augmentation by domain preset.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from sslstudio.learning.backbones.encoder import Encoder
from sslstudio.learning.methods.base import Method, StepResult, Views, full_precision, two_views
from sslstudio.learning.methods.heads import mlp
from sslstudio.recipes.methods import SimCLRRecipe
from sslstudio.recipes.presets import Augmentation


class SimCLR(Method):
    """Two views per image, a projection head, and the NT-Xent loss."""

    def __init__(self, encoder: Encoder, recipe: SimCLRRecipe, *, resolution: int, look: Augmentation) -> None:
        super().__init__()
        self.encoder = encoder
        self.temperature = recipe.temperature
        self.head = mlp(encoder.width, recipe.projection_hidden, recipe.projection_out)
        self.views = two_views(encoder, resolution, look)

    def forward(self, views: Views) -> StepResult:
        """Contrast the first view of every image with the second; ``views`` holds one (2B, 3, H, W)."""
        left, right = self.head(self.encoder(views[0])).float().chunk(2)
        with full_precision(left.device):
            return StepResult(nt_xent(left, right, self.temperature))


def nt_xent(left: Tensor, right: Tensor, temperature: float) -> Tensor:
    """Mean cross-entropy of picking the partner among 2B - 1 others, for (B, D) and (B, D) (equation 1)."""
    z = F.normalize(torch.cat([left, right]), dim=1)  # (2B, D)
    similar = z @ z.T / temperature
    similar = similar.masked_fill(torch.eye(len(z), dtype=torch.bool, device=z.device), float("-inf"))
    partner = torch.arange(len(z), device=z.device).roll(len(left))
    return F.cross_entropy(similar, partner)
