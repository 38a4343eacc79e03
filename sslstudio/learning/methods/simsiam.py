"""SimSiam: each view of an image predicts the other, and no gradient goes through what is predicted.

Source: Chen and He 2020, https://arxiv.org/abs/2011.10566, section 3 (equations 1 to 4, algorithm 1).
Differs from the paper: AdamW in place of SGD, and the predictor's learning rate falls with the rest; narrower
heads (2,048 and 512); batch norm sees both views of a batch together, which steadies small batches;
augmentation by domain preset.
"""

from __future__ import annotations

from sslstudio.learning.backbones.encoder import Encoder
from sslstudio.learning.methods.base import Method, StepResult, Views, full_precision, two_views
from sslstudio.learning.methods.batch_norm import refuse_single
from sslstudio.learning.methods.heads import mlp, tower
from sslstudio.learning.methods.likeness import of_images_and_views
from sslstudio.learning.methods.siamese import across
from sslstudio.recipes.methods import SimSiamRecipe
from sslstudio.recipes.presets import Augmentation


class SimSiam(Method):
    """A projector with batch norm after every layer, and a predictor with a bottleneck."""

    def __init__(self, encoder: Encoder, recipe: SimSiamRecipe, *, resolution: int, look: Augmentation) -> None:
        super().__init__()
        self.encoder = encoder
        self.projector = tower(encoder.width, recipe.out, recipe.out, recipe.out, last_norm=True)
        self.predictor = mlp(recipe.out, recipe.bottleneck, recipe.out)
        self.views = two_views(encoder, resolution, look)

    def forward(self, views: Views) -> StepResult:
        """The mean of both ways (equation 4); ``views`` holds one (2B, 3, H, W)."""
        refuse_single(len(views[0]) // 2)
        projections = self.projector(self.encoder(views[0]))  # (2B, D)
        predictions = self.predictor(projections).float()
        with full_precision(predictions.device):
            return StepResult(across(predictions, projections.float()), of_images_and_views(predictions))
