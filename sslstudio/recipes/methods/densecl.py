"""The settings of DenseCL and its row in the table of methods."""

from __future__ import annotations

from typing import Literal

from sslstudio.recipes.methods.info import Fitted, Folder, MethodInfo, MethodSettings
from sslstudio.recipes.methods.moco_v2 import LONGEST_QUEUE, fitted_queue
from sslstudio.recipes.settings import setting


class DenseCLRecipe(MethodSettings):
    """DenseCL's own settings (Wang et al. 2020)."""

    id: Literal["densecl"] = "densecl"
    temperature: float = setting(
        0.2, "Temperature", "How sharply other images are told apart; lower is sharper.", low=0.01, high=1
    )
    queue: int = setting(
        LONGEST_QUEUE,
        "Queue",
        "How many earlier images each image and each of its places is compared with, beside those of its own step. "
        "More than the folder has is of no use.",
        low=0,
        high=65536,
    )
    dense_weight: float = setting(
        0.5, "Weight of places", "How much single places count; the rest goes to the image as a whole.", low=0, high=1
    )
    dense_start: float = setting(
        0.05, "Places join after", "Share of the run in which only whole images are compared.", low=0, high=0.9
    )
    grid: int = setting(7, "Places per side", "An image is compared at up to this many places squared.", low=1, high=32)
    momentum: float = setting(
        0.999, "Momentum", "How slowly the second network follows; lowered in short runs.", low=0.5, high=0.9999
    )
    projection_hidden: int = setting(512, "Head width", "Hidden width of the two heads.", low=16, high=8192)
    projection_out: int = setting(128, "Embedding size", "Output width of the two heads.", low=8, high=4096)

    @classmethod
    def fitted(cls, folder: Folder) -> tuple[Fitted, ...]:
        """A queue longer than the folder would hold old keys of the same images."""
        return (fitted_queue(folder),)


INFO = MethodInfo(
    "densecl",
    "DenseCL",
    2021,
    "https://arxiv.org/abs/2011.09157",
    ("vit", "conv"),
    "Recognises single places of an image in another view, not only the image. Made for segmentation.",
    DenseCLRecipe,
    "sslstudio.learning.methods.densecl:DenseCL",
)
