"""Figures of regions: what they are for shapes that everybody can measure, and how they stand in the table."""

import csv
import json
import math

import cv2
import numpy as np
import pytest
import tifffile

from sslstudio.annotations.figures import figures_of, of_rectangle
from sslstudio.annotations.handing_out import export_masks
from sslstudio.annotations.joining import piece_of, runs_of
from sslstudio.annotations.measuring import measure, plain
from sslstudio.annotations.outlines import regions
from sslstudio.project.project import Project


def of(bitmap):
    count, numbers, boxes, middles = cv2.connectedComponentsWithStats(bitmap.astype(np.uint8), connectivity=4)
    assert count == 2
    return figures_of(runs_of(piece_of(0, 1, numbers, boxes[1], middles[1])))


def test_a_rectangle_and_a_disc_measure_what_they_should():
    bitmap = np.zeros((40, 60), bool)
    bitmap[5:25, 10:50] = True
    found = of(bitmap)
    assert (found.area, found.x, found.y, found.left, found.top) == (800, 30, 15, 10, 5)
    assert found.perimeter() == pytest.approx(2 * (39 + 19) + 4 * math.sqrt(0.5))
    assert found.feret() == pytest.approx(math.hypot(40, 20))
    assert found.feret(0.5, 2) == pytest.approx(math.hypot(20, 40))
    quick = of_rectangle(10, 5, 40, 20)
    for key in ("area", "x", "y", "left", "top", "width", "height", "across", "down", "slanted"):
        assert getattr(quick, key) == getattr(found, key), key
    assert quick.feret() == found.feret()
    y, x = np.mgrid[:101, :101]
    disc = of(np.hypot(x - 50, y - 50) <= 40)
    assert 1 < disc.perimeter() / (2 * math.pi * 40) < 1.07  # steps of pixels are longer than a curve by 6 %
    assert disc.diameter() == pytest.approx(80, rel=0.01)
    assert disc.feret() == pytest.approx(81, abs=1)


def test_any_region_has_the_outline_that_is_traced_around_it():
    rng = np.random.default_rng(3)
    for _ in range(30):
        labels = (rng.random((15, 20)) < 0.6).astype(np.uint8)
        for region in regions(labels, 0):
            found = of(np.pad(region.bitmap, 1))
            # the middles of the edges, in turn: between each corner of a ring and the next there are length - 1 steps
            straight, corners = 0.0, 0
            for ring in region.rings:
                straight += float(np.abs(np.roll(ring, -1, axis=0) - ring).sum()) - len(ring)
                corners += len(ring)
            assert found.area == region.area
            assert found.perimeter() == pytest.approx(straight + corners * math.sqrt(0.5))
            ends = np.concatenate(region.rings)
            assert found.feret() == pytest.approx(max(np.hypot(*(ends - one).T).max() for one in ends))


def test_tables_and_exports_count_the_same_regions(tmp_path, image_folder):
    labels = np.zeros((32, 48), np.uint8)
    labels[2:6, 2:6] = labels[6:9, 6:9] = 1  # they touch at a corner
    with Project.create(tmp_path / "p", image_folder, ["background", "cell"]) as project:
        project.set_mask("cell_1.png", labels)
        done = measure(project, tmp_path / "t.csv")
        export_masks(project, "coco", tmp_path / "o")
    with done.regions_file.open(encoding="utf-8-sig") as file:
        counted = sum(row["class"] == "cell" for row in csv.DictReader(file))
    assert counted == len(json.loads((tmp_path / "o/annotations.json").read_text())["annotations"]) == 2


def test_figures_stand_in_full_and_in_units_that_can_be_read(tmp_path):
    (tmp_path / "i").mkdir()
    about = {"resolution": (1 / 250.75, 1 / 250.75), "metadata": {"unit": "um"}}
    tifffile.imwrite(tmp_path / "i/a.tif", np.zeros((200, 300), np.uint8), imagej=True, **about)
    labels = np.zeros((200, 300), np.uint8)
    labels[10:110, 20:220] = 1
    with Project.create(tmp_path / "p", tmp_path / "i", ["background", "cell"]) as project:
        project.set_mask("a.tif", labels)
        done = measure(project, tmp_path / "t.csv")
    with done.regions_file.open(encoding="utf-8-sig") as file:
        row = next(row for row in csv.DictReader(file) if row["class"] == "cell")
    square = 20_000 * 250.75**2
    assert float(row["area_um2"]) == pytest.approx(square, rel=1e-6)
    assert float(row["area_mm2"]) == pytest.approx(square / 1e6, rel=1e-6)
    assert float(row["feret_um"]) == pytest.approx(math.hypot(200, 100) * 250.75, rel=1e-6)
    assert float(row["centre_x_um"]) == pytest.approx(120 * 250.75, rel=1e-6)
    assert float(row["top_um"]) == pytest.approx(10 * 250.75, rel=1e-6)
    assert float(row["width_um"]) == pytest.approx(200 * 250.75, rel=1e-6)
    assert float(row["perimeter_um"]) == pytest.approx(float(row["perimeter_px"]) * 250.75, rel=1e-5)
    assert not any("e" in value for key, value in row.items() if key not in ("image", "class"))
    assert (plain(29381.25), plain(1.15174e11), plain(3.0), plain(1e-7)) == (
        "29381.25",
        "115174000000",
        "3",
        "0.0000001",
    )
