"""Masks of other tools find their images, or are refused with a reason."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from sslstudio.annotations.palette_png import import_masks
from sslstudio.errors import UserError
from sslstudio.project.classes import FIRST_CLASSES
from sslstudio.project.project import Project


@pytest.fixture
def masks(tmp_path):
    folder = tmp_path / "given masks"
    folder.mkdir()
    return folder


def mask(path, value=1, size=(48, 32), mode="L"):
    path.parent.mkdir(parents=True, exist_ok=True)
    labels = np.full(size[::-1], 255, np.uint8)
    labels[:5] = value
    labels[5:8] = 0
    image = Image.fromarray(labels)
    if mode == "P":
        image.putpalette([0, 0, 0, 255, 0, 0] + [9, 9, 9] * 254)
    image.save(path)
    return labels


def test_masks_match_by_path_then_stem_then_without_ending(tmp_path, image_folder, masks):
    wanted = {
        "cell_3.png": mask(masks / "cell_3.png", mode="P"),
        "cell_4.png": mask(masks / "cell_4_mask.tif"),
        "deep/cell_1.jpg": mask(masks / "deep/cell_1.png"),
        "deep/cell_2.jpg": mask(masks / "deep/cell_2_label.png"),
    }
    mask(masks / "nobody.png")
    mask(masks / "cell_1.png")
    with Project.create(tmp_path / "p", image_folder, ["background", "cell"]) as project:
        report = import_masks(project, masks)
        assert set(report.matched) == {*wanted, "cell_1.png"}
        assert report.unmatched == ("nobody.png",)
        assert report.refused == ()
        for path, labels in wanted.items():
            assert (project.label_map(path).labels == labels).all()
            assert project.mask_file(path).exists()
            assert project.can_undo(path)


def test_a_stem_that_means_two_images_is_refused(tmp_path, image_folder, masks):
    mask(masks / "anywhere/cell_1.png")
    mask(masks / "cell_3.png")
    mask(masks / "cell_3_mask.png")
    with Project.create(tmp_path / "p", image_folder, ["background", "cell"]) as project:
        report = import_masks(project, masks)
        assert dict(report.refused) == {
            "anywhere/cell_1.png": "It could belong to cell_1.png or deep/cell_1.jpg.",
            "cell_3_mask.png": "cell_3.png already has the mask cell_3.png.",
        }


def test_wrong_sizes_values_and_files_are_refused_with_reasons(tmp_path, image_folder, masks):
    mask(masks / "cell_1.png", size=(32, 48))
    mask(masks / "cell_2.png", value=7)
    (masks / "cell_3.png").write_text("no image")
    Image.new("RGB", (48, 32)).save(masks / "cell_4.png")
    mask(masks / "deep/cell_1.png")
    with Project.create(tmp_path / "p", image_folder, ["background", "cell"]) as project:
        report = import_masks(project, masks)
        assert report.matched == ("deep/cell_1.jpg",)
        reasons = dict(report.refused)
        assert reasons["cell_1.png"] == "The mask has 32 × 48 pixels, but cell_1.png has 48 × 32."
        assert reasons["cell_2.png"] == "It holds the value 7; the classes are 0 to 1."
        assert "cannot be read" in reasons["cell_3.png"]
        assert "colour picture" in reasons["cell_4.png"]
        assert [record.path for record in project.painted()] == ["deep/cell_1.jpg"]


def test_classes_come_from_classes_json(tmp_path, image_folder, masks):
    mask(masks / "cell_3.png", value=2)
    classes = [{"id": 0, "name": "ground", "color": [1, 2, 3]}, {"id": 2, "name": "nucleus", "color": "#00ff00"}]
    (masks / "classes.json").write_text(json.dumps({"classes": classes}))
    with Project.create(tmp_path / "p", image_folder) as project:
        import_masks(project, masks)
        assert [(one.name, one.colour) for one in project.classes][::2] == [
            ("ground", "#010203"),
            ("nucleus", "#00ff00"),
        ]
        assert len(project.classes) == 3
    (masks / "classes.json").write_text("[1, 2]")
    with (
        Project.create(tmp_path / "q", image_folder) as project,
        pytest.raises(UserError, match=r"classes\.json cannot be understood"),
    ):
        import_masks(project, masks)


def test_classes_grow_from_the_values_when_there_are_none(tmp_path, image_folder, masks):
    mask(masks / "cell_3.png", value=2)
    with Project.create(tmp_path / "p", image_folder) as project:
        import_masks(project, masks)
        assert [one.name for one in project.classes] == ["background", "class 1", "class 2"]


def test_black_and_white_masks_are_explained(tmp_path, image_folder, masks):
    labels = np.zeros((32, 48), np.uint8)
    labels[4:9] = 255
    Image.fromarray(labels).save(masks / "cell_3.png")
    with Project.create(tmp_path / "p", image_folder, ["background", "cell"]) as project:
        assert "255 means unpainted" in import_masks(project, masks).notes[0]


def test_missing_and_empty_folders(tmp_path, image_folder, masks):
    with Project.create(tmp_path / "p", image_folder) as project:
        with pytest.raises(UserError, match="is not there"):
            import_masks(project, tmp_path / "nowhere")
        with pytest.raises(UserError, match="No masks were found"):
            import_masks(project, masks)


def test_real_masks_come_in_whole(tmp_path, data_folder):
    source = data_folder / "manuscripts_it"
    with Project.create(tmp_path / "p", source / "images") as project:
        report = import_masks(project, source / "masks")
        assert len(report.matched) == 59
        assert not report.unmatched
        assert not report.refused
        assert [one.name for one in project.classes][:2] == ["background", "main_text"]
        path = report.matched[0]
        original = np.array(Image.open(next((source / "masks").glob(f"{path.rsplit('.', 1)[0]}.*"))))
        assert (np.array(Image.open(project.mask_file(path))) == original).all()
        shutil.rmtree(project.path / "masks")
        assert (project.label_map(path).labels == original).all()


def test_black_and_white_masks_come_in_when_white_is_said_to_be_a_class(tmp_path, image_folder, masks):
    labels = np.zeros((32, 48), np.uint8)
    labels[:8] = 255
    Image.fromarray(labels).save(masks / "cell_1.png")
    with Project.create(tmp_path / "p", image_folder) as project:
        report = import_masks(project, masks, {255: 1})
        assert (len(report.matched), report.notes) == (1, ())
        assert [one.name for one in project.classes] == ["background", "class 1"]
        assert np.array_equal(project.label_map(report.matched[0]).labels, labels // 255)


def test_grey_levels_do_not_become_a_hundred_classes(tmp_path, image_folder, masks):
    Image.fromarray(np.full((32, 48), 128, np.uint8)).save(masks / "cell_1.png")
    with Project.create(tmp_path / "p", image_folder) as project:
        with pytest.raises(UserError, match="holds the value 128"):
            import_masks(project, masks)
        assert project.classes == ()


def test_the_classes_that_a_project_begins_with_give_way_until_they_are_painted(tmp_path, image_folder, masks):
    mask(masks / "cell_3.png", value=3)
    with Project.create(tmp_path / "p", image_folder, FIRST_CLASSES) as project:
        assert len(import_masks(project, masks).refused) == 0
        assert [one.name for one in project.classes] == ["background", "class 1", "class 2", "class 3"]
    with Project.create(tmp_path / "q", image_folder, FIRST_CLASSES) as project:
        project.set_mask("cell_1.png", np.ones((32, 48), np.uint8))
        assert "the classes are 0 to 1" in import_masks(project, masks).refused[0][1]
        assert [one.name for one in project.classes] == list(FIRST_CLASSES)


def test_first_classes_keep_their_names_where_they_are_enough(tmp_path, image_folder, masks):
    mask(masks / "cell_3.png", value=1)
    with Project.create(tmp_path / "p", image_folder, FIRST_CLASSES) as project:
        import_masks(project, masks)
        assert tuple(one.name for one in project.classes) == FIRST_CLASSES
