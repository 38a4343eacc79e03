"""Runs learn from usable images only, and judge on images that they did not learn from."""

import numpy as np
import pytest
from PIL import Image

from sslstudio.errors import UserError
from sslstudio.project.dataset import labelled_images, pretrain_images
from sslstudio.project.project import Project


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    for number in range(12):
        Image.new("L", (8, 8)).save(folder / f"{number}.png")
    (folder / "broken.png").touch()
    with Project.create(tmp_path / "p", folder, ["a", "b", "rare"]) as made:
        yield made


def paint(project, numbers, label=1):
    for number in numbers:
        labels = np.zeros((8, 8), np.uint8)
        labels[:4] = label
        project.set_mask(f"{number}.png", labels)


def test_pretraining_takes_all_usable_images(project):
    assert pretrain_images(project) == tuple(f"{number}.png" for number in range(12))


def test_no_usable_image_and_no_mask_are_named(project):
    with pytest.raises(UserError, match="No mask has been painted"):
        labelled_images(project, 0.2, 0)
    for record in project.images():
        project.image_file(record.path).write_bytes(b"")
    project.refresh()
    with pytest.raises(UserError, match="None of the images"):
        pretrain_images(project)


def test_parts_are_stable_while_more_are_painted(project):
    paint(project, range(8))
    first = {one.image for one in labelled_images(project, 0.25, 3) if one.split == "validation"}
    assert len(first) == 2
    assert first == {one.image for one in labelled_images(project, 0.25, 3) if one.split == "validation"}
    paint(project, range(8, 12))
    later = {one.image for one in labelled_images(project, 0.25, 3) if one.split == "validation"}
    assert len(later) == 3
    assert first & later


def test_a_rare_class_is_never_only_judged(project):
    paint(project, range(10))
    paint(project, [10], label=2)
    for seed in range(20):
        parts = {one.image: one.split for one in labelled_images(project, 0.5, seed)}
        assert parts["10.png"] == "train"
        assert sorted(parts.values()).count("validation") == 6 or len(parts) == 11


def test_one_mask_is_for_learning(project):
    paint(project, [4])
    (only,) = labelled_images(project, 0.2, 0)
    assert (only.image, only.mask, only.split) == ("4.png", "masks/4.png.png", "train")


def test_an_image_that_vanished_is_left_out(project):
    paint(project, [1, 2])
    project.image_file("1.png").unlink()
    assert [one.image for one in labelled_images(project, 0.0, 0)] == ["2.png"]
