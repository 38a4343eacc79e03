"""labelme: one JSON beside each image, with polygons, rectangles, circles and small mask pictures."""

from __future__ import annotations

import base64
import binascii
import io
import math
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from sslstudio.annotations.model import Annotations, Classes, Drawn, Format, FoundImage, Job, Picture
from sslstudio.annotations.names import Names
from sslstudio.annotations.outlines import Region, regions
from sslstudio.annotations.shapes import Bitmap, Polygon, Shape, draw, pairs, ring, usable
from sslstudio.annotations.source import Source
from sslstudio.annotations.streams import write_json
from sslstudio.errors import UserError
from sslstudio.images import limits
from sslstudio.language import later, tr

_FLAG = "uncovered pixels are unpainted"
_MOST_DRAWN = 1 << 25  # pixels of a mask picture
_VERSION = "5.5.0"  # of labelme's file format: the first to read masks without a warning


def recognise(source: Source) -> bool:
    """An object with a list of shapes and the path of its image."""
    first = source.first
    return isinstance(first, dict) and isinstance(first.get("shapes"), list)


def read(source: Source) -> Annotations:
    """All labelme files of the source; those that cannot be read are refused one by one."""
    classes, images, refused, flags = Classes(), [], [], set()
    for name in source.json_files:
        try:
            document = source.document(name)
            if not (isinstance(document, dict) and isinstance(document.get("shapes"), list)):
                raise UserError(tr("{name} is no labelme file: it has no list of shapes.").format(name=name), "")
            images.append(_image(name, document, classes))
            flags.add(bool((document.get("flags") or {}).get(_FLAG)))
        except UserError as error:
            refused.append((name, error.problem))
    uncovered = "unpainted" if flags == {True} else ""
    return Annotations(classes.all(), tuple(images), uncovered, tuple(refused))  # type: ignore[arg-type]


def _image(name: str, document: dict[str, Any], classes: Classes) -> FoundImage:
    makers = []
    for number, row in enumerate(document["shapes"], 1):
        label = str(row.get("label", "")) if isinstance(row, dict) else ""
        makers.append(
            partial(
                _shape, row, classes.place(label), tr("shape {number} ({label})").format(number=number, label=label)
            )
        )
    height, width = document.get("imageHeight"), document.get("imageWidth")
    size = (height, width) if isinstance(height, int) and isinstance(width, int) else None
    path = str(document.get("imagePath") or "").replace("\\", "/")
    beside = PurePosixPath(name).parent / PurePosixPath(path or PurePosixPath(name).stem).name
    return FoundImage(beside.as_posix(), partial(_draw, makers), size, name)


def _draw(makers: list, height: int, width: int) -> Drawn:
    shapes, problems = usable(makers)
    drawn = draw(shapes, height, width)
    return Drawn(drawn.labels, (*problems, *drawn.notes))


def _shape(row: Any, place: int, what: str) -> Shape | None:
    if not isinstance(row, dict) or not isinstance(row.get("points"), (list, np.ndarray)):
        raise UserError(tr("{what} has no points").format(what=what), "")
    kind, points = row.get("shape_type") or "polygon", row["points"]
    if kind == "polygon":
        return Polygon(place, (ring(points, what),))
    if kind == "rectangle" and len(points) == 2:
        (left, top), (right, bottom) = np.asarray(points, float)
        return Polygon(place, (np.array([[left, top], [right, top], [right, bottom], [left, bottom]]),))
    if kind == "circle" and len(points) == 2:
        return Polygon(place, (_circle(np.asarray(points, float)),))
    if kind == "mask" and row.get("mask"):
        bitmap = _bitmap(str(row["mask"]), what)
        left, top = (round(float(value)) for value in points[0])
        return Bitmap(place, lambda *_: bitmap, top, left)
    raise UserError(tr("{what} is a {kind}, which covers no area").format(what=what, kind=kind), "")


def _circle(points: np.ndarray) -> np.ndarray:
    """Enough corners that no pixel shows it."""
    radius = math.dist(*points)
    angles = np.linspace(0, 2 * math.pi, max(24, int(4 * radius)), endpoint=False)
    circle: np.ndarray = points[0] + radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return circle


def _bitmap(text: str, what: str) -> np.ndarray:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(base64.b64decode(text, validate=True)), formats=("PNG",)) as image:
            if limits.is_huge(image.height, image.width):
                raise UserError(tr("{what} is a mask picture that is too large to be read").format(what=what))
            return np.array(image.convert("L")) > 0
    except (OSError, ValueError, SyntaxError, binascii.Error):
        raise UserError(tr("{what} has a mask picture that cannot be read").format(what=what), "") from None


def write(job: Job, out: Path) -> list[Path]:
    """One JSON per image, of the same name; areas with holes as mask pictures, which labelme knows.

    Those that are too large for a picture have their holes cut open by slits of no width.
    """
    names = Names()
    return [_write_one(job, picture, out / names.of(picture.path, ".json")) for picture in job.pictures()]


def _write_one(job: Job, picture: Picture, file: Path) -> Path:
    height, width = picture.labels.shape
    document = {
        "version": _VERSION,
        "flags": {_FLAG: True} if job.uncovered == "unpainted" else {},
        "shapes": [],
        "imagePath": PurePosixPath(picture.path).name,
        "imageData": None,
        "imageHeight": height,
        "imageWidth": width,
    }
    rows = (_row(region, job.classes[region.place].name) for region in regions(picture.labels, job.background))
    write_json(file, document, "shapes", rows, indent=1, settle=False)
    return file


def _row(region: Region, name: str) -> dict[str, Any]:
    row: dict[str, Any] = {"label": name, "group_id": None, "description": "", "flags": {}}
    if not region.holes or region.height * region.width > _MOST_DRAWN:
        return {**row, "shape_type": "polygon", "points": pairs(region.one_ring()), "mask": None}
    right, bottom = region.left + region.width - 1, region.top + region.height - 1
    corners = [[region.left, region.top], [right, bottom]]  # both ends included
    return {**row, "shape_type": "mask", "points": corners, "mask": _picture(region.bitmap)}


def _picture(bitmap: np.ndarray) -> str:
    from PIL import Image

    data = io.BytesIO()
    Image.fromarray(bitmap.astype(np.uint8) * np.uint8(255)).save(data, "PNG")
    return base64.b64encode(data.getvalue()).decode()


LABELME = Format("labelme", later("labelme JSON"), recognise, read, write, huge=True)
