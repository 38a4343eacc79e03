"""What a row of the methods' table holds, and what the settings of every method have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sslstudio.recipes.settings import Recipe

BackboneKind = Literal["vit", "conv"]


@dataclass(frozen=True)
class Folder:
    """What is known of a folder and a machine when good values for them are sought.

    ``images`` is their number, ``batch`` the images per step, ``minutes`` the time of the run.
    """

    images: int
    batch: int
    device: Literal["cpu", "cuda"]
    minutes: float
    preset: str
    backbone: BackboneKind


@dataclass(frozen=True)
class Fitted:
    """A setting of a method that suits a folder, and why in one sentence."""

    key: str
    value: float | int | bool | str
    reason: str


class MethodSettings(Recipe):
    """Base of the settings of every method; a subclass has a literal ``id``."""

    @classmethod
    def fitted(cls, folder: Folder) -> tuple[Fitted, ...]:
        """Values that suit ``folder`` better than the defaults."""
        return ()


@dataclass(frozen=True)
class MethodInfo:
    """A row of the methods' table; ``where`` is ``module:Class`` and is imported by workers only.

    ``rates`` are calm learning rates of AdamW at 64 images per step, for a ViT and for a convolutional network.
    ``compares`` tells whether the images of a step teach by being compared, so that larger steps teach more.
    """

    id: str
    name: str
    year: int
    paper: str
    backbones: tuple[BackboneKind, ...]
    summary: str
    recipe: type[MethodSettings]
    where: str
    rates: tuple[float, float] = (5e-4, 1e-3)
    compares: bool = True
