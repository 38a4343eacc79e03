"""Every format gives back the very masks that were written: pixels, names of classes, what is unpainted."""

import numpy as np
import pytest
from PIL import Image

from sslstudio.annotations.bringing_in import bring_in, preview
from sslstudio.annotations.formats import FORMATS, find_format
from sslstudio.annotations.handing_out import export_masks
from sslstudio.annotations.outlines import fill, regions
from sslstudio.annotations.source import Source
from sslstudio.project.classes import named_classes
from sslstudio.project.project import Project

NAMES = ["background", "cell, “round”", "Zellkern/2"]


def blobs(seed: int, values=(0, 1, 2), size=(32, 48)) -> np.ndarray:
    """Areas of several classes with holes, corners that touch, and single pixels."""
    rng = np.random.default_rng(seed)
    coarse = np.kron(rng.choice(values, (size[0] // 4, size[1] // 4)), np.ones((4, 4))).astype(np.uint8)
    noisy = rng.random(size) < 0.15
    coarse[noisy] = rng.choice(values, int(noisy.sum()))
    return coarse


@pytest.fixture
def project(tmp_path, image_folder):
    with Project.create(tmp_path / "p", image_folder, NAMES) as made:
        yield made


def paint(project, values=(0, 1, 2)) -> dict[str, np.ndarray]:
    masks = {record.path: blobs(number, values) for number, record in enumerate(project.images())}
    for path, labels in masks.items():
        project.set_mask(path, labels)
    return masks


def check_round_trip(tmp_path, image_folder, project, masks, kind):
    report = export_masks(project, kind, tmp_path / "out")
    assert set(report.images) == set(masks)
    assert not report.refused
    source = tmp_path / "out"
    with Project.create(tmp_path / "again", image_folder, ["background", "something else", NAMES[2].upper()]) as again:
        again.set_mask("cell_1.png", np.zeros((32, 48), np.uint8))  # the classes are chosen: names must be merged
        found = bring_in(again, source, kind)
        assert set(found.matched) == set(masks), found
        assert not found.refused
        assert not found.unmatched
        names = [one.name for one in again.classes]
        assert names == ["background", "something else", NAMES[2].upper(), NAMES[1]]
        table = np.full(256, 255, np.uint8)
        table[:3] = 0, 3, 2
        for path, labels in masks.items():
            assert (again.label_map(path).labels == table[labels]).all(), path
            assert again.can_undo(path)


@pytest.mark.parametrize("kind", FORMATS)
def test_whole_masks_come_back_equal(tmp_path, image_folder, project, kind):
    check_round_trip(tmp_path, image_folder, project, paint(project), kind)


@pytest.mark.parametrize("kind", FORMATS)
def test_unpainted_pixels_come_back_unpainted(tmp_path, image_folder, project, kind):
    check_round_trip(tmp_path, image_folder, project, paint(project, (0, 1, 2, 255)), kind)


@pytest.mark.parametrize("kind", FORMATS)
def test_what_was_written_is_recognised_by_its_content(tmp_path, project, kind):
    paint(project)
    export_masks(project, kind, tmp_path / "out")
    alike = {"coco-rle": "coco", "grey": "palette"}
    assert find_format(Source.at(tmp_path / "out")).id == alike.get(kind, kind)


@pytest.mark.parametrize("kind", FORMATS)
def test_the_preview_tells_what_the_import_then_does_and_changes_nothing(tmp_path, image_folder, project, kind):
    masks = paint(project)
    export_masks(project, kind, tmp_path / "out")
    (image_folder / "cell_4.png").unlink()
    Image.new("RGB", (40, 32)).save(image_folder / "cell_3.png")
    with Project.create(tmp_path / "again", image_folder) as again:
        seen = preview(again, tmp_path / "out", kind)
        assert not again.painted()
        assert again.classes == ()
        says_no_size = kind in ("qupath", "yolo")
        assert len(seen.report.matched) == len(masks) - (1 if says_no_size else 2)
        assert len(seen.report.unmatched) == 1
        assert "cell_4" in seen.report.unmatched[0]
        assert says_no_size or "40 × 32" in dict(seen.report.refused).popitem()[1]
        by_name = {one.name: one for one in seen.classes}
        inside = [labels for path, labels in masks.items() if path in seen.report.matched]
        assert says_no_size or by_name[NAMES[1]].pixels == sum(int((labels == 1).sum()) for labels in inside)
        assert by_name[NAMES[1]].images == len(inside)
        assert by_name[NAMES[1]].new
        assert seen.picture.shape == (*seen.labels.shape, 3)
        done = bring_in(again, tmp_path / "out", kind)
        assert done == seen.report
        assert again.classes == seen.project_classes


@pytest.mark.parametrize("kind", ["coco", "labelme", "qupath", "yolo", "labelstudio", "cvat", "coco-rle"])
def test_a_project_without_a_background_keeps_its_first_class(tmp_path, image_folder, kind):
    with Project.create(tmp_path / "p", image_folder, ["cell", "wall"]) as project:
        labels = blobs(4, (0, 1))
        project.set_mask("cell_2.png", labels)
        export_masks(project, kind, tmp_path / "out")
        project.set_mask("cell_2.png", np.full_like(labels, 255))
        bring_in(project, tmp_path / "out")
        assert (project.label_map("cell_2.png").labels == labels).all()
        assert project.classes == named_classes(["cell", "wall"])


def test_outlines_fill_to_what_they_were_traced_from():
    rng = np.random.default_rng(1)
    for _ in range(200):
        height, width = rng.integers(1, 20, 2)
        labels = rng.integers(0, 3, (height, width)).astype(np.uint8)
        for rings in (lambda one: [one.outer, *one.holes], lambda one: [one.one_ring()]):
            drawn = np.full_like(labels, 255)
            for region in regions(labels):
                top, left, bitmap = fill(rings(region), height, width)
                drawn[top : top + bitmap.shape[0], left : left + bitmap.shape[1]][bitmap] = region.place
            assert (drawn == labels).all()
