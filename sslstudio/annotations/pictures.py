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
from sslstudio.annotations.palette_png import MOST_FOUND, classes_file, read_class_list
from sslstudio.annotations.source import Source
from sslstudio.errors import UserError
from sslstudio.language import later, tr
from sslstudio.project.classes import LabelClass
from sslstudio.project.edit_log import tally
from sslstudio.project.files import replace_file
from sslstudio.project.label_map import UNPAINTED, Labels
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
    known = [FoundClass(one.name, one.colour) for one in read_class_list(named)] if named else None
    classes = known if known is not None else _from_values(source, files)
    images = [
        FoundImage(inside(name), partial(_draw, source.folder / name, len(classes)), None, name) for name in files
    ]
    return Annotations(tuple(classes), tuple(images), "unpainted")


def _from_values(source: Source, files: Sequence[str]) -> list[FoundClass]:
    highest = 0
    for name in files:
        try:
            counts = tally(read_labels(source.folder / name))
        except UserError:
            continue  # refused with its reason when it is drawn
        highest = max(highest, int(np.flatnonzero(counts[:UNPAINTED]).max(initial=0)))
    if highest >= MOST_FOUND:
        raise UserError(
            tr("The masks hold the value {highest}, which is more likely a grey level than a class.").format(
                highest=highest
            ),
            "",
        )
    return [FoundClass("background"), *(FoundClass(f"class {number}") for number in range(1, highest + 1))]


def _draw(file: Path, count: int, height: int, width: int) -> Drawn:
    labels = read_labels(file)
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
    names = Names()
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
