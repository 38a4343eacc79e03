"""labelme: one JSON beside each image, with polygons, rectangles, circles and small mask pictures."""

from __future__ import annotations

import base64
import binascii
import io
import math
import os
import posixpath
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from sslstudio.annotations.model import Annotations, Classes, Format, FoundImage, Job, Picture
from sslstudio.annotations.names import Names
from sslstudio.annotations.outlines import Region, regions
from sslstudio.annotations.shapes import (
    Bitmap,
    Polygon,
    Shape,
    annotated,
    box,
    corners_of,
    ellipse,
    pairs,
    ring,
)
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
    path, beside = _names(name, str(document.get("imagePath") or ""))
    return annotated(path, makers, size, name, also=(beside,), called=name)


def _names(file: str, path: str) -> tuple[str, str]:
    """The image's path as seen from where the files are, by what the file says; and as if it lay beside it."""
    folder = PurePosixPath(file).parent
    path = path.replace("\\", "/") or PurePosixPath(file).stem
    if path.startswith("/") or path[1:2] == ":":
        whole = path[2:] if path[1:2] == ":" else path
    else:
        whole = posixpath.normpath((folder / path).as_posix())
    while whole.startswith("../"):
        whole = whole.removeprefix("../")
    return whole.lstrip("/"), (folder / PurePosixPath(path).name).as_posix()


def _shape(row: Any, place: int, what: str) -> Shape | None:
    if not isinstance(row, dict) or not isinstance(row.get("points"), (list, np.ndarray)):
        raise UserError(tr("{what} has no points").format(what=what), "")
    kind, points = row.get("shape_type") or "polygon", row["points"]
    if kind == "polygon":
        return Polygon(place, (ring(points, what),))
    if kind in ("rectangle", "rotation") and len(points) == 4:  # of X-AnyLabeling
        return Polygon(place, (ring(points, what),))
    if kind == "rectangle" and len(points) == 2:
        return Polygon(place, (box(*corners_of(points, what).ravel()),))
    if kind == "circle" and len(points) == 2:
        (x, y), edge = corners_of(points, what)
        radius = math.dist((x, y), edge)
        return Polygon(place, (ellipse(x, y, radius, radius),))
    if kind == "mask" and row.get("mask"):
        bitmap = _bitmap(str(row["mask"]), what)
        left, top = (round(value) for value in corners_of(points, what)[0].tolist())
        return Bitmap(place, lambda *_: bitmap, top, left)
    raise UserError(tr("{what} is a {kind}, which covers no area").format(what=what, kind=kind), "")


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
    names = Names(job.paths)
    return [_write_one(job, picture, out, names.of(picture.path, ".json")) for picture in job.pictures()]


def _write_one(job: Job, picture: Picture, out: Path, name: str) -> Path:
    height, width = picture.labels.shape
    document = {
        "version": _VERSION,
        "flags": {_FLAG: True} if job.uncovered == "unpainted" else {},
        "shapes": [],
        "imagePath": _seen_from(job.folder / name, picture.file),
        "imageData": None,
        "imageHeight": height,
        "imageWidth": width,
    }
    rows = (_row(region, job.classes[region.place].name) for region in regions(picture.labels, job.background))
    write_json(out / name, document, "shapes", rows, indent=1, settle=False)
    return out / name


def _seen_from(file: Path, image: Path) -> str:
    """The image's path as seen from the file's folder; its name alone where there is none, as from another drive."""
    try:
        return Path(os.path.relpath(image.absolute(), file.parent.absolute())).as_posix()
    except ValueError:
        return image.name


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


LABELME = Format(
    "labelme", later("labelme JSON"), recognise, read, write, huge=True,
    note=later("labelme looks for an image from where its file lies: move both together, or put them side by side."),
)  # fmt: skip
