"""The settings of MoCo v2 and its row in the table of methods."""

from __future__ import annotations

from typing import Literal

from sslstudio.language import tr
from sslstudio.recipes.methods.info import Fitted, Folder, MethodInfo, MethodSettings
from sslstudio.recipes.settings import setting

LONGEST_QUEUE = 4096  # the paper's 65,536 suits a million images; keys of the last minutes suit a folder


def fitted_queue(folder: Folder, key: str = "queue") -> Fitted:
    """A queue that holds each image at most about once: those of the folder that are not in the batch."""
    others = max(0, folder.images - folder.batch)
    if others >= LONGEST_QUEUE:
        return Fitted(
            key,
            LONGEST_QUEUE,
            tr("Enough images to compare with, and none is old, of {images}.").format(images=folder.images),
        )
    reason = tr(
        "The folder has {images} images: the {others} that are not in the batch, and none of them twice."
    ).format(images=folder.images, others=others)
    return Fitted(key, others, reason)


class MoCoV2Recipe(MethodSettings):
    """MoCo v2's own settings (Chen et al. 2020)."""

    id: Literal["moco_v2"] = "moco_v2"
    temperature: float = setting(
        0.2, "Temperature", "How sharply other images are told apart; lower is sharper.", low=0.01, high=1
    )
    queue: int = setting(
        LONGEST_QUEUE,
        "Queue",
        "How many earlier images each image is compared with, beside those of its own step. "
        "More than the folder has is of no use.",
        low=0,
        high=65536,
    )
    momentum: float = setting(
        0.999, "Momentum", "How slowly the second network follows; lowered in short runs.", low=0.5, high=0.9999
    )
    projection_hidden: int = setting(512, "Head width", "Hidden width of the projection head.", low=16, high=8192)
    projection_out: int = setting(128, "Embedding size", "Output width of the projection head.", low=8, high=4096)

    @classmethod
    def fitted(cls, folder: Folder) -> tuple[Fitted, ...]:
        """A queue longer than the folder would hold old keys of the same images."""
        return (fitted_queue(folder),)


INFO = MethodInfo(
    "moco_v2",
    "MoCo v2",
    2020,
    "https://arxiv.org/abs/2003.04297",
    ("vit", "conv"),
    "Finds an image's other view among a memory of earlier images, so small batches are enough. Light per step.",
    MoCoV2Recipe,
    "sslstudio.learning.methods.moco_v2:MoCoV2",
)
