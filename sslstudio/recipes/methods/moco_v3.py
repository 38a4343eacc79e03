"""The settings of MoCo v3 and its row in the table of methods."""

from __future__ import annotations

from typing import Literal

from sslstudio.recipes.methods.info import MethodInfo, MethodSettings
from sslstudio.recipes.settings import setting


class MoCoV3Recipe(MethodSettings):
    """MoCo v3's own settings (Chen et al. 2021)."""

    id: Literal["moco_v3"] = "moco_v3"
    temperature: float = setting(
        0.2, "Temperature", "How sharply other images are told apart; lower is sharper.", low=0.01, high=1
    )
    momentum: float = setting(
        0.99, "Momentum", "How slowly the second network follows at the start; lowered in short runs.", low=0, high=1
    )
    hidden: int = setting(1024, "Head width", "Hidden width of projector and predictor.", low=16, high=8192)
    out: int = setting(256, "Embedding size", "Output width of projector and predictor.", low=8, high=4096)
    freeze_patches: bool = setting(
        True, "Fixed first layer", "A ViT's first layer stays as it is, which keeps its training calm."
    )


INFO = MethodInfo(
    "moco_v3",
    "MoCo v3",
    2021,
    "https://arxiv.org/abs/2104.02057",
    ("vit", "conv"),
    "Each view finds the other among the batch's images as a slow copy sees them. Made to train ViTs calmly.",
    MoCoV3Recipe,
    "sslstudio.learning.methods.moco_v3:MoCoV3",
)
