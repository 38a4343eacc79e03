"""Every method for the same minutes on the same folder: speed, memory, k-NN, linear probe, mIoU from ten masks.

    python benchmarks/methods.py ../shared/data/dsb2018_nuclei --preset microscopy --minutes 1 --finetune 1

Each method learns with the values that the window would suggest, on the folder's training images only, in a process of
its own. Then: k-NN and a linear probe on pixels of test images (cross-validated, whole images held out, balanced
accuracy), and a segmentation model fine-tuned from it on ten masks, measured on test images. The rows "untrained" are
the same backbones without any pretraining. Prints a table and, as its last line, JSON; ``--markdown`` for the manual.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from label_efficiency import measure

from sslstudio.images.reader import read_rgb8
from sslstudio.learning.backbones.checkpoints import load_encoder, save_encoder
from sslstudio.learning.backbones.encoder import Encoder, create_encoder
from sslstudio.learning.evaluation.features import painted_pixels
from sslstudio.learning.evaluation.scores import knowledge
from sslstudio.learning.segmentation.labelled import Painted
from sslstudio.learning.training.control import Control
from sslstudio.learning.training.pretrain import pretrain
from sslstudio.project.masks import read_mask
from sslstudio.recipes.methods import METHODS
from sslstudio.recipes.suggest import suggest
from sslstudio.runs.request import PretrainRequest

BACKBONES = {"conv": "resnet18", "vit": "vit_tiny_patch16_224"}
UNTRAINED = "untrained"
HEAD = ("method", "backbone", "images/s", "steps", "MB", "rank", "k-NN", "probe", "mIoU")


def main() -> None:
    """Measure every method asked for, each in a process of its own, and tell a table."""
    asked = _asked()
    if asked.row:
        print(json.dumps(measured(asked)))
        return
    print(
        f"{Path(asked.data).name}: {asked.minutes} min of pretraining, {asked.finetune} min of fine-tuning, "
        f"{asked.masks} masks; {torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f}"
    )
    print(_line(HEAD), flush=True)
    rows = []
    for method, backbone in _pairs(asked.only):
        words = [sys.executable, __file__, *sys.argv[1:], "--row", f"{method}/{backbone}"]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"{method} on {backbone} failed: {done.stderr.strip().splitlines()[-1:]}", flush=True)
            continue
        row = json.loads(done.stdout.splitlines()[-1])
        rows.append(row)
        print(_line(_cells(row)), flush=True)
    if asked.markdown:
        print("\n".join("| " + " | ".join(map(str, _cells(row))) + " |" for row in rows))
    print(json.dumps({"benchmark": "methods", "data": Path(asked.data).name, "rows": rows}))


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="a folder with images/, masks/, classes.json and split.json")
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--finetune", type=float, default=1.0, help="minutes of fine-tuning; 0 for none")
    parser.add_argument("--masks", type=int, default=10)
    parser.add_argument("--test", type=int, default=30, help="test images at most")
    parser.add_argument("--preset", default="natural")
    parser.add_argument("--only", default="", help="methods, separated by commas")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--row", default="", help=argparse.SUPPRESS)
    return parser.parse_args()


def _pairs(only: str) -> list[tuple[str, str]]:
    """Each method with the convolutional backbone where it can train it, else with the transformer."""
    chosen = only.split(",") if only else [UNTRAINED, *METHODS]
    pairs = []
    for method in chosen:
        if method == UNTRAINED:
            pairs += [(method, name) for name in BACKBONES.values()]
        else:
            pairs.append((method, BACKBONES["conv" if "conv" in METHODS[method].backbones else "vit"]))
    return pairs


def measured(asked: argparse.Namespace) -> dict:
    """One row: pretrain, probe, fine-tune, measure."""
    method, backbone = asked.row.split("/")
    data = Path(asked.data).resolve()
    with tempfile.TemporaryDirectory() as scratch:
        found = _pretrained(method, backbone, data, Path(scratch), asked)
        encoder = Path(found.pop("encoder"))
        found |= _probed(load_encoder(encoder), data, asked.test)
        if asked.finetune > 0:
            found["miou"] = round(_finetuned(encoder, backbone, data, asked), 3)
    return {"method": method, "backbone": backbone, **found}


def _pretrained(method: str, backbone: str, data: Path, scratch: Path, asked: argparse.Namespace) -> dict:
    files = _files(data)
    names = tuple(files[stem].name for stem in _split(data)["train"])
    if method == UNTRAINED:
        torch.manual_seed(0)
        save_encoder(create_encoder(backbone), scratch / "encoder", {})
        return {"encoder": str(scratch / "encoder")}
    sizes = [read_rgb8(data / "images" / name).shape[1::-1] for name in names[:: max(1, len(names) // 20)]]
    device = "cuda" if torch.cuda.is_available() else "cpu"
    recipe, _ = suggest(len(names), sizes, 3, device, asked.minutes, asked.preset, backbone=backbone, method=method)
    request = PretrainRequest(images_root=str(data / "images"), images=names, recipe=recipe)
    began, trained_from = time.perf_counter(), 0.0
    result: dict = {}
    job = pretrain(
        request,
        checkpoints=scratch / "checkpoints",
        previews=scratch / "previews",
        cache=scratch / "cache",
        control=Control(),
    )
    for event in job:
        if event.kind == "phase" and event.text == "Training":
            trained_from = time.perf_counter()
        result = getattr(event, "result", result)
    seconds = time.perf_counter() - trained_from
    return {
        "encoder": str(scratch / result["encoder"]),
        "steps": result["steps"],
        "images_per_second": round(result["steps"] * recipe.batch_size / seconds, 1),
        "seconds": round(time.perf_counter() - began, 1),
        "rank": round(result.get("effective_rank", float("nan")), 1),
        "memory_mb": round(_peak_memory()),
    }


def _probed(encoder: Encoder, data: Path, count: int) -> dict:
    files, stems = _files(data), _split(data)["test"]
    some = [stems[i] for i in np.unique(np.linspace(0, len(stems) - 1, count).round().astype(int))]
    painted = [
        Painted(files[stem].name, read_rgb8(files[stem]), read_mask(data / "masks" / f"{stem}.png")) for stem in some
    ]
    parts = list(painted_pixels(encoder, painted))
    classes = tuple(entry["name"] for entry in json.loads((data / "classes.json").read_text())["classes"])
    known = knowledge(
        torch.cat([part.features for part in parts]),
        torch.cat([part.labels for part in parts]),
        classes,
        torch.cat([part.images for part in parts]),
    )
    return {"knn": round(known.knn.value, 3), "probe": round(known.probe.value, 3)}


def _finetuned(encoder: Path, backbone: str, data: Path, asked: argparse.Namespace) -> float:
    options = argparse.Namespace(
        set=[f"crop={_crop(data)}"],
        minutes=asked.finetune,
        preset=asked.preset,
        encoder=str(encoder),
        masks=asked.masks,
        test=asked.test,
        cpu_clock=False,
        flips=False,
    )
    return float(measure(data, backbone, options)["miou"])


def _crop(data: Path) -> int:
    """As the window suggests: no larger than the images are high."""
    shape = read_rgb8(next(iter(_files(data).values()))).shape
    return max(32, min(256, -(-min(shape[:2]) // 32) * 32))


def _files(data: Path) -> dict[str, Path]:
    return {file.stem: file for file in sorted((data / "images").iterdir())}


def _split(data: Path) -> dict:
    return json.loads((data / "split.json").read_text())


def _peak_memory() -> float:
    """Megabytes: of the GPU where there is one, else of this process."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _cells(row: dict) -> tuple:
    keys = ("method", "backbone", "images_per_second", "steps", "memory_mb", "rank", "knn", "probe", "miou")
    return tuple(row.get(key, "") for key in keys)


def _line(cells: tuple) -> str:
    return " ".join(
        f"{cell:{width}}" for cell, width in zip(map(str, cells), (14, 21, 9, 6, 6, 6, 6, 6, 6), strict=True)
    )


if __name__ == "__main__":
    main()
