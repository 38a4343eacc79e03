"""CVAT for images 1.1: one XML with polygons, boxes, ellipses and masks (run lengths by row inside a box)."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

import numpy as np

from sslstudio.annotations.model import Annotations, Classes, Format, FoundImage, Job, Picture, hex_colour
from sslstudio.annotations.outlines import Region, regions
from sslstudio.annotations.run_lengths import from_counts, to_counts
from sslstudio.annotations.shapes import Bitmap, Polygon, Shape, annotated, box, ellipse, pairs, ring
from sslstudio.annotations.source import Source
from sslstudio.errors import UserError
from sslstudio.language import later, tr
from sslstudio.project.files import replace_file

FILE = "annotations.xml"
_KINDS = ("polygon", "mask", "box", "ellipse", "polyline", "points", "cuboid", "skeleton")


def recognise(source: Source) -> bool:
    """XML whose root is ``annotations``."""
    return getattr(source.first, "tag", "") == "annotations"


def read(source: Source) -> Annotations:
    """All CVAT files of the source."""
    classes, images, refused, uncovered = Classes(), [], [], ""
    for name in source.xml_files:
        try:
            root = source.document(name)
            if getattr(root, "tag", "") != "annotations":
                raise UserError(tr("{name} is no file of CVAT.").format(name=name))
            for one in root.iterfind(".//label"):
                classes.place(one.findtext("name") or "", hex_colour(one.findtext("color") or ""))
            for one in root.iterfind("image"):
                try:
                    images.append(_image(one, name, classes))
                except UserError as error:
                    refused.append((one.get("name") or name, error.problem))
            if root.find("track") is not None:
                refused.append((name, tr("It holds tracks of a video; export it as “CVAT for images 1.1”.")))
            uncovered = root.findtext("meta/uncovered") or uncovered
        except UserError as error:
            refused.append((name, error.problem))
    known = uncovered if uncovered in ("background", "unpainted") else ""
    return Annotations(classes.all(), tuple(images), known, tuple(refused))  # type: ignore[arg-type]


def _image(node: Any, file: str, classes: Classes) -> FoundImage:
    """An image; raises UserError where it cannot be said which shape lies on which."""
    rows = [row for row in node if row.tag in _KINDS]
    rows.sort(key=_height)
    makers = [
        partial(_shape, row, classes.place(row.get("label") or ""), f"{row.tag} {number} ({row.get('label')})")
        for number, row in enumerate(rows, 1)
    ]
    size = None
    if (node.get("height") or "").isdecimal() and (node.get("width") or "").isdecimal():
        size = int(node.get("height")), int(node.get("width"))
    return annotated(node.get("name") or "", makers, size, file, empty=not makers)


def _height(row: Any) -> int:
    text = row.get("z_order") or "0"
    try:
        return int(float(text))
    except (ValueError, OverflowError):
        raise UserError(
            tr("One of its shapes has the z_order “{text}”, which is no number.").format(text=text),
            tr("Export it again."),
        ) from None


def _shape(row: Any, place: int, what: str) -> Shape | None:
    if row.tag == "polygon":
        points = [pair.split(",") for pair in (row.get("points") or "").split(";") if pair]
        return Polygon(place, (ring(points, what),))
    if row.tag == "box":
        left, top, right, bottom = (_figure(row, key, what) for key in ("xtl", "ytl", "xbr", "ybr"))
        return Polygon(place, (box(left, top, right, bottom, _figure(row, "rotation", what, "0")),))
    if row.tag == "ellipse":
        x, y, wide, high = (_figure(row, key, what) for key in ("cx", "cy", "rx", "ry"))
        return Polygon(place, (ellipse(x, y, wide, high, _figure(row, "rotation", what, "0")),))
    if row.tag != "mask":
        raise UserError(tr("{what} is not a drawn area and was left out").format(what=what))
    x, y, width, height = (int(_figure(row, key, what)) for key in ("left", "top", "width", "height"))
    try:
        counts = [int(float(text)) for text in (row.get("rle") or "").split(",")]
    except (ValueError, OverflowError):
        raise UserError(
            tr("{what} has a run length that is no number.").format(what=what), tr("Export it again.")
        ) from None
    bitmap = from_counts(counts, width * height, what).reshape(height, width)
    return Bitmap(place, lambda *_: bitmap, y, x)


def _figure(row: Any, key: str, what: str, missing: str = "") -> float:
    text = row.get(key) or missing
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UserError(
            tr("{what} has the value “{text}” as “{key}”, which is no number.").format(what=what, text=text, key=key),
            tr("Export it again."),
        )
    return value


def write(job: Job, out: Path) -> list[Path]:
    """One ``annotations.xml``; areas with holes as masks, since CVAT's polygons have none."""
    root = Element("annotations")
    SubElement(root, "version").text = "1.1"
    meta = SubElement(root, "meta")
    labels = SubElement(SubElement(meta, "job"), "labels")
    SubElement(meta, "uncovered").text = job.uncovered
    for _, one in job.shape_classes:
        label = SubElement(labels, "label")
        SubElement(label, "name").text = one.name
        SubElement(label, "color").text = one.colour
        SubElement(label, "type").text = "any"
        SubElement(label, "attributes")
    for number, picture in enumerate(job.pictures()):
        _write_image(root, number, picture, job)
    ElementTree.indent(root)
    file = out / FILE
    data = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    replace_file(file, data, tr("The file {name}").format(name=file.name))
    return [file]


def _write_image(root: Any, number: int, picture: Picture, job: Job) -> None:
    height, width = picture.labels.shape
    node = SubElement(root, "image", id=str(number), name=picture.path, width=str(width), height=str(height))
    for region in regions(picture.labels, job.background):
        name = job.classes[region.place].name
        common = {"label": name, "source": "manual", "occluded": "0", "z_order": "0"}
        SubElement(node, "mask" if region.holes else "polygon", {**common, **_outline(region)})


def _outline(region: Region) -> dict[str, str]:
    if not region.holes:
        return {"points": ";".join(f"{x:.2f},{y:.2f}" for x, y in pairs(region.outer))}
    height, width = region.bitmap.shape
    counts = to_counts(np.ascontiguousarray(region.bitmap).ravel())
    box = {"left": region.left, "top": region.top, "width": width, "height": height}
    return {"rle": ", ".join(map(str, counts)), **{key: str(value) for key, value in box.items()}}


CVAT = Format("cvat", later("CVAT for images 1.1"), recognise, read, write)
