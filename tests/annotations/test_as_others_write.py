"""Annotations as other programs really write them: what they say comes in, and what they do not say stays out."""

import base64
import io
import json

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from sslstudio.annotations.bringing_in import bring_in, look, preview
from sslstudio.annotations.formats import FORMATS, find_format
from sslstudio.annotations.handing_out import export_masks
from sslstudio.annotations.matching import Matcher
from sslstudio.annotations.palette_png import import_masks
from sslstudio.annotations.source import Source
from sslstudio.annotations.survey import first_guess, survey
from sslstudio.annotations.yolo import _yaml_names
from sslstudio.errors import UserError
from sslstudio.project.classes import FIRST_CLASSES
from sslstudio.project.project import Project

HEIGHT, WIDTH = 32, 48
SQUARE = [[4, 4], [10, 4], [10, 9], [4, 9]]
TRIANGLE = "0 0.1 0.1 0.6 0.1 0.6 0.6\n"
BOX = "0 0.5 0.5 0.2 0.2\n"


@pytest.fixture
def project(tmp_path, image_folder):
    with Project.create(tmp_path / "p", image_folder, ["background", "cell"]) as made:
        yield made


@pytest.fixture
def fresh(tmp_path, image_folder):
    with Project.create(tmp_path / "fresh", image_folder, FIRST_CLASSES) as made:
        yield made


def put(folder, **files):
    """Text files; JSON where it is no text."""
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content if isinstance(content, str) else json.dumps(content))
    return folder


def result(kind, **value):
    size = {"original_width": WIDTH, "original_height": HEIGHT}
    return {**size, "type": f"{kind}labels", "value": {**value, f"{kind}labels": ["cell"]}}


def answer(*rows, cancelled=False):
    return {"result": list(rows), "was_cancelled": cancelled}


def task(image, *answers, **more):
    return {"data": {"image": f"/data/upload/1/3f2a9b1c-{image}"}, "annotations": list(answers), **more}


POLYGON = result("polygon", points=[[10, 10], [60, 10], [60, 60]])
KEYPOINT = result("keypoint", x=1, y=1)


def cvat(*images):
    rows = [f'<image name="{name}" width="{WIDTH}" height="{HEIGHT}">{shapes}</image>' for name, shapes in images]
    return f"<annotations>{''.join(rows)}</annotations>"


def coco_of_two():
    images = [{"id": at, "file_name": f"cell_{at}.png", "height": HEIGHT, "width": WIDTH} for at in (1, 2, 3)]
    good = {"id": 1, "image_id": 1, "category_id": 1, "segmentation": [np.ravel(SQUARE).tolist()]}
    boxed = {"id": 2, "image_id": 3, "category_id": 1, "segmentation": [], "bbox": [1, 1, 5, 5]}
    return {"images": images, "annotations": [good, boxed], "categories": [{"id": 1, "name": "cell"}]}


POINTS = '<points label="cell" points="1,1"/>'
CVAT_POLYGON = '<polygon label="cell" points="4,4;10,4;10,9;4,9"/>'
COMMAS = "0 0,1 0,1 0,3 0,1 0,3 0,3\n"
SAYING_NOTHING = {
    "yolo": {"labels/cell_1.txt": TRIANGLE, "labels/cell_2.txt": BOX, "labels/cell_3.txt": COMMAS},
    "coco": {"a.json": coco_of_two()},
    "cvat": {"a.xml": cvat(("cell_1.png", CVAT_POLYGON), ("cell_2.png", ""), ("cell_3.png", POINTS))},
    "labelstudio": {
        "a.json": [
            task("cell_1.png", answer(POLYGON)),
            task("cell_2.png"),
            task("cell_3.png", answer(cancelled=True)),
            task("cell_4.png", answer(KEYPOINT)),
        ]
    },
}  # fmt: skip


@pytest.mark.parametrize("kind", SAYING_NOTHING)
def test_images_of_which_nothing_is_said_keep_their_masks(tmp_path, project, kind):
    mine = np.ones((HEIGHT, WIDTH), np.uint8)
    for number in (1, 2, 3, 4):
        project.set_mask(f"cell_{number}.png", mine)
    source = put(tmp_path / "m", **SAYING_NOTHING[kind])
    seen = preview(project, source, kind)
    report = bring_in(project, source, kind)
    assert report == seen.report
    assert report.matched == ("cell_1.png",)
    assert (report.replaced, seen.painted) == (1, 1)
    expected = {"cell_2.png", "cell_3.png"} | ({"cell_4.png"} if kind == "labelstudio" else set())
    assert {name for name, _ in report.left} == expected
    assert all(reason.strip() for _, reason in report.left)
    for name in expected:
        assert (project.label_map(name).labels == mine).all()
    assert (project.label_map("cell_1.png").labels == 0).any()


@pytest.mark.parametrize("kind", ["coco", "cvat"])
def test_images_without_a_shape_are_background_only_if_somebody_says_so(tmp_path, project, kind):
    source = put(tmp_path / "m", **SAYING_NOTHING[kind])
    report = bring_in(project, source, kind, uncovered="background")
    assert report.matched == ("cell_1.png", "cell_2.png")
    assert [name for name, _ in report.left] == ["cell_3.png"]  # there is something that could not be read
    assert not project.label_map("cell_2.png").labels.any()
    assert preview(project, source, kind).asked == ""  # an import after a preview says no more than its user did


def test_an_empty_yolo_file_and_an_empty_answer_say_that_nothing_is_there(tmp_path, project):
    put(tmp_path / "y", **{"labels/cell_1.txt": TRIANGLE, "labels/cell_2.txt": ""})
    assert bring_in(project, tmp_path / "y", "yolo").matched == ("cell_1.png", "cell_2.png")
    put(tmp_path / "l", **{"a.json": [task("cell_3.png", answer(POLYGON)), task("cell_4.png", answer())]})
    assert bring_in(project, tmp_path / "l").matched == ("cell_3.png", "cell_4.png")
    assert not project.label_map("cell_4.png").labels.any()


def test_what_a_model_said_in_label_studio_is_no_mask(tmp_path, project):
    models = [{"result": [POLYGON], "score": 0.3}]
    put(tmp_path, **{"a.json": [task("cell_1.png", predictions=models), task("cell_2.png", answer(POLYGON))]})
    report = bring_in(project, tmp_path / "a.json")
    assert report.matched == ("cell_2.png",)
    assert "model" in dict(report.left)["cell_1.png"]


def test_masks_that_are_replaced_are_counted_on_the_command_line(tmp_path, project, capsys):
    from sslstudio.cli import main

    project.set_mask("cell_1.png", np.ones((HEIGHT, WIDTH), np.uint8))
    project.close()
    source = put(tmp_path / "m", **SAYING_NOTHING["coco"])
    assert main(["import-masks", str(project.path), "--from", str(source)]) == 0
    told = capsys.readouterr().out
    assert "1 of them replaced a mask" in told
    assert "Left alone: cell_2.png." in told


# shapes ---------------------------------------------------------------------------------------------------


def drawn_by(corners) -> np.ndarray:
    """What OpenCV fills, which takes the border along."""
    picture = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.fillPoly(picture, [np.rint(np.asarray(corners) - 0.5).astype(np.int32)], 1)
    return picture


def alike(found, wanted, share=0.2):
    either = np.count_nonzero(found | wanted)
    assert np.count_nonzero(found != wanted) <= share * either, (found.sum(), wanted.sum())


def turned_box(middle, size, degrees):
    return cv2.boxPoints((middle, size, degrees))


ELLIPSE = cv2.ellipse(np.zeros((HEIGHT, WIDTH), np.uint8), (24, 16), (12, 6), 30, 0, 360, 1, -1)


def test_cvat_boxes_and_ellipses_are_areas(tmp_path, project):
    box = '<box label="cell" xtl="10" ytl="8" xbr="30" ybr="20" rotation="30"/>'
    ellipse = '<ellipse label="cell" cx="24" cy="16" rx="12" ry="6" rotation="30"/>'
    straight = '<box label="cell" xtl="1" ytl="2" xbr="5" ybr="6"/>'
    document = cvat(("cell_1.png", box), ("cell_2.png", ellipse), ("cell_3.png", straight))
    report = bring_in(project, put(tmp_path / "m", **{"a.xml": document}))
    assert len(report.matched) == 3
    alike(project.label_map("cell_1.png").labels, drawn_by(turned_box((20, 14), (20, 12), 30)))
    alike(project.label_map("cell_2.png").labels, ELLIPSE)
    assert project.label_map("cell_3.png").labels.sum() == 16
    assert project.label_map("cell_3.png").labels[2:6, 1:5].all()


def test_label_studio_boxes_turn_about_their_corner_and_ellipses_about_their_middle(tmp_path, project):
    percent = {"x": 100 / WIDTH, "y": 100 / HEIGHT}
    box = result(
        "rectangle",
        x=20 * percent["x"],
        y=5 * percent["y"],
        width=16 * percent["x"],
        height=8 * percent["y"],
        rotation=90,
    )
    ellipse = result("ellipse", x=50, y=50, radiusX=12 * percent["x"], radiusY=6 * percent["y"], rotation=30)
    report = bring_in(project, put(tmp_path / "m", **{
        "a.json": [task("cell_1.png", answer(box)), task("cell_2.png", answer(ellipse))]
    }))  # fmt: skip
    assert len(report.matched) == 2
    labels = project.label_map("cell_1.png").labels
    assert labels[5:21, 12:20].all()  # a quarter turn clockwise about (20, 5): left of it and down
    assert labels.sum() == 16 * 8
    alike(project.label_map("cell_2.png").labels, ELLIPSE)


def labelme(*shapes, image="cell_1.png"):
    return {"shapes": list(shapes), "imagePath": image, "imageHeight": HEIGHT, "imageWidth": WIDTH}


def test_labelme_rectangles_have_two_corners_or_four(tmp_path, project):
    four = {"label": "cell", "points": SQUARE, "shape_type": "rectangle"}
    two = {"label": "cell", "points": [[20, 20], [30, 28]], "shape_type": "rectangle"}
    odd = {"label": "cell", "points": [["1,5", 2], [3, 4]], "shape_type": "rectangle"}
    report = bring_in(project, put(tmp_path / "m", **{"a.json": labelme(four, two, odd)}))
    assert any("no numbers" in note for note in report.notes)
    labels = project.label_map("cell_1.png").labels
    assert labels[4:9, 4:10].all()
    assert labels[20:28, 20:30].all()
    assert labels.sum() == 30 + 80


# names ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("names: {0: person, 1: car}\n", {0: "person", 1: "car"}),
        ("names: {0: 'a, b', 1: \"c: d\"}  # two\n", {0: "a, b", 1: "c: d"}),
        ("names: [person, 'it''s', \"x#y\"]\n", {0: "person", 1: "it's", 2: "x#y"}),
        ("nc: 2\nnames: [\n  'person',  # first\n  car,\n]\ntrain: x\n", {0: "person", 1: "car"}),
        ("names:\n- person # first\n- car\nnc: 2\n", {0: "person", 1: "car"}),
        ("names:\n  0: person\n  1: 'C#'\n", {0: "person", 1: "C#"}),
    ],
)
def test_yolo_names_in_every_way_yaml_writes_them(text, names):
    assert _yaml_names(text) == names


def save_images(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (WIDTH, HEIGHT)).save(folder / name)
    return folder


def test_yolo_labels_lie_where_the_images_do(tmp_path):
    images = save_images(tmp_path / "i", "train/images/a.png", "val/images/a.png", "val/images/b.png")
    data = put(
        tmp_path / "d",
        **{
            "data.yaml": "names: {0: person, 1: car}\n",
            "train/labels/a.txt": TRIANGLE,
            "val/labels/a.txt": TRIANGLE.replace("0 ", "1 ", 1),
            "README.dataset.txt": "# about\n",
            "README.roboflow.txt": "exported\n",
        },
    )
    with Project.create(tmp_path / "p", images, ["background"]) as project:
        report = bring_in(project, data)
        assert set(report.matched) == {"train/images/a.png", "val/images/a.png"}
        assert not report.refused
        assert not report.unmatched
        assert [one.name for one in project.classes] == ["background", "person", "car"]
        assert project.label_map("val/images/a.png").labels.max() == 2
    images = save_images(tmp_path / "other", "images/train/b.png", "images/val/b.png")
    put(tmp_path / "e", **{"data.yaml": "names: [person, car]\n", "labels/train/b.txt": TRIANGLE})
    with Project.create(tmp_path / "q", images, ["background"]) as project:
        assert bring_in(project, tmp_path / "e/labels/train").matched == ("images/train/b.png",)
        assert project.classes[1].name == "person"


def test_labelme_follows_the_path_of_the_image_and_refusals_name_the_file(tmp_path):
    images = save_images(tmp_path / "i", "sub1/a.png", "sub2/a.png", "b.png")
    square = {"label": "cell", "points": SQUARE, "shape_type": "polygon"}
    files = {
        "one/x.json": labelme(square, image="..\\..\\i\\sub1\\a.png"),
        "y.json": labelme(square, image="C:\\Users\\me\\sub2\\a.png"),
        "z.json": labelme(square, image="a.png"),
        "b.json": labelme(square, image="b.png") | {"imageHeight": 7},
        "gone.json": labelme(square, image="nobody.png"),
    }
    with Project.create(tmp_path / "p", images, ["background"]) as project:
        report = bring_in(project, put(tmp_path / "m", **files))
    assert set(report.matched) == {"sub1/a.png", "sub2/a.png"}
    assert {name for name, _ in report.refused} == {"z.json", "b.json"}
    assert report.unmatched == ("gone.json",)


@pytest.mark.parametrize(
    ("image", "mask"),
    [
        ("case1_0000.png", "case1"),
        ("b.jpg", "b_cp_masks"),
        ("aachen_000_leftImg8bit.png", "aachen_000_gtFine_labelIds"),
        ("ISIC_1.jpg", "ISIC_1_segmentation"),
        ("x.png", "mask_x"),
        ("x.png", "x_Maske"),
        ("cell.ome.tif", "cell"),
        ("Upper.JPG", "upper"),
        ("deep/x.png", "deep/x_mask"),
    ],
)
def test_masks_are_named_in_many_ways(image, mask):
    matcher = Matcher([image, "other.png", "y/x1.png"])
    assert matcher.only((mask,), mask) == image


def test_a_name_that_could_mean_two_images_is_refused_with_both():
    matcher = Matcher(["case1_0000.png", "case1_0001.png", "Cell.png", "cell.tif", "cell.v2.png", "a.jpg", "a.png"])
    for mask, both in (("case1", ("case1_0000.png", "case1_0001.png")), ("CELL", ("Cell.png", "cell.tif"))):
        with pytest.raises(UserError) as told:
            matcher.only((mask,), mask)
        assert all(name in told.value.problem for name in both)
    with pytest.raises(UserError, match=r"a\.jpg or a\.png"):
        matcher.only(("a",), "a")
    assert matcher.only(("cell.v2",), "m") == "cell.v2.png"
    assert matcher.only(("cell.v3",), "m") == ""
    assert matcher.only(("x_mask",), "m") == ""


# pictures -------------------------------------------------------------------------------------------------


def save(folder, name, pixels):
    folder.mkdir(exist_ok=True)
    Image.fromarray(pixels).save(folder / name)
    return folder


def numbered(count, dtype=np.uint8):
    pixels = np.zeros((HEIGHT, WIDTH), dtype)
    for number in range(count):
        top, left = divmod(number, 6)
        pixels[8 * top + 1 : 8 * top + 6, 8 * left + 1 : 8 * left + 6] = number + 1
    return pixels


def test_black_and_white_masks_are_so_even_if_one_is_empty(tmp_path, project):
    white = np.zeros((HEIGHT, WIDTH), np.uint8)
    white[3:9, 3:9] = 255
    folder = save(save(tmp_path / "m", "cell_1.png", white), "cell_2.png", np.zeros_like(white))
    assert not survey(project, folder).plain
    assert any("--map 255=1" in note for note in import_masks(project, folder).notes)
    assert any("--map 255=1" in note for note in preview(project, folder, "palette").report.notes)


def test_numbers_of_single_objects_become_one_class(tmp_path, fresh):
    folder = save(tmp_path / "m", "cell_1.png", numbered(12))
    seen = survey(fresh, folder)
    assert seen.objects
    assert not seen.plain
    assert preview(fresh, folder).classes[-1].name == "object"
    report = import_masks(fresh, folder)
    assert any("single objects" in note for note in report.notes)
    assert [one.name for one in fresh.classes] == list(FIRST_CLASSES)
    assert (fresh.label_map("cell_1.png").labels == (numbered(12) > 0)).all()


def test_few_objects_are_known_by_their_number_which_differs_from_mask_to_mask(tmp_path, fresh):
    folder = save(save(tmp_path / "m", "cell_1.png", numbered(5)), "cell_2.png", numbered(2))
    seen = survey(fresh, folder)
    assert seen.objects
    assert first_guess([0, 1, 2, 3, 4, 5], 2, objects=True) == {0: 0, 1: 1, 2: 1, 3: 1, 4: 1, 5: 1}
    classes = np.where(np.indices((HEIGHT, WIDTH)).sum(axis=0) % 6 < 3, numbered(5), 0).astype(np.uint8)
    assert not survey(fresh, save(save(tmp_path / "c", "cell_1.png", classes), "cell_2.png", classes)).objects


def test_the_folder_of_single_objects_of_voc_is_known_by_its_name(tmp_path, fresh):
    pixels = np.where(numbered(2) > 0, numbered(2), 255).astype(np.uint8)
    folder = save(tmp_path / "SegmentationObject", "cell_1.png", pixels)
    assert any("single objects" in note for note in import_masks(fresh, folder).notes)
    assert len(fresh.classes) == 2


def test_pngs_of_16_bits_are_read_as_label_tiffs_are(tmp_path, fresh):
    pixels = numbered(6, np.uint16)
    pixels[pixels == 6] = 300
    folder = save(tmp_path / "m", "cell_1_cp_masks.png", pixels)
    tifffile.imwrite(folder / "cell_2_cp_masks.tif", pixels)
    assert find_format(Source.at(folder)).id == "tiff"
    report = bring_in(fresh, folder)
    assert set(report.matched) == {"cell_1.png", "cell_2.png"}
    for name in report.matched:
        assert (fresh.label_map(name).labels == (pixels > 0)).all()


def test_values_that_are_no_classes_are_told_alike_with_what_to_do(tmp_path, fresh):
    pixels = np.zeros((HEIGHT, WIDTH), np.uint8)
    pixels[:9], pixels[20:] = 7, 33  # of Cityscapes
    folder = save(tmp_path / "m", "cell_1.png", pixels)
    told = []
    for take in (lambda: preview(fresh, folder, "palette"), lambda: import_masks(fresh, folder)):
        with pytest.raises(UserError) as error:
            take()
        told.append((error.value.problem, error.value.advice))
    assert told[0] == told[1]
    assert "--map 33=1" in told[0][1]


def test_colour_tables_of_excel_are_read(tmp_path, project):
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    pixels[5:9] = 255, 0, 0
    folder = save(tmp_path / "m", "cell_1.png", pixels)
    for encoding in ("utf-8-sig", "cp1252"):
        text = "Name;Rot;Grün;Blau\nbackground;0;0;0\nKäfer;255;0;0\n"
        (folder / "colours.csv").write_bytes(text.encode(encoding))
        assert {row.name for row in preview(project, folder).classes} == {"background", "Käfer"}


# classes --------------------------------------------------------------------------------------------------


def test_classes_that_do_not_occur_are_not_added(tmp_path, project):
    row = "".join(f"<label><name>{name}</name></label>" for name in ("cell", "wall", "root"))
    covered = CVAT_POLYGON.replace('"cell"', '"root"')
    document = cvat(("cell_1.png", covered + CVAT_POLYGON)).replace("<annotations>", f"<annotations><meta>{row}</meta>")
    source = put(tmp_path / "m", **{"a.xml": document})
    report = bring_in(project, source)
    assert [one.name for one in project.classes] == ["background", "cell"]
    assert any("wall, root" in note for note in report.notes)
    bring_in(project, source, classes={"wall": "wall"})  # unless somebody speaks of them
    assert [one.name for one in project.classes] == ["background", "cell", "wall"]


def test_voc_adds_the_classes_that_are_painted(tmp_path, fresh):
    pixels = np.zeros((HEIGHT, WIDTH), np.uint8)
    pixels[3:9], pixels[20:] = 15, 7
    (tmp_path / "v").mkdir()
    save(tmp_path / "v/SegmentationClass", "cell_1.png", pixels)
    bring_in(fresh, tmp_path / "v")
    assert [one.name for one in fresh.classes] == ["background", "car", "person"]


def test_regions_that_qupath_ignores_are_unpainted(tmp_path, project):
    rings = [[*SQUARE, SQUARE[0]]]
    features = [
        {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": rings}, "properties": about}
        for about in ({"classification": {"name": "Ignore*"}},)
    ]
    source = put(tmp_path / "m", **{"cell_1.geojson": {"type": "FeatureCollection", "features": features}})
    bring_in(project, source)
    labels = project.label_map("cell_1.png").labels
    assert (labels[4:9, 4:10] == 255).all()
    assert (labels == 255).sum() == 30
    assert [one.name for one in project.classes] == ["background", "cell"]


def test_the_window_asks_about_numbers_of_single_objects(tmp_path, project):
    found = look(project, save(tmp_path / "m", "cell_1.png", numbered(12)))
    assert found.objects


def test_a_mask_picture_of_labelme_lies_where_its_first_corner_says(tmp_path, project):
    data = io.BytesIO()
    Image.fromarray(np.full((5, 6), 255, np.uint8)).save(data, "PNG")
    picture = base64.b64encode(data.getvalue()).decode()
    shape = {"label": "cell", "points": [[4, 4], [9, 8]], "shape_type": "mask", "mask": picture}
    bring_in(project, put(tmp_path / "m", **{"cell_1.json": labelme(shape)}))
    assert project.label_map("cell_1.png").labels[4:9, 4:10].sum() == 30


# what we hand out -----------------------------------------------------------------------------------------


def test_images_that_share_a_name_have_masks_of_their_own(tmp_path):
    images = save_images(tmp_path / "i", "a.png", "b.png")
    Image.new("RGB", (WIDTH, HEIGHT)).save(images / "a.jpg")
    with Project.create(tmp_path / "p", images, ["background", "cell", "wall"]) as project:
        for place, name in enumerate(("a.png", "a.jpg", "b.png")):
            project.set_mask(name, np.full((HEIGHT, WIDTH), place, np.uint8))
        for kind in FORMATS:
            export_masks(project, kind, tmp_path / kind, companions=("coloured", "overlay"))
            assert (tmp_path / kind / "coloured/b.png").is_file()
            assert not list((tmp_path / kind).rglob("b.png.png"))
            with Project.create(tmp_path / f"again-{kind}", images, ["background", "cell", "wall"]) as again:
                report = bring_in(again, tmp_path / kind / "masks" if kind == "rgb" else tmp_path / kind, kind)
                assert set(report.matched) == {"a.png", "a.jpg", "b.png"}, kind
                for place, name in enumerate(("a.png", "a.jpg", "b.png")):
                    assert (again.label_map(name).labels == place).all(), (kind, name)


def test_an_export_says_how_slices_are_called(tmp_path):
    (tmp_path / "i").mkdir()
    tifffile.imwrite(tmp_path / "i/x.tif", np.zeros((3, HEIGHT, WIDTH), np.uint8), photometric="minisblack")
    with Project.create(tmp_path / "p", tmp_path / "i", ["background", "cell"]) as project:
        project.check_files()
        names = [record.path for record in project.images()]
        assert "x.tif#0002" in names
        for name in names:
            project.set_mask(name, np.ones((HEIGHT, WIDTH), np.uint8))
        notes = export_masks(project, "coco", tmp_path / "o").notes
        assert any("“x.tif#0002” is slice 2 of x.tif" in note for note in notes)


def test_the_command_line_speaks_one_language(tmp_path, project, capsys, monkeypatch):
    from sslstudio.cli import main

    project.close()
    monkeypatch.setenv("SSLSTUDIO_LANGUAGE", "de")
    source = put(tmp_path / "m", **SAYING_NOTHING["coco"])
    for words in (["--preview"], []):
        assert main(["import-masks", str(project.path), "--from", str(source), *words]) == 0
        told = capsys.readouterr().out
        assert "Unverändert gelassen: cell_2.png. Darauf ist keine Form gezeichnet" in told
        for english in ("class", " mask ", "image", "Note", "would", "taken"):
            assert english not in told.replace(str(tmp_path), "")


def test_a_broken_order_of_cvat_refuses_that_image_alone_in_a_whole_sentence(tmp_path, project, monkeypatch):
    monkeypatch.setenv("SSLSTUDIO_LANGUAGE", "de")
    odd = CVAT_POLYGON.replace("/>", ' z_order="x"/>')
    report = bring_in(
        project, put(tmp_path / "m", **{"a.xml": cvat(("cell_1.png", odd), ("cell_2.png", CVAT_POLYGON))})
    )
    assert report.matched == ("cell_2.png",)
    assert report.refused == (("cell_1.png", "Eine seiner Formen hat als z_order „x“; das ist keine Zahl."),)
