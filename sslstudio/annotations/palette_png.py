"""Masks from other tools: palette or grey images whose pixel values are class numbers."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sslstudio.annotations.matching import Matcher
from sslstudio.annotations.numbering import MOST_FOUND, Numbering, told_black_and_white, told_objects
from sslstudio.errors import UserError
from sslstudio.images.scan import natural_key
from sslstudio.images.slices import without_suffix
from sslstudio.language import tr, tr_many
from sslstudio.project.classes import FIRST_CLASSES, LabelClass, default_colour, first_classes
from sslstudio.project.edit_log import tally
from sslstudio.project.label_map import UNPAINTED, Labels, mapped
from sslstudio.project.masks import read_labels
from sslstudio.project.project import Project

_SUFFIXES = (".png", ".tif", ".tiff", ".bmp")
THING = "object"  # the class of what is numbered one by one
_CHUNK = 32  # masks per transaction: one wait for the disk, little lost when stopped


@dataclass(frozen=True)
class ImportReport:
    """What became of each file: the images that got a mask, files without an image, refused ones with reasons.

    ``left`` are images about which the source says nothing, with the reason; they keep what they have. Of the
    images that got a mask ``replaced`` had one before.
    """

    matched: tuple[str, ...]
    unmatched: tuple[str, ...]
    refused: tuple[tuple[str, str], ...]
    notes: tuple[str, ...] = ()
    left: tuple[tuple[str, str], ...] = ()
    replaced: int = 0


def import_masks(
    project: Project,
    source: Path,
    values: Mapping[int, int] | None = None,
    classes: Sequence[LabelClass] | None = None,
    progress: Callable[[int, int], object] = lambda *_: None,
) -> ImportReport:
    """Give images the masks of the same relative path or stem below ``source``; undoable per image.

    The project gets ``classes`` first, if they are given; else one whose classes nobody has chosen yet takes
    them from ``classes.json`` there, or from the values found. ``values`` maps pixel values of the files to
    classes: {255: 1} for masks of black and white. ``progress(done, total)`` may raise to call it off: what was
    taken over before stays. Raises UserError when the folder is missing or holds no masks.
    """
    table = _table(values or {})
    source = Path(source).expanduser().absolute()
    pairs, unmatched, refused = _pair(_mask_files(source), [record.path for record in project.images()])
    painted = {record.path for record in project.painted()}
    notes = []
    if classes is not None:
        project.set_classes(classes)
    elif not values and (thing := _thing(project, source, pairs, progress)) is not None:
        project.set_classes(thing[0])
        table[1:UNPAINTED] = thing[1]
        notes.append(told_objects())
    elif may_choose_classes(project):
        project.set_classes(_classes_for(source, pairs, table, project.classes))
    matched, later, white = _bring_in(project, source, pairs, table, progress)
    project.save_masks()
    notes += [told_black_and_white()] if white else []
    lists = (tuple(matched), tuple(unmatched), tuple(refused + later), tuple(notes))
    return ImportReport(*lists, replaced=len(painted.intersection(matched)))


def _thing(
    project: Project, source: Path, pairs: list[tuple[str, str]], progress: Callable[[int, int], object]
) -> tuple[tuple[LabelClass, ...], int] | None:
    """The classes, and which of them is the kind of single objects that the values number; None where they do not."""
    if classes_file(source) is not None:
        return None
    found = Numbering()
    for file, _ in pairs:
        progress(0, len(pairs))  # may call it off
        try:
            found.add((source / file).as_posix(), read_labels(source / file))
        except UserError:
            continue  # refused with its reason when it is brought in
    if not asks_for_objects(project, found):
        return None
    classes = tuple(project.classes) or (LabelClass("background", default_colour(0)),)
    if len(classes) != 2:
        places = {one.name.strip().casefold(): place for place, one in enumerate(classes)}
        if THING not in places:
            return (*classes, LabelClass(THING, default_colour(len(classes)))), len(classes)
        return classes, places[THING]
    return classes, 1


def asks_for_objects(project: Project, found: Numbering) -> bool:
    """Whether values are numbers of single objects, and not of classes that somebody has chosen."""
    return found.objects and (may_choose_classes(project) or found.highest >= len(project.classes))


def mask_pairs(project: Project, source: Path) -> list[tuple[str, str]]:
    """The mask files below ``source`` and the images that they belong to; raises UserError when there is no mask."""
    return _pair(_mask_files(source), [record.path for record in project.images()])[0]


def _mask_files(source: Path) -> list[str]:
    if not source.is_dir():
        raise UserError(
            tr("The folder {source} is not there.").format(source=source), tr("Choose the folder that holds the masks.")
        )
    found = []
    for folder, folders, names in os.walk(source):
        folders[:] = [name for name in folders if not name.startswith(".")]
        inside = Path(folder).relative_to(source)
        found += [
            (inside / name).as_posix()
            for name in names
            if name.lower().endswith(_SUFFIXES) and not name.startswith(".")
        ]
    if not found:
        raise UserError(
            tr("No masks were found in {source}.").format(source=source), tr("Masks are palette or grey PNG files.")
        )
    return sorted(found, key=natural_key)


def _pair(
    files: Iterable[str], images: Iterable[str]
) -> tuple[list[tuple[str, str]], list[str], list[tuple[str, str]]]:
    """Pairs (mask file, image), files without an image, and files that could mean several images."""
    matcher = Matcher(images)
    pairs, unmatched, refused = [], [], []
    for file in files:
        try:
            image = matcher.only((without_suffix(file),), file)
        except UserError as error:
            refused.append((file, error.problem))
            continue
        if image:
            matcher.take(image, file)
            pairs.append((file, image))
        else:
            unmatched.append(file)
    return pairs, unmatched, refused


def _bring_in(
    project: Project,
    source: Path,
    pairs: list[tuple[str, str]],
    table: np.ndarray,
    progress: Callable[[int, int], object],
) -> tuple[list[str], list[tuple[str, str]], bool]:
    """Set the masks; the images that got one, refused files with reasons, whether all hold only 0 and 255."""
    count, matched, refused, seen = len(project.classes), [], [], set[int]()
    for first in range(0, len(pairs), _CHUNK):
        progress(first, len(pairs))
        with project.together():
            for file, image in pairs[first : first + _CHUNK]:
                try:
                    labels = mapped(read_labels(source / file), table)
                    values = _values(labels)
                    _refuse_unknown(values, count)
                    project.check_mask(image, labels)
                except UserError as error:
                    refused.append((file, error.problem))
                    continue
                project.set_mask(image, labels)
                matched.append(image)
                seen.update(values)
    return matched, refused, UNPAINTED in seen and seen <= {0, UNPAINTED}


def _values(labels: Labels) -> list[int]:
    return [int(value) for value in np.flatnonzero(tally(labels))]


def _refuse_unknown(values: list[int], count: int) -> None:
    unknown = [value for value in values if count <= value < UNPAINTED]
    if unknown:
        shown = ", ".join(map(str, unknown[:5])) + (" …" if len(unknown) > 5 else "")
        known = tr("0 to {count}").format(count=count - 1) if count > 1 else "0"
        raise UserError(
            tr_many(
                "It holds the value {shown}; the classes are {known}.",
                "It holds the values {shown}; the classes are {known}.",
                len(unknown),
            ).format(shown=shown, known=known)
        )


def may_choose_classes(project: Project) -> bool:
    """Whether there are no classes, or only those that every project begins with and nobody has painted."""
    names = tuple(one.name for one in project.classes)
    return not names or (names in (FIRST_CLASSES, first_classes()) and not project.painted())


def _table(values: Mapping[int, int]) -> np.ndarray:
    """What each pixel value of a file becomes, (256,) uint8."""
    table = np.arange(256, dtype=np.uint8)
    for value, label in values.items():
        if not (0 <= value <= UNPAINTED and 0 <= label <= UNPAINTED):
            raise UserError(
                tr("{value}={label} maps no pixel value.").format(value=value, label=label),
                tr("Both are numbers from 0 to 255."),
            )
        table[value] = label
    return table


def _classes_for(
    source: Path, pairs: list[tuple[str, str]], table: np.ndarray, now: Sequence[LabelClass]
) -> Sequence[LabelClass]:
    """Classes from ``classes.json`` in the folder or above it, else those of ``now`` or one per value in the masks."""
    if (list_of_classes := classes_file(source)) is not None:
        return read_class_list(list_of_classes)
    highest = -1
    for file, _ in pairs:
        try:
            found = [value for value in _values(mapped(read_labels(source / file), table)) if value < UNPAINTED]
        except UserError:
            continue  # refused with its reason when it is brought in
        highest = max([highest, *found])
        if highest >= MOST_FOUND:
            raise grey_level(file, highest)
    if now and highest < len(now):
        return now  # their names say as much as made ones
    names = ["background", *(f"class {number}" for number in range(1, highest + 1))]
    return [LabelClass(name, default_colour(place)) for place, name in enumerate(names)]


def grey_level(file: str, highest: int) -> UserError:
    """What is raised where a value is too high for classes to be made from values alone."""
    return UserError(
        tr("{file} holds the value {highest}, and nothing says which class that is.").format(
            file=file, highest=highest
        ),
        tr(
            "It may be a grey level. Name the classes first, or put a classes.json beside the masks; or say which "
            "class it means, for example --map {highest}=1."
        ).format(highest=highest),
    )


def classes_file(source: Path) -> Path | None:
    """The ``classes.json`` in the folder of the masks or above it, if there is one."""
    places = (folder / "classes.json" for folder in (source, source.parent))
    return next((file for file in places if file.is_file()), None)


def read_class_list(file: Path) -> list[LabelClass]:
    """Names and colours of a ``classes.json``; raises UserError when it is none."""
    try:
        entries = {int(entry["id"]): entry for entry in json.loads(file.read_text("utf-8"))["classes"]}
        if not entries or min(entries) < 0 or max(entries) >= UNPAINTED:
            raise ValueError("class numbers go from 0 to 254")
        return [_class_of(entries.get(place, {"name": f"class {place}"}), place) for place in range(max(entries) + 1)]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            tr("{name} cannot be understood ({error}).").format(name=file.name, error=error),
            tr("Mend it, or remove it."),
        ) from None


def _class_of(entry: dict, place: int) -> LabelClass:
    colour = entry.get("color") or entry.get("colour")
    if isinstance(colour, (list, tuple)):
        red, green, blue = (int(value) & 255 for value in colour[:3])
        colour = f"#{red:02x}{green:02x}{blue:02x}"
    return LabelClass(str(entry["name"]), colour or default_colour(place))
