"""A project's masks into files of any format; looks right by default: coloured pictures go along where it would not."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sslstudio.annotations.formats import FORMATS
from sslstudio.annotations.model import Job, Picture, is_background, rgb
from sslstudio.errors import UserError
from sslstudio.images.reader import read_rgb8
from sslstudio.language import tr
from sslstudio.project.classes import LabelClass
from sslstudio.project.files import disk_refused, ensure_writable, replace_file, sync_folder
from sslstudio.project.masks import UNPAINTED, read_mask
from sslstudio.project.project import Project

COMPANIONS = ("coloured", "overlay")
OVERLAY = 0.5  # strength of the classes over their image
_QUIET = 0.15  # strength of the background over its image
Progress = Callable[[int, int], object]


@dataclass(frozen=True)
class ExportReport:
    """What was written: images, the files for reading in again, pictures beside them, and what to know."""

    images: tuple[str, ...]
    files: tuple[Path, ...]
    pictures: int
    refused: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


def export_masks(
    project: Project,
    format_: str,
    out: Path,
    *,
    model: str = "",
    companions: Collection[str] | None = None,
    progress: Progress = lambda *_: None,
) -> ExportReport:
    """Write all painted masks, or a model's predictions, below ``out``. Raises UserError when there is nothing to.

    ``companions`` are "coloured" and "overlay" pictures beside the masks; None writes coloured ones where the
    format itself would look black. All of it appears at the end, at once: what raises in between, ``progress``
    included, leaves ``out`` as it was.
    """
    if format_ not in FORMATS:
        raise UserError(
            tr("There is no format “{format_}”.").format(format_=format_),
            tr("Formats: {formats}.").format(formats=", ".join(FORMATS)),
        )
    kind, out = FORMATS[format_], Path(out).expanduser().absolute()
    wanted = sources(project, model)
    ensure_writable(out)
    if companions is None:
        companions = ("coloured",) if kind.id == "grey" else ()
    refused: dict[str, str] = {}
    done: dict[str, None] = {}

    def pictures() -> Iterator[Picture]:
        for number, path in enumerate(wanted, 1):
            try:
                labels = labels_of(project, path, model)
            except UserError as error:
                refused[path] = error.problem
                continue
            yield Picture(path, project.image_file(path), labels)
            done[path] = None
            progress(number, len(wanted))

    job = _job(project, pictures, model, wanted)
    with tempfile.TemporaryDirectory(prefix=".masks-", dir=out) as name:
        place = Path(name)
        files = [out / file.relative_to(place) for file in kind.write(job, place)]
        count, problems = _companions(job, place, companions)
        _publish(place, out)
    refused |= problems
    notes = [kind.note] if kind.note else []
    if job.uncovered == "unpainted" and not kind.pictures:
        notes.append(tr("Some pixels are unpainted, so the background was written as shapes of its own."))
    return ExportReport(tuple(done), tuple(files), count, tuple(refused.items()), tuple(notes))


def _publish(place: Path, out: Path) -> None:
    """Move all files from ``place`` to ``out`` on the same disk, in place of older ones."""
    try:
        folders = set()
        for file in sorted(one for one in place.rglob("*") if one.is_file()):
            target = out / file.relative_to(place)
            target.parent.mkdir(parents=True, exist_ok=True)
            file.replace(target)
            folders.add(target.parent)
    except OSError as error:
        raise disk_refused(f"{out.name}", error) from None
    for folder in folders:
        sync_folder(folder)


def sources(project: Project, model: str) -> list[str]:
    """The images whose masks or predictions are there."""
    if not model:
        found = [record.path for record in project.painted() if not record.problem]
        if not found:
            raise UserError(tr("Nothing is painted in this project yet."), tr("Paint a mask, or import some."))
        return found
    found = [record.path for record in project.images() if project.prediction_file(model, record.path).exists()]
    if not found:
        raise UserError(
            tr("There are no predictions of “{model}”.").format(model=model),
            tr("Segment all images first: sslstudio predict PROJECT."),
        )
    return found


def labels_of(project: Project, path: str, model: str) -> np.ndarray:
    """The labels painted on an image, or found by a model in the classes of now; raises UserError."""
    if not model:
        labels = project.label_map(path).labels
        if not isinstance(labels, np.ndarray):
            raise UserError(
                tr("The mask of {path} is huge, and other formats would need all of it in memory.").format(path=path),
                tr("Save the project and take its palette PNG as it is: {mask_file}.").format(
                    mask_file=project.mask_file(path)
                ),
            )
        return labels
    labels = project.places_of(model)[read_mask(project.prediction_file(model, path))]
    project.check_mask(path, labels)
    return labels


def _job(project: Project, pictures: Callable[[], Iterator[Picture]], model: str, wanted: list[str]) -> Job:
    classes = project.classes
    ground = next((place for place, one in enumerate(classes) if is_background(one.name)), None)
    whole = ground is not None and (bool(model) or _all_painted(project, wanted))
    return Job(classes, pictures, ground if whole else None, "background" if whole else "unpainted")


def _all_painted(project: Project, wanted: list[str]) -> bool:
    shares = {record.path: record.painted for record in project.painted()}
    return all(shares[path] >= 1 for path in wanted)


def _companions(job: Job, out: Path, wanted: Collection[str]) -> tuple[int, dict[str, str]]:
    """Coloured pictures and overlays as PNG; how many, and images that could not be read."""
    count, problems = 0, {}
    for picture in job.pictures() if wanted else ():
        if "coloured" in wanted:
            _write_png(out / "coloured" / f"{picture.path}.png", coloured(picture.labels, job.classes))
            count += 1
        if "overlay" in wanted:
            try:
                pixels = overlay(read_rgb8(picture.file), picture.labels, job.classes)
            except UserError as error:
                problems[picture.path] = error.problem
                continue
            _write_png(out / "overlay" / f"{picture.path}.png", pixels)
            count += 1
    return count, problems


def coloured(labels: np.ndarray, classes: tuple[LabelClass, ...]) -> np.ndarray:
    """(H, W, 3) uint8 in the classes' colours; unpainted is black."""
    table = np.zeros((256, 3), np.uint8)
    for place, one in enumerate(classes):
        table[place] = rgb(one.colour)
    return table[labels]


def overlay(pixels: np.ndarray, labels: np.ndarray, classes: tuple[LabelClass, ...]) -> np.ndarray:
    """The image (H, W, 3) with its classes shining over it; the background hardly, unpainted not at all."""
    if pixels.shape[:2] != labels.shape:
        raise UserError(tr("The image does not have the size of its mask any more."), tr("Refresh the project."))
    strength = np.zeros((256, 1), np.float32)
    for place, one in enumerate(classes):
        strength[place] = _QUIET if is_background(one.name) else OVERLAY
    strength[UNPAINTED] = 0
    share = strength[labels]
    mixed: np.ndarray = (pixels * (1 - share) + coloured(labels, classes) * share + 0.5).astype(np.uint8)
    return mixed


def _write_png(file: Path, pixels: np.ndarray) -> None:
    import cv2

    good, data = cv2.imencode(".png", pixels[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 3])
    if not good:
        raise UserError(
            tr("{name} could not be made into a PNG.").format(name=file.name), tr("Its image may be too large.")
        )
    replace_file(file, data.tobytes(), tr("The picture {name}").format(name=file.name), settle=False)
