"""Finds and builds the method that a recipe names; imports only that one."""

from __future__ import annotations

import importlib

from sslstudio.errors import UserError
from sslstudio.language import tr
from sslstudio.learning.backbones.encoder import Encoder
from sslstudio.learning.methods.base import Method
from sslstudio.recipes.channels import channels_problem
from sslstudio.recipes.methods import METHODS, MethodRecipe
from sslstudio.recipes.presets import Augmentation

WELL_KNOWN = ("mae", "simclr", "dino")  # named where another method must be chosen


def check_pair(method_id: str, encoder: Encoder) -> None:
    """Raise UserError where a method cannot train this kind of backbone."""
    info = METHODS[method_id]
    if encoder.kind not in info.backbones:
        word = {"vit": tr("a ViT backbone"), "conv": tr("a convolutional backbone")}
        example = {"vit": "vit_tiny_patch16_224", "conv": "resnet18"}[info.backbones[0]]
        others = tr(" or ").join(METHODS[name].name for name in WELL_KNOWN if encoder.kind in METHODS[name].backbones)
        raise UserError(
            tr("{method} cannot train “{name}”, which is {kind}.").format(
                method=info.name, name=encoder.name, kind=word[encoder.kind]
            ),
            tr("What fits is {kind} (for example {example}), or {others} as method.").format(
                kind=word[info.backbones[0]], example=example, others=others
            ),
        )


def check_channels(method_id: str, channels: int) -> None:
    """Raise UserError where a method needs colours and the images have other channels."""
    if problem := channels_problem(method_id, channels):
        raise problem


def create_method(encoder: Encoder, recipe: MethodRecipe, *, resolution: int, look: Augmentation) -> Method:
    """Build the method around ``encoder``; raises UserError when they do not fit."""
    check_pair(recipe.id, encoder)
    check_channels(recipe.id, encoder.channels)
    module, name = METHODS[recipe.id].where.split(":")
    return getattr(importlib.import_module(module), name)(encoder, recipe, resolution=resolution, look=look)
