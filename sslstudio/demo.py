"""The main job from start to end with nobody touching it, on the made-up sample; figures as they come out.

The model is judged on pictures of slides that neither pretraining nor fine-tuning has seen. The same fine-tuning
without pretraining, given the same time, stands beside it.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from sslstudio.annotations.palette_png import import_masks
from sslstudio.commands import Output
from sslstudio.errors import UserError
from sslstudio.images.reader import read_rgb8
from sslstudio.images.sample import CLASSES, COLOURS, Sample, write_sample
from sslstudio.learning.segmentation.folders import compare_folders
from sslstudio.learning.segmentation.metrics import Confusion
from sslstudio.project.masks import read_mask
from sslstudio.project.project import Project
from sslstudio.runs.folder import RunFolder, RunState
from sslstudio.runs.follow import Teller, carry_out
from sslstudio.runs.prepare import (
    default_finetune_recipe,
    default_pretrain_recipe,
    encoder_backbone,
    export_request,
    finetune_request,
    predict_request,
    pretrain_request,
)
from sslstudio.runs.request import Request

WITH, WITHOUT = "with-pretraining", "without-pretraining"  # names of the two models
PRESET = "microscopy"
PAINTED = 8  # masks that stand for what a user would paint


@dataclass(frozen=True)
class Plan:
    """How much of everything; times in minutes."""

    pictures: int
    held_out: int
    pretrain: float
    finetune: float

    @classmethod
    def of(cls, minutes: float, quick: bool) -> Plan:
        """Share ``minutes`` out; what is left over pays for starting processes, predicting and exporting."""
        if quick:
            return cls(pictures=24, held_out=6, pretrain=0.05, finetune=0.05)
        return cls(pictures=160, held_out=40, pretrain=minutes * 0.42, finetune=minutes * 0.15)


class _Demo:
    """One demonstration below ``out``; ``seconds`` fills with the time of each stage."""

    def __init__(self, out: Path, plan: Plan) -> None:
        self.out, self.plan = out, plan
        self.seconds: dict[str, float] = {}
        self.teller = Teller()
        self.project = out / "cells.sslproj"
        self.steps: dict[str, int] = {}  # of each fine-tuning: equal minutes are equal work only on a quiet machine

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Tell what begins and measure how long it takes."""
        self.teller.line(f"— {name}")
        begun = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - begun, 1)

    def work(self, request: Request, name: str) -> RunFolder:
        """Carry out one run; a stop ends the whole demonstration."""
        run = RunFolder.create(self.project, request, name)
        try:
            if carry_out(run, self.teller).state is RunState.STOPPED:
                raise KeyboardInterrupt
        finally:
            self.teller.close()
        return run


def run_demo(out: Path | None, *, minutes: float = 8.0, quick: bool = False) -> Output:
    """Go the whole way below ``out`` (a new folder if None); raises UserError if a demonstration lies there."""
    folder = (out or _free_folder()).absolute()
    demo = _Demo(folder, Plan.of(minutes, quick))
    if demo.project.exists():
        raise UserError(f"There is a demonstration in {folder} already.", "Choose another folder with --out.")
    with demo.stage("Making the sample"):
        sample, held_out = _make_sample(demo)
    with demo.stage("Making the project, taking over 8 masks"):
        _make_project(demo, sample)
    with demo.stage("Pretraining"):
        encoder = _pretrain(demo)
    with demo.stage("Fine-tuning without pretraining"):
        _finetune(demo, "", WITHOUT, encoder_backbone(encoder))
    with demo.stage("Fine-tuning with pretraining"):  # the last, since the window begins with the newest
        _finetune(demo, encoder.id, WITH, encoder_backbone(encoder))
    with demo.stage("Segmenting held-out images"):
        figures = _judge(demo, held_out)
    with demo.stage("Segmenting the project's images"):
        _predict(demo, WITH)
    with demo.stage("Exporting"):
        model = _export(demo)
    pictures = _write_pictures(demo, held_out)
    return _summary(demo, figures, model, pictures)


def _free_folder() -> Path:
    """A folder in the current one that does not exist yet."""
    number, folder = 1, Path("sslstudio-demo")
    while folder.exists():
        number += 1
        folder = Path(f"sslstudio-demo-{number}")
    return folder


# stages ------------------------------------------------------------------------------------------------------


def _make_sample(demo: _Demo) -> tuple[Sample, Sample]:
    try:
        return (
            write_sample(demo.out / "sample", demo.plan.pictures),
            write_sample(demo.out / "held-out", demo.plan.held_out, seed=8),  # other slides
        )
    except OSError as error:
        raise UserError(f"{demo.out} cannot be written to: {error.strerror}.", "Choose another --out.") from None


def _make_project(demo: _Demo, sample: Sample) -> None:
    painted = demo.out / "painted"
    painted.mkdir()
    for name in sample.names[:: len(sample.names) // PAINTED][:PAINTED]:
        shutil.copy(sample.masks / name, painted / name)
    with Project.create(demo.project, sample.images, CLASSES) as project:
        project.set_setting("preset", PRESET)
        report = import_masks(project, painted)
        if len(report.matched) != PAINTED:
            raise RuntimeError(f"only {len(report.matched)} of {PAINTED} masks were taken over: {report.refused}")


def _pretrain(demo: _Demo) -> RunFolder:
    with Project.open(demo.project, write=False) as project:
        recipe, _ = default_pretrain_recipe(project, demo.plan.pretrain, PRESET)
        request = pretrain_request(project, recipe)
    return demo.work(request, recipe.method.id)


def _finetune(demo: _Demo, encoder_run: str, model: str, backbone: str) -> None:
    with Project.open(demo.project, write=False) as project:
        recipe, _ = default_finetune_recipe(project, demo.plan.finetune, PRESET, backbone)
        request = finetune_request(project, recipe, encoder_run, model)
    demo.steps[model] = int(demo.work(request, model).summary().result.get("steps", 0))


def _predict(demo: _Demo, model: str, images: Path | None = None, out: Path | None = None) -> None:
    with Project.open(demo.project, write=False) as project:
        request = predict_request(project, model, images, out)
    demo.work(request, model)


def _judge(demo: _Demo, held_out: Sample) -> dict[str, Confusion]:
    """Both models on the held-out pictures, and what calling everything background would get."""
    figures = {}
    for model in (WITH, WITHOUT):
        predictions = demo.out / "predictions" / model
        _predict(demo, model, held_out.images, predictions)
        figures[model] = compare_folders(predictions, held_out.masks, CLASSES).confusion
    figures["all-background"] = Confusion(CLASSES)
    for name in held_out.names:
        truth = read_mask(held_out.masks / name)
        figures["all-background"].add(truth, np.zeros_like(truth))
    return figures


def _export(demo: _Demo) -> Path:
    target = demo.out / "export"
    with Project.open(demo.project, write=False) as project:
        request = export_request(project, WITH, "all", target)
    demo.work(request, WITH)
    return target


# what is shown -----------------------------------------------------------------------------------------------


def _write_pictures(demo: _Demo, held_out: Sample, count: int = 6) -> list[Path]:
    """Overlays of held-out pictures: as it is, the truth, with pretraining, without."""
    folder = demo.out / "overlays"
    folder.mkdir(exist_ok=True)
    written = []
    for name in held_out.names[:: max(1, len(held_out.names) // count)][:count]:
        picture = read_rgb8(held_out.images / name)
        masks = [held_out.masks / name, *(demo.out / "predictions" / model / name for model in (WITH, WITHOUT))]
        tiles = [picture, *(_overlay(picture, read_mask(mask)) for mask in masks)]
        gap = np.full((picture.shape[0], 8, 3), 255, np.uint8)
        row = [part for tile in tiles for part in (tile, gap)][:-1]
        Image.fromarray(np.hstack(row)).save(folder / name)
        written.append(folder / name)
    return written


def _overlay(picture: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The picture with every class but the background tinted and outlined in its colour."""
    shown = picture.copy()
    for value, colour in enumerate(COLOURS[1:], start=1):
        inside = (labels == value).astype(np.uint8)
        paint = np.array(list(bytes.fromhex(colour[1:])))
        shown[inside > 0] = (0.6 * shown[inside > 0] + 0.4 * paint).astype(np.uint8)
        outlines, _ = cv2.findContours(inside, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(shown, outlines, -1, [int(v) for v in paint], 1, cv2.LINE_AA)
    return shown


def _summary(demo: _Demo, figures: dict[str, Confusion], model: Path, pictures: list[Path]) -> Output:
    total = sum(demo.seconds.values())
    values: dict[str, Any] = {
        "out": str(demo.out),
        "project": str(demo.project),
        "model": str(demo.project / "models" / WITH),
        "export": sorted(str(file) for file in model.iterdir()),
        "onnx": next((str(file) for file in sorted(model.glob("*.onnx"))), ""),
        "overlays": [str(path) for path in pictures],
        "pictures": [str(path) for path in pictures],
        "seconds": {**demo.seconds, "total": round(total, 1)},
        "miou": {name: round(figure.miou(), 4) for name, figure in figures.items()},
        "iou": {name: figure.iou() for name, figure in figures.items()},
        "dice": {name: figure.dice() for name, figure in figures.items()},
        "pixel_accuracy": {name: figure.pixel_accuracy() for name, figure in figures.items()},
        "steps": demo.steps,
        "held_out_images": demo.plan.held_out,
        "painted_masks": PAINTED,
    }
    return Output(_table(demo, figures, values, total), values)


def _table(demo: _Demo, figures: dict[str, Confusion], values: dict[str, Any], total: float) -> str:
    lines = ["", f"{'Stage':44}{'Seconds':>10}"]
    lines += [f"{name:44}{seconds:10.1f}" for name, seconds in [*demo.seconds.items(), ("Total", total)]]
    head = "".join(f"{name:>15}" for name in CLASSES)
    lines += ["", f"{f'On {demo.plan.held_out} held-out images':30}{'mIoU':>8}{head}{'steps':>8}"]
    for name, figure in figures.items():
        per_class = "".join(f"{figure.iou().get(entry, 0.0):15.3f}" for entry in CLASSES)
        lines.append(f"{name.replace('-', ' '):30}{figure.miou():8.3f}{per_class}{demo.steps.get(name, ''):>8}")
    lines += ["", f"Model     {values['onnx'] or values['model']}", f"Pictures  {demo.out / 'overlays'}"]
    lines += [f"Project   {demo.project}", f"Open it   ./studio {demo.project}"]
    return "\n".join(lines)
