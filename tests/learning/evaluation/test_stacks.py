"""Slices of one stack and parts of one huge image never vouch for each other: what is measured is of whole files."""

from dataclasses import replace

import numpy as np
import pytest
import tifffile
import torch

from sslstudio.images.slices import slice_path, sources
from sslstudio.learning.backbones.encoder import create_encoder
from sslstudio.learning.evaluation.evaluate import evaluate
from sslstudio.learning.evaluation.features import painted_pixels
from sslstudio.learning.segmentation.finetune import _flattered, _split
from sslstudio.learning.segmentation.labelled import Painted, read_labelled
from sslstudio.learning.segmentation.measure import Examiner
from sslstudio.learning.segmentation.model import SegmentationModel
from sslstudio.learning.training.control import Control
from sslstudio.project.masks import write_mask
from sslstudio.runs.request import ClassSpec, EvaluateRequest, LabelledImage

CLASSES = (ClassSpec(name="a", colour="#ff0000"), ClassSpec(name="b", colour="#00ff00"))


def test_slices_of_a_file_have_its_number():
    assert sources(["b/s.tif", "a.png", "b/s.tif#0002", "s.tif", "b/s.tif#0010", "a.png"]) == [0, 1, 0, 2, 0, 1]


def painted(*names, side=32, validation=False):
    rng = np.random.default_rng(0)
    labels = np.zeros((side, side), np.uint8)
    labels[:, side // 2 :] = 1
    return [Painted(name, rng.integers(0, 255, (side, side, 3), np.uint8), labels, validation) for name in names]


def test_pixels_of_slices_and_parts_are_of_one_file():
    torch.manual_seed(0)
    pairs = painted("s.tif", "s.tif#0002", "huge.tif", "huge.tif", "c.png")
    found = [int(part.images.unique()) for part in painted_pixels(create_encoder("test_resnet"), pairs)]
    assert found == [0, 0, 1, 1, 2]


def test_figures_of_twelve_parts_are_of_one_image():
    torch.manual_seed(0)
    model = SegmentationModel(create_encoder("test_resnet"), "linear", 2, crop=32).eval()
    parts = Examiner(painted(*["huge.tif"] * 11, "s.tif", "s.tif#0002", validation=True), ["a", "b"])
    parts.measure(model)
    assert parts.measured == 2
    assert parts.painted == 1.0, "of all pixels that were looked at"
    assert not parts.trustworthy
    apart = Examiner(painted(*[f"{number}.png" for number in range(10)]), ["a", "b"])
    assert apart.trustworthy


def test_parts_of_a_huge_image_are_too_few_images_to_keep_one_aside():
    train, aside = _split([*painted(*["huge.tif"] * 9), *painted("b.png", validation=True)])
    assert (len(train), aside) == (10, [])
    train, aside = _split([*painted(*["huge.tif"] * 9, "c.png", "d.png"), *painted("b.png", validation=True)])
    assert len(aside) == 1


def test_one_stack_on_both_sides_is_told():
    slices, last = painted("s.tif", "s.tif#0002"), painted("s.tif#0003", validation=True)
    (told,) = _flattered(slices, last)
    assert "one stack" in told.text
    assert list(_flattered(slices, painted("t.tif", validation=True))) == []


@pytest.fixture
def stacks(tmp_path):
    """Two folders that hold a stack of four slices each; all of it painted."""
    rng = np.random.default_rng(0)
    images, names = tmp_path / "images", []
    for folder in ("x", "y"):
        (images / folder).mkdir(parents=True)
        pixels = rng.integers(0, 255, (4, 64, 64), np.uint8)
        tifffile.imwrite(images / folder / "scan.tif", pixels, metadata={"axes": "ZYX"}, imagej=True)
        names += [slice_path(f"{folder}/scan.tif", number) for number in range(1, 5)]
    labels = np.zeros((64, 64), np.uint8)
    labels[:, 32:] = 1
    for name in names:
        file = tmp_path / "p.sslproj" / "masks" / f"{name}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        write_mask(file, labels, ["#ff0000", "#00ff00"])
    return tmp_path / "p.sslproj", images, names


def rows(stacks, names):
    """What an untrained network is said to know of these images, by row."""
    project, images, _ = stacks
    asked = EvaluateRequest(
        images_root=str(images),
        images=tuple(names),
        labelled=tuple(LabelledImage(image=name, mask=f"masks/{name}.png", split="train") for name in names),
        classes=CLASSES,
        backbone="test_resnet",
    )
    last = list(evaluate(asked, project=project, spill=project / "spill", control=Control()))[-1]
    assert last.kind == "finished"
    return {row["id"]: row for row in last.result["rows"]}, last.result


def test_nothing_is_measured_where_only_slices_could_vouch_for_each_other(stacks):
    one, _ = rows(stacks, stacks[2][:4])
    assert one["painted"]["value"] == "–"
    assert "count as one" in one["painted"]["sentence"]
    both, result = rows(stacks, stacks[2])
    assert both["folder"]["value"] == "–", "each folder is one stack, so its slices would name themselves"
    assert "count as one" in both["folder"]["sentence"]
    assert result["painted"]["count"] == 2


# DICOM files of one series -----------------------------------------------------------------------------------------


def of_series(pairs, *series):
    return [replace(pair, series=one) for pair, one in zip(pairs, series, strict=True)]


def test_files_of_a_series_count_as_one():
    torch.manual_seed(0)
    pairs = of_series(painted("IM1", "IM2", "sub/IM7", "c.png"), "1.2.3", "1.2.3", "1.2.3", "")
    found = [int(part.images.unique()) for part in painted_pixels(create_encoder("test_resnet"), pairs)]
    assert found == [0, 0, 0, 1]
    assert not Examiner(of_series(painted(*map(str, range(12))), *["1.2.3"] * 12), ["a", "b"]).trustworthy
    (told,) = _flattered(pairs[:2], pairs[2:3])
    assert "one stack" in told.text


def test_what_a_request_says_of_series_comes_through(stacks):
    project, images, names = stacks
    labelled = tuple(
        LabelledImage(image=name, mask=f"masks/{name}.png", split="train", series="1.2.3") for name in names
    )
    asked = EvaluateRequest(
        images_root=str(images), images=tuple(names), labelled=labelled, classes=CLASSES, backbone="test_resnet",
        series=dict.fromkeys(names, "1.2.3"),
    )  # fmt: skip
    assert {pair.whole for pair in read_labelled(asked, project, project / "spill", 3)} == {"1.2.3"}
    last = list(evaluate(asked, project=project, spill=project / "spill", control=Control()))[-1]
    told = {row["id"]: row for row in last.result["rows"]}
    assert told["painted"]["value"] == told["folder"]["value"] == "–"
    assert "count as one" in told["painted"]["sentence"]
