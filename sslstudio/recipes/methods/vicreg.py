"""The settings of VICReg and its row in the table of methods."""

from __future__ import annotations

from typing import Literal

from sslstudio.recipes.methods.info import MethodInfo, MethodSettings
from sslstudio.recipes.settings import setting


class VICRegRecipe(MethodSettings):
    """VICReg's own settings (Bardes et al. 2021)."""

    id: Literal["vicreg"] = "vicreg"
    invariance: float = setting(25.0, "Sameness", "Weight of: two views of an image are alike.", low=0, high=1000)
    variance: float = setting(25.0, "Spread", "Weight of: every output differs between images.", low=0, high=1000)
    covariance: float = setting(1.0, "Independence", "Weight of: outputs do not repeat each other.", low=0, high=1000)
    out: int = setting(1024, "Embedding size", "Width of the expander's three layers.", low=16, high=8192)


INFO = MethodInfo(
    "vicreg",
    "VICReg",
    2021,
    "https://arxiv.org/abs/2105.04906",
    ("vit", "conv"),
    "Makes two views alike while every output must vary and none repeat another. Cannot collapse; no other images.",
    VICRegRecipe,
    "sslstudio.learning.methods.vicreg:VICReg",
)
