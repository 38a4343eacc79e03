"""From a project to a request: used alike by the window, the command line and the demo."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sslstudio.errors import UserError
from sslstudio.images.scan import scan_slices
from sslstudio.language import tr
from sslstudio.project.dataset import labelled_images, pretrain_images
from sslstudio.project.project import Project
from sslstudio.recipes.backbones import check_backbone
from sslstudio.recipes.channels import channels_problem, fits, folder_problem
from sslstudio.recipes.finetune import FinetuneRecipe
from sslstudio.recipes.presets import likely
from sslstudio.recipes.pretrain import PretrainRecipe
from sslstudio.recipes.settings import with_changes
from sslstudio.recipes.suggest import Device, Reason, suggest, suggest_finetune
from sslstudio.runs.folder import RunFolder, runs_of
from sslstudio.runs.request import (
    ClassSpec,
    ExportRequest,
    FinetuneRequest,
    LabelledImage,
    PredictRequest,
    PretrainRequest,
)

PINNED = 4  # images whose attention maps a pretraining run shows, unless the window asks for others


@dataclass(frozen=True)
class ModelInfo:
    """A fine-tuned model of a project; ``metrics`` as measured on its validation images, ``created`` in seconds."""

    name: str
    folder: Path
    classes: tuple[ClassSpec, ...]
    metrics: dict[str, float]
    created: float


# requests -------------------------------------------------------------------------------------------------


def pretrain_request(project: Project, recipe: PretrainRecipe) -> PretrainRequest:
    """Pretraining on all usable images; raises UserError when there is none, or no such backbone."""
    check_backbone(recipe.backbone)
    images = tuple(pretrain_images(project))
    if not images:
        raise UserError(
            tr("There is no usable image in {images_root}.").format(images_root=project.images_root),
            tr("Choose a folder that holds pictures."),
        )
    _check_channels(project, images, recipe.channels, recipe.method.id)
    shown = fitting(project, images, recipe.channels)
    step = max(1, len(shown) // PINNED)
    return PretrainRequest(
        images_root=str(project.images_root),
        images=images,
        pinned=tuple(shown[::step][:PINNED]),
        recipe=with_changes(recipe, {"start": _checked_start(recipe.start)}),
    )


def finetune_request(
    project: Project, recipe: FinetuneRecipe, encoder_run: str = "", model: str = ""
) -> FinetuneRequest:
    """Fine-tuning on all painted images; pending masks are written first, and ``model`` is named if empty."""
    if model:
        _check_new_model(project.path, model)
    if not encoder_run:
        check_backbone(recipe.backbone)
    if not project.classes:
        raise UserError(
            tr("The project has no classes yet."), tr("Add at least two: background and what you look for.")
        )
    project.save_masks()
    labelled = tuple(
        LabelledImage(image=str(item.image), mask=str(item.mask), split=item.split, series=item.series)
        for item in labelled_images(project, recipe.validation, recipe.seed)
    )
    _check_channels(project, [item.image for item in labelled], recipe.channels)
    fit = set(fitting(project, [item.image for item in labelled], recipe.channels))
    seen = [item for item in labelled if item.image in fit]
    shown = next((item for item in seen if item.split == "validation"), seen[0])
    return FinetuneRequest(
        images_root=str(project.images_root),
        labelled=labelled,
        classes=tuple(ClassSpec(name=entry.name, colour=entry.colour) for entry in project.classes),
        encoder_run=encoder_run,
        model=model or new_model_name(project.path),
        preview=shown.image,
        recipe=with_changes(recipe, {"start": _checked_start(recipe.start)}),
    )


def predict_request(
    project: Project, model: str = "", images: Path | None = None, out: Path | None = None
) -> PredictRequest:
    """Segmenting a folder, or the project's own images into ``predictions/<model>``; newest model if empty."""
    found = find_model(project.path, model)
    if images is None:
        root, names = Path(project.images_root), tuple(pretrain_images(project))
    else:
        root, names = Path(images).absolute(), tuple(scan_slices(Path(images)))
    if not names:
        raise UserError(
            tr("There is no image in {root}.").format(root=root), tr("Choose a folder that holds pictures.")
        )
    target = f"predictions/{found.name}" if out is None else str(Path(out).absolute())
    return PredictRequest(model=found.name, images_root=str(root), images=names, out=target)


def export_request(
    project: Project,
    model: str = "",
    format: Literal["onnx", "backbone", "all"] = "all",  # noqa: A002  (the word of the command line)
    out: Path | None = None,
) -> ExportRequest:
    """Exporting a model to ``out``, or into its own folder if None; newest model if empty."""
    found = find_model(project.path, model)
    return ExportRequest(model=found.name, format=format, out=str(Path(out).absolute()) if out else "")


# what is there ----------------------------------------------------------------------------------------------


def models_of(project_folder: Path) -> list[ModelInfo]:
    """The models of a project, newest last; a folder without a readable ``model.json`` is not a model."""
    found = []
    for file in sorted((Path(project_folder) / "models").glob("*/model.json")):
        try:
            about = json.loads(file.read_bytes())
            classes = tuple(ClassSpec(name=c["name"], colour=c["colour"]) for c in about["classes"])
            metrics = {k: float(v) for k, v in about.get("metrics", {}).items() if isinstance(v, int | float)}
            found.append(ModelInfo(file.parent.name, file.parent, classes, metrics, file.stat().st_mtime))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
    return sorted(found, key=lambda model: model.created)


def find_model(project_folder: Path, name: str = "") -> ModelInfo:
    """The model with this name, or the newest for an empty one; raises UserError naming those that exist."""
    models = models_of(project_folder)
    if not models:
        raise UserError(tr("The project has no model yet."), tr("Paint a few masks and fine-tune first."))
    if not name:
        return models[-1]
    for model in models:
        if model.name == name:
            return model
    raise UserError(
        tr("There is no model “{name}”.").format(name=name),
        tr("Known models: {models}.").format(models=", ".join(m.name for m in models)),
    )


def latest_encoder(project_folder: Path) -> RunFolder | None:
    """The newest pretraining run that has left a usable encoder, if any."""
    return next((run for run in reversed(runs_of(project_folder)) if has_learned(run)), None)


def has_learned(run: RunFolder) -> bool:
    """Whether a pretraining run has left an encoder that took a step; each begins by keeping the one it begins with."""
    try:
        about = json.loads((run.checkpoints / "last" / "encoder.json").read_bytes())
        return int(about.get("step", 1)) > 0
    except FileNotFoundError:
        return False
    except (OSError, ValueError, TypeError, AttributeError):
        return True  # there is one, and whoever loads it tells what is wrong with it


def encoder_folder(run: RunFolder) -> Path:
    """Where a pretraining run keeps its encoder; raises UserError before it has learned anything."""
    folder = run.checkpoints / "last"
    if not has_learned(run):
        raise UserError(
            tr("The run {id} has no checkpoint yet.").format(id=run.id),
            tr("Choose another run, or let it work a little longer."),
        )
    return folder


def encoder_backbone(run: RunFolder) -> str:
    """The timm name of the encoder that a pretraining run has left."""
    try:
        return str(json.loads((encoder_folder(run) / "encoder.json").read_bytes())["name"])
    except (OSError, ValueError, KeyError):
        raise UserError(
            tr("The checkpoint of run {id} cannot be read.").format(id=run.id), tr("Choose another run.")
        ) from None


def encoder_method(run: RunFolder) -> str:
    """The id of the method that made the encoder of a pretraining run; empty where it is not told."""
    try:
        return str(json.loads((encoder_folder(run) / "encoder.json").read_bytes())["recipe"]["method"]["id"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def encoder_channels(run: RunFolder) -> int:
    """The channels of the images that the encoder of a pretraining run looks at."""
    try:
        return int(json.loads((encoder_folder(run) / "encoder.json").read_bytes()).get("channels", 3))
    except (OSError, ValueError, TypeError):
        return 3


def new_model_name(project_folder: Path) -> str:
    """A name that no model has yet: model-1, then model-2 and so on."""
    folder = Path(project_folder) / "models"
    number = 1
    while (folder / f"model-{number}").exists():
        number += 1
    return f"model-{number}"


def _checked_start(start: str) -> str:
    """Where a run starts from, a file's path made whole; raises UserError at once where there is no such file."""
    if start in ("scratch", "timm"):
        return start
    if not Path(start).expanduser().exists():
        raise UserError(
            tr("There is no checkpoint “{start}” to start from.").format(start=start),
            tr("Give “scratch”, “timm” or the path of a file."),
        )
    return str(Path(start).expanduser().absolute())


def _check_new_model(project_folder: Path, name: str) -> None:
    if not re.fullmatch(r"[\w][\w .+-]*", name):
        raise UserError(
            tr("“{name}” cannot be the name of a model.").format(name=name),
            tr("Use letters, digits, spaces, “-” and “_”."),
        )
    if (Path(project_folder) / "models" / name / "model.json").exists():
        raise UserError(tr("There is a model “{name}” already.").format(name=name), tr("Choose another name."))


# suggestions ------------------------------------------------------------------------------------------------


def device() -> Device:
    """Whether an NVIDIA GPU seems to be there, without loading torch (the worker decides for good)."""
    drivers = ("/proc/driver/nvidia/version", "/dev/nvidia0", "/dev/dxg")
    if sys.platform == "win32":
        drivers = ("C:/Windows/System32/nvcuda.dll",)
    return "cuda" if any(Path(path).exists() for path in drivers) else "cpu"


def preset_of(project: Project) -> str:
    """What kind of images these are: what somebody said, or what their names speak for."""
    return str(project.setting("preset", "")) or likely(pretrain_images(project))


def default_pretrain_recipe(
    project: Project, minutes: float, preset: str, backbone: str | None = None, method: str | None = None
) -> tuple[PretrainRecipe, tuple[Reason, ...]]:
    """The suggested pretraining recipe for this project's images, and why."""
    if backbone:
        check_backbone(backbone)
    names = pretrain_images(project)
    sizes, channels = _sizes(project, names), channels_of(project, names)
    return suggest(len(names), sizes, channels, device(), minutes, preset, backbone, method)


def default_finetune_recipe(
    project: Project, minutes: float, preset: str, backbone: str | None = None, pretrained_by: str = ""
) -> tuple[FinetuneRecipe, tuple[Reason, ...]]:
    """The suggested fine-tuning recipe for this project's painted images, and why."""
    painted = [record.path for record in project.painted()]
    sizes, channels = _sizes(project, painted), channels_of(project, pretrain_images(project))
    return suggest_finetune(len(painted), sizes, device(), minutes, preset, backbone, pretrained_by, channels)


def _sizes(project: Project, names: Sequence[str]) -> list[tuple[int, int]]:
    """Width and height of the named images, as far as they are known."""
    wanted = set(names)
    return [(r.width, r.height) for r in project.images() if r.path in wanted and r.width > 0 and r.height > 0]


def channels_of(project: Project, names: Sequence[str]) -> list[int]:
    """The channels of each of the named images, 0 where they are not known."""
    known = {record.path: record.channels for record in project.images()}
    return [known.get(name, 0) for name in names]


def fitting(project: Project, names: Sequence[str], channels: int) -> list[str]:
    """Those of the named images that a network with so many channels can see, as far as theirs are known."""
    counts = channels_of(project, names)
    return [name for name, count in zip(names, counts, strict=True) if count <= 0 or fits(count, channels)]


def _check_channels(project: Project, names: Sequence[str], channels: int, method: str = "") -> None:
    """Raise UserError where a network with so many channels could not learn from any of the named images."""
    problem = channels_problem(method, channels) or folder_problem(channels, channels_of(project, names))
    if problem is not None:
        raise problem
