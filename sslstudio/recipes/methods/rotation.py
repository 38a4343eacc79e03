"""The settings of rotation prediction and its row in the table of methods."""

from __future__ import annotations

from typing import Literal

from sslstudio.recipes.methods.info import MethodInfo, MethodSettings
from sslstudio.recipes.settings import setting


class RotationRecipe(MethodSettings):
    """Rotation prediction's own settings (Gidaris et al. 2018)."""

    id: Literal["rotation"] = "rotation"
    hidden: int = setting(
        0, "Head width", "Hidden width of the head that names the turn; 0 for a single layer.", low=0, high=4096
    )


INFO = MethodInfo(
    "rotation",
    "Rotation",
    2018,
    "https://arxiv.org/abs/1803.07728",
    ("vit", "conv"),
    "Learns by telling which way up an image is. Only for images that have an up: streets, people, X-rays.",
    RotationRecipe,
    "sslstudio.learning.methods.rotation:Rotation",
    compares=False,
)
