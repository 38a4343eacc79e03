"""The settings of BEiT and its row in the table of methods."""

from __future__ import annotations

from typing import Literal

from sslstudio.language import tr
from sslstudio.recipes.methods.info import Fitted, Folder, MethodInfo, MethodSettings
from sslstudio.recipes.settings import setting


class BEiTRecipe(MethodSettings):
    """BEiT's own settings (Bao et al. 2021), and those of the tokeniser that the app trains for it."""

    id: Literal["beit"] = "beit"
    mask_ratio: float = setting(0.4, "Hidden share", "Share of the patches that is hidden.", low=0.1, high=0.9)
    # 8,192 in the paper, for 1.2 million images.
    codes: int = setting(
        512, "Vocabulary", "How many kinds of patches are told apart; more want more images.", low=16, high=16384
    )
    tokeniser_share: float = setting(
        0.2,
        "Time for the vocabulary",
        "Share of the run in which the kinds of patches are found, before the backbone begins to learn.",
        low=0.02,
        high=0.8,
    )
    tokeniser: str = setting(
        "",
        "Vocabulary from",
        "Empty: find one in this folder. Else the folder of an earlier BEiT run, or a file with DALL-E's dVAE encoder "
        "(large: for a GPU).",
    )

    @classmethod
    def fitted(cls, folder: Folder) -> tuple[Fitted, ...]:
        """A vocabulary that the folder can fill, and time enough to find it."""
        limits = ((1_000, 256), (5_000, 512), (20_000, 1024), (100_000, 2048))
        codes = next((count for most, count in limits if folder.images <= most), 8192)
        found = [
            Fitted(
                "codes",
                codes,
                tr("Each kind of patch is seen often enough in {images} images.").format(images=folder.images),
            )
        ]
        if folder.minutes >= 30:
            # Its network is small: what it has not learned in some minutes, it will not learn in many.
            share = round(max(0.02, min(0.2, 6 / folder.minutes)), 3)
            found.append(Fitted("tokeniser_share", share, tr("Six minutes are enough to find the kinds of patches.")))
        return tuple(found)


INFO = MethodInfo(
    "beit",
    "BEiT",
    2021,
    "https://arxiv.org/abs/2106.08254",
    ("vit",),
    "First finds the kinds of patches that your images are made of, then guesses the kind of those it cannot see.",
    BEiTRecipe,
    "sslstudio.learning.methods.beit:BEiT",
    # Measured on nuclei, 100 steps: calmer than 5e-4, and painted nuclei are told better from the features.
    rates=(3e-4, 1e-3),
    compares=False,
)
