"""The command line as users and scripts meet it: answers on stdout, words on stderr, honest exit codes."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sslstudio.images.sample import CLASSES, COLOURS, write_sample
from sslstudio.project.masks import read_mask, write_mask

PATIENCE = 280  # seconds; several workers that load torch, on a busy machine


def sslstudio(*words: object, **options) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "sslstudio", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
        **options,
    )


def values(done: subprocess.CompletedProcess) -> dict:
    """The JSON object of the last line of stdout."""
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    return write_sample(tmp_path_factory.mktemp("sample"), 12)


@pytest.fixture(scope="module")
def project(tmp_path_factory, sample) -> Path:
    path = tmp_path_factory.mktemp("project") / "cells.sslproj"
    made = values(sslstudio("new", path, "--images", sample.images, "--classes", ",".join(CLASSES), "--json"))
    assert made["images"] == 12
    return path


def test_tables_can_be_read_by_programs():
    methods = values(sslstudio("methods", "--json"))["methods"]
    (simclr,) = [row for row in methods if row["id"] == "simclr"]
    assert {"name": "SimCLR", "year": 2020, "backbones": ["vit", "conv"]}.items() <= simclr.items()
    assert all(row["paper"].startswith("https://") for row in methods)
    actions = values(sslstudio("actions", "--json"))["actions"]
    assert set(actions[0]) == {"id", "text", "menu", "shortcut"}
    settings = values(sslstudio("settings", "--json"))["settings"]
    assert "batch_size" in [row["key"] for row in settings["pretrain"]]
    assert "vit_tiny_patch16_224" in [row["name"] for row in values(sslstudio("backbones", "--json"))["backbones"]]


def test_a_project_named_like_its_image_folder_is_the_project(tmp_path, sample):
    images = tmp_path / "cells"
    shutil.copytree(sample.images, images)
    before = sorted(images.rglob("*"))
    values(sslstudio("new", "cells", "--images", "cells", "--json", cwd=tmp_path))
    values(sslstudio("import-masks", "cells", "--from", sample.masks, "--json", cwd=tmp_path))
    done = sslstudio("pretrain", "cells", "--minutes", "0.02", "--json", cwd=tmp_path)
    made = values(done)
    assert made["why"].startswith("SimCLR on ")
    assert made["why"] in done.stderr  # which method, and why, is told before it runs
    assert Path(made["folder"]).is_relative_to(tmp_path / "cells.sslproj")
    assert len(values(sslstudio("runs", "cells", "--json", cwd=tmp_path))["runs"]) == 1
    assert sorted(images.rglob("*")) == before, "nothing may be written among the images"


def test_what_a_mask_holds_beyond_the_classes_is_told(tmp_path, sample):
    project = tmp_path / "p.sslproj"
    values(sslstudio("new", project, "--images", sample.images, "--json"))
    first = sorted(sample.masks.glob("*.png"))[0]
    (tmp_path / "black_and_white").mkdir()
    labels = np.zeros(read_mask(first).shape, np.uint8)
    labels[:9] = 255
    write_mask(tmp_path / "black_and_white" / first.name, labels, ["#999999"])
    assert "255 means unpainted" in sslstudio("import-masks", project, "--from", tmp_path / "black_and_white").stdout
    refused = sslstudio("import-masks", project, "--from", sample.masks)
    assert refused.returncode == 2
    assert "named like" not in refused.stderr, "their names are right, their values are not"
    both = ("--predictions", sample.masks, "--masks", sample.masks, "--classes", "2")
    compared = sslstudio("evaluate", *both, "--json")
    assert "have a class above 1 and are left out" in compared.stderr
    assert values(compared)["outside"] > 0


def test_without_json_tables_are_for_people():
    lines = sslstudio("methods").stdout.splitlines()
    assert lines[0].split()[:2] == ["simclr", "Learns"], "what suits most comes first"
    assert len({line.index(line.split(maxsplit=1)[1]) for line in lines}) == 1, "one column for ids"


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["pretrian"], "Did you mean “pretrain”"),
        (["pretrain"], "PROJECT"),
        (["runs", "/nowhere"], "no project /nowhere"),
        (["evaluate", "--predictions", "/nowhere", "--masks", "/nowhere", "--classes", "2"], "no folder /nowhere"),
        (["evaluate", "--predictions", ".", "--masks", ".", "--classes", "0"], "cannot be 0 classes"),
        (["export", "/nowhere", "--format", "tflite"], "invalid choice"),
        (["runs", "a" * 400], "File name too long"),
    ],
)
def test_mistakes_are_one_sentence_and_exit_code_2(words, hint):
    done = sslstudio(*words, "--json")
    assert done.returncode == 2
    assert hint in done.stderr
    assert done.stderr.count("\n") == 1
    assert json.loads(done.stdout.splitlines()[-1])["error"]["problem"]


def test_the_window_needs_a_display():
    bare = {key: value for key, value in os.environ.items() if not key.endswith("DISPLAY") and key != "QT_QPA_PLATFORM"}
    done = sslstudio(env=bare)
    assert done.returncode == 2
    assert "./studio demo" in done.stderr


def test_a_project_is_not_made_twice_nor_for_an_empty_folder(project, sample, tmp_path):
    again = sslstudio("new", project, "--images", sample.images)
    assert (again.returncode, "already" in again.stderr) == (2, True)
    (tmp_path / "empty").mkdir()
    assert sslstudio("new", tmp_path / "p", "--images", tmp_path / "empty").returncode == 2


def test_wrong_settings_and_impossible_pairs_are_refused_before_anything_starts(project):
    for words, hint in (
        (["--set", "bach_size=4"], "Did you mean “batch_size”"),
        (["--set", "batch_size=0"], "batch_size"),
        (["--method", "mae", "--backbone", "resnet18"], "does not work"),
        (["--method", "moco"], "no method “moco”"),
        (["--preset", "cats"], "preset"),
        (["--resume", "nothing"], "no run “nothing”"),
    ):
        done = sslstudio("pretrain", project, *words)
        assert (done.returncode, hint in done.stderr) == (2, True), done.stderr
    assert values(sslstudio("runs", project, "--json")) == {"runs": []}


def test_fine_tuning_without_masks_says_so(tmp_path, sample):
    values(sslstudio("new", tmp_path / "p", "--images", sample.images, "--classes", "a,b", "--json"))
    done = sslstudio("finetune", tmp_path / "p")
    assert done.returncode == 2
    assert "mask" in done.stderr


def test_the_whole_way_from_masks_to_a_file(project, sample, tmp_path):
    taken = values(sslstudio("import-masks", project, "--from", sample.masks, "--json"))
    assert len(taken["matched"]) == 12
    quick = ("--minutes", "0.1", "--set", "batch_size=4", "--json")
    trained = values(sslstudio("pretrain", project, "--backbone", "convnext_atto", "--set", "resolution=32", *quick))
    assert trained["state"] == "finished"
    tuned = values(sslstudio("finetune", project, "--set", "crop=64", "--model", "mine", *quick))
    assert tuned["state"] == "finished"
    request = json.loads((Path(tuned["folder"]) / "request.json").read_bytes())
    assert request["encoder_run"] == trained["id"], "the newest encoder is taken"
    out = tmp_path / "masks"
    values(sslstudio("predict", project, "--images", sample.images, "--out", out, "--json"))
    assert sorted(path.stem for path in out.glob("*.png")) == sorted(path.stem for path in sample.masks.glob("*.png"))
    figures = values(sslstudio("evaluate", "--predictions", out, "--masks", sample.masks, "--classes", 3, "--json"))
    assert {"miou", "iou", "dice", "pixel_accuracy"} <= set(figures)
    assert figures["images"] == 12
    file = tmp_path / "model.onnx"
    values(sslstudio("export", project, "--format", "onnx", "--out", file, "--json"))
    assert file.stat().st_size > 100_000
    rows = values(sslstudio("runs", project, "--json"))["runs"]
    assert [row["kind"] for row in rows] == ["pretrain", "finetune", "predict", "export"]
    assert all({"id", "kind", "state", "minutes", "metrics", "folder"} <= set(row) for row in rows)
    assert values(sslstudio("models", project, "--json"))["models"][0]["name"] == "mine"


def test_ctrl_c_stops_and_keeps(tmp_path, sample):
    values(sslstudio("new", tmp_path / "p", "--images", sample.images, "--json"))
    words = ["pretrain", tmp_path / "p", "--minutes", "60", "--backbone", "convnext_atto", "--json"]
    words += ["--set", "resolution=32", "--set", "batch_size=4"]
    process = subprocess.Popen(
        [sys.executable, "-m", "sslstudio", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    pause, end = threading.Event(), time.monotonic() + PATIENCE

    def has_learned() -> bool:
        return any('"metric"' in file.read_text() for file in (tmp_path / "p.sslproj").glob("runs/*/events.jsonl"))

    while not has_learned():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < end
        pause.wait(0.1)
    os.killpg(process.pid, signal.SIGINT)  # a terminal sends it to the whole group
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    told = json.loads(out.splitlines()[-1])
    assert told["state"] == "stopped"
    assert (Path(told["folder"]) / "checkpoints" / "last" / "encoder.safetensors").exists()


def test_attention_is_painted_before_any_training(tmp_path, sample):
    values(sslstudio("new", tmp_path / "p", "--images", sample.images, "--json"))
    out = tmp_path / "deep" / "attention.png"
    told = values(sslstudio("attention", tmp_path / "p", sample.names[0], "--out", out, "--json"))
    assert told["heads"] == 3
    assert Image.open(out).size[0] > 600
    done = sslstudio("attention", tmp_path / "p", sample.names[0], "--backbone", "resnet18", "--out", out)
    assert (done.returncode, "no attention" in done.stderr) == (2, True)


@pytest.mark.parametrize("at", [("512", "0"), ("0", "-1"), ("nan", "3")])
def test_a_place_outside_the_image_is_refused_with_the_range(project, sample, tmp_path, at):
    width, height = Image.open(sample.images / sample.names[0]).size
    at = [str(width) if at[0] == "512" else at[0], at[1]]
    out = tmp_path / "attention.png"
    done = sslstudio("attention", project, sample.names[0], "--at", *at, "--out", out)
    assert done.returncode == 2
    assert f"X goes from 0 to {width - 1}, Y from 0 to {height - 1}" in done.stderr
    assert not out.exists()


class TestEvaluate:
    """Figures that can be worked out by hand."""

    @pytest.fixture
    def folders(self, tmp_path):
        truth, guess = tmp_path / "truth", tmp_path / "guess"
        truth.mkdir()
        guess.mkdir()
        true = np.zeros((10, 10), np.uint8)
        true[:, 5:], true[0] = 1, 255
        predicted = np.zeros((10, 10), np.uint8)
        predicted[:, 5:] = 1
        predicted[1:4, 5:] = 0  # 15 of 45 wrong
        write_mask(truth / "a.png", true, COLOURS)
        write_mask(guess / "a.png", predicted, COLOURS)
        return truth, guess, true

    def evaluate(self, folders, classes="2"):
        return sslstudio("evaluate", "--predictions", folders[1], "--masks", folders[0], "--classes", classes, "--json")

    def test_counts_painted_pixels_only(self, folders):
        figures = values(self.evaluate(folders))
        assert figures["iou"] == {"0": pytest.approx(45 / 60), "1": pytest.approx(30 / 45)}
        assert figures["miou"] == pytest.approx((45 / 60 + 30 / 45) / 2)
        assert figures["dice"]["1"] == pytest.approx(60 / 75)
        assert figures["pixel_accuracy"] == pytest.approx(75 / 90)

    def test_names_classes_and_missing_predictions(self, folders):
        write_mask(folders[0] / "b.png", folders[2], COLOURS)
        done = self.evaluate(folders, "ground,cell")
        assert set(values(done)["iou"]) == {"ground", "cell"}
        assert values(done)["missing"] == ["b.png"]
        assert "b.png has no prediction" in done.stderr

    def test_refuses_other_sizes(self, folders):
        write_mask(folders[1] / "a.png", folders[2][:5], COLOURS)
        done = self.evaluate(folders)
        assert (done.returncode, "differ in size" in done.stderr) == (2, True)


def test_backbones_are_found_and_a_checkpoint_is_told(tmp_path):
    rows = values(sslstudio("backbones", "--search", "dinov3 small", "--json"))["backbones"]
    assert {"name", "family", "parameters", "patch", "licence", "size", "pretrained", "kind", "about"} <= set(rows[0])
    assert all(row["about"]["memory_gb"] > 0 and row["about"]["seconds_per_step"] > 0 for row in rows)
    missing = sslstudio("backbones", "--search", "nothing of the kind")
    assert missing.returncode == 2
    refused = sslstudio("inspect-checkpoint", tmp_path / "no.pth", "--json")
    assert refused.returncode == 2
    assert "There is no checkpoint" in refused.stderr
