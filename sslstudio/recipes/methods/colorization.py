"""The settings of colorization and its row in the table of methods."""

from __future__ import annotations

from typing import Literal

from sslstudio.recipes.methods.info import MethodInfo, MethodSettings
from sslstudio.recipes.settings import setting


class ColorizationRecipe(MethodSettings):
    """Colorization's own settings (Zhang et al. 2016)."""

    id: Literal["colorization"] = "colorization"
    target: Literal["classes", "regression"] = setting(
        "classes",
        "What is predicted",
        "One of some 300 colours, rare ones counting more, or the colour itself, which tends to greyish means.",
        names={"classes": "Named colours", "regression": "Colour values"},
    )
    rebalance: float = setting(
        0.5,
        "Even weights",
        "0: only rarity decides how much a colour counts; 1: all colours count alike.",
        low=0,
        high=1,
    )
    head_width: int = setting(64, "Head width", "Channels of the small network that colours.", low=8, high=1024)


INFO = MethodInfo(
    "colorization",
    "Colorization",
    2016,
    "https://arxiv.org/abs/1603.08511",
    ("vit", "conv"),
    "Sees a grey copy of an image and learns to colour it. Only for folders whose images have colours that matter.",
    ColorizationRecipe,
    "sslstudio.learning.methods.colorization:Colorization",
    compares=False,
)
