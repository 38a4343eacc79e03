"""A project on a disk that may only be read: its model can still be used, with the results elsewhere."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from sslstudio.images.sample import CLASSES, COLOURS, write_sample
from sslstudio.learning.backbones.encoder import create_encoder
from sslstudio.learning.segmentation.model import SegmentationModel, save_model
from sslstudio.project.project import Project

PATIENCE = 200  # seconds


@pytest.fixture
def sample(tmp_path):
    return write_sample(tmp_path / "sample", 3)


@pytest.fixture
def project(tmp_path, sample):
    """A project with an untrained model that nobody may write to, whoever runs the tests."""
    disk = tmp_path / "disk"
    disk.mkdir()
    path = disk / "cells.sslproj"
    with Project.create(path, sample.images, CLASSES):
        pass  # its files were never looked into, which cannot be made up for later
    classes = [{"name": n, "colour": c} for n, c in zip(CLASSES, COLOURS, strict=True)]
    about = {"classes": classes, "metrics": {}, "data": {}, "versions": {"torch": torch.__version__}}
    model = SegmentationModel(create_encoder("convnext_atto"), "multilevel", len(CLASSES), crop=64)
    save_model(model.eval(), path / "models" / "mine", about)
    if os.geteuid() == 0:
        for words in (["--bind", disk, disk], ["-o", "remount,bind,ro", disk]):
            if subprocess.run(["mount", *words], capture_output=True, check=False).returncode:
                pytest.skip("root may write everywhere, and a read-only disk cannot be mounted here")
    else:
        subprocess.run(["chmod", "-R", "a-w", path], check=True)
    yield path
    if os.geteuid() == 0:
        subprocess.run(["umount", "-l", disk], check=True)
    else:
        subprocess.run(["chmod", "-R", "u+w", path], check=True)


def sslstudio(*words: object) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "sslstudio", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


@pytest.mark.timeout(600)
def test_a_read_only_project_predicts_and_exports_to_another_place(project, sample, tmp_path):
    for images in ([], ["--images", sample.images]):
        out = tmp_path / f"masks{len(images)}"
        done = sslstudio("predict", project, *images, "--out", out, "--json")
        assert done.returncode == 0, done.stderr
        assert len(list(out.rglob("*.png"))) == 3
        told = json.loads(done.stdout.splitlines()[-1])
        assert told["state"] == "finished"
        assert (Path(told["folder"]) / "events.jsonl").exists(), "the run's record is kept where one may write"
    done = sslstudio("export", project, "--format", "backbone", "--out", tmp_path / "b.safetensors", "--json")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "b.safetensors").stat().st_size > 100_000


def test_what_would_go_into_a_read_only_project_is_refused_with_a_way_out(project):
    for words in (["predict", project], ["export", project]):
        done = sslstudio(*words)
        assert done.returncode == 2
        assert "may only be read" in done.stderr
        assert "--out" in done.stderr
    done = sslstudio("pretrain", project, "--minutes", "1")
    assert done.returncode == 2
    assert "may only be read" in done.stderr
    assert "Copy" in done.stderr
