"""What the settings of DINO, iBOT and DINOv2 have in common, and how they follow the folder."""

from __future__ import annotations

from sslstudio.language import tr
from sslstudio.recipes.methods.info import Fitted, Folder, MethodSettings
from sslstudio.recipes.settings import setting


class SelfDistillationSettings(MethodSettings):
    """A student that matches a slow copy of itself on prototypes, with values known to work on small folders."""

    # 65,536 in DINO's paper; 1,024 is enough for up to 20,000 images and does not collapse there.
    prototypes: int = setting(1024, "Prototypes", "Outputs of the head.", low=64, high=65536)
    teacher_temperature: float = setting(0.04, "Teacher temperature", "Sharpness of the teacher.", low=0.005, high=0.2)
    temperature_start: float = setting(
        0.02, "Teacher temperature at first", "Used with the warm-up below.", low=0.005, high=0.2
    )
    temperature_warmup: float = setting(
        0.0,
        "Temperature warm-up",
        "Share of the run in which the teacher's temperature moves from its first value to its last; 0 for none.",
        low=0,
        high=1,
    )
    student_temperature: float = setting(0.1, "Student temperature", "Sharpness of the student.", low=0.02, high=1)
    momentum: float = setting(0.99, "Momentum", "How slowly the teacher follows, at the start.", low=0.5, high=0.9999)
    centre_momentum: float = setting(0.9, "Centre momentum", "How slowly the centre follows.", low=0.0, high=0.999)
    local_crops: int = setting(4, "Small crops", "Small views per image, beside the two large ones.", low=0, high=12)
    freeze_last: float = setting(
        0.05, "Frozen start", "Share of the run in which the head's last layer stands still.", low=0, high=0.5
    )

    @classmethod
    def fitted(cls, folder: Folder) -> tuple[Fitted, ...]:
        """Prototypes that the images can fill, a teacher quick enough for them, crops that the device affords."""
        # More prototypes than the images can fill leave most of them dead.
        count = 1024 if folder.images <= 20_000 else 2048 if folder.images <= 50_000 else 4096
        small = folder.images <= 20_000
        found = [
            Fitted("prototypes", count, tr("Enough for {images} images.").format(images=folder.images)),
            # 0.07 as in the paper is too soft where a batch shows few different things.
            Fitted("teacher_temperature", 0.04, tr("Between 0.02 and 0.04 the teacher stays decided with few images.")),
            Fitted(
                "momentum",
                0.99 if small else 0.996,
                tr("Few images make few steps, so the teacher follows faster.")
                if small
                else tr("Many images make many steps, so the teacher may follow slowly, as in the paper."),
            ),
            Fitted("freeze_last", 0.05, tr("A short while in which the prototypes stand still steadies the start.")),
        ]
        if folder.device == "cuda":
            found.append(Fitted("local_crops", 8, tr("A GPU affords as many small views as the paper's.")))
        return tuple(found)


class PatchDistillationSettings(SelfDistillationSettings):
    """The same with hidden patches, whose content the student tells: what iBOT and DINOv2 have in common."""

    patch_weight: float = setting(1.0, "Patch weight", "Weight of the loss on hidden patches.", low=0, high=10)
    masked_views: float = setting(
        0.5, "Views with gaps", "Share of the large views in which patches are hidden.", low=0, high=1
    )
    mask_low: float = setting(0.1, "Least hidden", "Smallest hidden share of such a view.", low=0.05, high=0.9)
    mask_high: float = setting(0.5, "Most hidden", "Largest hidden share of such a view.", low=0.05, high=0.9)
