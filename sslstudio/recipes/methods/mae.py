"""The settings of MAE and its row in the table of methods."""

from __future__ import annotations

from typing import Literal

from sslstudio.recipes.methods.info import MethodInfo, MethodSettings
from sslstudio.recipes.settings import setting


class MAERecipe(MethodSettings):
    """MAE's own settings (He et al. 2021)."""

    id: Literal["mae"] = "mae"
    mask_ratio: float = setting(0.75, "Hidden share", "Share of the patches that is hidden.", low=0.1, high=0.95)
    decoder_width: int = setting(192, "Decoder width", "Width of the small decoder.", low=32, high=1024)
    decoder_depth: int = setting(2, "Decoder depth", "Blocks of the small decoder.", low=1, high=12)
    normalise_target: bool = setting(True, "Normalise patches", "Predict each patch with its own contrast removed.")


INFO = MethodInfo(
    "mae",
    "MAE",
    2021,
    "https://arxiv.org/abs/2111.06377",
    ("vit",),
    "Hides three quarters of an image and learns to fill the gaps. Fast; best when fine-tuned afterwards.",
    MAERecipe,
    "sslstudio.learning.methods.mae:MAE",
    compares=False,
)
