"""Finds and builds the method that a recipe names; imports only that one."""

from __future__ import annotations

import importlib

from sslstudio.learning.backbones.encoder import Encoder
from sslstudio.learning.methods.base import Method
from sslstudio.learning.methods.pairs import check_pair
from sslstudio.recipes.channels import channels_problem
from sslstudio.recipes.methods import METHODS, MethodRecipe
from sslstudio.recipes.presets import Augmentation


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
