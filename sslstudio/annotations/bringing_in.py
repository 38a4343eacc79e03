"""Annotations of any format into a project: first a preview that changes nothing, then the import, both told alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from sslstudio.annotations.formats import FORMATS, PLAIN, find_format, huge_formats
from sslstudio.annotations.matching import Matcher
from sslstudio.annotations.model import Annotations, Drawn, Format, FoundImage, Uncovered, is_background, merge_key
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
_KEPT = 1 << 26  # pixels
_SHOWN = 5  # odd things told per image
_NONE = np.zeros((0, 0), np.uint8)
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
    """What an import would do. ``picture`` (h, w, 3) and ``labels`` (h, w) show the image ``example``.

    ``uncovered`` is what pixels without a shape become, ``asked`` what the user said about that, which an import
    has to be told.
    """

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
    asked: Uncovered = ""


@dataclass
class _Outcome:
    """What became of each image, as it goes on."""

    matched: list[str] = field(default_factory=list)
    unmatched: list[str] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    left: list[tuple[str, str]] = field(default_factory=list)
    painted: frozenset[str] = frozenset()  # images that had a mask before
    kept: dict[int, Drawn] = field(default_factory=dict)  # what was drawn already, by the image's ``id``
    empty_is_ground: bool = False  # whether an image without any shape is all background

    @classmethod
    def of(cls, project: Project, found: Annotations, uncovered: Uncovered) -> _Outcome:
        """Before anything came in. What lies beside all shapes is known where the file or the user says it."""
        painted = frozenset(record.path for record in project.painted())
        known = (uncovered or found.uncovered) == "background"
        return cls(refused=list(found.refused), notes=list(found.notes), painted=painted, empty_is_ground=known)

    @property
    def replaced(self) -> int:
        """How many of the masks take the place of another."""
        return len(self.painted.intersection(self.matched))

    def tell(self, note: str) -> None:
        """One more note, if there is one."""
        self.notes += [note] if note else []

    def report(self) -> ImportReport:
        """The same as it is handed out."""
        lists = (tuple(self.matched), tuple(self.unmatched), tuple(self.refused), tuple(self.notes))
        return ImportReport(*lists, left=tuple(self.left), replaced=self.replaced)


@dataclass(frozen=True)
class _Plan:
    """The classes as they will be, and what each place of the file becomes, (256,) uint8."""

    classes: tuple[LabelClass, ...]
    table: np.ndarray
    becomes: tuple[str, ...]
    new: frozenset[str]
    outside: Uncovered  # what pixels become that no shape covers
    unused: frozenset[int]  # places of the file that occur in no image


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
    outcome = _Outcome.of(project, found, uncovered)
    counts, used, best = np.zeros((2, 256), np.int64), set[int](), (0, "", _NONE)
    for image, drawn in _drawn(project, kind, found, outcome, progress):
        found_here = tally(drawn)
        counts += np.stack([found_here > 0, found_here])
        used |= set(np.flatnonzero(found_here).tolist())
        variety = int(np.count_nonzero(found_here))
        if variety > best[0]:
            best = (variety, image, small_labels(drawn))
    numbered = _numbered(project, found, used) if not classes and by_value(project, path, kind.id) else {}
    plan = _plan(project, found, used, classes or numbered, uncovered)
    outcome.tell(_unused(project, found, plan) if outcome.matched else "")
    rows = tuple(
        ClassRow(one.name, plan.becomes[place], plan.becomes[place] in plan.new, *map(int, counts[:, place]))
        for place, one in enumerate(found.classes)
        if place in used or one.name in (classes or {})
    )
    small = _final(best[2], plan)
    shown = small if best[0] and isinstance(small, np.ndarray) else None
    picture = small_picture(project, best[1], shown) if shown is not None else None
    return Preview(
        path, kind.id, rows, plan.outside, outcome.report(), outcome.replaced, best[1], picture, shown, plan.classes,
        uncovered,
    )  # fmt: skip


def bring_in(
    project: Project,
    source: Path,
    format_: str = "",
    classes: Mapping[str, str] | None = None,
    uncovered: Uncovered = "",
    progress: Progress = lambda *_: None,
) -> ImportReport:
    """Give the project's images the masks of ``source``; undoable per image.

    Images about which the source says nothing are left alone. ``classes`` maps names of the file to names of the
    project, or to "unpainted"; others merge by name, and what occurs and the project lacks is added. An image comes
    in whole or not at all. Raises UserError when nothing can be read.
    """
    _, kind, found = _read(source, format_)
    before = _Outcome.of(project, found, uncovered)
    used = _used(project, kind, found, before, progress)
    plan = _plan(project, found, used, classes or {}, uncovered)
    outcome = _Outcome.of(project, found, uncovered)
    outcome.kept = before.kept
    waiting: list[tuple[str, Labels]] = []
    first = True
    for image, drawn in _drawn(project, kind, found, outcome, progress):
        if first:  # only once something can come in: a file without a match leaves the classes as they are
            project.set_classes(plan.classes)
            first = False
        waiting.append((image, _final(drawn, plan)))
        if len(waiting) == _CHUNK or isinstance(drawn, SparseLabels):
            _keep(project, waiting, outcome)
    _keep(project, waiting, outcome)
    project.save_masks()
    outcome.tell(_unused(project, found, plan) if outcome.matched else "")
    return outcome.report()


def _numbered(project: Project, found: Annotations, used: set[int]) -> dict[str, str]:
    """What the classes of pictures become whose values are numbers of the project's classes."""
    classes = project.classes
    return {
        found.classes[place].name: classes[place].name
        for place in used
        if place < min(len(classes), len(found.classes))
    }


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


def _guess(found: Annotations, used: set[int]) -> Uncovered:
    """Where the background has shapes of its own, what no shape covers is unpainted; else it is background."""
    ground = any(is_background(one.name) for place, one in enumerate(found.classes) if place in used)
    return later("unpainted") if ground else later("background")


def _used(project: Project, kind: Format, found: Annotations, here: _Outcome, progress: Progress) -> set[int]:
    """The places of the classes that occur in what will come in."""
    used: set[int] = set()
    for _, drawn in _drawn(project, kind, found, here, lambda _, total: progress(0, total), used):
        used |= set(np.flatnonzero(tally(drawn)).tolist())
    return used


def _unused(project: Project, found: Annotations, plan: _Plan) -> str:
    """What is said about classes of the file that were not added, since they do not occur; may be empty."""
    there = {merge_key(one.name) for one in (*plan.classes, *project.classes)}
    names = [one.name for place, one in enumerate(found.classes) if place in plan.unused]
    names = [name for name in names if merge_key(name) not in there]
    if not names:
        return ""
    shown = ", ".join(names[:_SHOWN]) + (" …" if len(names) > _SHOWN else "")
    return tr("Classes of the file that occur in no image were not added: {shown}.").format(shown=shown)


def _plan(
    project: Project, found: Annotations, used: set[int], chosen: Mapping[str, str], uncovered: Uncovered
) -> _Plan:
    """Merge the file's classes into the project's by name; those that occur, or were spoken of."""
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
    table, becomes, unused = np.full(256, UNPAINTED, np.uint8), [], set[int]()
    for number, one in enumerate(found.classes):
        if number not in used and one.name not in chosen:
            becomes.append("")
            unused.add(number)
            continue
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
    outside = uncovered or found.uncovered or _guess(found, used)
    new = frozenset(one.name for one in classes[before:])
    return _Plan(tuple(classes), table, tuple(becomes), new, outside, frozenset(unused))


def _free_colour(colour: str, classes: Sequence[LabelClass]) -> str:
    """The file's colour, unless it has none or it is taken already."""
    taken = {one.colour for one in classes}
    return colour if colour and colour not in taken else default_colour(len(classes))


def _drawn(
    project: Project,
    kind: Format,
    found: Annotations,
    outcome: _Outcome,
    progress: Progress,
    seen: set[int] | None = None,
) -> Iterator[tuple[str, Labels]]:
    """(image, labels in the file's places) of all that can come in; the others are told in ``outcome``.

    Where only the classes are of interest, ``seen`` are those that occurred so far, which the caller adds to: labels
    that can hold no others are not drawn, but empty.
    """
    matcher = Matcher(record.path for record in project.images())
    for number, one in enumerate(found.images, 1):
        try:
            image = matcher.only((one.name, *one.also), one.told)
            if not image:
                outcome.unmatched.append(one.told)
            elif why := _why_left(one, outcome):
                outcome.left.append((image, why))
            else:
                drawn = _draw_one(project, kind, one, image, outcome.kept, seen)
                if drawn.nothing:
                    outcome.left.append((image, drawn.nothing))
                else:
                    matcher.take(image, one.told)
                    outcome.matched.append(image)
                    outcome.notes += _odd(image, drawn)
                    yield image, drawn.labels
        except UserError as error:
            outcome.refused.append((one.told, error.problem))
        progress(number, len(found.images))


def _why_left(one: FoundImage, outcome: _Outcome) -> str:
    """Why an image is to keep the mask that it has; empty where the file says something about it."""
    if one.nothing or not one.empty or outcome.empty_is_ground:
        return one.nothing
    return tr("No shape was drawn on it, which need not mean that nothing is there.")


def _odd(image: str, drawn: Drawn) -> list[str]:
    told = list(drawn.notes[:_SHOWN]) + (
        [tr("and {notes} more").format(notes=len(drawn.notes) - _SHOWN)] if len(drawn.notes) > _SHOWN else []
    )
    return [f"{image}: {note}." for note in (text.rstrip(".") for text in told)]


def _size(project: Project, image: str) -> tuple[int, int]:
    """(H, W) of an image; also looks into one that nobody has looked into yet. Raises UserError."""
    record = project.image(image)
    if record.width and not record.problem:
        return record.height, record.width
    height, width = project.label_map(image).labels.shape
    return height, width


def _draw_one(
    project: Project, kind: Format, one: FoundImage, image: str, kept: dict[int, Drawn], seen: set[int] | None
) -> Drawn:
    height, width = _size(project, image)
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
    if seen is not None and one.places is not None and one.places() <= seen:
        return Drawn(_NONE)
    drawn = kept.pop(id(one), None) or one.draw(height, width)
    project.check_mask(image, drawn.labels)
    if seen is not None and sum(other.labels.size for other in kept.values()) < _KEPT:
        kept[id(one)] = drawn  # it is wanted again soon, and a huge one takes minutes
    return drawn


def _final(drawn: Labels, plan: _Plan) -> Labels:
    """Labels in the project's places, uncovered pixels as the background or unpainted."""
    table = plan.table.copy()
    ground = next((place for place, one in enumerate(plan.classes) if is_background(one.name)), None)
    if plan.outside == "background" and ground is None and plan.classes:
        ground = 0  # the first class is what is not looked for, whatever it is called
    if plan.outside == "background" and ground is not None:
        table[UNPAINTED] = ground
    return mapped(drawn, table)
