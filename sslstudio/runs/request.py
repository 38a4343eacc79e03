"""What can be asked of a run worker; written whole into ``request.json``, enough to start it again."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from sslstudio.recipes.finetune import FinetuneRecipe
from sslstudio.recipes.pretrain import PretrainRecipe

RunKind = Literal["pretrain", "finetune", "predict", "export", "evaluate-features", "did-it-help"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ClassSpec(_Part):
    """One class as the worker sees it; ``colour`` is ``#rrggbb``, the pixel value is the place in the list."""

    name: str
    colour: str


class LabelledImage(_Part):
    """An image (relative to ``images_root``), its mask (relative to the project folder), its DICOM series if any."""

    image: str
    mask: str
    split: Literal["train", "validation"]
    series: str = ""


class PretrainRequest(_Part):
    """Pretrain an encoder; ``pinned`` images (relative paths) get attention maps every few seconds."""

    kind: Literal["pretrain"] = "pretrain"
    images_root: str
    images: tuple[str, ...]
    pinned: tuple[str, ...] = ()
    recipe: PretrainRecipe


class FinetuneRequest(_Part):
    """Fine-tune a segmentation model; ``encoder_run`` is a pretraining run's id or empty (recipe decides)."""

    kind: Literal["finetune"] = "finetune"
    images_root: str
    labelled: tuple[LabelledImage, ...]
    classes: tuple[ClassSpec, ...]
    encoder_run: str = ""
    model: str  # name below models/
    preview: str = ""  # image (relative path) whose overlay is shown while it trains
    recipe: FinetuneRecipe


class PredictRequest(_Part):
    """Segment images with ``model`` (name below models/) into palette PNGs below ``out``.

    ``out`` is a folder: absolute, or relative to the project. ``images`` are relative to ``images_root``.
    """

    kind: Literal["predict"] = "predict"
    model: str
    images_root: str
    images: tuple[str, ...]
    out: str
    probabilities: bool = False
    project: str = ""  # where the project lies when the run's folder could not be made in it


class ExportRequest(_Part):
    """Export ``model``: ``onnx`` (normalisation inside), ``backbone`` (safetensors), or ``all`` with a card.

    ``out`` is a file for ``onnx`` and ``backbone`` and a folder for ``all``; relative to the project or absolute.
    """

    kind: Literal["export"] = "export"
    model: str
    format: Literal["onnx", "backbone", "all"] = "all"
    out: str = ""
    project: str = ""  # as for predicting


class EvaluateRequest(_Part):
    """Look at all images with one network: a pretraining run's (by its id), or a fresh or published ``backbone``.

    ``series`` names the DICOM series of those images that are files of one, for ``whole_of``.
    """

    kind: Literal["evaluate-features"] = "evaluate-features"
    images_root: str
    images: tuple[str, ...]
    labelled: tuple[LabelledImage, ...] = ()
    classes: tuple[ClassSpec, ...] = ()
    encoder_run: str = ""
    backbone: str = ""
    start: Literal["scratch", "timm"] = "scratch"
    channels: int = 3  # of the images that the network sees
    seed: int = 0
    series: dict[str, str] = {}


def features_key(request: EvaluateRequest) -> str:
    """The name under which a project keeps what an evaluation found (``project.feature_sets``)."""
    published = {"scratch": "untrained", "timm": "published"}[request.start]
    return request.encoder_run or f"{request.backbone}.{published}"


class HelpRequest(_Part):
    """Find out whether pretraining helped: ``recipe`` as fine-tuning would use it, its minutes for all of the check."""

    kind: Literal["did-it-help"] = "did-it-help"
    images_root: str
    labelled: tuple[LabelledImage, ...]
    classes: tuple[ClassSpec, ...]
    encoder_run: str
    folds: int = 5
    recipe: FinetuneRecipe


Request = Annotated[
    PretrainRequest | FinetuneRequest | PredictRequest | ExportRequest | EvaluateRequest | HelpRequest,
    Field(discriminator="kind"),
]
REQUEST: TypeAdapter[Request] = TypeAdapter(Request)
