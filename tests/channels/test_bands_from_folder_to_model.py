"""The whole way through real processes: what only the last band shows is found with all bands, and not in RGB."""

import json
import subprocess
import sys
from pathlib import Path
from queue import Queue

import numpy as np
import onnxruntime
import pytest
from PIL import Image

from sslstudio.images.bands import read_bands8
from sslstudio.learning.segmentation.metrics import Confusion
from sslstudio.project.masks import read_mask
from sslstudio.queries.client import InferenceClient
from sslstudio.queries.messages import AttentionQuery, SegmentQuery

from .bands_world import CLASSES, write_world

PATIENCE = 280
MINUTES = 0.3  # of fine-tuning


def values(*words: object) -> dict:
    """The JSON answer of a command that succeeds."""
    command = [sys.executable, "-m", "sslstudio", *map(str, words), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def warnings(run: dict) -> list[dict]:
    lines = (Path(run["folder"]) / "events.jsonl").read_text().splitlines()
    return [event for event in map(json.loads, lines) if event["kind"] == "warning"]


def miou(predicted: Path, masks: Path) -> float:
    found = Confusion(CLASSES)
    for mask in sorted(masks.glob("*.png")):
        found.add(read_mask(mask), read_mask(predicted / mask.name))
    return found.miou()


def learn(project: Path, model: str, *words: object) -> dict:
    quick = ("--minutes", MINUTES, "--set", "crop=64", "--set", "batch_size=4", "--set", "shrink=1", "--model", model)
    return values("finetune", project, *quick, *words)


@pytest.fixture(scope="module", params=[5, pytest.param(2, marks=pytest.mark.slow)])
def world(request, tmp_path_factory):
    """A project of images with 5 or 2 bands, a pretrained network, a model, and images held out."""
    bands = request.param
    folder = tmp_path_factory.mktemp(f"bands{bands}")
    images, masks = write_world(folder, bands, 8)
    Image.fromarray(np.zeros((96, 96, 3), np.uint8)).save(images / "photo.png")
    Image.fromarray(np.zeros((70, 120), np.uint8)).save(images / "grey.png")
    project = folder / "p.sslproj"
    values("new", project, "--images", images, "--classes", ",".join(CLASSES))
    values("import-masks", project, "--from", masks)
    small = ("--backbone", "convnext_atto", "--set", "resolution=64", "--set", "batch_size=4")
    pretrained = values("pretrain", project, "--minutes", 0.05, *small)
    tuned = learn(project, "all")
    held_out = write_world(folder / "held out", bands, 3, first=50)
    return bands, project, pretrained, tuned, *held_out


def test_all_bands_are_learned_from_and_what_does_not_fit_is_named(world):
    bands, project, pretrained, tuned, _, _ = world
    for run in (pretrained, tuned):
        request = json.loads((Path(run["folder"]) / "request.json").read_bytes())
        assert request["recipe"]["channels"] == bands, "suggested from the folder"
    assert f"8 of 10 images have {bands} channels" in pretrained["why"]
    assert "the other 2 images are left out" in pretrained["why"]
    assert json.loads((Path(pretrained["folder"]) / "checkpoints/last/encoder.json").read_bytes())["channels"] == bands
    assert json.loads((project / "models/all/model.json").read_bytes())["channels"] == bands
    for name, has in (("photo.png", "3 channels"), ("grey.png", "1 channel")):
        told = [warning["text"] for warning in warnings(pretrained) if warning["about"] == name]
        assert len(told) == 1
        assert f"{name} has {has}, but the network is set to {bands} channels" in told[0]
    assert not [warning for warning in warnings(tuned) if warning["about"] == "channels"]


@pytest.mark.slow
def test_the_model_with_all_bands_clearly_beats_the_one_with_three(world, tmp_path):
    bands, project, _, _, images, masks = world
    values("predict", project, "--model", "all", "--images", images, "--out", tmp_path / "all")
    ours = miou(tmp_path / "all", masks)
    assert ours > 0.75
    measured = values("evaluate", "--predictions", tmp_path / "all", "--masks", masks, "--classes", ",".join(CLASSES))
    assert measured["miou"] == pytest.approx(ours, abs=1e-4)
    if bands == 2:
        return  # as colours, both bands are seen
    learn(project, "rgb", "--backbone", "convnext_atto", "--set", "channels=3")
    values("predict", project, "--model", "rgb", "--images", images, "--out", tmp_path / "rgb")
    assert ours > miou(tmp_path / "rgb", masks) + 0.2


def test_the_exported_file_says_the_same(world, tmp_path):
    bands, project, _, _, images, masks = world
    values("export", project, "--model", "all", "--format", "onnx", "--out", tmp_path / "m.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "m.onnx"), providers=["CPUExecutionProvider"])
    found = Confusion(CLASSES)
    for image in sorted(images.glob("*.tif")):
        pixels = read_bands8(image, bands).transpose(2, 0, 1)[None].astype(np.float32)
        (probabilities,) = session.run(None, {"images": pixels})
        found.add(read_mask(masks / f"{image.stem}.png"), probabilities[0].argmax(0).astype(np.uint8))
    assert found.miou() > 0.75


def test_the_windows_questions_are_answered_with_all_bands(world):
    bands, project, pretrained, _, images, masks = world
    answers: Queue = Queue()
    client = InferenceClient(answers.put)
    try:
        image = sorted(images.glob("*.tif"))[0]
        client.ask(SegmentQuery(str(image), str(project / "models" / "all")))
        answer = answers.get(timeout=PATIENCE)
        assert answer.kind == "segment", answer.problem
        found = Confusion(CLASSES)
        found.add(read_mask(masks / f"{image.stem}.png"), answer.arrays["labels"])
        assert found.miou() > 0.7
        encoder = str(Path(pretrained["folder"]) / "checkpoints" / "last")
        client.ask(AttentionQuery(str(image), encoder, colours=True))
        answer = answers.get(timeout=PATIENCE)
        assert answer.arrays["colours"].shape[2] == 3, answer.problem
        client.ask(SegmentQuery(str(project.parent / "images" / "photo.png"), str(project / "models" / "all")))
        assert f"set to {bands} channels" in answers.get(timeout=PATIENCE).problem
    finally:
        client.close()


@pytest.mark.slow
@pytest.mark.parametrize("world", [5], indirect=True)
def test_the_folder_is_looked_at_with_all_bands(world):
    bands, project, pretrained, _, _, _ = world
    looked = values("evaluate-features", project, "--run", pretrained["id"])
    run = project / "runs" / looked["id"]
    assert json.loads((run / "request.json").read_bytes())["channels"] == bands
    told = [warning["text"] for warning in warnings({"folder": run})]
    assert [text for text in told if "photo.png has 3 channels" in text]
    alike = values("similar", project, "00.tif", "--run", pretrained["id"])["similar"]
    assert {row["image"][:2] for row in alike} <= {f"{n:02d}" for n in range(8)}
    looks = [folder for folder in (project / "runs").iterdir() if "evaluate-features" in folder.name]
    assert looks == [run], "what does not fit is no reason to look once more"


@pytest.mark.slow
@pytest.mark.parametrize("world", [5], indirect=True)
def test_whether_it_helped_is_asked_with_all_bands(world):
    bands, project, pretrained, _, _, _ = world
    asked = values("did-it-help", project, "--run", pretrained["id"], "--minutes", 0.3)
    assert asked["masks"] == 8
    assert asked["rounds"] >= 1
    assert [arm["id"] for arm in asked["arms"]] == ["random", "domain"]
    assert json.loads((project / "runs" / asked["id"] / "request.json").read_bytes())["recipe"]["channels"] == bands


@pytest.mark.slow
@pytest.mark.parametrize("world", [5], indirect=True)
def test_an_encoder_with_other_channels_is_adapted_and_that_is_told(world):
    bands, project, pretrained, _, _, _ = world
    quick = ("--minutes", 0.05, "--set", "crop=64", "--set", "channels=3", "--run", pretrained["id"])
    tuned = values("finetune", project, *quick)
    told = [warning["text"] for warning in warnings(tuned) if warning["about"] == "channels"]
    assert len(told) == 1
    assert f"made for {bands} channels" in told[0]
    assert json.loads((project / "models" / tuned["result"]["model"] / "model.json").read_bytes())["channels"] == 3
