"""From a project to the two requests that ask “is it working?”: used alike by the window and the command line."""

from __future__ import annotations

from typing import Literal

from sslstudio.errors import UserError
from sslstudio.images.slices import whole_of
from sslstudio.language import tr
from sslstudio.project.dataset import labelled_images, pretrain_images, series_of
from sslstudio.project.project import Project
from sslstudio.recipes.backbones import check_backbone
from sslstudio.recipes.channels import suggest_channels
from sslstudio.recipes.settings import with_changes
from sslstudio.runs.enough_masks import check_enough
from sslstudio.runs.folder import RunFolder, find_run
from sslstudio.runs.prepare import (
    channels_of,
    default_finetune_recipe,
    encoder_backbone,
    encoder_channels,
    encoder_folder,
    fitting,
    latest_encoder,
    preset_of,
)
from sslstudio.runs.request import ClassSpec, EvaluateRequest, HelpRequest, LabelledImage

HELP_MINUTES = 10.0


def evaluate_request(
    project: Project, encoder_run: str = "", backbone: str = "", start: Literal["scratch", "timm"] = "scratch"
) -> EvaluateRequest:
    """Looking at all usable images with a run's encoder (the newest if not named) or with a timm ``backbone``."""
    if encoder_run and backbone:
        raise UserError(tr("“--run” brings its own backbone."), tr("Give either --run or --backbone."))
    if backbone:
        check_backbone(backbone)
    run = None if backbone else chosen_run(project, encoder_run)
    images = tuple(pretrain_images(project))
    return EvaluateRequest(
        images_root=str(project.images_root),
        images=images,
        labelled=_labelled(project),
        classes=_classes(project),
        encoder_run=run.id if run else "",
        backbone=encoder_backbone(run) if run else backbone,
        start="scratch" if run else start,
        channels=encoder_channels(run) if run else suggest_channels(channels_of(project, images))[0],
        series=series_of(project),
    )


def help_request(project: Project, encoder_run: str = "", minutes: float = HELP_MINUTES) -> HelpRequest:
    """The check whether a pretraining run helped, on all painted images; the newest run if empty."""
    run = chosen_run(project, encoder_run)
    labelled = _labelled(project)
    check_enough([whole_of(item.image, item.series) for item in labelled])
    preset = preset_of(project)
    recipe, _ = default_finetune_recipe(project, minutes, preset, encoder_backbone(run))
    return HelpRequest(
        images_root=str(project.images_root),
        labelled=labelled,
        classes=_classes(project),
        encoder_run=run.id,
        recipe=with_changes(recipe, {"channels": encoder_channels(run)}),
    )


def fitting_images(project: Project, request: EvaluateRequest) -> set[str]:
    """The images of a request that its network can look at, as far as their channels are known."""
    return set(fitting(project, request.images, request.channels))


def chosen_run(project: Project, encoder_run: str) -> RunFolder:
    """The pretraining run with this id, or the newest that left an encoder; UserError where there is none."""
    run = find_run(project.path, encoder_run) if encoder_run else latest_encoder(project.path)
    if run is None:
        raise UserError(tr("Nothing was pretrained in this project yet."), tr("Pretrain first, or name a --backbone."))
    encoder_folder(run)
    return run


def _labelled(project: Project) -> tuple[LabelledImage, ...]:
    """All painted images; none where nothing is painted."""
    if not project.painted() or not project.classes:
        return ()
    project.save_masks()
    return tuple(
        LabelledImage(image=str(item.image), mask=str(item.mask), split="train", series=item.series)
        for item in labelled_images(project, 0.0, 0)
    )


def _classes(project: Project) -> tuple[ClassSpec, ...]:
    return tuple(ClassSpec(name=entry.name, colour=entry.colour) for entry in project.classes)
