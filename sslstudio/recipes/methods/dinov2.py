"""The settings of DINOv2 and its row in the table of methods."""

from __future__ import annotations

from typing import Literal

from sslstudio.recipes.methods.info import MethodInfo
from sslstudio.recipes.methods.self_distillation import PatchDistillationSettings
from sslstudio.recipes.settings import setting


class DINOv2Recipe(PatchDistillationSettings):
    """DINOv2's own settings (Oquab et al. 2023)."""

    id: Literal["dinov2"] = "dinov2"
    centring: Literal["sinkhorn", "softmax"] = setting(
        "sinkhorn",
        "Centring",
        "How the teacher is kept from giving everything the same prototype.",
        names={"sinkhorn": "Sinkhorn-Knopp: all prototypes alike", "softmax": "A centre that follows, as in DINO"},
    )
    koleo_weight: float = setting(
        0.1,
        "Spreading weight",
        "How strongly the images of a batch are pushed apart (KoLeo); 0 for none.",
        low=0,
        high=1,
    )


INFO = MethodInfo(
    "dinov2",
    "DINOv2",
    2023,
    "https://arxiv.org/abs/2304.07193",
    ("vit",),
    "iBOT with a head of its own for patches, prototypes that are all used alike, and images kept apart. For a GPU.",
    DINOv2Recipe,
    "sslstudio.learning.methods.dinov2:DINOv2",
    compares=False,
)
