"""Masks of slices go out in every format and come back to the slices that they belong to."""

import csv

import numpy as np
import pytest
import tifffile

from sslstudio.annotations.bringing_in import bring_in
from sslstudio.annotations.formats import FORMATS
from sslstudio.annotations.handing_out import export_masks
from sslstudio.annotations.measuring import measure
from sslstudio.annotations.palette_png import import_masks
from sslstudio.learning.segmentation.predict import prediction_names
from sslstudio.project.project import Project

SLICES = ["scan.tif", "scan.tif#0002", "scan.tif#0003"]


def make(folder, name, masks=True):
    images = folder / "images"
    images.mkdir(exist_ok=True)
    tifffile.imwrite(images / "scan.tif", np.zeros((3, 40, 50), np.uint8), photometric="minisblack", resolution=(1, 1))
    project = Project.create(folder / name, images, ["background", "cell"])
    project.check_files()
    for number, path in enumerate(SLICES if masks else ()):
        labels = np.zeros((40, 50), np.uint8)
        labels[5 : 10 + 5 * number, 8:20] = 1
        project.set_mask(path, labels)
    return project


@pytest.mark.parametrize("kind", FORMATS)
def test_out_and_in_again(tmp_path, kind):
    with make(tmp_path, "a") as project:
        report = export_masks(project, kind, tmp_path / "out", companions=())
        assert report.images == tuple(SLICES)
        with make(tmp_path, "b", masks=False) as other:
            back = bring_in(other, tmp_path / "out", kind)
            assert len(back.matched) == 3, back
            for path in SLICES:
                mine, yours = project.label_map(path).labels == 1, other.label_map(path).labels == 1
                assert (mine & yours).sum() / (mine | yours).sum() > 0.9, path


def test_masks_named_after_slices_are_imported_by_name(tmp_path):
    with make(tmp_path, "a") as project:
        export_masks(project, "palette", tmp_path / "out", companions=("overlay",))
        for folder in ("masks", "overlay"):
            names = {file.name for file in (tmp_path / "out" / folder).iterdir() if file.suffix == ".png"}
            assert names == {"scan.png", "scan#0002.png", "scan#0003.png"}
        with make(tmp_path, "b", masks=False) as other:
            assert len(import_masks(other, tmp_path / "out" / "masks").matched) == 3


def test_a_stack_of_labels_goes_to_its_slices(tmp_path):
    labels = np.zeros((3, 40, 50), np.uint16)
    for number in range(3):
        labels[number, number * 10 : number * 10 + 5] = 1
    (tmp_path / "labels").mkdir()
    tifffile.imwrite(tmp_path / "labels" / "scan.tif", labels, photometric="minisblack", compression="zlib")
    with make(tmp_path, "b", masks=False) as project:
        report = bring_in(project, tmp_path / "labels", "tiff")
        assert len(report.matched) == 3, report
        for number, path in enumerate(SLICES):
            assert np.array_equal(project.label_map(path).labels > 0, labels[number] > 0)


@pytest.mark.parametrize("kind", ["ImageJ", "OME", "channels first"])
def test_labels_in_several_channels_are_refused_with_the_reason(tmp_path, kind):
    labels = np.arange(6, dtype=np.uint16).reshape(3, 2, 1, 1) * np.ones((40, 50), np.uint16)
    file = tmp_path / "labels" / "scan.tif"
    file.parent.mkdir()
    if kind == "channels first":
        tifffile.imwrite(file, labels[0], imagej=True, metadata={"axes": "CYX"})
    else:
        way = {"imagej": True} if kind == "ImageJ" else {"ome": True, "photometric": "minisblack"}
        tifffile.imwrite(file, labels, metadata={"axes": "ZCYX"}, **way)
    with make(tmp_path, "b", masks=False) as project:
        report = bring_in(project, file.parent, "tiff")
        assert not report.matched
        assert "several channels" in report.refused[0][1]
        assert not project.painted()


def test_figures_name_each_slice(tmp_path):
    with make(tmp_path, "a") as project:
        measure(project, tmp_path / "m.csv")
    with (tmp_path / "m.csv").open() as file:
        assert {row[0] for row in list(csv.reader(file))[1:]} == set(SLICES)


def test_predictions_of_slices_have_names_of_their_own():
    names = prediction_names(("a/scan.tif", "a/scan.tif#0002", "a/scan.npy#0002"), in_project=False)
    assert names == {
        "a/scan.tif": "a/scan.png",
        "a/scan.tif#0002": "a/scan.tif#0002.png",
        "a/scan.npy#0002": "a/scan.npy#0002.png",
    }
    assert prediction_names(("scan.tif#0002",), in_project=False) == {"scan.tif#0002": "scan#0002.png"}
