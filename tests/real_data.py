"""A real data set as someone has it: images, ten masks, some images held out; and how good a model of it is."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sslstudio.images.reader import read_rgb8
from sslstudio.learning.segmentation.metrics import Confusion
from sslstudio.project.masks import read_mask
from sslstudio.runs.folder import RunFolder

FEW_STEPS = 25


@dataclass(frozen=True)
class RealData:
    """A copy of a real data set: the images that one has, ten masks to bring in, some for painting, some held out."""

    images: Path
    masks: Path
    truth: Path
    held_out: tuple[Path, ...]
    classes: tuple[str, ...]

    def true_mask(self, image: str) -> np.ndarray:
        """The true mask of an image by its name, (H, W) uint8."""
        return read_mask(self.truth / f"{Path(image).stem}.png")


def take_data(source: Path, to: Path, masks: int, held_out: int) -> RealData:
    """Copy the images for training (never the data itself: a project is made beside them) and some of their masks."""
    split = json.loads((source / "split.json").read_text())
    about = json.loads((source / "classes.json").read_text())
    by_stem = {file.stem: file for file in (source / "images").iterdir()}
    images, taken = to / source.name, to / "some masks"
    images.mkdir(parents=True)
    taken.mkdir()
    for stem in split["train"]:
        shutil.copyfile(by_stem[stem], images / by_stem[stem].name)
    for stem in _spread(split["train"], masks):
        shutil.copyfile(source / "masks" / f"{stem}.png", taken / f"{stem}.png")
    shutil.copyfile(source / "classes.json", taken / "classes.json")
    unseen = tuple(by_stem[stem] for stem in _spread(split["test"], held_out))
    return RealData(images, taken, source / "masks", unseen, tuple(row["name"] for row in about["classes"]))


def _spread(stems: list[str], count: int) -> list[str]:
    """So many of them, at even distances."""
    return [stems[round((place + 0.5) * len(stems) / count)] for place in range(count)]


def onnx_miou(file: Path, data: RealData) -> float:
    """mIoU of an exported model on images held out."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    found = Confusion(data.classes)
    for image in data.held_out:
        truth = data.true_mask(image.name)
        pixels = read_rgb8(image).transpose(2, 0, 1)[None].astype(np.float32)
        (probabilities,) = session.run(None, {session.get_inputs()[0].name: pixels})
        assert probabilities.shape == (1, len(data.classes), *truth.shape)
        assert np.allclose(probabilities.sum(1), 1, atol=1e-3)
        found.add(truth, probabilities[0].argmax(0).astype(np.uint8))
    return found.miou()


def guess_miou(data: RealData) -> float:
    """mIoU on images held out of calling everything the same, for the class with which that is best."""
    guesses = [Confusion(data.classes) for _ in data.classes]
    for image in data.held_out:
        truth = data.true_mask(image.name)
        for value, guess in enumerate(guesses):
            guess.add(truth, np.full_like(truth, value))
    return max(guess.miou() for guess in guesses)


def learned_little(runs: Iterable[RunFolder]) -> bool:
    """Whether fine-tuning got too few steps in its minutes to learn anything: a busy machine says nothing."""
    steps = [run.summary().result.get("steps", 0) for run in runs if run.summary().kind == "finetune"]
    return max(steps, default=0) < FEW_STEPS
