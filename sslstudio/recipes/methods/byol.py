"""The settings of BYOL and its row in the table of methods."""

from __future__ import annotations

from typing import Literal

from sslstudio.recipes.methods.info import MethodInfo, MethodSettings
from sslstudio.recipes.settings import setting


class BYOLRecipe(MethodSettings):
    """BYOL's own settings (Grill et al. 2020)."""

    id: Literal["byol"] = "byol"
    momentum: float = setting(
        0.996, "Momentum", "How slowly the second network follows at the start; lowered in short runs.", low=0, high=1
    )
    hidden: int = setting(1024, "Head width", "Hidden width of projector and predictor.", low=16, high=8192)
    out: int = setting(256, "Embedding size", "Output width of projector and predictor.", low=8, high=4096)


INFO = MethodInfo(
    "byol",
    "BYOL",
    2020,
    "https://arxiv.org/abs/2006.07733",
    ("vit", "conv"),
    "Predicts what a slow copy of the network sees in another view. Compares no images, so similar ones do no harm.",
    BYOLRecipe,
    "sslstudio.learning.methods.byol:BYOL",
)
