"""A project's masks into files of any format; looks right by default: coloured pictures go along where it would not."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from sslstudio.annotations.companions import write_companions
from sslstudio.annotations.formats import FORMATS, huge_formats
from sslstudio.annotations.model import Format, Job, Picture, Uncovered, is_background
from sslstudio.annotations.outlines import TooManyCorners
from sslstudio.errors import UserError
from sslstudio.images.slices import is_slice, split_slice
from sslstudio.language import later, tr
from sslstudio.project.files import disk_refused, ensure_writable, sync_folder
from sslstudio.project.label_map import Labels, mapped
from sslstudio.project.masks import read_labels
from sslstudio.project.project import Project
from sslstudio.project.sparse_labels import SparseLabels

COMPANIONS = ("coloured", "overlay")
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
                _check_size(labels, path, kind)
            except UserError as error:
                refused[path] = error.problem
                continue
            done[path] = None
            yield Picture(path, project.image_file(path), labels)
            progress(number, len(wanted))

    job = _job(project, pictures, model, wanted, out)
    with tempfile.TemporaryDirectory(prefix=".masks-", dir=out) as name:
        place = Path(name)
        try:
            files = [out / file.relative_to(place) for file in kind.write(job, place)]
        except TooManyCorners as error:
            raise UserError(f"{list(done)[-1]}: {error.problem}", error.advice) from None
        count, problems, reduced = write_companions(job, place, companions)
        _publish(place, out)
    refused |= problems
    notes = [kind.note] if kind.note else []
    if job.uncovered == "unpainted" and not kind.pictures:
        notes.append(tr("Some pixels are unpainted, so the background was written as shapes of its own."))
    if sliced := next((path for path in done if is_slice(path)), ""):
        file, number = split_slice(sliced)
        notes.append(
            tr("Slices of a stack are called by their number: “{name}” is slice {number} of {file}.").format(
                name=sliced, number=number, file=file
            )
        )
    notes += [
        tr("{path} is huge: in the pictures beside its mask, one pixel stands for {factor} × {factor}.").format(
            path=path, factor=factor
        )
        for path, factor in reduced.items()
    ]
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


def labels_of(project: Project, path: str, model: str) -> Labels:
    """The labels painted on an image, or found by a model in the classes of now; raises UserError."""
    if not model:
        return project.label_map(path).labels
    labels = mapped(read_labels(project.prediction_file(model, path)), project.places_of(model))
    project.check_mask(path, labels)
    return labels


def _check_size(labels: Labels, path: str, kind: Format) -> None:
    if isinstance(labels, SparseLabels) and not kind.huge:
        raise UserError(
            tr("The mask of {path} is huge, and {format} needs all of it in memory; these do not: {others}.").format(
                path=path, format=tr(kind.name), others=huge_formats()
            ),
            tr("Choose one of these formats."),
        )


def _job(project: Project, pictures: Callable[[], Iterator[Picture]], model: str, wanted: list[str], out: Path) -> Job:
    classes = project.classes
    ground = next((place for place, one in enumerate(classes) if is_background(one.name)), None)
    whole = ground is not None and (bool(model) or _all_painted(project, wanted))
    uncovered: Uncovered = later("background") if whole else later("unpainted")
    return Job(classes, pictures, ground if whole else None, uncovered, tuple(wanted), out)


def _all_painted(project: Project, wanted: list[str]) -> bool:
    shares = {record.path: record.painted for record in project.painted()}
    return all(shares[path] >= 1 for path in wanted)
