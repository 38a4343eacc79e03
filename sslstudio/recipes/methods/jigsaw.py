"""The settings of jigsaw and its row in the table of methods."""

from __future__ import annotations

from typing import Literal

from sslstudio.language import tr
from sslstudio.recipes.methods.info import Fitted, Folder, MethodInfo, MethodSettings
from sslstudio.recipes.settings import setting


class JigsawRecipe(MethodSettings):
    """Jigsaw's own settings (Noroozi and Favaro 2016)."""

    id: Literal["jigsaw"] = "jigsaw"
    permutations: int = setting(
        64, "Permutations", "How many orders of the nine tiles there are to choose from.", low=2, high=1000
    )
    gap: float = setting(
        0.15, "Gap", "Share of a tile's place that is left free at random, so that edges do not match.", low=0, high=0.5
    )
    puzzles: int = setting(
        4, "Puzzles per image", "How many orders of its tiles are asked of each image in a step.", low=1, high=32
    )

    @classmethod
    def fitted(cls, folder: Folder) -> tuple[Fitted, ...]:
        """Fewer orders where there are few images: each must be seen often enough to be learned."""
        count = 24 if folder.images <= 500 else 64 if folder.images <= 5000 else 100 if folder.images <= 50_000 else 500
        return (
            Fitted(
                "permutations", count, tr("As many orders as {images} images can teach.").format(images=folder.images)
            ),
        )


INFO = MethodInfo(
    "jigsaw",
    "Jigsaw",
    2016,
    "https://arxiv.org/abs/1603.09246",
    ("vit", "conv"),
    "Cuts an image into nine tiles, mixes them and learns to tell where each belongs. For images with larger parts.",
    JigsawRecipe,
    "sslstudio.learning.methods.jigsaw:Jigsaw",
    rates=(5e-4, 6e-4),
    compares=False,
)
