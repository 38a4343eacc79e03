"""The settings of SimMIM and its row in the table of methods."""

from __future__ import annotations

from typing import Literal

from sslstudio.recipes.methods.info import MethodInfo, MethodSettings
from sslstudio.recipes.settings import setting


class SimMIMRecipe(MethodSettings):
    """SimMIM's own settings (Xie et al. 2021)."""

    id: Literal["simmim"] = "simmim"
    mask_ratio: float = setting(0.6, "Hidden share", "Share of the image that is hidden.", low=0.1, high=0.9)
    mask_size: int = setting(
        32,
        "Hidden squares",
        "Side of a hidden square. Small squares can be guessed from their rim, without knowing what they show.",
        low=4,
        high=128,
        unit="px",
    )


INFO = MethodInfo(
    "simmim",
    "SimMIM",
    2021,
    "https://arxiv.org/abs/2111.09886",
    ("vit",),
    "Covers squares of an image and guesses their pixels with a single layer. The simplest of the masked methods.",
    SimMIMRecipe,
    "sslstudio.learning.methods.simmim:SimMIM",
    compares=False,
)
