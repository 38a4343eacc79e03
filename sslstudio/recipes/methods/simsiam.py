"""The settings of SimSiam and its row in the table of methods."""

from __future__ import annotations

from typing import Literal

from sslstudio.recipes.methods.info import MethodInfo, MethodSettings
from sslstudio.recipes.settings import setting


class SimSiamRecipe(MethodSettings):
    """SimSiam's own settings (Chen and He 2020)."""

    id: Literal["simsiam"] = "simsiam"
    out: int = setting(1024, "Embedding size", "Width of the projector and its output.", low=16, high=8192)
    bottleneck: int = setting(
        256, "Bottleneck", "Hidden width of the predictor; a quarter of the embedding size works.", low=4, high=4096
    )


INFO = MethodInfo(
    "simsiam",
    "SimSiam",
    2020,
    "https://arxiv.org/abs/2011.10566",
    ("vit", "conv"),
    "Two views predict each other, with no second network and no other images. The simplest and leanest of all.",
    SimSiamRecipe,
    "sslstudio.learning.methods.simsiam:SimSiam",
)
