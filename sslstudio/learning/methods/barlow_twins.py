"""Barlow Twins: over a batch, each output correlates with itself in the other view, and with no other output.

Source: Zbontar et al. 2021, https://arxiv.org/abs/2103.03230, section 2.1 (equations 1 and 2, algorithm 1).
Differs from the paper: AdamW in place of LARS; a narrower projector (8,192); each device correlates its own
images only; batch norm of the projector's hidden layers sees both views of a batch together, that of the loss
each alone; augmentation by domain preset.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from sslstudio.learning.backbones.encoder import Encoder
from sslstudio.learning.methods.base import Method, StepResult, Views, full_precision, two_views
from sslstudio.learning.methods.batch_norm import refuse_single
from sslstudio.learning.methods.heads import tower
from sslstudio.recipes.methods import BarlowTwinsRecipe
from sslstudio.recipes.presets import Augmentation


class BarlowTwins(Method):
    """One network for both views and a wide projector that is thrown away afterwards."""

    def __init__(self, encoder: Encoder, recipe: BarlowTwinsRecipe, *, resolution: int, look: Augmentation) -> None:
        super().__init__()
        self.encoder = encoder
        self.redundancy = recipe.redundancy
        self.projector = tower(encoder.width, recipe.out, recipe.out, recipe.out)
        self.views = two_views(encoder, resolution, look)

    def forward(self, views: Views) -> StepResult:
        """Compare the correlations with the identity; ``views`` holds one (2B, 3, H, W)."""
        refuse_single(len(views[0]) // 2)
        left, right = self.projector(self.encoder(views[0])).float().chunk(2)
        with full_precision(left.device):
            return StepResult(barlow_twins_loss(left, right, self.redundancy))


def barlow_twins_loss(left: Tensor, right: Tensor, redundancy: float) -> Tensor:
    """Equation 1 for (B, D) and (B, D), B at least 2."""
    correlation = _standardised(left).T @ _standardised(right) / len(left)  # (D, D), equation 2
    same = correlation.diagonal()
    different = correlation.square().sum() - same.square().sum()
    return (1 - same).square().sum() + redundancy * different


def _standardised(z: Tensor) -> Tensor:
    """Every output with mean 0 and variance 1 over the batch (B, D), as batch norm makes it."""
    return F.batch_norm(z, None, None, training=True)
