"""“Is it working?” on the command line, by real processes: figures, images alike, the map, and whether it helped."""

import json
import subprocess
import sys

import numpy as np
import pytest

from sslstudio.images.sample import CLASSES, write_sample
from sslstudio.project.feature_sets import read_features

PATIENCE = 280  # seconds; several workers that load torch, on a busy machine


def sslstudio(*words: object) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "sslstudio", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)


def values(*words: object) -> dict:
    done = sslstudio(*words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Twelve pictures in two folders, of which three are painted."""
    folder = tmp_path_factory.mktemp("checking")
    sample = write_sample(folder / "sample", 12)
    for at, file in enumerate(sorted(sample.images.iterdir())):
        place = sample.images / ("even" if at % 2 == 0 else "odd")
        place.mkdir(exist_ok=True)
        file.rename(place / file.name)
    masks = sorted(sample.masks.iterdir())
    for mask in masks[3:]:
        mask.unlink()
    path = folder / "cells.sslproj"
    values("new", path, "--images", sample.images, "--classes", ",".join(CLASSES))
    values("import-masks", path, "--from", sample.masks)
    return path


def test_a_network_without_training_can_be_looked_at_and_asked(project):
    found = values("map", project, "--backbone", "test_vit")
    assert len(found["map"]) == 12
    assert {row["folder"] for row in found["map"]} == {"even", "odd"}
    kept = read_features(project, found["key"])
    assert kept is not None
    assert kept.about["folder"]["classes"] == ["even", "odd"]
    assert {"effective_rank", "feature_deviation", "folder_knn", "painted_probe"} <= set(kept.about["figures"])
    assert {row["id"] for row in kept.about["rows"]} >= {"effective_rank", "folder_knn", "painted_few_shot"}
    image = kept.images[0]
    alike = values("similar", project, image, "--backbone", "test_vit", "--count", 3)["similar"]
    assert len(alike) == 3
    assert image not in [row["image"] for row in alike]
    similarities = [row["similarity"] for row in alike]
    assert similarities == sorted(similarities, reverse=True)
    runs = values("runs", project)["runs"]
    assert [run["kind"] for run in runs] == ["evaluate-features"], "what was found is kept, not found again"
    assert np.isfinite(kept.points).all()
    wrong = sslstudio("similar", project, "none.png", "--backbone", "test_vit")
    assert wrong.returncode == 2
    assert "no image “none.png”" in wrong.stderr


def test_a_run_is_measured_and_three_masks_are_too_few_to_say_whether_it_helped(project):
    words = ("pretrain", project, "--method", "dino", "--backbone", "test_vit", "--minutes", 0.03)
    run = values(*words, "--set", "resolution=64", "--set", "method.prototypes=64")["id"]
    found = values("evaluate-features", project, "--run", run)
    assert found["kind"] == "evaluate-features"
    assert found["key"] == run
    assert 0 <= found["training"]["teacher_entropy"] <= 1
    assert "effective_rank" in [row["id"] for row in found["rows"]]
    refused = sslstudio("did-it-help", project, "--run", run)
    assert refused.returncode == 2
    assert "at least 4" in refused.stderr
