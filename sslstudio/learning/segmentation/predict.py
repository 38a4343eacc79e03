"""Segmenting whole folders: a palette PNG per image."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
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

_TELL_EVERY = 0.5  # seconds between two words on how far it is within an image
_BLOCK, _AROUND = 2048, 256  # pixels of a huge image that are segmented together, and seen around them

__all__ = ["bands", "predict", "prediction_names", "segment", "segment_labels"]


@dataclass(frozen=True)
class _Part:
    """What has just been segmented: so many ``pixels`` of an image of which ``done`` (0 to 1) is finished."""

    pixels: int
    done: float


def predict(request: PredictRequest, *, project: Path, control: Control) -> Iterator[Event]:
    """Write a mask for every readable image; ends with Finished or Stopped, naming count and problems.

    A pause or a stop is heard between the parts of an image, too; of one that is stopped nothing is written.
    """
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
    colours = [entry["colour"] for entry in about["classes"]]
    yield from _Prediction(request, model, out, ours, colours, control).events()


class _Prediction:
    """One run that writes below ``out``, which may lie in the project (``ours``); ``events()`` does the work."""

    def __init__(
        self,
        request: PredictRequest,
        model: SegmentationModel,
        out: Path,
        ours: bool,
        colours: list[str],
        control: Control,
    ) -> None:
        self.request, self.model, self.out, self.colours, self.control = request, model, out, colours, control
        self.names = prediction_names(request.images, in_project=ours)
        self.written = 0
        self.problems: list[dict[str, str]] = []
        self._pace = pace_for(next(model.parameters()).device, 1)
        self._told = time.perf_counter()

    def events(self) -> Iterator[Event]:
        """Segment one image after the other and tell how it went."""
        many = len(self.request.images)
        for number, image in enumerate(self.request.images):
            yield from hold(self.control)
            if self.control.stopped():
                break
            before = self.written + len(self.problems)
            yield from self._image(number, image)
            if self.written + len(self.problems) > before:
                yield self._progress(number + 1)
        if self.problems and len(self.problems) == many:
            raise UserError(
                tr("None of the {problems} images could be segmented.").format(problems=many),
                tr("The first: {problem}").format(problem=self.problems[0]["problem"]),
            )
        result = {
            "model": self.request.model,
            "out": str(self.out),
            "count": self.written,
            "problems": self.problems,
        }
        yield Stopped(result=result) if self.control.stopped() else Finished(result=result)

    def _image(self, number: int, image: str) -> Iterator[Event]:
        """Segment one image; what is wrong with it is noted and told."""
        target = self.out / self.names[image]
        try:
            for part in self._timed(Path(self.request.images_root) / image, target):
                if part.done < 1:
                    yield from self._between(number + part.done)
                    if self.control.stopped():
                        return
            self.written += 1
        except (UserError, OSError) as error:
            if isinstance(error, OSError) and not isinstance(error, FileNotFoundError):
                raise _refused(target, error) from None
            text = (
                error.problem
                if isinstance(error, UserError)
                else tr("{image} is not there any more.").format(image=image)
            )
            self.problems.append({"image": image, "problem": text})
            yield Warned(text=text, advice=getattr(error, "advice", ""), about=image)

    def _between(self, images: float) -> Iterator[Event]:
        """Tell how far it is, seldom enough to be read, and hold still if that is wished."""
        if time.perf_counter() - self._told > _TELL_EVERY:
            yield self._progress(images)
        yield from hold(self.control)

    def _progress(self, images: float) -> Progress:
        self._told = time.perf_counter()
        many = len(self.request.images)
        return Progress(step=int(images), steps=many, share=images / many)

    def _timed(self, source: Path, target: Path) -> Iterator[_Part]:
        """The parts of an image; how long each took decides how many threads work on the next."""
        began = time.perf_counter()
        for part in self._parts(source, target):
            self._pace.step_took(time.perf_counter() - began, part.pixels / 1e6)
            yield part
            began = time.perf_counter()

    def _parts(self, source: Path, target: Path) -> Iterator[_Part]:
        channels, probabilities = self.model.encoder.channels, self.request.probabilities
        huge = huge_bands(source, channels)
        if huge is not None:
            return _predict_huge(self.model, huge, target, self.colours, probabilities)
        pixels = read_bands8(source, channels)
        if probabilities:
            return _predict_probabilities(self.model, pixels, target, self.colours)
        return _predict_one(self.model, pixels, target, self.colours)


def _predict_one(model: SegmentationModel, pixels: np.ndarray, target: Path, colours: list[str]) -> Iterator[_Part]:
    """Segment from top to bottom; the mask is written before the last part is told."""
    height, width = pixels.shape[:2]
    labels = np.empty((height, width), np.uint8)
    for band in bands(model, pixels, flips=True):
        bottom = band.top + band.probabilities.shape[1]
        labels[band.top : bottom] = band.probabilities.argmax(0)
        if bottom == height:
            target.parent.mkdir(parents=True, exist_ok=True)
            write_mask(target, labels, colours)
        yield _Part((bottom - band.top) * width, bottom / height)


def _predict_probabilities(
    model: SegmentationModel, pixels: np.ndarray, target: Path, colours: list[str]
) -> Iterator[_Part]:
    found = segment(model, pixels, flips=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    write_mask(target, found.argmax(0).astype(np.uint8), colours)
    np.save(target.with_suffix(".npy"), (found * 255).round().astype(np.uint8))
    yield _Part(found.shape[1] * found.shape[2], 1.0)


def _predict_huge(
    model: SegmentationModel, image: HugeBands, target: Path, colours: list[str], probabilities: bool
) -> Iterator[_Part]:
    """Segment block by block, each with what lies around it; nothing is written before the last is told."""
    if probabilities:
        raise UserError(
            tr("{name} is so large that its probabilities would fill the disk.").format(name=image.image.path.name),
            tr("Predict it without probabilities."),
        )
    height, width = image.shape[:2]
    pixels, labels = image.size(0), SparseLabels(height, width, 0)
    done = 0
    for top in range(0, height, _BLOCK):
        for left in range(0, width, _BLOCK):
            bottom, right = min(top + _BLOCK, height), min(left + _BLOCK, width)
            above, before = max(0, top - _AROUND), max(0, left - _AROUND)
            part = pixels[above : bottom + _AROUND, before : right + _AROUND]
            found = segment_labels(model, part, flips=True)
            labels[top:bottom, left:right] = found[top - above : bottom - above, left - before : right - before]
            done += (bottom - top) * (right - left)
            if done == height * width:
                target.parent.mkdir(parents=True, exist_ok=True)
                write_mask(target, labels, colours)
            yield _Part((bottom - top) * (right - left), done / (height * width))


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
