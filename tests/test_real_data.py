"""The main job on real images from the command line, and on a folder in which everything is different."""

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image
from real_data import guess_miou, learned_little, onnx_miou, take_data

from sslstudio.project.masks import write_mask
from sslstudio.runs.folder import runs_of

QUICK = ("--minutes", "0.3")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]


def told(*words: object, code: int = 0) -> dict:
    """What a command prints as its last line; it must end with this code."""
    command = [sys.executable, "-m", "sslstudio", *map(str, words), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C.UTF-8"})
    assert done.returncode == code, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("name", ["dsb2018_nuclei", "road_cracks_potholes"])
def test_ten_masks_become_a_model_that_runs_elsewhere(record_property, tmp_path, data_folder, name):
    data = take_data(data_folder / name, tmp_path / "data", masks=10, held_out=8)
    project, unseen, out = tmp_path / "p.sslproj", tmp_path / "unseen", tmp_path / "out"
    told("new", project, "--images", data.images)
    assert len(told("import-masks", project, "--from", data.masks)["matched"]) == 10
    told("pretrain", project, *QUICK)
    told("finetune", project, *QUICK)
    unseen.mkdir()
    for image in data.held_out:
        (unseen / image.name).symlink_to(image)
    told("predict", project, "--images", unseen, "--out", out)
    classes = ",".join(data.classes)
    figures = told("evaluate", "--predictions", out, "--masks", data.truth, "--classes", classes)
    told("export", project, "--format", "onnx", "--out", tmp_path / "model.onnx")
    exported, guess = onnx_miou(tmp_path / "model.onnx", data), guess_miou(data)
    for key, value in {"predicted": figures["miou"], "exported": exported, "guess": guess}.items():
        record_property(key, value)
        print(f"{key} {value:.3f}")
    assert exported == pytest.approx(figures["miou"], abs=0.1)
    if learned_little(runs_of(project)):
        pytest.skip("the machine was too busy: fine-tuning took only a few steps")
    assert min(exported, figures["miou"]) > guess + 0.1


@pytest.fixture
def odd_folder(tmp_path) -> tuple[Path, Path, set[str]]:
    """Bright discs in images of all kinds, masks of some, and the names of the files that are no images."""
    images, masks = tmp_path / "Meine Bilder (Größe) 2024", tmp_path / "Masken für alles"
    rng = np.random.default_rng(0)
    sizes = [(120, 160), (300, 200), (64, 64), (389, 517), (90, 700), (200, 200), (333, 222), (150, 150), (400, 400)]
    names = ["Probe 0 ä ö ü.png", "Probe 1 ß.png", "klein.bmp", "Gruppe A/groß.jpg", "Gruppe A/lang.tif"]
    names += ["Gruppe A/16 bit/Zelle 0.tif", "Gruppe A/16 bit/Zelle 1.tif", "tief/tiefer/float.tiff", "tief/alpha.png"]
    for place, (name, (height, width)) in enumerate(zip(names, sizes, strict=True)):
        grey, labels = _scene(rng, height, width)
        _write(images / name, grey)
        if place % 2 == 0:
            target = (masks / name).with_suffix(".png")
            target.parent.mkdir(parents=True, exist_ok=True)
            write_mask(target, labels, ["#999999", "#e69f00"])
    Image.fromarray(_scene(rng, 11, 9)[0].astype(np.uint8)).save(images / "winzig.png")
    (images / "kaputt.png").write_bytes((images / names[0]).read_bytes()[:400])
    (images / "leer.jpg").touch()
    (images / "Text als Bild.tif").write_text("kein Bild")
    (images / "Notizen.txt").write_text("nur Text")
    return images, masks, {"kaputt.png", "leer.jpg", "Text als Bild.tif"}


def _scene(rng: np.random.Generator, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Noise with bright discs, (H, W) float 0..255, and where they are, (H, W) uint8."""
    labels = np.zeros((height, width), np.uint8)
    for _ in range(10):
        middle = int(rng.integers(0, width)), int(rng.integers(0, height))
        cv2.circle(labels, middle, int(rng.integers(5, 16)), 1, -1)
    return np.clip(rng.normal(np.where(labels, 170, 60), 8), 0, 255), labels


def _write(file: Path, grey: np.ndarray) -> None:
    """Write an image as its name says: 16 bits, decimal values, with alpha, in colour, or just grey."""
    file.parent.mkdir(parents=True, exist_ok=True)
    byte = grey.astype(np.uint8)
    if "16 bit" in str(file):
        tifffile.imwrite(file, (grey * 30 + 400).astype(np.uint16))
    elif "float" in file.name:
        tifffile.imwrite(file, (grey / 255).astype(np.float32))
    elif "alpha" in file.name:
        Image.fromarray(np.dstack([byte, byte, byte, np.full_like(byte, 255)])).save(file)
    else:
        Image.fromarray(np.dstack([byte, byte // 2, byte // 3]) if "Probe" in file.name else byte).save(file)


def test_a_folder_in_which_everything_is_different(tmp_path, odd_folder):
    images, masks, bad = odd_folder
    before = {file: file.read_bytes() for file in images.rglob("*") if file.is_file()}
    project, out = tmp_path / "Mein Projekt", tmp_path / "Ergebnis ü"
    told("new", project, "--images", images, "--classes", "Hintergrund,Zelle")
    assert len(told("import-masks", project, "--from", masks)["matched"]) == 5
    told("pretrain", project, *QUICK)
    told("finetune", project, *QUICK)
    result = told("predict", project, "--images", images, "--out", out)
    assert {row["image"] for row in result["result"]["problems"]} == bad
    for file in images.rglob("*"):
        wanted = file.is_file() and file.name not in bad and file.suffix != ".txt"
        assert (out / file.relative_to(images)).with_suffix(".png").exists() == wanted
    assert told("evaluate", "--predictions", out, "--masks", masks, "--classes", "Hintergrund,Zelle")["images"] == 5
    told("export", project, "--format", "onnx", "--out", tmp_path / "Modell größe.onnx")
    assert (tmp_path / "Modell größe.onnx").stat().st_size > 100_000
    assert {file: file.read_bytes() for file in images.rglob("*") if file.is_file()} == before
