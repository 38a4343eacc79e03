"""The demonstration goes the whole way through real workers and tells where everything lies."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sslstudio.images.sample import CLASSES, make_picture, write_sample
from sslstudio.project.masks import read_mask
from sslstudio.runs.prepare import models_of


def test_the_sample_is_the_same_everywhere_and_holds_every_class(tmp_path):
    first, again = make_picture(3), make_picture(3)
    assert np.array_equal(first[0], again[0])
    assert np.array_equal(first[1], again[1])
    assert not np.array_equal(first[0].shape, make_picture(4)[0].shape) or not np.array_equal(
        first[0], make_picture(4)[0]
    )
    sample = write_sample(tmp_path, 12)
    masks = [read_mask(sample.masks / name) for name in sample.names]
    shares = np.bincount(np.concatenate([mask.ravel() for mask in masks]), minlength=len(CLASSES))
    assert (shares / shares.sum() > 0.05).all()
    for name, mask in zip(sample.names, masks, strict=True):
        with Image.open(sample.images / name) as picture:
            assert picture.size == mask.shape[::-1]
    assert mask.max() < len(CLASSES)


@pytest.mark.timeout(900)
def test_the_demonstration_ends_with_a_table_and_files(tmp_path):
    out = tmp_path / "demo folder"
    done = subprocess.run(
        [sys.executable, "-m", "sslstudio", "demo", "--quick", "--out", str(out), "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert set(told["miou"]) == {"with-pretraining", "without-pretraining", "all-background"}
    assert Path(told["onnx"]).stat().st_size > 1_000_000
    assert Path(told["project"], "project.sqlite").exists()
    newest = models_of(Path(told["project"]))[-1].name  # what Review and Export begin with
    assert newest == Path(told["model"]).name == "with-pretraining"
    assert len(told["overlays"]) == 6
    assert all(Image.open(path).width > 700 for path in told["overlays"])
    assert {"Pretraining", "Exporting", "total"} <= set(told["seconds"])

    again = subprocess.run(
        [sys.executable, "-m", "sslstudio", "demo", "--quick", "--out", str(out)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (again.returncode, "already" in again.stderr) == (2, True)
