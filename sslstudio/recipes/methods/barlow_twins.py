"""The settings of Barlow Twins and its row in the table of methods."""

from __future__ import annotations

from typing import Literal

from sslstudio.recipes.methods.info import MethodInfo, MethodSettings
from sslstudio.recipes.settings import setting


class BarlowTwinsRecipe(MethodSettings):
    """Barlow Twins' own settings (Zbontar et al. 2021)."""

    id: Literal["barlow_twins"] = "barlow_twins"
    redundancy: float = setting(
        0.005, "Independence", "Weight of: outputs do not repeat each other.", low=0.00001, high=1
    )
    out: int = setting(1024, "Embedding size", "Width of the projector's three layers.", low=16, high=8192)


INFO = MethodInfo(
    "barlow_twins",
    "Barlow Twins",
    2021,
    "https://arxiv.org/abs/2103.03230",
    ("vit", "conv"),
    "Each output agrees between two views and is independent of every other output. No slow copy, no other images.",
    BarlowTwinsRecipe,
    "sslstudio.learning.methods.barlow_twins:BarlowTwins",
)
