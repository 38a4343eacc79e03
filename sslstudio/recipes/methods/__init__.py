"""The table of self-supervised methods and the settings of each; the code is in ``learning/methods``.

One file per method here and one there. A new method adds its import, its class in ``MethodRecipe`` and its row.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sslstudio.recipes.methods import dino, mae, simclr
from sslstudio.recipes.methods.dino import DINORecipe
from sslstudio.recipes.methods.info import BackboneKind, Fitted, Folder, MethodInfo, MethodSettings
from sslstudio.recipes.methods.mae import MAERecipe
from sslstudio.recipes.methods.simclr import SimCLRRecipe

MethodRecipe = Annotated[
    SimCLRRecipe | MAERecipe | DINORecipe,
    Field(discriminator="id"),
]

METHODS: dict[str, MethodInfo] = {
    info.id: info
    for info in (
        simclr.INFO,
        mae.INFO,
        dino.INFO,
    )
}

__all__ = [
    "METHODS",
    "BackboneKind",
    "DINORecipe",
    "Fitted",
    "Folder",
    "MAERecipe",
    "MethodInfo",
    "MethodRecipe",
    "MethodSettings",
    "SimCLRRecipe",
]
