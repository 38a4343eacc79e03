"""Masks of huge images to and from other tools: by tiles, and the very same as when all of it is one array."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from sslstudio.annotations import outlines
from sslstudio.annotations.bringing_in import bring_in, look, preview
from sslstudio.annotations.formats import FORMATS
from sslstudio.annotations.handing_out import export_masks
from sslstudio.annotations.measuring import measure
from sslstudio.annotations.outlines import fill, regions
from sslstudio.annotations.palette_png import import_masks
from sslstudio.errors import UserError
from sslstudio.images import huge, limits
from sslstudio.project.project import Project
from sslstudio.project.sparse_labels import SparseLabels, sparse_of

NAMES = ["background", "cell, “round”", "Zellkern/2"]
SIZE = 1100, 1350  # three tiles by three
HUGE = [kind for kind, one in FORMATS.items() if one.huge]
NOT_HUGE = [kind for kind, one in FORMATS.items() if not one.huge]


@pytest.fixture
def lowered(monkeypatch):
    monkeypatch.setattr(limits, "HUGE_PIXELS", 1_000_000)
    monkeypatch.setattr(huge, "OVERVIEW", 200)


@pytest.fixture
def slides(tmp_path):
    folder = tmp_path / "slides"
    folder.mkdir()
    grey = np.add.outer(np.arange(SIZE[0]), np.arange(SIZE[1])) % 256
    pixels = np.stack([grey, grey[::-1], 255 - grey], axis=2).astype(np.uint8)
    tifffile.imwrite(folder / "slide.tif", pixels, tile=(256, 256), photometric="rgb", compression="zlib")
    return folder


def blobs(values=(0, 1, 2), seed=0) -> np.ndarray:
    """Large areas with holes that go over many tiles, small ones, single pixels, corners that touch."""
    rng = np.random.default_rng(seed)
    coarse = np.kron(rng.choice(values, (14, 14)), np.ones((100, 100))).astype(np.uint8)[: SIZE[0], : SIZE[1]]
    places = rng.integers(0, SIZE, (150, 2))
    for row, column in places:
        coarse[row : row + 9, column : column + 7] = rng.choice(values)
    edges = np.array([511, 512, 1023, 1024])  # where tiles meet
    coarse[edges, 300:400] = rng.choice(values, (4, 100))
    coarse[200:900, 650:655] = values[1]
    return coarse


def known(project: Project) -> np.ndarray:
    return np.asarray(project.label_map("slide.tif").labels[:, :])


def make(folder, slides, labels: np.ndarray) -> Project:
    project = Project.create(folder, slides, NAMES)
    whole = project.label_map("slide.tif").labels
    project.set_mask("slide.tif", labels if isinstance(whole, np.ndarray) else sparse_of(labels))
    return project


def test_areas_over_tiles_have_the_outlines_of_areas_in_one_array(monkeypatch):
    monkeypatch.setattr(outlines, "_RUNS", 7)
    for module in ("sslstudio.project.sparse_labels", "sslstudio.annotations.joining"):
        monkeypatch.setattr(f"{module}.TILE", 8)
    rng = np.random.default_rng(3)
    for _ in range(60):
        height, width = rng.integers(1, 40, 2)
        labels = np.kron(rng.integers(0, 3, (14, 14)), np.ones((3, 3)))[:height, :width].astype(np.uint8)
        noisy = rng.random(labels.shape) < rng.choice([0, 0.1, 0.5])
        labels[noisy] = rng.integers(0, 3, int(noisy.sum()))
        found = [
            sorted((one.place, one.top, one.left, one.area, *(ring.tobytes() for ring in one.rings)) for one in areas)
            for areas in (regions(labels), regions(sparse_of(labels)))
        ]
        assert found[0] == found[1]


def test_a_polygon_filled_by_parts_is_the_polygon(monkeypatch):
    rng = np.random.default_rng(5)
    for _ in range(50):
        rings = [rng.uniform(-10, 70, (rng.integers(3, 12), 2)) for _ in range(rng.integers(1, 4))]
        wanted = np.zeros((60, 50), bool)
        top, left, bitmap = fill(rings, 60, 50)
        wanted[top : top + bitmap.shape[0], left : left + bitmap.shape[1]] = bitmap
        monkeypatch.setattr(outlines, "_CELLS", 100)
        found = np.zeros_like(wanted)
        for first in range(0, 60, 16):
            top, left, bitmap = fill(rings, min(60, first + 16), 50, first)
            found[top : top + bitmap.shape[0], left : left + bitmap.shape[1]] = bitmap
        monkeypatch.undo()
        assert np.array_equal(found, wanted)


@pytest.mark.parametrize("values", [(0, 1, 2), (0, 1, 2, 255)], ids=["whole", "part"])
@pytest.mark.parametrize("kind", HUGE)
def test_huge_masks_come_back_equal_and_as_from_a_small_image(tmp_path, slides, monkeypatch, kind, values):
    labels = blobs(values)
    with make(tmp_path / "small", slides, labels) as small:
        export_masks(small, kind, tmp_path / "from_small")
    monkeypatch.setattr(limits, "HUGE_PIXELS", 1_000_000)
    monkeypatch.setattr(huge, "OVERVIEW", 200)
    with make(tmp_path / "p", slides, labels) as project:
        assert isinstance(project.label_map("slide.tif").labels, SparseLabels)
        report = export_masks(project, kind, tmp_path / "from_huge")
        assert report.images == ("slide.tif",)
        assert not report.refused
    for source in ("from_huge", "from_small"):
        with Project.create(tmp_path / source / "again", slides, NAMES) as again:
            again.set_mask("slide.tif", sparse_of(np.zeros(SIZE, np.uint8)))
            seen = preview(again, tmp_path / source, kind)
            done = bring_in(again, tmp_path / source, kind)
            assert done == seen.report
            assert done.matched == ("slide.tif",)
            assert seen.picture.shape == (*seen.labels.shape, 3)
            assert np.array_equal(known(again), labels)
            again.undo("slide.tif")
            assert not known(again).any()
    monkeypatch.undo()
    with Project.create(tmp_path / "small_again", slides, NAMES) as again:
        bring_in(again, tmp_path / "from_huge", kind)
        assert np.array_equal(known(again), labels)


@pytest.mark.parametrize("kind", NOT_HUGE)
def test_other_formats_say_which_ones_work(tmp_path, slides, monkeypatch, kind):
    labels = blobs()
    with make(tmp_path / "small", slides, labels) as small:
        export_masks(small, kind, tmp_path / "out")
    monkeypatch.setattr(limits, "HUGE_PIXELS", 1_000_000)
    with make(tmp_path / "p", slides, labels) as project:
        done = bring_in(project, tmp_path / "out", kind)
        out = export_masks(project, kind, tmp_path / "again")
    for told in (done.refused, out.refused):
        assert len(told) == 1
        for name in ("QuPath GeoJSON", "COCO JSON", "Label TIFF", "labelme JSON"):
            assert name in told[0][1]


def test_shapes_beyond_the_border_are_cut_and_told(tmp_path, slides, monkeypatch):
    def feature(name, *corners):
        shape = {"type": "Polygon", "coordinates": [[*corners, corners[0]]]}
        return {"type": "Feature", "geometry": shape, "properties": {"classification": {"name": name}}}

    rows = [
        feature("tissue", [-50.5, 400.25], [900.75, -30], [1500, 700], [700.5, 1300]),
        feature("hole", [300, 400], [800, 420], [500, 900]),
        feature("away", [2000, 2000], [2100, 2000], [2000, 2100]),
    ]
    source = tmp_path / "slide.tif.geojson"
    source.write_text(json.dumps({"type": "FeatureCollection", "features": rows}))
    found = []
    for pixels in (limits.HUGE_PIXELS, 1_000_000):
        monkeypatch.setattr(limits, "HUGE_PIXELS", pixels)
        with Project.create(tmp_path / f"p{pixels}", slides) as project:
            report = bring_in(project, source)
            found.append((report, known(project), project.classes))
    assert found[0][0] == found[1][0]
    assert len(found[0][0].notes) == 3  # cut, outside, and so no class “away”
    assert np.array_equal(found[0][1], found[1][1])
    assert found[0][2] == found[1][2]
    assert set(np.unique(found[0][1])) == {0, 1, 2}


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.float32])
@pytest.mark.parametrize("how", [{"tile": (256, 128)}, {}, {"compression": "zlib", "rowsperstrip": 50}])
def test_label_tiffs_of_other_programs_are_read_by_tiles(tmp_path, slides, lowered, monkeypatch, dtype, how):
    labels = blobs()
    masks = tmp_path / "masks"
    masks.mkdir()
    tifffile.imwrite(masks / "slide.tif", labels.astype(dtype), **how)
    monkeypatch.setattr(tifffile, "imread", lambda *_: pytest.fail("read as a whole"))
    with Project.create(tmp_path / "p", slides, NAMES) as project:
        found = look(project, masks)
        assert getattr(found, "format", "palette") == "palette" if dtype == np.uint8 else found.format == "tiff"
        report = (
            import_masks(project, masks)
            if dtype == np.uint8
            else bring_in(project, masks, classes={"class 1": NAMES[1], "class 2": NAMES[2]})
        )
        assert report.matched == ("slide.tif",)
        assert np.array_equal(known(project), labels)


def test_many_numbers_in_a_huge_label_tiff_are_objects(tmp_path, slides, lowered):
    labels = np.arange(SIZE[0] * SIZE[1], dtype=np.uint32).reshape(SIZE) // 500
    (tmp_path / "masks").mkdir()
    tifffile.imwrite(tmp_path / "masks" / "slide.tif", labels, tile=(256, 256), compression="zlib")
    with Project.create(tmp_path / "p", slides) as project:
        report = bring_in(project, tmp_path / "masks")
        assert "single objects" in report.notes[0]
        assert np.array_equal(known(project), labels > 0)


def test_masks_of_black_and_white_are_asked_about(tmp_path, slides, lowered):
    (tmp_path / "masks").mkdir()
    white = (blobs() == 1) * np.uint8(255)
    Image.fromarray(white).save(tmp_path / "masks" / "slide_mask.png")  # with all filters that PNG has
    with Project.create(tmp_path / "p", slides, NAMES) as project:
        found = look(project, tmp_path / "masks")
        assert [one.value for one in found.values] == [0, 255]
        assert not found.plain
        assert found.picture.shape == (*found.labels.shape, 3)
        import_masks(project, tmp_path / "masks", {255: 1})
        assert np.array_equal(known(project), white > 0)


def test_pictures_beside_a_huge_mask_are_reduced_and_say_by_how_much(tmp_path, slides, lowered, monkeypatch):
    monkeypatch.setattr("sslstudio.annotations.companions._LONGEST", 400)
    labels = blobs()
    with make(tmp_path / "p", slides, labels) as project:
        report = export_masks(project, "qupath", tmp_path / "out", companions=("coloured", "overlay"))
        assert any("4 × 4" in note for note in report.notes)
        colours = np.array([[int(one.colour[at : at + 2], 16) for at in (1, 3, 5)] for one in project.classes])
    seen = np.array(Image.open(tmp_path / "out" / "coloured" / "slide.png"))
    assert np.array_equal(seen, colours[labels[2::4, 2::4]])
    over = np.array(Image.open(tmp_path / "out" / "overlay" / "slide.png"))
    assert over.shape == seen.shape


def test_what_a_model_found_on_a_huge_image_is_handed_out(tmp_path, slides, lowered):
    from sslstudio.project.masks import write_mask

    labels = blobs()
    with Project.create(tmp_path / "p", slides, NAMES) as project:
        model = project.path / "models" / "m"
        model.mkdir(parents=True)
        about = {"classes": [{"name": one.name, "colour": one.colour} for one in project.classes]}
        (model / "model.json").write_text(json.dumps(about))
        write_mask(project.prediction_file("m", "slide.tif"), sparse_of(labels), ["#000000"])
        report = export_masks(project, "tiff", tmp_path / "out", model="m")
        assert report.images == ("slide.tif",)
    assert np.array_equal(tifffile.imread(tmp_path / "out" / "masks" / "slide.tif"), labels)


def test_regions_over_tiles_are_measured_once(tmp_path, slides, monkeypatch):
    labels, tables = blobs((0, 1, 2, 255)), []
    for pixels in (limits.HUGE_PIXELS, 1_000_000):
        monkeypatch.setattr(limits, "HUGE_PIXELS", pixels)
        with make(tmp_path / f"p{pixels}", slides, labels) as project:
            done = measure(project, tmp_path / f"{pixels}.csv")
            assert not done.refused
        per_image, per_region = (
            list(csv.DictReader(file.open(encoding="utf-8-sig"))) for file in (done.images_file, done.regions_file)
        )
        rows = sorted(tuple(value for key, value in row.items() if key != "region") for row in per_region)
        tables.append((per_image, rows))
    assert tables[0] == tables[1]
    assert len(tables[0][1]) > 100


def test_an_outline_that_nobody_could_draw_is_refused(tmp_path, slides, lowered, monkeypatch):
    monkeypatch.setattr(outlines, "MOST_CORNERS", 50)
    with make(tmp_path / "p", slides, blobs()) as project:
        with pytest.raises(UserError, match=r"slide.tif: .* more than 50 corners"):
            export_masks(project, "qupath", tmp_path / "out")
        assert not list((tmp_path / "out").iterdir())


@pytest.mark.slow
@pytest.mark.timeout(1600)
def test_thirty_thousand_pixels_square_come_in_and_go_out_below_one_and_a_half_gigabytes(tmp_path):
    script, kinds = Path(__file__).with_name("huge_in_out.py"), ("qupath", "coco-rle", "tiff")
    words = [sys.executable, script, tmp_path, "10000", *kinds]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=1500)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    print(figures)
    assert figures["same"]
    assert figures["regions"] > 9_000
    assert figures["peak_mb"] < 1500
