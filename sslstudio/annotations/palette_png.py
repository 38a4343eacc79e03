"""Masks from other tools: palette or grey images whose pixel values are class numbers."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

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
_ENDINGS = ("_mask", "_masks", "_label", "_labels", "_seg", "_gt", "-mask", "-label", ".mask", ".label")
MOST_FOUND = 32  # classes made from values alone; a higher value is more likely a grey level than a class
_CHUNK = 32  # masks per transaction: one wait for the disk, little lost when stopped


@dataclass(frozen=True)
class ImportReport:
    """What became of each file: the images that got a mask, files without an image, refused ones with reasons."""

    matched: tuple[str, ...]
    unmatched: tuple[str, ...]
    refused: tuple[tuple[str, str], ...]
    notes: tuple[str, ...] = ()


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
    if classes is not None:
        project.set_classes(classes)
    elif may_choose_classes(project):
        project.set_classes(_classes_for(source, pairs, table, project.classes))
    matched, later, only_background = _bring_in(project, source, pairs, table, progress)
    project.save_masks()
    notes = []
    if matched and only_background == len(matched):
        notes.append(
            tr("All masks hold only 0 and 255. 255 means unpainted; if it stands for class 1, import with --map 255=1.")
        )
    return ImportReport(tuple(matched), tuple(unmatched), tuple(refused + later), tuple(notes))


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
    by_path, by_stem = _by_key(images)
    pairs, unmatched, refused = [], [], []
    taken: dict[str, str] = {}
    for file in files:
        candidates = _candidates(file, by_path, by_stem)
        if not candidates:
            unmatched.append(file)
        elif len(candidates) > 1:
            refused.append(
                (
                    file,
                    tr("It could belong to {candidates} or {candidates_2}.").format(
                        candidates=candidates[0], candidates_2=candidates[1]
                    ),
                )
            )
        elif candidates[0] in taken:
            refused.append(
                (
                    file,
                    tr("{candidates} already has the mask {taken}.").format(
                        candidates=candidates[0], taken=taken[candidates[0]]
                    ),
                )
            )
        else:
            taken[candidates[0]] = file
            pairs.append((file, candidates[0]))
    return pairs, unmatched, refused


def _by_key(images: Iterable[str]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Images by relative path (with and without suffix) and by bare stem."""
    by_path, by_stem = defaultdict(list), defaultdict(list)
    for image in images:
        bare = without_suffix(image)
        by_path[image].append(image)
        by_path[bare].append(image)
        by_stem[PurePosixPath(bare).name].append(image)
    return by_path, by_stem


def _candidates(file: str, by_path: dict[str, list[str]], by_stem: dict[str, list[str]]) -> list[str]:
    """The images that a mask file can mean: same path first, then same stem, then without "_mask"."""
    path = PurePosixPath(file)
    for key in (path.with_suffix(""), *_without_ending(path.with_suffix(""))):
        found = by_path.get(key.as_posix()) or by_stem.get(key.name)
        if found:
            return found
    return []


def _without_ending(path: PurePosixPath) -> list[PurePosixPath]:
    name = path.name.lower()
    return [
        path.with_name(path.name[: -len(ending)])
        for ending in _ENDINGS
        if name.endswith(ending) and len(name) > len(ending)
    ]


def _bring_in(
    project: Project,
    source: Path,
    pairs: list[tuple[str, str]],
    table: np.ndarray,
    progress: Callable[[int, int], object],
) -> tuple[list[str], list[tuple[str, str]], int]:
    """Set the masks; the images that got one, refused files with reasons, how many hold only 0 and 255."""
    count, matched, refused, only_background = len(project.classes), [], [], 0
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
                only_background += set(values) == {0, UNPAINTED}
    return matched, refused, only_background


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
            raise UserError(
                tr("{file} holds the value {highest}, and the project has no classes yet.").format(
                    file=file, highest=highest
                ),
                tr("Name the classes first; or say which class it means, for example --map {highest}=1.").format(
                    highest=highest
                ),
            )
    if now and highest < len(now):
        return now  # their names say as much as made ones
    names = ["background", *(f"class {number}" for number in range(1, highest + 1))]
    return [LabelClass(name, default_colour(place)) for place, name in enumerate(names)]


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
