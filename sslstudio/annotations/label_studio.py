"""Label Studio JSON: tasks with polygons, boxes and ellipses in percent, and strokes as packed run lengths."""

from __future__ import annotations

import json
import math
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

import numpy as np

from sslstudio.annotations.model import Annotations, Classes, Format, FoundImage, Job, Picture
from sslstudio.annotations.outlines import Region, regions
from sslstudio.annotations.run_lengths import to_counts
from sslstudio.annotations.shapes import Bitmap, Maker, Polygon, Shape, annotated, box, ellipse, ring, turned
from sslstudio.annotations.source import Source
from sslstudio.errors import UserError
from sslstudio.language import later, tr
from sslstudio.project.files import replace_file

FILE = "tasks.json"
_WORD = 8  # bits of a value
_SIZES = (3, 4, 8, 16)  # bits of a run's length, one of four
_VISIBLE = 3  # the channel of RGBA that says where the brush was


def recognise(source: Source) -> bool:
    """A list of tasks with data and annotations."""
    first = source.first
    row = first[0] if isinstance(first, list) and first else None
    return isinstance(row, dict) and isinstance(row.get("data"), dict) and bool(_KEYS & row.keys())


_KEYS = {"annotations", "completions", "predictions"}


def read(source: Source) -> Annotations:
    """All tasks of all files; of several annotations of a task the last one counts, and what models say does not."""
    classes, images, refused, marks = Classes(), [], [], set()
    for name in source.json_files:
        try:
            tasks = source.document(name)
            if not isinstance(tasks, list):
                raise UserError(tr("{name} is no list of tasks; export it as “JSON”.").format(name=name))
            for number, task in enumerate(tasks, 1):
                images.append(_image(task, number, name, classes))
                marks.add(str((task.get("meta") or {}).get("uncovered", "")))
        except UserError as error:
            refused.append((name, error.problem))
    uncovered = marks.pop() if len(marks) == 1 else ""
    known = uncovered if uncovered in ("background", "unpainted") else ""
    return Annotations(classes.all(), tuple(images), known, tuple(refused))  # type: ignore[arg-type]


def _image(task: Any, number: int, file: str, classes: Classes) -> FoundImage:
    data = task.get("data") if isinstance(task, dict) else None
    if not isinstance(data, dict):
        raise UserError(tr("Task {number} of {file} has no data.").format(number=number, file=file))
    path = str(data.get("image") or next((text for text in data.values() if isinstance(text, str)), ""))
    every = [one for one in task.get("annotations") or task.get("completions") or [] if isinstance(one, dict)]
    answers = [one for one in every if not one.get("was_cancelled")]
    if not answers:
        return annotated(path, (), None, file, nothing=_why_nothing(task, skipped=bool(every)))
    result = [row for row in answers[-1].get("result") or [] if isinstance(row, dict)]
    rows = [row for row in result if row.get("type") not in ("choices", "textarea", "rating", "relation")]
    makers = [_maker(row, place, classes) for place, row in enumerate(rows, 1)]
    if len(answers) > 1 and makers:
        makers.append(_taken_of_several)
    sizes = {(row.get("original_height"), row.get("original_width")) for row in rows} - {(None, None)}
    size: Any = sizes.pop() if len(sizes) == 1 else None
    # Somebody who hands in an image without a shape says that nothing is there; who chose from a list does not.
    return annotated(path, makers, size, file, empty=bool(result) and not rows)


def _why_nothing(task: dict, *, skipped: bool) -> str:
    if skipped:
        return tr("It was skipped in Label Studio.")
    if task.get("predictions"):
        return tr("Only a model has annotated it; nobody has confirmed that in Label Studio.")
    return tr("Nobody has annotated it in Label Studio.")


def _taken_of_several() -> Shape | None:
    raise UserError(tr("it was annotated several times; the last one was taken"))


def _maker(row: dict, number: int, classes: Classes) -> Maker:
    kind, value = str(row.get("type")), row.get("value")
    value = value if isinstance(value, dict) else {}
    names = value.get(kind) or value.get("labels") or ["object"]
    what = tr("area {number} ({names})").format(number=number, names=names[0])
    return partial(_shape, kind, value, row, classes.place(str(names[0])), what)


def _shape(kind: str, value: dict, row: dict, place: int, what: str) -> Shape | None:
    kind = kind.removesuffix("labels")
    if kind == "polygon":
        return Polygon(place, (ring(value.get("points"), what) / 100,), relative=True)
    if kind == "rectangle":
        x, y, width, height = _figures(value, ("x", "y", "width", "height"), what)
        return _upright(box(x, y, x + width, y + height), (x, y), value, row, place, what)
    if kind == "ellipse":
        x, y, wide, high = _figures(value, ("x", "y", "radiusX", "radiusY"), what)
        return _upright(ellipse(x, y, wide, high), (x, y), value, row, place, what)
    if kind == "brush" and value.get("format", "rle") == "rle":
        return Bitmap(place, partial(_brush, value.get("rle"), row, what))
    raise UserError(
        tr("{what} is of the kind {kind}, which is not a drawn area, and was left out").format(
            what=what, kind=row.get("type")
        )
    )


def _upright(corners: np.ndarray, about: tuple[float, float], value: dict, row: dict, place: int, what: str) -> Polygon:
    """Corners in percent of the image, turned in pixels: a rectangle about its first corner."""
    (angle,) = _figures({"rotation": 0, **value}, ("rotation",), what)
    if not angle:
        return Polygon(place, (corners / 100,), relative=True)
    size = np.array(_figures(row, ("original_width", "original_height"), what)) / 100
    return Polygon(place, (turned(corners * size, angle, np.array(about) * size),))


def _figures(values: dict, keys: tuple[str, ...], what: str) -> list[float]:
    try:
        found = [float(values[key]) for key in keys]
    except (KeyError, TypeError, ValueError):
        found = [math.nan]
    if not all(map(math.isfinite, found)):
        raise UserError(
            tr("{what} lacks one of these, or it is no number: {keys}.").format(what=what, keys=", ".join(keys)),
            tr("Export it again."),
        )
    return found


def _brush(packed: Any, row: dict, what: str, height: int, width: int) -> np.ndarray:
    if [row.get("original_height"), row.get("original_width")] != [height, width]:
        raise UserError(
            tr("{what} was painted on {value} × {value_2} pixels.").format(
                what=what, value=row.get("original_width"), value_2=row.get("original_height")
            )
        )
    values = unpack(packed, what)
    if values.size != height * width * 4:
        raise UserError(
            tr("{what} has run lengths for {size:,} pixels, but the image has {height:,}.").format(
                what=what, size=values.size // 4, height=height * width
            ),
            tr("Export it again from where it came."),
        )
    return values.reshape(height, width, 4)[..., _VISIBLE] > 0


def unpack(packed: Any, what: str) -> np.ndarray:
    """The flat uint8 values of packed run lengths; raises UserError, which begins with ``what``."""
    try:
        data = np.asarray(packed, np.int64)
        if data.ndim != 1 or data.size < 7 or data.min() < 0 or data.max() > 255:
            raise ValueError
    except (TypeError, ValueError, OverflowError):
        raise UserError(
            tr("{what} has brush strokes that are no list of bytes.").format(what=what), tr("Export it again.")
        ) from None
    bits = "".join(np.unpackbits(data.astype(np.uint8)).astype("U1").tolist())
    size, word = int(bits[:32], 2), int(bits[32:37], 2) + 1
    sizes = [int(bits[at : at + 4], 2) + 1 for at in (37, 41, 45, 49)]
    if size > 4 * 1_000_000_000 or word != _WORD:
        raise UserError(tr("{what} has brush strokes of an unknown kind.").format(what=what), tr("Export it again."))
    parts, have, at = [], 0, 53
    while have < size:
        if at + 3 > len(bits):
            raise UserError(
                tr("{what} has run lengths that end too early.").format(what=what),
                tr("The file may be cut off; export it again."),
            )
        length = sizes[int(bits[at + 1 : at + 3], 2)]
        same, start = bits[at] == "1", at + 3 + length
        count = int(bits[at + 3 : start] or "0", 2) + 1
        at = start + (word if same else word * count)
        if at > len(bits):
            raise UserError(
                tr("{what} has run lengths that end too early.").format(what=what),
                tr("The file may be cut off; export it again."),
            )
        letters = [int(bits[place : place + word], 2) for place in range(start, at, word)]
        parts.append(np.full(count, letters[0], np.uint8) if same else np.array(letters, np.uint8))
        have += count
    values = np.concatenate(parts) if parts else np.zeros(0, np.uint8)
    if values.size != size:
        raise UserError(
            tr("{what} has run lengths for {size:,} values in place of {size_2:,}.").format(
                what=what, size=values.size, size_2=size
            ),
            tr("Export it again."),
        )
    return values


def pack(bitmap: np.ndarray) -> list[int]:
    """Packed run lengths of a (H, W) bool array, as RGBA that is 255 or 0 throughout."""
    longest = 1 << _SIZES[-1]
    bits = [f"{bitmap.size * 4:032b}{_WORD - 1:05b}", *(f"{size - 1:04b}" for size in _SIZES)]
    for number, count in enumerate(to_counts(bitmap.ravel())):
        left = count * 4
        while left > 0:
            part = min(left, longest)
            choice = next(place for place, size in enumerate(_SIZES) if part <= 1 << size)
            bits.append(f"1{choice:02b}{part - 1:0{_SIZES[choice]}b}{255 * (number % 2):08b}")
            left -= part
    text = "".join(bits)
    text += "0" * (-len(text) % 8)
    return list(int(text, 2).to_bytes(len(text) // 8, "big"))


def write(job: Job, out: Path) -> list[Path]:
    """``tasks.json`` to import, and ``labeling.xml`` for the project's labelling interface."""
    tasks = [_task(job, picture, number) for number, picture in enumerate(job.pictures(), 1)]
    replace_file(out / FILE, json.dumps(tasks, ensure_ascii=False).encode(), tr("The file {file}").format(file=FILE))
    view = Element("View")
    SubElement(view, "Image", name="image", value="$image")
    for tag, name in (("PolygonLabels", "polygon"), ("BrushLabels", "brush")):
        labels = SubElement(view, tag, name=name, toName="image")
        for _, one in job.shape_classes:
            SubElement(labels, "Label", value=one.name, background=one.colour)
    ElementTree.indent(view)
    replace_file(out / "labeling.xml", ElementTree.tostring(view, encoding="utf-8"), tr("The file labeling.xml"))
    return [out / FILE]


def _task(job: Job, picture: Picture, number: int) -> dict[str, Any]:
    size = picture.labels.shape
    result = [_result(job, region, size, f"r{at}") for at, region in enumerate(regions(picture.labels, job.background))]
    return {
        "id": number,
        "data": {"image": picture.path},
        "meta": {"uncovered": job.uncovered},
        "annotations": [{"result": result, "was_cancelled": False}],
    }


def _result(job: Job, region: Region, size: tuple[int, ...], key: str) -> dict[str, Any]:
    height, width = size
    names = [job.classes[region.place].name]
    common = {"id": key, "original_width": width, "original_height": height, "image_rotation": 0, "to_name": "image"}
    if not region.holes:
        points = (region.outer * [100 / width, 100 / height]).tolist()
        value: dict[str, Any] = {"points": points, "closed": True, "polygonlabels": names}
        return {**common, "type": "polygonlabels", "from_name": "polygon", "value": value}
    whole = np.zeros((height, width), bool)
    rows, columns = region.bitmap.shape
    whole[region.top : region.top + rows, region.left : region.left + columns] = region.bitmap
    value = {"format": "rle", "rle": pack(whole), "brushlabels": names}
    return {**common, "type": "brushlabels", "from_name": "brush", "value": value}


LABEL_STUDIO = Format(
    "labelstudio", later("Label Studio JSON"), recognise, read, write,
    note=later("Label Studio finds the images when “image” in tasks.json is where it serves them."),
)  # fmt: skip
