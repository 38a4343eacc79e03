"""Segmenting whole folders: a palette PNG per image."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from sslstudio.errors import UserError
from sslstudio.images.bands import read_bands8
from sslstudio.images.huge_reading import HugeBands, huge_bands
from sslstudio.images.slices import without_suffix
from sslstudio.language import tr
from sslstudio.learning.segmentation.model import SegmentationModel, load_model, read_about
from sslstudio.learning.segmentation.tiles import bands, segment, segment_labels
from sslstudio.learning.training.control import Control, hold
from sslstudio.learning.training.threads import pace_for
from sslstudio.project.files import ensure_writable
from sslstudio.project.masks import write_mask
from sslstudio.project.sparse_labels import SparseLabels
from sslstudio.runs.events import Event, Finished, Phase, Progress, Started, Stopped, Warned
from sslstudio.runs.request import PredictRequest

_BLOCK, _AROUND = 2048, 256  # pixels of a huge image that are segmented together, and seen around them

__all__ = ["bands", "predict", "prediction_names", "segment", "segment_labels"]


def predict(request: PredictRequest, *, project: Path, control: Control) -> Iterator[Event]:
    """Write a mask for every readable image; ends with Finished or Stopped, naming count and problems."""
    folder = Path(project) / "models" / request.model
    about = read_about(folder)
    out = Path(project) / request.out  # an absolute ``out`` wins over the project
    ensure_writable(out)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = load_model(folder, device)
    if not request.images:
        raise UserError(tr("There is no image to segment."), tr("Choose a folder with images."))
    yield Started(device=device)
    yield Phase(text=tr("Segmenting images"))
    ours = out.resolve().is_relative_to((Path(project) / "predictions").resolve())
    names = prediction_names(request.images, in_project=ours)
    colours = [entry["colour"] for entry in about["classes"]]
    written, problems = 0, []
    pace = pace_for(torch.device(device), 1)
    for number, image in enumerate(request.images):
        yield from hold(control)
        if control.stopped():
            break
        began = time.perf_counter()
        try:
            source = Path(request.images_root) / image
            huge = huge_bands(source, model.encoder.channels)
            if huge is None:
                _predict_one(model, source, out / names[image], colours, request.probabilities)
            elif not _predict_huge(model, huge, out / names[image], colours, request.probabilities, control):
                break
            written += 1
            pace.step_took(time.perf_counter() - began)
        except (UserError, OSError) as error:
            if isinstance(error, OSError) and not isinstance(error, FileNotFoundError):
                raise _refused(out / names[image], error) from None
            text = (
                error.problem
                if isinstance(error, UserError)
                else tr("{image} is not there any more.").format(image=image)
            )
            problems.append({"image": image, "problem": text})
            yield Warned(text=text, advice=getattr(error, "advice", ""), about=image)
        yield Progress(step=number + 1, steps=len(request.images), share=(number + 1) / len(request.images))
    if problems and len(problems) == len(request.images):
        raise UserError(
            tr("None of the {problems} images could be segmented.").format(problems=len(problems)),
            tr("The first: {problem}").format(problem=problems[0]["problem"]),
        )
    result = {"model": request.model, "out": str(out), "count": written, "problems": problems}
    yield Stopped(result=result) if control.stopped() else Finished(result=result)


def _predict_one(model: SegmentationModel, image: Path, target: Path, colours: list[str], probabilities: bool) -> None:
    pixels = read_bands8(image, model.encoder.channels)
    target.parent.mkdir(parents=True, exist_ok=True)
    if not probabilities:
        write_mask(target, segment_labels(model, pixels, flips=True), colours)
        return
    found = segment(model, pixels, flips=True)
    write_mask(target, found.argmax(0).astype(np.uint8), colours)
    np.save(target.with_suffix(".npy"), (found * 255).round().astype(np.uint8))


def _predict_huge(
    model: SegmentationModel, image: HugeBands, target: Path, colours: list[str], probabilities: bool, control: Control
) -> bool:
    """Segment block by block, each with what lies around it; False when it was stopped, then nothing is written."""
    if probabilities:
        raise UserError(
            tr("{name} is so large that its probabilities would fill the disk.").format(name=image.image.path.name),
            tr("Predict it without probabilities."),
        )
    height, width = image.shape[:2]
    pixels, labels = image.size(0), SparseLabels(height, width, 0)
    for top in range(0, height, _BLOCK):
        for left in range(0, width, _BLOCK):
            if control.stopped():
                return False
            bottom, right = min(top + _BLOCK, height), min(left + _BLOCK, width)
            above, before = max(0, top - _AROUND), max(0, left - _AROUND)
            part = pixels[above : bottom + _AROUND, before : right + _AROUND]
            found = segment_labels(model, part, flips=True)
            labels[top:bottom, left:right] = found[top - above : bottom - above, left - before : right - before]
    target.parent.mkdir(parents=True, exist_ok=True)
    write_mask(target, labels, colours)
    return True


def _refused(target: Path, error: OSError) -> UserError:
    reason = error.strerror or type(error).__name__
    return UserError(
        tr("{target} cannot be written ({reason}).").format(target=target, reason=reason),
        tr("Choose another folder or make room on the disk."),
    )


def prediction_names(images: tuple[str, ...], *, in_project: bool) -> dict[str, str]:
    """Where the mask of each image goes: ``<path>.png`` in a project, ``<path without suffix>.png`` elsewhere.

    Elsewhere images that differ only in their suffix keep it, so that none overwrites the other's mask.
    """
    if in_project:
        return {image: f"{image}.png" for image in images}
    short = {image: f"{without_suffix(image)}.png" for image in images}
    taken: dict[str, int] = {}
    for name in short.values():
        taken[name.lower()] = taken.get(name.lower(), 0) + 1
    return {image: name if taken[name.lower()] == 1 else f"{image}.png" for image, name in short.items()}
