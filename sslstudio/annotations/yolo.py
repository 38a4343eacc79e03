"""YOLO segmentation: a text file per image, a polygon per line in shares of the image, names in ``data.yaml``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import numpy as np

from sslstudio.annotations.model import Annotations, Classes, Format, Job
from sslstudio.annotations.names import Names
from sslstudio.annotations.outlines import Region, regions
from sslstudio.annotations.shapes import Polygon, Shape, annotated, ring
from sslstudio.annotations.source import Source, read_text
from sslstudio.errors import UserError
from sslstudio.language import later, tr
from sslstudio.project.files import replace_file

_LINE = re.compile(r"^\d+(\s+-?\d*\.?\d+([eE][-+]?\d+)?){4,}\s*$")
_MARK = "# uncovered pixels: "
_LABELS = "labels"
_ABOVE = 3  # folders above the label files in which the names may lie
_ABOUT = ("readme", "license", "licence", "notes", "requirements")  # how texts begin that are no labels
_FLOW = re.compile(r""""(?:[^"\\]|\\.)*"|'[^']*'|[,\]}]|[^,\]}"']+|["']""")
_ROW = re.compile(r"^\s+(?:(\d+)\s*:|-)\s*(.+?)\s*$")


def recognise(source: Source) -> bool:
    """Text files whose lines are a number and shares, or the names of a YOLO data set."""
    if source.named(".yaml", ".yml") and _texts(source):
        return True
    return any(_looks_right(source.folder / name) for name in _texts(source)[:20])


def _texts(source: Source) -> tuple[str, ...]:
    lists = ("classes.txt", "train.txt", "val.txt", "test.txt", "labelmap.txt")
    files = [(name, PurePosixPath(name).name.lower()) for name in source.named(".txt")]
    return tuple(name for name, last in files if last not in lists and not last.startswith(_ABOUT))


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
        path, *also = _image_names(source, name)
        images.append(annotated(path, makers, None, name, also=tuple(also), called=name))
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


def _image_names(source: Source, name: str) -> list[str]:
    """Where the image of a label file lies: in “images” in place of “labels”, as YOLO has it, or beside that."""
    bare = PurePosixPath(name).with_suffix("")
    above = source.folder.parts[-_ABOVE:] if _LABELS in source.folder.parts[-_ABOVE:] else ()
    parts = [*above, *bare.parts]
    if _LABELS not in parts[:-1]:
        return [bare.as_posix()]
    at = len(parts) - 2 - parts[-2::-1].index(_LABELS)
    before, after = parts[:at], parts[at + 1 :]
    found = [[*before, "images", *after], [*before, *after], ["images", *after], after]
    return ["/".join(one).lstrip("/") for one in found]


def _names(source: Source) -> tuple[dict[int, str], str]:
    """Names by number from ``data.yaml``, ``classes.txt`` or ``*.names``, here or above; and what is uncovered."""
    for folder in (source.folder, *source.folder.parents[:_ABOVE]):
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
    inline = _uncommented(lines[at].removeprefix("names:"))
    if inline[:1] in ("[", "{"):
        return _flow_names("\n".join([inline, *map(_uncommented, lines[at + 1 :])]))
    found: dict[int, str] = {}
    for line in lines[at + 1 :]:
        match = _ROW.match(line) or re.match(r"^()?-\s*(.+?)\s*$", line)
        if not match:
            if line.strip() and not line.lstrip().startswith("#"):
                break
            continue
        found[int(match[1]) if match[1] else len(found)] = _unquoted(_uncommented(match[2]))
    return found


def _uncommented(text: str) -> str:
    """A line without the comment at its end, which begins behind a space outside quotes."""
    match = re.match(r"""(?:"(?:[^"\\]|\\.)*"|'[^']*'|(?<!\s)\#|[^#])*""", text)
    return (match[0] if match else text).strip()


def _flow_names(text: str) -> dict[int, str]:
    """A list in brackets, or names by number in braces, up to the one that closes it."""
    parts, part = [], ""
    for match in _FLOW.finditer(text[1:]):
        if match[0] not in (",", "]", "}"):
            part += match[0]
            continue
        parts.append(part.strip())
        part = ""
        if match[0] != ",":
            break
    parts = [one for one in parts if one]
    if text[0] == "[":
        return {number: _unquoted(one) for number, one in enumerate(parts)}
    rows = [one.partition(":") for one in parts]
    return {int(_unquoted(key)): _unquoted(name) for key, _, name in rows if _unquoted(key).isdecimal()}


def _unquoted(text: str) -> str:
    text = text.strip()
    if len(text) > 1 and text[0] == '"' == text[-1]:
        try:
            return str(json.loads(text))
        except json.JSONDecodeError:
            return text[1:-1]
    return text[1:-1].replace("''", "'") if len(text) > 1 and text[0] == "'" == text[-1] else text


def write(job: Job, out: Path) -> list[Path]:
    """``labels/<image>.txt`` and ``data.yaml``; a hole is cut open by a slit of no width."""
    numbers = {place: number for number, (place, _) in enumerate(job.shape_classes)}
    names = Names(job.paths)
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
