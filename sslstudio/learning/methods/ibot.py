"""iBOT: DINO in which the student also tells what the teacher sees in patches that are hidden from the student.

Source: Zhou et al. 2021, https://arxiv.org/abs/2111.07832, section 3 (equations 2 and 3) and appendix A.
Differs from the paper: fewer prototypes and small crops; hidden are exactly the share of views, and of each view's
patches, that was drawn; constant weight decay; a constant teacher temperature unless its warm-up is asked for; in
runs of few steps the teacher follows faster (as in ``dino``).
"""

from __future__ import annotations

from sslstudio.learning.backbones.encoder import Encoder
from sslstudio.learning.methods.patch_distillation import PatchDistillation
from sslstudio.recipes.methods import IBOTRecipe
from sslstudio.recipes.presets import Augmentation


class IBOT(PatchDistillation):
    """One head for images and patches, or one for each; a centre keeps the teacher from always saying the same."""

    def __init__(self, encoder: Encoder, recipe: IBOTRecipe, *, resolution: int, look: Augmentation) -> None:
        super().__init__(
            encoder,
            recipe,
            resolution=resolution,
            look=look,
            heads=1 if recipe.shared_head else 2,
            balanced=False,
            spreading=0.0,
        )
