"""Areas and counts of what is painted or predicted, per image and per region, as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from sslstudio.annotations.figures import Figures, figures_of, of_rectangle
from sslstudio.annotations.handing_out import labels_of, sources
from sslstudio.annotations.joining import CONNECTIVITY, areas, piece_of, runs_of
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
    "area_mm2",
)  # fmt: skip
PER_REGION = (
    "image", "class", "region", "area_px", "centre_x", "centre_y", "left", "top", "width", "height",
    "equivalent_diameter_px", "perimeter_px", "feret_px", "area_um2", "area_mm2", "equivalent_diameter_um",
    "perimeter_um", "feret_um", "centre_x_um", "centre_y_um", "left_um", "top_um", "width_um", "height_um",
)  # fmt: skip
_PHYSICAL = len(PER_REGION) - PER_REGION.index("area_um2")
_DIGITS = 10  # of a figure that is no whole number
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

    What is one region here is one in every export, too (``CONNECTIVITY``). Raises UserError when nothing is painted.
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
                regions.add(path, one.name, at, *_in_pixels(region), *_physical(region, size))
        progress(number, len(wanted))
    second = out.with_name(f"{out.stem}_regions{out.suffix}")
    replace_file(out, images.data(), tr("The table {name}").format(name=out.name))
    replace_file(second, regions.data(), tr("The table {name}").format(name=second.name))
    return Measured(out, second, len(wanted) - len(refused), regions.rows, with_size, tuple(refused))


def _regions(labels: Labels, classes: int) -> list[list[Figures]]:
    """Of each class what its connected parts measure, from the topmost on."""
    found: list[list[Figures]] = [[] for _ in range(classes)]
    if isinstance(labels, SparseLabels):
        for place, parts in areas(labels, range(classes), CONNECTIVITY, runs_of):
            runs = np.concatenate(parts)
            found[place].append(figures_of(runs[np.lexsort((runs[:, 1], runs[:, 0]))]))
        return [sorted(rows, key=lambda one: (one.top, one.left)) for rows in found]
    return [list(_of_bitmap((labels == place).view(np.uint8))) for place in range(classes)]


def _of_bitmap(bitmap: np.ndarray) -> Iterator[Figures]:
    count, numbers, boxes, middles = cv2.connectedComponentsWithStats(bitmap, connectivity=CONNECTIVITY)
    for number in range(1, count):
        left, top, width, height, area = (int(value) for value in boxes[number])
        if area == width * height:
            yield of_rectangle(left, top, width, height)
        else:
            yield figures_of(runs_of(piece_of(0, number, numbers, boxes[number], middles[number])))


def _in_pixels(one: Figures) -> tuple:
    middle = round(one.x, 2), round(one.y, 2)
    box = one.left, one.top, one.width, one.height
    return one.area, *middle, *box, *(round(value, 3) for value in (one.diameter(), one.perimeter(), one.feret()))


def _summary(found: list[Figures], painted: int, size: PixelSize | None) -> tuple:
    area = sum(one.area for one in found)
    share = round(area / painted, 6) if painted else ""
    mean = round(area / len(found), 2) if found else ""
    square = area * size.x * size.y if size else 0
    scale = map(plain, (size.x, size.y, square, square / 1e6)) if size else ("", "", "", "")
    return (len(found), area, share, mean, *scale)


def _physical(one: Figures, size: PixelSize | None) -> tuple[str, ...]:
    """In micrometres, and the area in square millimetres, too; empty where nobody knows."""
    if size is None:
        return ("",) * _PHYSICAL
    square, scale = one.area * size.x * size.y, (size.x, size.y)
    lengths = one.diameter(*scale), one.perimeter(*scale), one.feret(*scale)
    places = one.x * size.x, one.y * size.y, one.left * size.x, one.top * size.y
    return tuple(map(plain, (square, square / 1e6, *lengths, *places, one.width * size.x, one.height * size.y)))


def plain(value: float) -> str:
    """A figure in full, never with an exponent, which spreadsheets and people misread; rounded to ten digits."""
    return str(np.format_float_positional(float(f"{value:.{_DIGITS}g}"), trim="-"))


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
