"""How good a model gets from few masks: mIoU on test images for a data folder, a table and JSON.

A data folder holds ``images/``, ``masks/`` (palette PNG by stem), ``classes.json`` and ``split.json`` with the
lists ``train`` and ``test`` of stems. Masks to train on are drawn evenly over the training list.

    python benchmarks/label_efficiency.py ../shared/data/dsb2018_nuclei --masks 10 --minutes 5 --backbone resnet18
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from sslstudio.images.reader import read_rgb8
from sslstudio.learning.segmentation.finetune import finetune
from sslstudio.learning.segmentation.metrics import Confusion
from sslstudio.learning.segmentation.model import load_model
from sslstudio.learning.segmentation.tiles import segment_labels
from sslstudio.learning.training.budget import TimeBudget
from sslstudio.learning.training.control import Control
from sslstudio.project.masks import read_mask
from sslstudio.recipes.finetune import FinetuneRecipe
from sslstudio.recipes.settings import build
from sslstudio.runs.request import ClassSpec, FinetuneRequest, LabelledImage


def main() -> None:
    """Measure each data set with each backbone and tell a line for each pair."""
    options = _options()
    torch.set_num_threads(options.threads)
    rows = []
    for data in options.data:
        for backbone in options.backbone:
            row = measure(Path(data).resolve(), backbone, options)
            rows.append(row)
            iou = "  ".join(f"{name} {value:.3f}" for name, value in row["iou"].items())
            print(
                f"{row['data']:22} {backbone:22} {row['masks']:3} masks {row['minutes']:.2f} min {row['steps']:5} steps"
                f"  mIoU {row['miou']:.3f}  ({iou})  predict {row['predict_seconds']:.1f} s {options.note}",
                flush=True,
            )
    if options.json:
        Path(options.json).write_text(json.dumps(rows, indent=1))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="+")
    parser.add_argument("--masks", type=int, default=10)
    parser.add_argument("--test", type=int, default=30, help="test images at most, evenly drawn")
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--backbone", action="append", default=None)
    parser.add_argument("--preset", default="natural")
    parser.add_argument("--encoder", default="", help="a checkpoint folder or file to start from")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--cpu-clock", action="store_true", help="count processor time: fair on a busy machine")
    parser.add_argument("--flips", action="store_true")
    parser.add_argument("--note", default="")
    parser.add_argument("--json", default="")
    options = parser.parse_args()
    options.backbone = options.backbone or ["resnet18"]
    return options


def measure(data: Path, backbone: str, options: argparse.Namespace) -> dict:
    """Train on some masks of ``data`` and measure on its test images."""
    split = json.loads((data / "split.json").read_text())
    classes = [entry["name"] for entry in json.loads((data / "classes.json").read_text())["classes"]]
    files = {file.stem: file for file in (data / "images").iterdir()}
    changes = dict(pair.split("=", 1) for pair in options.set)
    recipe = build(
        FinetuneRecipe,
        {
            "backbone": backbone,
            "minutes": options.minutes,
            "preset": options.preset,
            "start": options.encoder or "scratch",
            **changes,
        },
    )
    request = FinetuneRequest(
        images_root=str(data / "images"),
        labelled=tuple(
            LabelledImage(image=files[stem].name, mask=str(data / "masks" / f"{stem}.png"), split="train")
            for stem in _even(split["train"], options.masks)
        ),
        classes=tuple(ClassSpec(name=name, colour="#808080") for name in classes),
        model="m",
        recipe=recipe,
    )
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder)
        began = time.perf_counter()
        last = None
        for event in finetune(
            request,
            project=project,
            checkpoints=project / "c",
            previews=project / "p",
            control=Control(),
            budget=_budget(options),
        ):
            last = event
            if event.kind in ("warning",):
                print(event.text)
        minutes = (time.perf_counter() - began) / 60
        model = load_model(project / "models" / "m")
    confusion = Confusion(classes)
    began = time.perf_counter()
    for stem in _even(split["test"], options.test):
        labels = segment_labels(model, read_rgb8(files[stem]), flips=options.flips)
        confusion.add(read_mask(data / "masks" / f"{stem}.png"), labels)
    return {
        "data": data.name,
        "backbone": backbone,
        "masks": options.masks,
        "minutes": minutes,
        "steps": last.result["steps"],
        "shrink": model.shrink,
        "miou": confusion.miou(),
        "iou": confusion.iou(),
        "predict_seconds": time.perf_counter() - began,
    }


def _budget(options: argparse.Namespace) -> TimeBudget | None:
    return TimeBudget(options.minutes * 60, clock=time.process_time) if options.cpu_clock else None


def _even(stems: list[str], count: int) -> list[str]:
    """At most ``count`` of the list, evenly spread."""
    if len(stems) <= count:
        return stems
    return [stems[i] for i in np.linspace(0, len(stems) - 1, count).round().astype(int)]


if __name__ == "__main__":
    main()
