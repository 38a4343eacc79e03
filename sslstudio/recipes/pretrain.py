"""Settings of a pretraining run."""

from __future__ import annotations

from typing import Literal

from sslstudio.recipes.backbones import BACKBONE_NAMES
from sslstudio.recipes.methods import DINORecipe, MAERecipe, MethodRecipe, SimCLRRecipe
from sslstudio.recipes.presets import PRESET_NAMES
from sslstudio.recipes.settings import Recipe, setting


class PretrainRecipe(Recipe):
    """What a pretraining run needs to know besides its images."""

    minutes: float = setting(
        10.0, "How long?", "The schedule is fitted to this time.", low=0.02, high=10080, unit="min"
    )
    preset: Literal["natural", "microscopy", "xray", "satellite", "industrial"] = setting(
        "natural", "Kind of images", "Decides how views of one image may differ.", names=PRESET_NAMES
    )
    grey: bool = setting(
        False, "Grey images", "The images have no colour, so views differ in brightness and contrast only."
    )
    backbone: str = setting("resnet18", "Backbone", "Any timm name.", names=BACKBONE_NAMES)
    start: str = setting(
        "scratch",
        "Start from",
        "“scratch”, “timm” (published weights, needs the network once) or the path of a checkpoint file.",
        names={"scratch": "From scratch", "timm": "timm's published weights"},
    )
    channels: int = setting(
        3,
        "Channels",
        "Of an image that the network sees. 3: colour, grey repeated. Others: images with another number are left out.",
        low=1,
        high=64,
    )
    resolution: int = setting(128, "View size", "Side of a training view.", low=32, high=1024, unit="px")
    batch_size: int = setting(64, "Batch", "Images per step.", low=2, high=8192)
    learning_rate: float = setting(1e-3, "Learning rate", "Of AdamW, after warm-up.", low=1e-7, high=1)
    weight_decay: float = setting(0.05, "Weight decay", "Of AdamW.", low=0, high=1)
    warmup: float = setting(0.05, "Warm-up", "Share of the run in which the rate rises.", low=0, high=0.5)
    clip: float = setting(3.0, "Gradient limit", "Longest allowed gradient; 0 for none.", low=0, high=1000)
    seed: int = setting(0, "Seed", "Same seed, same run.", low=0, high=2**31 - 1)
    method: MethodRecipe = SimCLRRecipe()


__all__ = ["DINORecipe", "MAERecipe", "PretrainRecipe", "SimCLRRecipe"]
