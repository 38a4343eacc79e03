"""Settings of a fine-tuning run."""

from __future__ import annotations

from typing import Literal

from sslstudio.recipes.backbones import BACKBONE_NAMES
from sslstudio.recipes.presets import PRESET_NAMES
from sslstudio.recipes.settings import Recipe, setting


class FinetuneRecipe(Recipe):
    """What a fine-tuning run needs to know besides its masks."""

    minutes: float = setting(5.0, "How long?", "The schedule is fitted to this time.", low=0.02, high=10080, unit="min")
    preset: Literal["natural", "microscopy", "xray", "satellite", "industrial"] = setting(
        "natural", "Kind of images", "Decides how training crops may differ.", names=PRESET_NAMES
    )
    backbone: str = setting(
        "resnet18", "Backbone", "Used when no pretraining run is chosen; any timm name.", names=BACKBONE_NAMES
    )
    start: str = setting(
        "scratch",
        "Start from",
        "Used when no pretraining run is chosen: “scratch”, “timm” or the path of a checkpoint file.",
        names={"scratch": "From scratch", "timm": "timm's published weights"},
    )
    channels: int = setting(
        3,
        "Channels",
        "Of an image that the network sees. 3: colour, grey repeated. Others: images with another number are left out.",
        low=1,
        high=64,
    )
    decoder: Literal["multilevel", "linear"] = setting(
        "multilevel",
        "Decoder",
        "The part that turns features into a mask.",
        names={"multilevel": "Multi-level (fine detail)", "linear": "1×1 projection"},
    )
    crop: int = setting(256, "Crop", "Side of a training crop and of a prediction tile.", low=32, high=2048, unit="px")
    shrink: int = setting(
        0,
        "Shrink images by",
        "The network sees images this many times smaller; 0: as far as what was painted stays visible.",
        low=0,
        high=8,
    )
    batch_size: int = setting(
        4, "Batch", "Crops per step; few, because many steps learn more in a short time.", low=1, high=1024
    )
    learning_rate: float = setting(1e-3, "Learning rate", "Of the decoder.", low=1e-7, high=1)
    backbone_rate: float = setting(
        0.5, "Backbone's share", "The backbone's learning rate as a share of the decoder's.", low=0.001, high=1
    )
    frozen_share: float = setting(
        0.1, "Frozen share", "Share of the time in which only the decoder learns.", low=0, high=1
    )
    unfreeze_blocks: int = setting(
        99, "Unfrozen blocks", "How many of the backbone's last blocks learn afterwards; 99 for all.", low=0, high=99
    )
    weight_decay: float = setting(0.01, "Weight decay", "Of AdamW.", low=0, high=1)
    dice: float = setting(1.0, "Dice weight", "Weight of the Dice loss beside cross-entropy.", low=0, high=10)
    class_balance: float = setting(
        0.5, "Class balance", "0: every pixel counts the same; 1: every class counts the same.", low=0, high=1
    )
    validation: float = setting(
        0.2, "Validation share", "Share of the painted images that is kept for measuring.", low=0, high=0.5
    )
    seed: int = setting(0, "Seed", "Same seed, same run.", low=0, high=2**31 - 1)
