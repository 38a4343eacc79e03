"""What a folder of masks holds, when one must be asked about it, and what is guessed first."""

import numpy as np
import pytest
from PIL import Image

from sslstudio.annotations.model import is_background, merge_key
from sslstudio.annotations.palette_png import import_masks
from sslstudio.annotations.survey import NEW, first_guess, groups, survey
from sslstudio.errors import UserError
from sslstudio.project.classes import FIRST_CLASSES, named_classes
from sslstudio.project.project import Project


def write(folder, *values, image="cell_1.png"):
    folder.mkdir(exist_ok=True)
    labels = np.resize(np.repeat(np.array(values, np.uint8), 48), (32, 48))
    Image.fromarray(labels).save(folder / image)
    return labels


@pytest.fixture
def project(tmp_path, image_folder):
    with Project.create(tmp_path / "p", image_folder, ["ground", "cell"]) as made:
        yield made


@pytest.mark.parametrize(
    ("values", "plain"),
    [((0, 1), True), ((0, 1, 255), True), ((1, 255), True), ((0, 255), False), ((0, 127), False), ((0, 1, 9), False)],
)
def test_one_is_asked_only_where_the_values_do_not_speak_for_themselves(tmp_path, project, values, plain):
    write(tmp_path / "m", *values)
    assert survey(project, tmp_path / "m").plain is plain


def test_a_fresh_project_takes_small_numbers_and_a_list_of_classes_without_a_question(tmp_path, image_folder):
    write(tmp_path / "m", 0, 1, 2, 3)
    write(tmp_path / "grey", 0, 64)
    with Project.create(tmp_path / "p", image_folder, FIRST_CLASSES) as fresh:
        assert survey(fresh, tmp_path / "m").plain
        assert not survey(fresh, tmp_path / "grey").plain
        (tmp_path / "grey" / "classes.json").write_text('{"classes": [{"id": 0, "name": "a"}]}')
        assert survey(fresh, tmp_path / "grey").plain


def test_values_are_counted_and_an_example_is_shown(tmp_path, project):
    write(tmp_path / "m", 0, 255, image="cell_1.png")
    write(tmp_path / "m", 0, 0, image="cell_2.png")
    write(tmp_path / "m", 0, 77, image="nobody.png")
    (tmp_path / "m" / "cell_3.png").write_text("no image")
    seen = []
    found = survey(project, tmp_path / "m", lambda *figures: seen.append(figures))
    assert [(one.value, one.files, one.share) for one in found.values] == [(0, 2, 0.75), (255, 1, 0.25)]
    assert (found.masks, found.example) == (2, "cell_1.png")
    assert found.picture.shape == (*found.labels.shape, 3)
    assert set(np.unique(found.labels)) == {0, 255}
    assert seen[-1] == (2, 3)
    (tmp_path / "none").mkdir()
    with pytest.raises(UserError, match="No masks"):
        survey(project, tmp_path / "none")


@pytest.mark.parametrize(
    ("values", "classes", "guess"),
    [
        ((0, 255), 2, {0: 0, 255: 1}),
        ((0, 255), 1, {0: 0, 255: NEW}),
        ((1, 2), 2, {1: 0, 2: 1}),
        ((0, 127, 255), 3, {0: 0, 127: 1, 255: 2}),
        ((0, 127, 255), 2, {0: 0, 127: 1, 255: NEW}),
        ((0, 1, 7, 255), 2, {0: 0, 1: 1, 7: 255, 255: 255}),
    ],
)
def test_the_first_guess_is_what_most_people_mean(values, classes, guess):
    assert first_guess(values, classes) == guess


def test_numbers_of_single_objects_are_one_question():
    values = [0, *range(1, 41), 255]
    assert groups(values) == [(0,), tuple(range(1, 41)), (255,)]
    guess = first_guess(values, 2)
    assert (guess[0], guess[1], guess[40], guess[255]) == (0, 1, 1, 255)
    assert groups([*range(256)]) == [(0,), tuple(range(1, 256))], "after 254, 255 is one more number"


def test_chosen_classes_are_set_before_the_masks_come_in(tmp_path, image_folder):
    labels = write(tmp_path / "m", 0, 255)
    with Project.create(tmp_path / "p", image_folder, FIRST_CLASSES) as fresh:
        classes = (*fresh.classes, *named_classes(["rim"]))
        report = import_masks(fresh, tmp_path / "m", {255: 2}, classes)
        assert report.matched == ("cell_1.png",)
        assert [one.name for one in fresh.classes] == [*FIRST_CLASSES, "rim"]
        assert (fresh.label_map("cell_1.png").labels == np.where(labels == 255, 2, 0)).all()


def test_the_ground_is_the_same_class_in_every_language():
    assert is_background("Hintergrund")
    assert merge_key("Hintergrund") == merge_key("background") == merge_key("_background_")
    assert not is_background("void"), "of that nothing is known"
