"""Other people's libraries read what we wrote as the very same masks, and we read what they write."""

import base64
import csv
import io
import json
import xml.etree.ElementTree as ElementTree

import cv2
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


# Every other format, read by Pillow, OpenCV, shapely or the words of its document alone --------------------


def inside(*rings) -> np.ndarray:
    """The pixels whose middles shapely finds in an area that it finds valid, (32, 48) bool."""
    shapely = pytest.importorskip("shapely")
    y, x = np.mgrid[:32, :48] + 0.5
    area = shapely.Polygon(*rings)
    assert area.is_valid
    return shapely.contains_xy(area, x, y)


def name_place(name: str) -> int:
    return NAMES.index(name)


@pytest.mark.parametrize("kind", ["palette", "grey", "voc"])
def test_pillow_and_opencv_read_the_numbers_of_pngs(tmp_path, project, kind):
    masks = paint(project, (0, 1, 2, 255))
    (folder,) = export_masks(project, kind, tmp_path / "out").files
    folder = folder / "SegmentationClass" if kind == "voc" else folder
    for path, labels in masks.items():
        file = (folder / path).with_suffix(".png")
        with Image.open(file) as image:
            assert image.mode == ("L" if kind == "grey" else "P")
            assert (np.array(image) == labels).all()
        if kind == "grey":
            assert (cv2.imread(str(file), cv2.IMREAD_UNCHANGED) == labels).all()


def test_opencv_reads_the_colours_that_the_table_names(tmp_path, project):
    masks = paint(project)
    export_masks(project, "rgb", tmp_path / "out")
    with (tmp_path / "out/colours.csv").open(encoding="utf-8") as file:
        table = {row["name"]: [int(row[key]) for key in ("red", "green", "blue")] for row in csv.DictReader(file)}
    assert list(table) == NAMES
    for path, labels in masks.items():
        pixels = cv2.imread(str((tmp_path / "out/masks" / path).with_suffix(".png")))[..., ::-1]
        for place, name in enumerate(NAMES):
            assert ((pixels == table[name]).all(axis=2) == (labels == place)).all()


def filled(points) -> np.ndarray:
    """The pixels whose middles lie inside by OpenCV's test point by point; slits of no width run along edges only."""
    outline = np.rint(np.asarray(points)).astype(np.float32)
    middles = ((column + 0.5, row + 0.5) for row in range(32) for column in range(48))
    found = [cv2.pointPolygonTest(outline, middle, measureDist=False) for middle in middles]
    return np.array(found).reshape(32, 48) > 0


def test_opencv_fills_every_yolo_line_to_the_same_pixels(tmp_path, project):
    masks = paint(project)
    export_masks(project, "yolo", tmp_path / "out")
    for path, labels in masks.items():
        drawn = np.zeros_like(labels)
        for line in (tmp_path / "out/labels" / path).with_suffix(".txt").read_text().splitlines():
            number, *values = line.split()
            drawn[filled(np.array(values, float).reshape(-1, 2) * [48, 32])] = int(number) + 1
        assert (drawn == labels).all()


def test_shapely_and_rows_of_runs_draw_cvat_to_the_same_pixels(tmp_path, project):
    masks = paint(project)
    (file,) = export_masks(project, "cvat", tmp_path / "out").files
    for node in ElementTree.parse(file).getroot().iterfind("image"):
        drawn = np.zeros((32, 48), np.uint8)
        for one in node.iterfind("polygon"):
            points = [[float(value) for value in pair.split(",")] for pair in one.get("points").split(";")]
            drawn[inside(points)] = name_place(one.get("label"))
        for one in node.iterfind("mask"):
            counts = [int(text) for text in one.get("rle").split(",")]
            left, top, width, height = (int(one.get(key)) for key in ("left", "top", "width", "height"))
            bitmap = np.repeat(np.arange(len(counts)) % 2, counts).reshape(height, width) == 1
            drawn[top : top + height, left : left + width][bitmap] = name_place(one.get("label"))
        assert (drawn == masks[node.get("name")]).all()


def test_shapely_and_pillow_draw_labelme_to_the_same_pixels_of_the_image_that_it_points_at(tmp_path, project):
    masks = paint(project)
    for file in export_masks(project, "labelme", tmp_path / "out").files:
        document = json.loads(file.read_text())
        image = (file.parent / document["imagePath"]).resolve()
        drawn = np.zeros((32, 48), np.uint8)
        for shape in document["shapes"]:
            if shape["shape_type"] == "polygon":
                drawn[inside(shape["points"])] = name_place(shape["label"])
                continue
            (left, top), (right, bottom) = shape["points"]
            bitmap = np.array(Image.open(io.BytesIO(base64.b64decode(shape["mask"])))) > 0
            drawn[top : bottom + 1, left : right + 1][bitmap] = name_place(shape["label"])
        assert (drawn == masks[image.relative_to(project.images_root).as_posix()]).all()


def strokes(data: list[int]) -> np.ndarray:
    """The values of Label Studio's packed runs, bit by bit as its converter documents them."""
    bits = int.from_bytes(bytes(data), "big")
    left = 8 * len(data)

    def take(count: int) -> int:
        nonlocal left
        left -= count
        return (bits >> left) & ((1 << count) - 1)

    size, word = take(32), take(5) + 1
    lengths = [take(4) + 1 for _ in range(4)]
    values: list[int] = []
    while len(values) < size:
        same = take(1)
        count = take(lengths[take(2)]) + 1
        values += [take(word)] * count if same else [take(word) for _ in range(count)]
    return np.array(values, np.uint8)


def test_shapely_and_the_documented_runs_draw_label_studio_to_the_same_pixels(tmp_path, project):
    masks = paint(project)
    (file,) = export_masks(project, "labelstudio", tmp_path / "out").files
    kinds = set()
    for task in json.loads(file.read_text()):
        drawn = np.zeros((32, 48), np.uint8)
        for row in task["annotations"][0]["result"]:
            value = row["value"]
            kinds.add(row["type"])
            if row["type"] == "polygonlabels":
                where = inside(np.array(value["points"]) * [0.48, 0.32])
            else:
                where = strokes(value["rle"]).reshape(32, 48, 4)[..., 3] > 0
            drawn[where] = name_place(value[row["type"]][0])
        assert (drawn == masks[task["data"]["image"]]).all()
    assert kinds == {"polygonlabels", "brushlabels"}
    interface = ElementTree.parse(tmp_path / "out/labeling.xml").getroot()
    assert [one.get("value") for one in interface.iterfind("PolygonLabels/Label")] == NAMES[1:]
