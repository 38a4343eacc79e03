"""Annotations of any format into a project: first a preview that changes nothing, then the import, both told alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from sslstudio.annotations.formats import FORMATS, PLAIN, find_format, huge_formats
from sslstudio.annotations.matching import Matcher
from sslstudio.annotations.model import Annotations, Format, FoundImage, Uncovered, is_background, merge_key
from sslstudio.annotations.palette_png import ImportReport, classes_file, may_choose_classes, read_class_list
from sslstudio.annotations.pictures import mask_folder
from sslstudio.annotations.source import Source
from sslstudio.annotations.survey import Survey, small_labels, small_picture, survey
from sslstudio.errors import UserError
from sslstudio.images.limits import is_huge
from sslstudio.language import later, tr
from sslstudio.project.classes import LabelClass, check_classes, default_colour
from sslstudio.project.edit_log import tally
from sslstudio.project.label_map import UNPAINTED, Labels, mapped
from sslstudio.project.project import Project
from sslstudio.project.sparse_labels import SparseLabels

_CHUNK = 32  # masks per transaction
_SHOWN = 5  # odd things told per image
LEAVE_OUT = "unpainted"
Progress = Callable[[int, int], object]


@dataclass(frozen=True)
class ClassRow:
    """A class of the file: what it becomes in the project (empty: unpainted), and how much of it there is."""

    name: str
    becomes: str
    new: bool
    images: int
    pixels: int


@dataclass(frozen=True)
class Preview:
    """What an import would do. ``picture`` (h, w, 3) and ``labels`` (h, w) show the image ``example``."""

    source: Path
    format: str
    classes: tuple[ClassRow, ...]
    uncovered: Uncovered
    report: ImportReport
    painted: int = 0
    example: str = ""
    picture: np.ndarray | None = None
    labels: np.ndarray | None = None
    project_classes: tuple[LabelClass, ...] = ()


@dataclass
class _Outcome:
    """What became of each image, as it goes on."""

    matched: list[str] = field(default_factory=list)
    unmatched: list[str] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def report(self) -> ImportReport:
        """The same as it is handed out."""
        return ImportReport(tuple(self.matched), tuple(self.unmatched), tuple(self.refused), tuple(self.notes))


@dataclass(frozen=True)
class _Plan:
    """The classes as they will be, and what each place of the file becomes, (256,) uint8."""

    classes: tuple[LabelClass, ...]
    table: np.ndarray
    becomes: tuple[str, ...]
    new: frozenset[str]


def preview(
    project: Project,
    source: Path,
    format_: str = "",
    classes: Mapping[str, str] | None = None,
    uncovered: Uncovered = "",
    progress: Progress = lambda *_: None,
) -> Preview:
    """Read and draw everything, and change nothing; raises UserError when the source cannot be used at all."""
    path, kind, found = _read(source, format_)
    plan = _plan(project, found, classes or {})
    outside = uncovered or found.uncovered or _guess(found)
    counts = np.zeros((2, 256), np.int64)
    outcome, best = _Outcome(notes=list(found.notes)), (0, "", np.zeros((0, 0), np.uint8))
    painted = {record.path for record in project.painted()}
    over = 0
    for image, drawn in _drawn(project, kind, found, outcome, progress):
        found_here = tally(drawn)
        counts += np.stack([found_here > 0, found_here])
        labels = _final(drawn, plan, outside)
        over += image in painted
        variety = int(np.count_nonzero(tally(labels)))
        if variety > best[0]:
            best = (variety, image, small_labels(labels))
    rows = tuple(
        ClassRow(one.name, plan.becomes[place], plan.becomes[place] in plan.new, *map(int, counts[:, place]))
        for place, one in enumerate(found.classes)
    )
    picture = small_picture(project, best[1], best[2]) if best[0] else None
    labels_shown = best[2] if best[0] else None
    return Preview(path, kind.id, rows, outside, outcome.report(), over, best[1], picture, labels_shown, plan.classes)


def bring_in(
    project: Project,
    source: Path,
    format_: str = "",
    classes: Mapping[str, str] | None = None,
    uncovered: Uncovered = "",
    progress: Progress = lambda *_: None,
) -> ImportReport:
    """Give the project's images the masks of ``source``; undoable per image.

    ``classes`` maps names of the file to names of the project, or to "unpainted"; others merge by name, and what
    the project lacks is added. An image comes in whole or not at all. Raises UserError when nothing can be read.
    """
    _, kind, found = _read(source, format_)
    plan = _plan(project, found, classes or {})
    outside = uncovered or found.uncovered or _guess(found)
    outcome = _Outcome(notes=list(found.notes))
    waiting: list[tuple[str, Labels]] = []
    first = True
    for image, drawn in _drawn(project, kind, found, outcome, progress):
        if first:  # only once something can come in: a file without a match leaves the classes as they are
            project.set_classes(plan.classes)
            first = False
        waiting.append((image, _final(drawn, plan, outside)))
        if len(waiting) == _CHUNK or isinstance(drawn, SparseLabels):
            _keep(project, waiting, outcome)
    _keep(project, waiting, outcome)
    project.save_masks()
    return outcome.report()


def by_value(project: Project, source: Path, kind: str) -> bool:
    """Whether the masks are pictures whose values are the project's class numbers, or have to be asked about."""
    if kind not in PLAIN:
        return False
    named = classes_file(mask_folder(Path(source).expanduser().absolute()))
    if named is None or may_choose_classes(project):
        return True
    return [merge_key(one.name) for one in read_class_list(named)] == [merge_key(one.name) for one in project.classes]


def look(project: Project, source: Path, progress: Progress = lambda *_: None) -> Survey | Preview:
    """What a source holds: a Survey where pixel values may have to be asked about, else a Preview."""
    opened = Source.at(source)
    kind = find_format(opened).id
    if by_value(project, opened.path, kind):
        return survey(project, mask_folder(opened.path), progress)
    return preview(project, opened.path, kind, progress=progress)


def _keep(project: Project, waiting: list[tuple[str, Labels]], outcome: _Outcome) -> None:
    """Set some masks in one transaction; a disk that refuses is told with what had come in before."""
    try:
        with project.together():
            for image, labels in waiting:
                project.set_mask(image, labels)
    except UserError as error:
        done = len(outcome.matched) - len(waiting)
        raise UserError(
            tr("{problem} {done} masks had been taken over before.").format(problem=error.problem, done=done),
            error.advice,
        ) from error
    waiting.clear()


def _read(source: Path, format_: str) -> tuple[Path, Format, Annotations]:
    if format_ and format_ not in FORMATS:
        raise UserError(
            tr("There is no format “{format_}”.").format(format_=format_),
            tr("Formats: {formats}.").format(formats=", ".join(FORMATS)),
        )
    opened = Source.at(source)
    kind = FORMATS[format_] if format_ else find_format(opened)
    found = kind.read(opened)
    if not found.images and not found.refused:
        raise UserError(
            tr("{name} holds no masks that {name_2} would.").format(name=opened.path.name, name_2=kind.name),
            tr("Check what was exported."),
        )
    return opened.path, kind, found


def _guess(found: Annotations) -> Uncovered:
    """Where the background has a class of its own, what no shape covers is unpainted; else it is background."""
    return later("unpainted") if any(is_background(one.name) for one in found.classes) else later("background")


def _plan(project: Project, found: Annotations, chosen: Mapping[str, str]) -> _Plan:
    """Merge the file's classes into the project's by name."""
    known = {one.name for one in found.classes}
    if strange := [name for name in chosen if name not in known]:
        raise UserError(
            tr("The file has no class “{strange}”.").format(strange=strange[0]),
            tr("Its classes are {known}.").format(known=", ".join(sorted(known)) or "none"),
        )
    fresh = may_choose_classes(project)
    classes = list(project.classes)
    if fresh:  # nobody has chosen them: keep the background, take the rest from the file
        classes = classes[:1] or [LabelClass("background", default_colour(0))]
    before = len(classes)
    places = {merge_key(one.name): place for place, one in enumerate(classes)}
    table, becomes = np.full(256, UNPAINTED, np.uint8), []
    for number, one in enumerate(found.classes):
        name = chosen.get(one.name, one.name).strip()
        if name.casefold() in (LEAVE_OUT, ""):
            becomes.append("")
            continue
        key = merge_key(name)
        if key not in places:
            places[key] = len(classes)
            classes.append(LabelClass(name, _free_colour(one.colour, classes)))
        table[number] = min(places[key], UNPAINTED)
        becomes.append(classes[places[key]].name)
    check_classes(classes)
    return _Plan(tuple(classes), table, tuple(becomes), frozenset(one.name for one in classes[before:]))


def _free_colour(colour: str, classes: Sequence[LabelClass]) -> str:
    """The file's colour, unless it has none or it is taken already."""
    taken = {one.colour for one in classes}
    return colour if colour and colour not in taken else default_colour(len(classes))


def _drawn(
    project: Project, kind: Format, found: Annotations, outcome: _Outcome, progress: Progress
) -> Iterator[tuple[str, Labels]]:
    """(image, labels in the file's places) of all that can come in; the others are told in ``outcome``."""
    matcher = Matcher(record.path for record in project.images())
    outcome.refused += found.refused
    taken: dict[str, str] = {}
    for number, one in enumerate(found.images, 1):
        candidates = matcher.candidates(one.name)
        if not candidates:
            outcome.unmatched.append(one.name)
        elif len(candidates) > 1:
            outcome.refused.append(
                (
                    one.name,
                    tr("It could belong to {candidates} or {candidates_2}.").format(
                        candidates=candidates[0], candidates_2=candidates[1]
                    ),
                )
            )
        elif candidates[0] in taken:
            outcome.refused.append(
                (
                    one.name,
                    tr("{candidates} already has the mask {taken}.").format(
                        candidates=candidates[0], taken=taken[candidates[0]]
                    ),
                )
            )
        else:
            try:
                labels = _draw_one(project, kind, one, candidates[0], outcome)
            except UserError as error:
                outcome.refused.append((one.name, error.problem))
            else:
                taken[candidates[0]] = one.name
                outcome.matched.append(candidates[0])
                yield candidates[0], labels
        progress(number, len(found.images))


def _draw_one(project: Project, kind: Format, one: FoundImage, image: str, outcome: _Outcome) -> Labels:
    height, width = project.label_map(image).labels.shape  # also looks into an image that nobody has looked into yet
    if one.size is not None and one.size != (height, width):
        raise UserError(
            tr("It was made for {size} × {size_2} pixels, but {image} has {width} × {height}.").format(
                size=one.size[1], size_2=one.size[0], image=image, width=width, height=height
            ),
            tr("Annotations must be of exactly this image."),
        )
    if is_huge(height, width) and not kind.huge:
        raise UserError(
            tr("{image} is huge, and {format} needs all of its mask in memory at once; these do not: {others}.").format(
                image=image, format=tr(kind.name), others=huge_formats()
            ),
            tr("Export the annotations in one of these formats."),
        )
    drawn = one.draw(height, width)
    project.check_mask(image, drawn.labels)
    told = list(drawn.notes[:_SHOWN]) + (
        [tr("and {notes} more").format(notes=len(drawn.notes) - _SHOWN)] if len(drawn.notes) > _SHOWN else []
    )
    outcome.notes += [f"{image}: {note}." for note in (text.rstrip(".") for text in told)]
    return drawn.labels


def _final(drawn: Labels, plan: _Plan, outside: Uncovered) -> Labels:
    """Labels in the project's places, uncovered pixels as the background or unpainted."""
    table = plan.table.copy()
    ground = next((place for place, one in enumerate(plan.classes) if is_background(one.name)), None)
    if outside == "background" and ground is None and plan.classes:
        ground = 0  # the first class is what is not looked for, whatever it is called
    if outside == "background" and ground is not None:
        table[UNPAINTED] = ground
    return mapped(drawn, table)
