"""The settings of I-JEPA and its row in the table of methods."""

from __future__ import annotations

from typing import Literal

from sslstudio.recipes.methods.info import MethodInfo, MethodSettings
from sslstudio.recipes.settings import setting


class IJEPARecipe(MethodSettings):
    """I-JEPA's own settings (Assran et al. 2023)."""

    id: Literal["ijepa"] = "ijepa"
    targets: int = setting(4, "Hidden blocks", "How many blocks of each image are to be foreseen.", low=1, high=8)
    target_scale_low: float = setting(
        0.15, "Smallest block", "Share of the image that a hidden block covers, at least.", low=0.02, high=0.5
    )
    target_scale_high: float = setting(
        0.2, "Largest block", "Share of the image that a hidden block covers, at most.", low=0.02, high=0.5
    )
    context_scale_low: float = setting(
        0.85,
        "Smallest view",
        "Share of the image that is looked at, at least; hidden blocks are cut out of it.",
        low=0.3,
        high=1,
    )
    momentum: float = setting(0.996, "Momentum", "How slowly the teacher follows, at the start.", low=0.5, high=0.9999)
    # Half the encoder's width and 6 to 12 blocks in the paper.
    predictor_share: float = setting(
        0.5, "Predictor width", "Width of the small network that foresees, to that of the backbone.", low=0.1, high=2
    )
    predictor_depth: int = setting(4, "Predictor depth", "Blocks of the small network.", low=1, high=12)


INFO = MethodInfo(
    "ijepa",
    "I-JEPA",
    2023,
    "https://arxiv.org/abs/2301.08243",
    ("vit",),
    "Foresees what hidden parts of an image mean rather than how they look, so that noise need not be learned.",
    IJEPARecipe,
    "sslstudio.learning.methods.ijepa:IJEPA",
    # Measured on nuclei, 100 steps: with 5e-4 the effective rank falls to 1.7, with 2e-4 it stays at 2.0.
    rates=(2e-4, 1e-3),
    compares=False,
)
