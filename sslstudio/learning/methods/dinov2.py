"""DINOv2: iBOT with separate heads, prototypes that a batch must use alike, and images that are kept apart.

Source: Oquab et al. 2023, https://arxiv.org/abs/2304.07193, section 4 and appendix B.1.
Differs from the paper: the networks are the user's own, without stochastic depth; fewer prototypes and small crops;
each device balances its own images (Sinkhorn-Knopp); constant weight decay; a constant teacher temperature unless its
warm-up is asked for; no last phase at a higher resolution; in runs of few steps the teacher follows faster (as in
``dino``). Of rows that are exactly the same, KoLeo stays finite, which the paper leaves open.
"""

from __future__ import annotations

from sslstudio.learning.backbones.encoder import Encoder
from sslstudio.learning.methods.patch_distillation import PatchDistillation
from sslstudio.recipes.methods import DINOv2Recipe
from sslstudio.recipes.presets import Augmentation


class DINOv2(PatchDistillation):
    """A head for images and one for patches; Sinkhorn-Knopp or a centre; KoLeo over the first large views."""

    def __init__(self, encoder: Encoder, recipe: DINOv2Recipe, *, resolution: int, look: Augmentation) -> None:
        super().__init__(
            encoder,
            recipe,
            resolution=resolution,
            look=look,
            heads=2,
            balanced=recipe.centring == "sinkhorn",
            spreading=recipe.koleo_weight,
        )
