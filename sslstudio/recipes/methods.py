"""The table of self-supervised methods and the settings of each; the code is in ``learning/methods``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from sslstudio.recipes.settings import Recipe, setting

BackboneKind = Literal["vit", "conv"]


class SimCLRRecipe(Recipe):
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


class MAERecipe(Recipe):
    """MAE's own settings (He et al. 2021)."""

    id: Literal["mae"] = "mae"
    mask_ratio: float = setting(0.75, "Hidden share", "Share of the patches that is hidden.", low=0.1, high=0.95)
    decoder_width: int = setting(192, "Decoder width", "Width of the small decoder.", low=32, high=1024)
    decoder_depth: int = setting(2, "Decoder depth", "Blocks of the small decoder.", low=1, high=12)
    normalise_target: bool = setting(True, "Normalise patches", "Predict each patch with its own contrast removed.")


class DINORecipe(Recipe):
    """DINO's own settings (Caron et al. 2021), with values known to work on small folders."""

    id: Literal["dino"] = "dino"
    # 65,536 in the paper; 1,024 is enough for up to 20,000 images and does not collapse there.
    prototypes: int = setting(1024, "Prototypes", "Outputs of the head.", low=64, high=65536)
    teacher_temperature: float = setting(0.04, "Teacher temperature", "Sharpness of the teacher.", low=0.005, high=0.2)
    student_temperature: float = setting(0.1, "Student temperature", "Sharpness of the student.", low=0.02, high=1)
    momentum: float = setting(0.99, "Momentum", "How slowly the teacher follows, at the start.", low=0.5, high=0.9999)
    centre_momentum: float = setting(0.9, "Centre momentum", "How slowly the centre follows.", low=0.0, high=0.999)
    local_crops: int = setting(4, "Small crops", "Small views per image, beside the two large ones.", low=0, high=12)
    freeze_last: float = setting(
        0.05, "Frozen start", "Share of the run in which the head's last layer stands still.", low=0, high=0.5
    )


MethodRecipe = Annotated[SimCLRRecipe | MAERecipe | DINORecipe, Field(discriminator="id")]


@dataclass(frozen=True)
class MethodInfo:
    """A row of the methods' table; ``where`` is ``module:Class`` and is imported by workers only."""

    id: str
    name: str
    year: int
    paper: str
    backbones: tuple[BackboneKind, ...]
    summary: str
    recipe: type[Recipe]
    where: str


METHODS: dict[str, MethodInfo] = {
    info.id: info
    for info in (
        MethodInfo(
            "simclr",
            "SimCLR",
            2020,
            "https://arxiv.org/abs/2002.05709",
            ("vit", "conv"),
            "Learns by finding two views of one image among many others. Works with any backbone and small folders.",
            SimCLRRecipe,
            "sslstudio.learning.methods.simclr:SimCLR",
        ),
        MethodInfo(
            "mae",
            "MAE",
            2021,
            "https://arxiv.org/abs/2111.06377",
            ("vit",),
            "Hides three quarters of an image and learns to fill the gaps. Fast; best when fine-tuned afterwards.",
            MAERecipe,
            "sslstudio.learning.methods.mae:MAE",
        ),
        MethodInfo(
            "dino",
            "DINO",
            2021,
            "https://arxiv.org/abs/2104.14294",
            ("vit", "conv"),
            "A student matches a slow copy of itself across large and small views. Its attention maps find objects.",
            DINORecipe,
            "sslstudio.learning.methods.dino:DINO",
        ),
    )
}
