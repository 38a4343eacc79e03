"""COCO JSON: polygons, run lengths as numbers or letters; one file of classes, images and areas."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from sslstudio.annotations.model import Annotations, Classes, Format, FoundImage, Job, hex_colour
from sslstudio.annotations.outlines import Region, regions
from sslstudio.annotations.run_lengths import Columns, columns_of, counts_of, from_letters, to_letters
from sslstudio.annotations.shapes import Polygon, Shape, Strokes, annotated, flat, ring
from sslstudio.annotations.source import Source
from sslstudio.annotations.streams import write_json
from sslstudio.errors import UserError
from sslstudio.language import later, tr

FILE = "annotations.json"


def recognise(source: Source) -> bool:
    """An object with images and annotations."""
    first = source.first
    return (
        isinstance(first, dict) and isinstance(first.get("images"), list) and isinstance(first.get("annotations"), list)
    )


def read(source: Source) -> Annotations:
    """All COCO files of the source; a folder may hold one per split."""
    classes, images, refused, notes, uncovered = Classes(), [], [], [], ""
    for name in source.json_files:
        try:
            document = source.document(name)
            found, told = _read_one(document, name, classes)
        except UserError as error:
            refused.append((name, error.problem))
            continue
        images += found
        notes += told
        uncovered = str((document.get("info") or {}).get("uncovered", "")) or uncovered
    known = uncovered if uncovered in ("background", "unpainted") else ""
    return Annotations(classes.all(), tuple(images), known, tuple(refused), tuple(notes))  # type: ignore[arg-type]


def _read_one(document: Any, file: str, classes: Classes) -> tuple[list[FoundImage], list[str]]:
    if not (isinstance(document, dict) and isinstance(document.get("images"), list)):
        raise UserError(
            tr("{file} is no COCO file: it has no list of images.").format(file=file),
            tr("Choose the annotations themselves."),
        )
    try:
        places = {
            row["id"]: classes.place(str(row["name"]), hex_colour(row.get("color")))
            for row in document.get("categories") or []
        }
        rows = {row["id"]: row for row in document["images"]}
        names = [str(row["file_name"]) for row in rows.values()]
    except (KeyError, TypeError) as error:
        raise UserError(
            tr("{file} has an image or a category without {error}.").format(file=file, error=error),
            tr("Export it again."),
        ) from None
    areas, lost = defaultdict(list), 0
    for area in document.get("annotations") or []:
        if isinstance(area, dict) and area.get("image_id") in rows:
            areas[area["image_id"]].append(area)
        else:
            lost += 1
    notes = (
        [tr("{file}: {lost} annotations belong to no image of the file.").format(file=file, lost=lost)] if lost else []
    )
    found = []
    for (number, row), name in zip(rows.items(), names, strict=True):
        # Crowds first: they cover many things at once, so single things lie on top of them.
        ordered = sorted(areas[number], key=lambda area: not area.get("iscrowd"))
        makers = [partial(_shape, area, places) for area in ordered]
        found.append(annotated(name, makers, _size(row), file, empty=not makers))
    return found, notes


def _size(row: dict) -> tuple[int, int] | None:
    height, width = row.get("height"), row.get("width")
    return (int(height), int(width)) if isinstance(height, int) and isinstance(width, int) and height > 0 else None


def _shape(area: dict, places: dict[Any, int]) -> Shape | None:
    what = tr("annotation {value}").format(value=area.get("id", "?"))
    if area.get("category_id") not in places:
        raise UserError(
            tr("{what} has the unknown category {value}").format(what=what, value=area.get("category_id")), ""
        )
    place, outline = places[area["category_id"]], area.get("segmentation")
    if isinstance(outline, dict):
        return Strokes(place, partial(_decode, outline, what))
    if not isinstance(outline, (list, np.ndarray)) or not len(outline):
        raise UserError(tr("{what} has a box but no outline").format(what=what), "")
    parts = outline if isinstance(outline, list) and isinstance(outline[0], (list, np.ndarray)) else [outline]
    return Polygon(place, tuple(ring(part, what) for part in parts), each=True)


def _decode(outline: dict, what: str, height: int, width: int) -> Columns:
    size, counts = outline.get("size"), outline.get("counts")
    if not (isinstance(size, list) and len(size) == 2) or counts is None:
        raise UserError(tr("{what} has run lengths without a size.").format(what=what), tr("Export it again."))
    if size != [height, width]:
        raise UserError(
            tr("{what} has run lengths for {size} × {size_2} pixels.").format(what=what, size=size[1], size_2=size[0]),
            tr("Export it again."),
        )
    return columns_of(from_letters(counts, what) if isinstance(counts, str) else counts, height, width, what)


def write(job: Job, out: Path, *, letters: bool = False) -> list[Path]:
    """One ``annotations.json``: each connected area is an annotation, as polygon, or as run lengths with holes."""
    images: list[dict[str, Any]] = []
    categories = [
        {"id": place, "name": one.name, "supercategory": "", "color": one.colour} for place, one in job.shape_classes
    ]
    document = {
        "info": {"description": "Masks of SSL Studio", "uncovered": job.uncovered},
        "licenses": [],
        "categories": categories,
        "annotations": [],
        "images": images,  # known once all areas are written
    }
    file = out / FILE
    write_json(file, document, "annotations", _areas(job, images, letters), settle=True)
    return [file]


def _areas(job: Job, images: list[dict[str, Any]], letters: bool) -> Iterator[dict[str, Any]]:
    """The annotations of all images, which are noted in ``images``."""
    numbers = count(1)
    for image, picture in enumerate(job.pictures(), 1):
        height, width = picture.labels.shape
        images.append({"id": image, "file_name": picture.path, "width": width, "height": height})
        for region in regions(picture.labels, job.background):
            yield _area(region, (height, width), next(numbers), image, letters)


def _area(region: Region, size: tuple[int, int], number: int, image: int, letters: bool) -> dict[str, Any]:
    outline: Any = [flat(region.outer)]
    if letters or region.holes:
        counts = counts_of(region.rings, *size)
        outline = {"size": list(size), "counts": to_letters(counts) if letters else counts}
    return {
        "id": number,
        "image_id": image,
        "category_id": region.place,
        "segmentation": outline,
        "area": region.area,
        "bbox": [region.left, region.top, region.width, region.height],
        "iscrowd": 0,
    }


COCO = Format("coco", later("COCO JSON"), recognise, read, write, huge=True)
COCO_RLE = Format(
    "coco-rle", later("COCO JSON (run lengths)"), lambda _: False, read, partial(write, letters=True), huge=True
)
