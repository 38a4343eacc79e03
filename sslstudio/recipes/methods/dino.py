"""The settings of DINO and its row in the table of methods."""

from __future__ import annotations

from typing import Literal

from sslstudio.recipes.methods.info import MethodInfo
from sslstudio.recipes.methods.self_distillation import SelfDistillationSettings


class DINORecipe(SelfDistillationSettings):
    """DINO's own settings (Caron et al. 2021)."""

    id: Literal["dino"] = "dino"


INFO = MethodInfo(
    "dino",
    "DINO",
    2021,
    "https://arxiv.org/abs/2104.14294",
    ("vit", "conv"),
    "A student matches a slow copy of itself across large and small views. Its attention maps find objects.",
    DINORecipe,
    "sslstudio.learning.methods.dino:DINO",
    compares=False,
)
