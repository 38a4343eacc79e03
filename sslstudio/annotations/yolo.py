"""YOLO segmentation: a text file per image, a polygon per line in shares of the image, names in ``data.yaml``."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import numpy as np

from sslstudio.annotations.model import Annotations, Classes, Drawn, Format, FoundImage, Job
from sslstudio.annotations.names import Names
from sslstudio.annotations.outlines import Region, regions
from sslstudio.annotations.shapes import Polygon, Shape, draw, ring, usable
from sslstudio.annotations.source import Source, read_text
from sslstudio.errors import UserError
from sslstudio.language import later, tr
from sslstudio.project.files import replace_file

_LINE = re.compile(r"^\d+(\s+-?\d*\.?\d+([eE][-+]?\d+)?){4,}\s*$")
_MARK = "# uncovered pixels: "
_ROW = re.compile(r"^\s+(?:(\d+)\s*:|-)\s*(.+?)\s*$")


def recognise(source: Source) -> bool:
    """Text files whose lines are a number and shares, or the names of a YOLO data set."""
    if source.named(".yaml", ".yml") and _texts(source):
        return True
    return any(_looks_right(source.folder / name) for name in _texts(source)[:20])


def _texts(source: Source) -> tuple[str, ...]:
    lists = ("classes.txt", "train.txt", "val.txt", "test.txt", "readme.txt", "labelmap.txt")
    return tuple(name for name in source.named(".txt") if PurePosixPath(name).name.lower() not in lists)


def _looks_right(file: Path) -> bool:
    try:
        lines = [line for line in read_text(file).splitlines() if line.strip()][:5]
    except UserError:
        return False
    return bool(lines) and all(_LINE.match(line) for line in lines)


def read(source: Source) -> Annotations:
    """All label files; a file that cannot be read is refused by itself."""
    names, uncovered = _names(source)
    classes, images, refused = Classes(), [], []
    for number in sorted(names):
        classes.place(names[number])
    for name in _texts(source):
        try:
            makers = [
                partial(_shape, line, number, classes.place(_name(line, names)))
                for number, line in enumerate(read_text(source.folder / name).splitlines(), 1)
                if line.strip()
            ]
        except UserError as error:
            refused.append((name, error.problem))
            continue
        inside = name.removeprefix("labels/")
        images.append(FoundImage(PurePosixPath(inside).with_suffix("").as_posix(), partial(_draw, makers), None, name))
    known = uncovered if uncovered in ("background", "unpainted") else ""
    return Annotations(classes.all(), tuple(images), known, tuple(refused))  # type: ignore[arg-type]


def _name(line: str, names: dict[int, str]) -> str:
    first = line.split()[0]
    if not first.isdecimal():
        raise UserError(
            tr("A line begins with “{first}” where the number of a class should stand.").format(first=first[:20])
        )
    return names.get(int(first), f"class {int(first)}")


def _shape(line: str, number: int, place: int) -> Shape | None:
    words = line.split()[1:]
    if len(words) == 4:
        raise UserError(tr("line {number} is a box, not an outline").format(number=number))
    try:
        values = [float(word) for word in words]
    except ValueError:
        raise UserError(tr("line {number} holds something that is no number").format(number=number)) from None
    return Polygon(place, (ring(values, tr("line {number}").format(number=number)),), relative=True)


def _draw(makers: list, height: int, width: int) -> Drawn:
    shapes, problems = usable(makers)
    drawn = draw(shapes, height, width)
    return Drawn(drawn.labels, (*problems, *drawn.notes))


def _names(source: Source) -> tuple[dict[int, str], str]:
    """Names by number from ``data.yaml``, ``classes.txt`` or ``*.names``, here or above; and what is uncovered."""
    for folder in (source.folder, source.folder.parent):
        for file in sorted((*folder.glob("*.yaml"), *folder.glob("*.yml"))):
            text = read_text(file)
            if found := _yaml_names(text):
                mark = next((line for line in text.splitlines() if line.startswith(_MARK)), "")
                return found, mark.removeprefix(_MARK).strip()
        for file in (folder / "classes.txt", *sorted(folder.glob("*.names"))):
            if file.is_file():
                return dict(enumerate(line.strip() for line in read_text(file).splitlines() if line.strip())), ""
    return {}, ""


def _yaml_names(text: str) -> dict[int, str]:
    """What stands under ``names:``, on its line or below it; no other YAML is understood or needed."""
    lines = text.splitlines()
    at = next((number for number, line in enumerate(lines) if line.startswith("names:")), None)
    if at is None:
        return {}
    inline = lines[at].removeprefix("names:").split(" #")[0].strip()
    if inline:
        return _inline_names(inline)
    found: dict[int, str] = {}
    for line in lines[at + 1 :]:
        match = _ROW.match(line) or re.match(r"^()?-\s*(.+?)\s*$", line)
        if not match:
            if line.strip() and not line.lstrip().startswith("#"):
                break
            continue
        found[int(match[1]) if match[1] else len(found)] = _unquoted(match[2])
    return found


def _inline_names(text: str) -> dict[int, str]:
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        value = [_unquoted(part) for part in text.strip("[]{} ").split(",")]
    rows = value.items() if isinstance(value, dict) else enumerate(value)
    return {int(number): str(name) for number, name in rows}


def _unquoted(text: str) -> str:
    text = text.strip()
    if text[:1] == '"' and text[-1:] == '"':
        return str(json.loads(text))
    return text.strip("'")


def write(job: Job, out: Path) -> list[Path]:
    """``labels/<image>.txt`` and ``data.yaml``; a hole is cut open by a slit of no width."""
    numbers = {place: number for number, (place, _) in enumerate(job.shape_classes)}
    names = Names()
    for picture in job.pictures():
        height, width = picture.labels.shape
        size = np.array([width, height], np.float64)
        lines = partial(_write_lines, regions(picture.labels, job.background), numbers, size)
        file = out / "labels" / names.of(picture.path, ".txt")
        replace_file(file, lines, tr("The file {name}").format(name=file.name), settle=False)
    rows = [f"  {numbers[place]}: {json.dumps(one.name, ensure_ascii=False)}" for place, one in job.shape_classes]
    text = "\n".join([f"{_MARK}{job.uncovered}", "path: .", "train: images", "val: images", "names:", *rows, ""])
    replace_file(out / "data.yaml", text.encode(), tr("The file data.yaml"))
    return [out]


def _write_lines(areas: Iterator[Region], numbers: dict[int, int], size: np.ndarray, file: BinaryIO) -> None:
    for region in areas:
        shares = (f"{value:.8g}" for value in (region.one_ring() / size).ravel())
        file.write(f"{' '.join([str(numbers[region.place]), *shares])}\n".encode())


YOLO = Format(
    "yolo", later("YOLO segmentation"), recognise, read, write, huge=True,
    note=later("Put the images into a folder “images” beside “labels” before training."),
)  # fmt: skip
