"""The settings of iBOT and its row in the table of methods."""

from __future__ import annotations

from typing import Literal

from sslstudio.recipes.methods.info import MethodInfo
from sslstudio.recipes.methods.self_distillation import PatchDistillationSettings
from sslstudio.recipes.settings import setting


class IBOTRecipe(PatchDistillationSettings):
    """iBOT's own settings (Zhou et al. 2021)."""

    id: Literal["ibot"] = "ibot"
    shared_head: bool = setting(True, "Shared head", "Images and patches are sorted into the same prototypes.")


INFO = MethodInfo(
    "ibot",
    "iBOT",
    2021,
    "https://arxiv.org/abs/2111.07832",
    ("vit",),
    "DINO that also says what is in hidden patches, so that places in an image are understood too, not only images.",
    IBOTRecipe,
    "sslstudio.learning.methods.ibot:IBOT",
    compares=False,
)
