"""The settings of SimCLR and its row in the table of methods."""

from __future__ import annotations

from typing import Literal

from sslstudio.language import tr
from sslstudio.recipes.methods.info import Fitted, Folder, MethodInfo, MethodSettings
from sslstudio.recipes.settings import setting


class SimCLRRecipe(MethodSettings):
    """SimCLR's own settings (Chen et al. 2020)."""

    id: Literal["simclr"] = "simclr"
    temperature: float = setting(
        0.15,
        "Temperature",
        "How sharply other images are told apart; 0.1 to 0.2 suits small folders.",
        low=0.01,
        high=1,
    )
    projection_hidden: int = setting(512, "Head width", "Hidden width of the projection head.", low=16, high=8192)
    projection_out: int = setting(128, "Embedding size", "Output width of the projection head.", low=8, high=4096)

    @classmethod
    def fitted(cls, folder: Folder) -> tuple[Fitted, ...]:
        """The paper's 0.5 with small batches tells images apart too softly; below 0.1 twins are torn apart."""
        return (Fitted("temperature", 0.15, tr("Between 0.1 and 0.2 images are told apart well in small batches.")),)


INFO = MethodInfo(
    "simclr",
    "SimCLR",
    2020,
    "https://arxiv.org/abs/2002.05709",
    ("vit", "conv"),
    "Learns by finding two views of one image among many others. Works with any backbone and small folders.",
    SimCLRRecipe,
    "sslstudio.learning.methods.simclr:SimCLR",
)
