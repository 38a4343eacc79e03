"""Areas and counts of what is painted or predicted, per image and per region, as CSV."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from sslstudio.annotations.handing_out import labels_of, sources
from sslstudio.annotations.joining import areas
from sslstudio.errors import UserError
from sslstudio.images.pixel_size import PixelSize, pixel_size
from sslstudio.language import tr
from sslstudio.project.edit_log import tally
from sslstudio.project.files import replace_file
from sslstudio.project.label_map import UNPAINTED, Labels
from sslstudio.project.project import Project
from sslstudio.project.sparse_labels import SparseLabels

PER_IMAGE = (
    "image", "class", "regions", "area_px", "share", "mean_region_px", "pixel_width_um", "pixel_height_um", "area_um2",
)  # fmt: skip
PER_REGION = (
    "image", "class", "region", "area_px", "centre_x", "centre_y", "left", "top", "width", "height",
    "equivalent_diameter_px", "area_um2", "equivalent_diameter_um",
)  # fmt: skip
_NONE = np.zeros((0, 0), np.int32)  # of a piece only the figures are kept
Progress = Callable[[int, int], object]


@dataclass(frozen=True)
class Measured:
    """The two tables that were written, how many images and regions they hold, and images left out with reasons."""

    images_file: Path
    regions_file: Path
    images: int
    regions: int
    with_size: int
    refused: tuple[tuple[str, str], ...]


def measure(project: Project, out: Path, model: str = "", progress: Progress = lambda *_: None) -> Measured:
    """Write ``out`` (a row per image and class) and ``<out>_regions.csv`` (a row per connected area).

    Areas that touch only at a corner are one region. Raises UserError when there is nothing to measure.
    """
    out = Path(out).expanduser().absolute()
    out = out if out.suffix else out.with_suffix(".csv")
    wanted, refused, with_size = sources(project, model), [], 0
    images, regions = _Table(PER_IMAGE), _Table(PER_REGION)
    for number, path in enumerate(wanted, 1):
        try:
            labels = labels_of(project, path, model)
        except UserError as error:
            refused.append((path, error.problem))
            continue
        size = pixel_size(project.image_file(path))
        with_size += size is not None
        painted = int(tally(labels)[:UNPAINTED].sum())
        for one, found in zip(project.classes, _regions(labels, len(project.classes)), strict=True):
            images.add(path, one.name, *_summary(found, painted, size))
            for at, region in enumerate(found, 1):
                regions.add(path, one.name, at, *region, *_physical(region[0], size))
        progress(number, len(wanted))
    second = out.with_name(f"{out.stem}_regions{out.suffix}")
    replace_file(out, images.data(), tr("The table {name}").format(name=out.name))
    replace_file(second, regions.data(), tr("The table {name}").format(name=second.name))
    return Measured(out, second, len(wanted) - len(refused), regions.rows, with_size, tuple(refused))


def _regions(labels: Labels, classes: int) -> list[list[tuple]]:
    """Of each class area, centre, box and the diameter of a disc of the same area, for each connected part."""
    if isinstance(labels, SparseLabels):
        return _of_tiles(labels, classes)
    return [list(_of_bitmap((labels == place).view(np.uint8))) for place in range(classes)]


def _of_bitmap(bitmap: np.ndarray) -> Iterator[tuple]:
    count, _, boxes, centres = cv2.connectedComponentsWithStats(bitmap, connectivity=8)
    for number in range(1, count):
        left, top, width, height, area = (int(value) for value in boxes[number])
        yield area, *_middle(*centres[number]), left, top, width, height, _diameter(area)


def _of_tiles(labels: SparseLabels, classes: int) -> list[list[tuple]]:
    """The same for a huge mask; what lies in several bands of it is one region."""
    found: list[list[tuple]] = [[] for _ in range(classes)]
    for place, parts in areas(labels, range(classes), 8, lambda piece: replace(piece, crop=_NONE)):
        area = sum(part.area for part in parts)
        x, y = (sum(part.sums[axis] for part in parts) / area for axis in (0, 1))
        left, top = min(part.left for part in parts), min(part.top for part in parts)
        width = max(part.left + part.width for part in parts) - left
        height = max(part.top + part.height for part in parts) - top
        found[place].append((area, *_middle(x, y), left, top, width, height, _diameter(area)))
    return [sorted(rows, key=lambda row: (row[4], row[3])) for rows in found]


def _middle(x: float, y: float) -> tuple[float, float]:
    return round(float(x) + 0.5, 2), round(float(y) + 0.5, 2)  # the middle of pixel 0 lies at 0.5


def _diameter(area: int) -> float:
    return round(math.sqrt(4 * area / math.pi), 3)


def _summary(found: list[tuple], painted: int, size: PixelSize | None) -> tuple:
    area = sum(region[0] for region in found)
    share = round(area / painted, 6) if painted else ""
    mean = round(area / len(found), 2) if found else ""
    scale = (f"{size.x:.6g}", f"{size.y:.6g}", f"{area * size.x * size.y:.6g}") if size else ("", "", "")
    return (len(found), area, share, mean, *scale)


def _physical(area: int, size: PixelSize | None) -> tuple[str, str]:
    if size is None:
        return "", ""
    square = area * size.x * size.y
    return f"{square:.6g}", f"{math.sqrt(4 * square / math.pi):.6g}"


class _Table:
    """Rows of a CSV in memory."""

    def __init__(self, head: tuple[str, ...]) -> None:
        self._text = io.StringIO()
        self._writer = csv.writer(self._text, lineterminator="\n")
        self._writer.writerow(head)
        self.rows = 0

    def add(self, *values: object) -> None:
        """One more row."""
        self._writer.writerow(values)
        self.rows += 1

    def data(self) -> bytes:
        """The file, with the mark by which spreadsheets know UTF-8."""
        return self._text.getvalue().encode("utf-8-sig")
