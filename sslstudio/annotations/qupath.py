"""QuPath GeoJSON: one file per image, features with a classification; polygons may have holes."""

from __future__ import annotations

import uuid
from functools import partial
from pathlib import Path
from typing import Any

from sslstudio.annotations.model import IGNORED, Annotations, Classes, Format, Job, Picture, hex_colour, rgb
from sslstudio.annotations.outlines import Region, regions
from sslstudio.annotations.shapes import Polygon, Shape, annotated, pairs, ring
from sslstudio.annotations.source import Source
from sslstudio.annotations.streams import write_json
from sslstudio.errors import UserError
from sslstudio.language import later, tr

_AREAS = ("Polygon", "MultiPolygon")


def recognise(source: Source) -> bool:
    """A collection of features, a list of them, or one."""
    return _features(source.first) is not None


def _features(document: Any) -> list[Any] | None:
    if isinstance(document, dict) and document.get("type") == "FeatureCollection":
        rows = document.get("features")
        return rows if isinstance(rows, list) else None
    if isinstance(document, dict) and document.get("type") == "Feature":
        return [document]
    if isinstance(document, list) and document and isinstance(document[0], dict):
        return document if document[0].get("type") == "Feature" else None
    return None


def read(source: Source) -> Annotations:
    """All files of the source; each is named like its image."""
    classes, images, refused, flags = Classes(), [], [], set()
    for name in source.json_files:
        try:
            document = source.document(name)
            rows = _features(document)
            if rows is None:
                raise UserError(tr("{name} holds no GeoJSON features.").format(name=name), "")
            makers = [maker for number, row in enumerate(rows, 1) for maker in _makers(row, number, classes)]
        except UserError as error:
            refused.append((name, error.problem))
            continue
        flags.add(str(document.get("uncovered", "")) if isinstance(document, dict) else "")
        images.append(annotated(name[: -len(Path(name).suffix)], makers, None, name, called=name, empty=not makers))
    uncovered = flags.pop() if len(flags) == 1 else ""
    known = uncovered if uncovered in ("background", "unpainted") else ""
    return Annotations(classes.all(), tuple(images), known, tuple(refused))  # type: ignore[arg-type]


def _makers(row: Any, number: int, classes: Classes) -> list:
    about = row.get("properties") or {} if isinstance(row, dict) else {}
    kind = about.get("classification") or {}
    name = kind if isinstance(kind, str) else ": ".join(kind.get("names") or [str(kind.get("name") or "object")])
    colour = "" if isinstance(kind, str) else hex_colour(kind.get("color")) or hex_colour(kind.get("colorRGB"))
    ignored = name.endswith("*")  # QuPath's own sign for what is to be left out
    place = IGNORED if ignored else classes.place(name, colour)
    what = tr("feature {number} ({name})").format(number=number, name=name)
    shape = row.get("geometry") if isinstance(row, dict) else None
    if not isinstance(shape, dict) or shape.get("type") not in _AREAS:
        return [
            partial(
                _refuse,
                tr("{what} is a {value}, which covers no area").format(
                    what=what, value=(shape or {}).get("type", "thing")
                ),
            )
        ]
    parts = shape.get("coordinates")
    parts = [parts] if shape["type"] == "Polygon" else parts
    return [partial(_polygon, part, place, what) for part in (parts if isinstance(parts, list) else [])]


def _refuse(problem: str) -> Shape | None:
    raise UserError(problem)


def _polygon(rings: Any, place: int, what: str) -> Shape:
    if not isinstance(rings, list) or not rings:
        raise UserError(tr("{what} has no corners").format(what=what))
    return Polygon(place, tuple(ring(one, what) for one in rings))


def write(job: Job, out: Path) -> list[Path]:
    """``<image>.geojson`` for each image, to be dragged into QuPath or read by its scripts."""
    return [_write_one(job, picture, out) for picture in job.pictures()]


def _write_one(job: Job, picture: Picture, out: Path) -> Path:
    features = (_feature(job, region) for region in regions(picture.labels, job.background))
    document: dict[str, Any] = {"type": "FeatureCollection", "uncovered": job.uncovered, "features": []}
    file = out / f"{picture.path}.geojson"
    write_json(file, document, "features", features, settle=False)
    return file


def _feature(job: Job, region: Region) -> dict[str, Any]:
    one = job.classes[region.place]
    rings = [pairs(part) for part in (region.outer, *region.holes)]
    return {
        "type": "Feature",
        "id": str(uuid.uuid4()),
        "geometry": {"type": "Polygon", "coordinates": [[*part, part[0]] for part in rings]},
        "properties": {
            "objectType": "annotation",
            "classification": {"name": one.name, "color": list(rgb(one.colour))},
        },
    }


QUPATH = Format("qupath", later("QuPath GeoJSON"), recognise, read, write, huge=True)
