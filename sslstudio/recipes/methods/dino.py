"""The settings of DINO and its row in the table of methods."""

from __future__ import annotations

from typing import Literal

from sslstudio.recipes.methods.info import Fitted, Folder, MethodInfo, MethodSettings
from sslstudio.recipes.settings import setting


class DINORecipe(MethodSettings):
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

    @classmethod
    def fitted(cls, folder: Folder) -> tuple[Fitted, ...]:
        """More prototypes than the images can fill leave most of them dead."""
        count = 1024 if folder.images <= 20_000 else 2048 if folder.images <= 50_000 else 4096
        return (Fitted("prototypes", count, f"Enough for {folder.images} images."),)


INFO = MethodInfo(
    "dino",
    "DINO",
    2021,
    "https://arxiv.org/abs/2104.14294",
    ("vit", "conv"),
    "A student matches a slow copy of itself across large and small views. Its attention maps find objects.",
    DINORecipe,
    "sslstudio.learning.methods.dino:DINO",
)
