"""VICReg: two views of an image give the same outputs, every output varies, and no two outputs repeat each other.

Source: Bardes et al. 2021, https://arxiv.org/abs/2105.04906, section 4.1 (equations 1 to 6).
Differs from the paper: the invariance term is the mean over the outputs, as in the authors' code, where equation
5 has their sum; AdamW in place of LARS; a narrower expander (8,192); each device takes variance and covariance
over its own images; batch norm sees both views of a batch together; augmentation by domain preset.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from sslstudio.learning.backbones.encoder import Encoder
from sslstudio.learning.methods.base import Method, StepResult, Views, full_precision, two_views
from sslstudio.learning.methods.batch_norm import refuse_single
from sslstudio.learning.methods.heads import tower
from sslstudio.learning.methods.likeness import of_images_and_views
from sslstudio.recipes.methods import VICRegRecipe
from sslstudio.recipes.presets import Augmentation


class VICReg(Method):
    """One network for both views and a wide expander that is thrown away afterwards."""

    def __init__(self, encoder: Encoder, recipe: VICRegRecipe, *, resolution: int, look: Augmentation) -> None:
        super().__init__()
        self.encoder = encoder
        self.weights = (recipe.invariance, recipe.variance, recipe.covariance)
        self.expander = tower(encoder.width, recipe.out, recipe.out, recipe.out)
        self.views = two_views(encoder, resolution, look)

    def forward(self, views: Views) -> StepResult:
        """The weighted sum of the three terms; ``views`` holds one (2B, 3, H, W)."""
        refuse_single(len(views[0]) // 2)
        embeddings = self.expander(self.encoder(views[0])).float()  # (2B, D)
        with full_precision(embeddings.device):
            left, right = embeddings.chunk(2)
            return StepResult(vicreg_loss(left, right, *self.weights), of_images_and_views(embeddings))


def vicreg_loss(left: Tensor, right: Tensor, invariance: float, variance: float, covariance: float) -> Tensor:
    """Equation 6 for (B, D) and (B, D), B at least 2, with the weights of the three terms."""
    return (
        invariance * F.mse_loss(left, right)
        + variance * (too_narrow(left) + too_narrow(right)) / 2
        + covariance * (repetition(left) + repetition(right))
    )


def too_narrow(z: Tensor) -> Tensor:
    """How far the outputs' standard deviations over a batch (B, D) stay below 1 (equations 1 and 2)."""
    return F.relu(1 - (z.var(dim=0) + 1e-4).sqrt()).mean()


def repetition(z: Tensor) -> Tensor:
    """Squared covariances of different outputs over a batch (B, D), per output (equations 3 and 4)."""
    z = z - z.mean(dim=0)
    covariance = z.T @ z / (len(z) - 1)  # (D, D)
    return (covariance.square().sum() - covariance.diagonal().square().sum()) / z.shape[1]
