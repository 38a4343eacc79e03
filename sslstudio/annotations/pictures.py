"""Palette and grey PNG: the pixel value is the class; with a ``classes.json`` that names them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import BinaryIO

import numpy as np

from sslstudio.annotations.model import Annotations, Drawn, Format, FoundClass, FoundImage, Job
from sslstudio.annotations.names import Names
from sslstudio.annotations.numbering import MOST_FOUND, Numbering, told_black_and_white, told_objects
from sslstudio.annotations.palette_png import THING, classes_file, grey_level, read_class_list
from sslstudio.annotations.source import Source
from sslstudio.errors import UserError
from sslstudio.images.slices import without_suffix
from sslstudio.language import later, tr
from sslstudio.project.classes import LabelClass
from sslstudio.project.edit_log import tally
from sslstudio.project.files import replace_file
from sslstudio.project.label_map import UNPAINTED, Labels, mapped
from sslstudio.project.mask_rows import write_rows
from sslstudio.project.masks import read_labels, write_mask

MASKS = "masks"  # the folder of what is read in again, beside pictures for people


def mask_folder(path: Path) -> Path:
    """The folder that holds the masks: ``path``, or its ``masks`` where ``path`` is what we exported."""
    inside = path / MASKS
    return inside if inside.is_dir() and classes_file(inside) is not None else path


def mask_files(source: Source) -> tuple[str, ...]:
    """The pictures of a source that are masks: those in ``masks`` where we exported, else all."""
    if source.path.is_dir() and mask_folder(source.path) != source.path:
        return tuple(name for name in source.pictures if name.startswith(f"{MASKS}/"))
    return source.pictures


def inside(name: str) -> str:
    """A file's name without the folder ``masks`` that our exports put before it."""
    return name.removeprefix(f"{MASKS}/")


def recognise(source: Source) -> bool:
    """Any pictures; that is asked last."""
    return bool(source.pictures)


def read(source: Source) -> Annotations:
    """Masks whose classes are named by ``classes.json``, else called by their values."""
    files = mask_files(source)
    named = classes_file(mask_folder(source.folder))
    if named is not None:
        known = [FoundClass(one.name, one.colour) for one in read_class_list(named)]
        return _annotations(source, files, known)
    found = _looked_through(source, files)
    if found.objects:
        things = [FoundClass("background"), FoundClass(THING)]
        return _annotations(source, files, things, objects=True, notes=(told_objects(),))
    notes = (told_black_and_white(),) if found.black_and_white else ()
    classes = [FoundClass("background"), *(FoundClass(f"class {number}") for number in range(1, found.highest + 1))]
    return _annotations(source, files, classes, notes=notes)


def _annotations(
    source: Source,
    files: Sequence[str],
    classes: Sequence[FoundClass],
    *,
    objects: bool = False,
    notes: tuple[str, ...] = (),
) -> Annotations:
    images = [
        FoundImage(
            without_suffix(inside(name)),
            partial(_draw, source.folder / name, len(classes), objects),
            origin=name,
            called=inside(name),
        )
        for name in files
    ]
    return Annotations(tuple(classes), tuple(images), "unpainted", (), notes)


def _looked_through(source: Source, files: Sequence[str]) -> Numbering:
    """What the masks hold; raises UserError where a value is too high for a class without a name."""
    found, highest = Numbering(), ("", 0)
    for name in files:
        file = source.folder / name
        try:
            values = [value for value in found.add(file.as_posix(), read_labels(file)) if value < UNPAINTED]
        except UserError:
            continue  # refused with its reason when it is drawn
        if values and values[-1] > highest[1]:
            highest = name, values[-1]
    if highest[1] >= MOST_FOUND and not found.objects:
        raise grey_level(*highest)
    return found


def _draw(file: Path, count: int, objects: bool, height: int, width: int) -> Drawn:
    labels = read_labels(file)
    if objects:
        table = np.ones(256, np.uint8)
        table[[0, UNPAINTED]] = 0, UNPAINTED
        return Drawn(mapped(labels, table))
    unknown = np.flatnonzero(tally(labels)[count:UNPAINTED]) + count
    if unknown.size:
        raise UserError(
            tr("It holds the value {unknown}; the classes are 0 to {count}.").format(
                unknown=unknown[0], count=count - 1
            )
        )
    return Drawn(labels)


def write(job: Job, out: Path, *, grey: bool) -> list[Path]:
    """``masks/<image>.png`` and ``classes.json``."""
    names = Names(job.paths)
    for picture in job.pictures():
        file = out / MASKS / names.of(picture.path, ".png")
        if grey:
            data = partial(_write_grey, picture.labels)
            replace_file(file, data, tr("The mask {name}").format(name=file.name), settle=False)
        else:
            write_mask(file, picture.labels, [one.colour for one in job.classes], settle=False)
    write_classes(job.classes, out)
    return [out / MASKS]


def _write_grey(labels: Labels, file: BinaryIO) -> None:
    from PIL import Image

    if isinstance(labels, np.ndarray):
        Image.fromarray(np.ascontiguousarray(labels)).save(file, "PNG", compress_level=3)
    else:
        write_rows(file, labels, b"", {})


def write_classes(classes: Sequence[LabelClass], out: Path, unpainted: str = "") -> None:
    """A ``classes.json``: number, name and colour of each class; and the colour of unpainted pixels, if any."""
    rows = [{"id": place, "name": one.name, "color": one.colour} for place, one in enumerate(classes)]
    document = {"classes": rows, "unpainted": unpainted or UNPAINTED}
    replace_file(out / "classes.json", json.dumps(document, ensure_ascii=False, indent=1).encode(), "classes.json")


PALETTE = Format("palette", later("Palette PNG"), recognise, read, partial(write, grey=False), pictures=True, huge=True)
GREY = Format(
    "grey", later("Grey PNG"), lambda _: False, read, partial(write, grey=True), pictures=True, huge=True,
    note=later("The pixel values are class numbers, so grey masks look black; coloured ones lie beside them."),
)  # fmt: skip
