"""The table of self-supervised methods and the settings of each; the code is in ``learning/methods``.

One file per method here and one there. A new method adds its import, its class in ``MethodRecipe`` and its row.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sslstudio.recipes.methods import (
    barlow_twins,
    beit,
    byol,
    colorization,
    densecl,
    dino,
    dinov2,
    ibot,
    ijepa,
    jigsaw,
    mae,
    moco_v2,
    moco_v3,
    rotation,
    simclr,
    simmim,
    simsiam,
    spark,
    vicreg,
)
from sslstudio.recipes.methods.barlow_twins import BarlowTwinsRecipe
from sslstudio.recipes.methods.beit import BEiTRecipe
from sslstudio.recipes.methods.byol import BYOLRecipe
from sslstudio.recipes.methods.colorization import ColorizationRecipe
from sslstudio.recipes.methods.densecl import DenseCLRecipe
from sslstudio.recipes.methods.dino import DINORecipe
from sslstudio.recipes.methods.dinov2 import DINOv2Recipe
from sslstudio.recipes.methods.ibot import IBOTRecipe
from sslstudio.recipes.methods.ijepa import IJEPARecipe
from sslstudio.recipes.methods.info import BackboneKind, Fitted, Folder, MethodInfo, MethodSettings
from sslstudio.recipes.methods.jigsaw import JigsawRecipe
from sslstudio.recipes.methods.mae import MAERecipe
from sslstudio.recipes.methods.moco_v2 import MoCoV2Recipe
from sslstudio.recipes.methods.moco_v3 import MoCoV3Recipe
from sslstudio.recipes.methods.rotation import RotationRecipe
from sslstudio.recipes.methods.simclr import SimCLRRecipe
from sslstudio.recipes.methods.simmim import SimMIMRecipe
from sslstudio.recipes.methods.simsiam import SimSiamRecipe
from sslstudio.recipes.methods.spark import SparKRecipe
from sslstudio.recipes.methods.vicreg import VICRegRecipe

MethodRecipe = Annotated[
    SimCLRRecipe
    | MoCoV2Recipe
    | BYOLRecipe
    | SimSiamRecipe
    | BarlowTwinsRecipe
    | VICRegRecipe
    | MoCoV3Recipe
    | DenseCLRecipe
    | MAERecipe
    | DINORecipe
    | IBOTRecipe
    | DINOv2Recipe
    | SimMIMRecipe
    | SparKRecipe
    | RotationRecipe
    | JigsawRecipe
    | BEiTRecipe
    | IJEPARecipe
    | ColorizationRecipe,
    Field(discriminator="id"),
]

METHODS: dict[str, MethodInfo] = {
    info.id: info
    for info in (
        simclr.INFO,
        moco_v2.INFO,
        byol.INFO,
        simsiam.INFO,
        barlow_twins.INFO,
        vicreg.INFO,
        moco_v3.INFO,
        densecl.INFO,
        mae.INFO,
        simmim.INFO,
        beit.INFO,
        ijepa.INFO,
        spark.INFO,
        dino.INFO,
        ibot.INFO,
        dinov2.INFO,
        # Puzzles that newer methods have overtaken come last.
        rotation.INFO,
        jigsaw.INFO,
        colorization.INFO,
    )
}

__all__ = [
    "METHODS",
    "BEiTRecipe",
    "BYOLRecipe",
    "BackboneKind",
    "BarlowTwinsRecipe",
    "ColorizationRecipe",
    "DINORecipe",
    "DINOv2Recipe",
    "DenseCLRecipe",
    "Fitted",
    "Folder",
    "IBOTRecipe",
    "IJEPARecipe",
    "JigsawRecipe",
    "MAERecipe",
    "MethodInfo",
    "MethodRecipe",
    "MethodSettings",
    "MoCoV2Recipe",
    "MoCoV3Recipe",
    "RotationRecipe",
    "SimCLRRecipe",
    "SimMIMRecipe",
    "SimSiamRecipe",
    "SparKRecipe",
    "VICRegRecipe",
]
