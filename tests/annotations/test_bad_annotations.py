"""Bad files are told in sentences, and never come in by halves."""

import csv
import json

import numpy as np
import pytest
import tifffile

from sslstudio.annotations.bringing_in import bring_in
from sslstudio.annotations.handing_out import export_masks
from sslstudio.annotations.measuring import measure
from sslstudio.errors import UserError
from sslstudio.project.project import Project


@pytest.fixture
def project(tmp_path, image_folder):
    with Project.create(tmp_path / "p", image_folder, ["background", "cell"]) as made:
        yield made


def coco(*areas, name="cell_3.png", size=(32, 48)) -> dict:
    image = {"id": 7, "file_name": name, "height": size[0], "width": size[1]}
    areas = [{"id": at, "image_id": 7, "category_id": 1, "segmentation": area} for at, area in enumerate(areas, 1)]
    return {"images": [image], "annotations": areas, "categories": [{"id": 1, "name": "cell"}]}


def take(tmp_path, project, document, name="a.json"):
    file = tmp_path / name
    file.write_text(document if isinstance(document, str) else json.dumps(document))
    return bring_in(project, file)


SQUARE = [[4, 4, 10, 4, 10, 9, 4, 9]]


def test_a_cut_off_file_is_told_with_its_line(tmp_path, project):
    with pytest.raises(UserError, match=r"not valid JSON.* in line 1, column"):
        take(tmp_path, project, json.dumps(coco(SQUARE))[:-9])
    with pytest.raises(UserError, match="not valid XML"):
        take(tmp_path, project, "<annotations><image", "a.xml")
    with pytest.raises(UserError, match="is empty"):
        take(tmp_path, project, "")
    with pytest.raises(UserError, match="in no format that is known"):
        take(tmp_path, project, {"hello": 1})
    assert not project.painted()


def test_an_unknown_image_and_a_wrong_size_change_nothing(tmp_path, project):
    report = take(tmp_path, project, coco(SQUARE, name="nobody.png"))
    assert (report.matched, report.unmatched) == ((), ("nobody.png",))
    report = take(tmp_path, project, coco(SQUARE, size=(33, 48)))
    assert "48 × 33 pixels, but cell_3.png has 48 × 32" in report.refused[0][1]
    assert not project.painted()


def test_polygons_outside_the_image_are_cut_and_told(tmp_path, project):
    outside, over = [[100, 100, 120, 100, 120, 120]], [[40, 20, 80, 20, 80, 60, 40, 60]]
    report = take(tmp_path, project, coco(SQUARE, outside, over))
    assert report.matched == ("cell_3.png",)
    assert any("cut at its border" in note for note in report.notes)
    assert any("wholly outside" in note for note in report.notes)
    labels = project.label_map("cell_3.png").labels
    assert labels[4:9, 4:10].all()
    assert labels[20:, 40:].all()
    assert labels.sum() == 30 + 12 * 8


@pytest.mark.parametrize(
    ("area", "told"),
    [
        ({"size": [32, 48], "counts": [5, 5]}, "run lengths for 10 pixels"),
        ({"size": [32, 48], "counts": "`"}, "end in the middle"),
        ({"size": [10, 10], "counts": [100]}, "10 × 10 pixels"),
    ],
)
def test_run_lengths_of_a_wrong_length_refuse_the_image_whole(tmp_path, project, area, told):
    report = take(tmp_path, project, coco(SQUARE, area))
    assert not report.matched
    assert told in report.refused[0][1]
    assert not project.painted()


def test_a_shape_that_is_none_is_told_and_the_others_come_in(tmp_path, project):
    report = take(tmp_path, project, coco(SQUARE, [[1, 2, 3, 4]], [], [["x", 1, 2, 3, 4, 5]]))
    assert report.matched == ("cell_3.png",)
    assert sum("annotation" in note for note in report.notes) == 3
    assert project.label_map("cell_3.png").labels.sum() == 30


def test_one_broken_labelme_file_does_not_keep_the_others_out(tmp_path, project):
    (tmp_path / "m").mkdir()
    shape = {"label": "cell", "points": [[0, 0], [5, 0], [5, 5], [0, 5]], "shape_type": "polygon"}
    good = {"shapes": [shape], "imagePath": "cell_3.png", "imageHeight": 32, "imageWidth": 48}
    (tmp_path / "m/cell_3.json").write_text(json.dumps(good))
    (tmp_path / "m/cell_4.json").write_text("{")
    report = bring_in(project, tmp_path / "m")
    assert report.matched == ("cell_3.png",)
    assert report.refused[0][0] == "cell_4.json"


def test_measurements_are_in_pixels_and_in_micrometres_where_known(tmp_path):
    (tmp_path / "i").mkdir()
    pixels = np.zeros((20, 30), np.uint8)
    tifffile.imwrite(tmp_path / "i/a.tif", pixels, imagej=True, resolution=(2, 4), metadata={"unit": "um"})
    tifffile.imwrite(tmp_path / "i/b.tif", pixels)
    labels = np.zeros((20, 30), np.uint8)
    labels[2:6, 2:7] = labels[10:12, 10:12] = 1
    with Project.create(tmp_path / "p", tmp_path / "i", ["background", "cell"]) as project:
        for name in ("a.tif", "b.tif"):
            project.set_mask(name, labels)
        done = measure(project, tmp_path / "t.csv")
    assert (done.images, done.with_size, done.regions) == (2, 1, 6)
    with done.images_file.open(encoding="utf-8-sig") as file:
        rows = {(row["image"], row["class"]): row for row in csv.DictReader(file)}
    cell = rows["a.tif", "cell"]
    assert (cell["regions"], cell["area_px"], cell["area_um2"]) == ("2", "24", "3")  # 24 × 0.5 × 0.25
    assert rows["b.tif", "cell"]["area_um2"] == ""
    with done.regions_file.open(encoding="utf-8-sig") as file:
        regions = [row for row in csv.DictReader(file) if row["class"] == "cell" and row["image"] == "a.tif"]
    assert [row["area_px"] for row in regions] == ["20", "4"]
    assert (regions[0]["left"], regions[0]["top"], regions[0]["centre_x"], regions[0]["centre_y"]) == (
        "2",
        "2",
        "4.5",
        "4.0",
    )


def test_exports_are_never_black(tmp_path, project):
    from PIL import Image

    project.set_mask("cell_3.png", np.ones((32, 48), np.uint8))
    for kind in ("palette", "grey", "rgb", "voc", "tiff"):
        out = tmp_path / kind
        export_masks(project, kind, out)
        pictures = [file for file in out.rglob("*.*") if file.suffix in (".png", ".tif")]
        assert any(np.array(Image.open(file).convert("RGB")).max() > 100 for file in pictures), kind
    export_masks(project, "palette", tmp_path / "all", companions=("coloured", "overlay"))
    assert (tmp_path / "all/coloured/cell_3.png").is_file()
    assert (tmp_path / "all/overlay/cell_3.png").is_file()
