"""Other people's libraries read what we wrote as the very same masks, and we read what they write."""

import json
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
import tifffile
from PIL import Image
from test_round_trip import NAMES, blobs, paint

from sslstudio.annotations.bringing_in import bring_in
from sslstudio.annotations.handing_out import export_masks
from sslstudio.annotations.run_lengths import from_letters, to_counts, to_letters
from sslstudio.project.project import Project


@pytest.fixture
def project(tmp_path, image_folder):
    with Project.create(tmp_path / "p", image_folder, NAMES) as made:
        yield made


def test_pycocotools_decodes_our_letters_and_we_decode_its_own():
    tools = pytest.importorskip("pycocotools.mask")
    for seed in range(30):
        mask = blobs(seed, (0, 1)) == 1
        letters = to_letters(to_counts(mask.T.ravel()))
        assert (tools.decode({"size": list(mask.shape), "counts": letters}) == mask).all()
        theirs = tools.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"].decode()
        assert theirs == letters
        assert from_letters(theirs, "it") == to_counts(mask.T.ravel())


@pytest.mark.parametrize(("kind", "share"), [("coco-rle", 0.0), ("coco", 0.0)])
def test_pycocotools_reads_the_same_masks(tmp_path, project, kind, share):
    coco = pytest.importorskip("pycocotools.coco")
    masks = paint(project)
    (file,) = export_masks(project, kind, tmp_path / "out").files
    read = coco.COCO(str(file))
    for image in read.loadImgs(read.getImgIds()):
        drawn = np.zeros((32, 48), np.uint8)
        for area in read.loadAnns(read.getAnnIds(image["id"])):
            mask = read.annToMask(area)
            assert mask.sum() == area["area"]
            drawn[mask == 1] = area["category_id"]
        assert (drawn != masks[image["file_name"]]).mean() <= share
    assert [one["name"] for one in read.loadCats(read.getCatIds())] == NAMES[1:]


def test_shapely_finds_the_same_areas_and_holes_in_geojson(tmp_path, project):
    shapely = pytest.importorskip("shapely")
    masks = paint(project)
    export_masks(project, "qupath", tmp_path / "out")
    for path, labels in masks.items():
        document = json.loads((tmp_path / "out" / f"{path}.geojson").read_text())
        found = np.zeros_like(labels)
        for feature in document["features"]:
            shape = shapely.geometry.shape(feature["geometry"])
            assert shape.is_valid
            y, x = np.mgrid[:32, :48] + 0.5
            inside = shapely.contains_xy(shape, x, y)
            assert inside.sum() == shape.area
            found[inside] = NAMES.index(feature["properties"]["classification"]["name"])
        assert (found == labels).all()


def test_shapely_fills_yolo_polygons_with_their_slits_to_the_same_area(tmp_path, project):
    shapely = pytest.importorskip("shapely")
    masks = paint(project)
    export_masks(project, "yolo", tmp_path / "out")
    for line in (tmp_path / "out/labels/cell_3.txt").read_text().splitlines():
        values = np.array(line.split()[1:], float).reshape(-1, 2) * [48, 32]
        assert shapely.Polygon(values).area == pytest.approx(round(shapely.Polygon(values).area), abs=1e-3)
    areas = [
        shapely.Polygon(np.array(line.split()[1:], float).reshape(-1, 2) * [48, 32]).area
        for line in (tmp_path / "out/labels/cell_3.txt").read_text().splitlines()
    ]
    assert sum(areas) == pytest.approx((masks["cell_3.png"] > 0).sum(), abs=0.01)


def test_pillow_reads_voc_palettes_and_labelme_mask_pictures(tmp_path, project):
    masks = paint(project, (0, 1, 2, 255))
    export_masks(project, "voc", tmp_path / "voc")
    with Image.open(tmp_path / "voc/SegmentationClass/cell_2.png") as image:
        assert (np.array(image) == masks["cell_2.png"]).all()
        assert image.getpalette()[:9] == [0, 0, 0, 128, 0, 0, 0, 128, 0]


def test_tifffile_reads_numbers_and_colours(tmp_path, project):
    masks = paint(project)
    export_masks(project, "tiff", tmp_path / "out")
    with tifffile.TiffFile(tmp_path / "out/masks/cell_2.tif") as tiff:
        page = tiff.pages[0]
        assert (page.asarray() == masks["cell_2.png"]).all()
        assert page.photometric.name == "PALETTE"
        assert (page.colormap[:, 1] // 257 == list(bytes.fromhex(project.classes[1].colour[1:]))).all()


def test_objects_of_napari_become_one_class(tmp_path, image_folder):
    labels = np.zeros((32, 48), np.uint32)
    labels[2:9, 3:11], labels[20:30, 20:30] = 41, 70_000
    (tmp_path / "m").mkdir()
    tifffile.imwrite(tmp_path / "m" / "cell_1.tif", labels)
    tifffile.imwrite(tmp_path / "m" / "cell_2.tif", labels.astype(np.float32), imagej=True)
    with Project.create(tmp_path / "q", image_folder) as project:
        report = bring_in(project, tmp_path / "m", "tiff")
        assert "single objects" in report.notes[0]

        assert set(report.matched) == {"cell_1.png", "cell_2.png"}
        assert (project.label_map("cell_1.png").labels == (labels > 0)).all()


def test_cvat_masks_are_rows_inside_their_box(tmp_path, project):
    masks = paint(project)
    (file,) = export_masks(project, "cvat", tmp_path / "out").files
    found = 0
    for node in ElementTree.parse(file).getroot().iterfind("image"):
        for one in node.iterfind("mask"):
            counts = [int(text) for text in one.get("rle").split(",")]
            left, top, width, height = (int(one.get(key)) for key in ("left", "top", "width", "height"))
            bitmap = np.repeat(np.arange(len(counts)) % 2, counts).reshape(height, width)
            truth = masks[node.get("name")][top : top + height, left : left + width]
            assert (truth[bitmap == 1] == NAMES.index(one.get("label"))).all()
            found += 1
    assert found
