"""Areas and counts of what is painted or predicted, per image and per region, as CSV."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from sslstudio.annotations.handing_out import labels_of, sources
from sslstudio.errors import UserError
from sslstudio.images.pixel_size import PixelSize, pixel_size
from sslstudio.language import tr
from sslstudio.project.files import replace_file
from sslstudio.project.masks import UNPAINTED
from sslstudio.project.project import Project

PER_IMAGE = (
    "image", "class", "regions", "area_px", "share", "mean_region_px", "pixel_width_um", "pixel_height_um", "area_um2",
)  # fmt: skip
PER_REGION = (
    "image", "class", "region", "area_px", "centre_x", "centre_y", "left", "top", "width", "height",
    "equivalent_diameter_px", "area_um2", "equivalent_diameter_um",
)  # fmt: skip
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
        for place, one in enumerate(project.classes):
            found = list(_regions(labels == place))
            images.add(path, one.name, *_summary(found, labels, size))
            for at, region in enumerate(found, 1):
                regions.add(path, one.name, at, *region, *_physical(region[0], size))
        progress(number, len(wanted))
    second = out.with_name(f"{out.stem}_regions{out.suffix}")
    replace_file(out, images.data(), tr("The table {name}").format(name=out.name))
    replace_file(second, regions.data(), tr("The table {name}").format(name=second.name))
    return Measured(out, second, len(wanted) - len(refused), regions.rows, with_size, tuple(refused))


def _regions(bitmap: np.ndarray) -> Iterator[tuple]:
    """Area, centre, box and the diameter of a disc of the same area, for each connected part."""
    count, _, boxes, centres = cv2.connectedComponentsWithStats(bitmap.astype(np.uint8), connectivity=8)
    for number in range(1, count):
        left, top, width, height, area = (int(value) for value in boxes[number])
        x, y = (round(float(value) + 0.5, 2) for value in centres[number])  # the middle of pixel 0 lies at 0.5
        yield area, x, y, left, top, width, height, round(math.sqrt(4 * area / math.pi), 3)


def _summary(found: list[tuple], labels: np.ndarray, size: PixelSize | None) -> tuple:
    area = sum(region[0] for region in found)
    painted = int(np.count_nonzero(labels != UNPAINTED))
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
