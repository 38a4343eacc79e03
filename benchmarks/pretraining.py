"""How fast pretraining is beside the bare step on a batch that is already in memory.

    python benchmarks/pretraining.py [--images FOLDER] [--seconds 20] [--resolution 128] [--batch 64]

Both are trained in turns of a few seconds in one process, so that a busy machine slows both alike; the ratio is
that of the images per second. ``data_wait`` is the share of time in which no step was computed.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import torch

from sslstudio.learning.backbones.encoder import create_encoder
from sslstudio.learning.methods.base import Method
from sslstudio.learning.methods.registry import create_method
from sslstudio.learning.training import loop
from sslstudio.learning.training.batches import Batch, Order, Prefetch
from sslstudio.learning.training.budget import StepBudget
from sslstudio.learning.training.cache import ImageCache, tile_side
from sslstudio.learning.training.devices import describe, make_accelerator
from sslstudio.learning.training.optimiser import make_optimiser
from sslstudio.recipes.methods import METHODS
from sslstudio.recipes.presets import PRESETS

PAIRS = (
    ("simclr", "resnet18"),
    ("simclr", "vit_tiny_patch16_224"),
    ("mae", "vit_tiny_patch16_224"),
    ("dino", "resnet18"),
    ("dino", "vit_tiny_patch16_224"),
)


class Bare(loop.Trainer):
    """The same trainer, whose views were made once."""

    kept = None

    def _views(self, tiles, aspects):
        if self.kept is None:
            self.kept = super()._views(tiles, aspects)
        return self.kept


def made_images(folder: Path, count: int = 256) -> Path:
    """A new ``folder`` with so many soft pictures of 320 × 320 pixels."""
    rng = np.random.default_rng(0)
    folder.mkdir()
    for n in range(count):
        small = rng.integers(0, 255, (16, 16, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / f"{n:04}.jpg"), cv2.resize(small, (320, 320), interpolation=cv2.INTER_CUBIC))
    return folder


def turn(steps, seconds: float) -> tuple[int, float, float, float]:
    """Images, wall seconds, CPU seconds and seconds waited in about ``seconds``."""
    images, waited = 0, 0.0
    began, cpu = time.perf_counter(), time.process_time()
    for step in steps:
        images, waited = images + step.images, waited + step.waited
        if time.perf_counter() - began >= seconds:
            break
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return images, time.perf_counter() - began, time.process_time() - cpu, waited


def trainer_of(kind: type[loop.Trainer], method: Method, accelerator) -> loop.Trainer:
    """A trainer that goes on until it is left, with the same random numbers each time."""
    optimiser = make_optimiser(method, learning_rate=1e-4, weight_decay=0.05)
    rates = loop.Rates(1e-4, 0.0, 3.0)
    return kind(method, optimiser, accelerator, StepBudget(10**9), rates, torch.Generator().manual_seed(0))


def measure(method_id: str, backbone: str, cache: ImageCache, asked) -> dict:
    """The figures of a method with our loop and with the bare one, by turns so that both meet the same load."""
    accelerator = make_accelerator()
    sides, feeds = {}, []
    for kind in (Bare, loop.Trainer):
        torch.manual_seed(0)
        encoder = create_encoder(backbone)
        recipe = METHODS[method_id].recipe()
        look = PRESETS[asked.preset].augmentation
        method = create_method(encoder, recipe, resolution=asked.resolution, look=look)
        layout = torch.channels_last if encoder.kind == "conv" else torch.contiguous_format
        trainer = trainer_of(kind, method.to(accelerator.device, memory_format=layout), accelerator)
        feed = Prefetch(cache, Order(0, asked.batch), pin=torch.cuda.is_available())
        feeds.append(feed)
        if kind is Bare:
            batch: Batch = feed.next()
            feed.close()
            sides[kind] = trainer.run(lambda batch=batch: batch)
        else:
            sides[kind] = trainer.run(feed.next)
        turn(sides[kind], 1.0)  # warm-up
    found: dict[type, list] = {Bare: [], loop.Trainer: []}
    rounds = max(2, round(asked.seconds / 6))
    for _ in range(rounds):
        for kind, steps in sides.items():
            found[kind].append(turn(steps, 3.0))
    for feed in feeds:
        feed.close()
    speed = {kind: [n / wall for n, wall, _, _ in rows] for kind, rows in found.items()}
    cost = {kind: sum(r[2] for r in rows) / sum(r[0] for r in rows) for kind, rows in found.items()}
    full = found[loop.Trainer]
    return {
        "method": method_id,
        "backbone": backbone,
        "images_per_second": round(statistics.median(speed[loop.Trainer]), 1),
        "bare_images_per_second": round(statistics.median(speed[Bare]), 1),
        "ratio": round(statistics.median(speed[loop.Trainer]) / statistics.median(speed[Bare]), 3),
        "cpu_ratio": round(cost[Bare] / cost[loop.Trainer], 3),
        "data_wait": round(sum(r[3] for r in full) / sum(r[1] for r in full), 3),
        "peak_memory_mb": round(peak_memory()),
    }


def peak_memory() -> float:
    """Megabytes: of the GPU where there is one, else of this process so far."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Measure our loop against the bare one and tell a line for each method."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path)
    parser.add_argument("--seconds", type=float, default=20, help="per method and backbone")
    parser.add_argument("--resolution", type=int, default=128)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--preset", default="microscopy", choices=list(PRESETS))
    parser.add_argument("--only", default="", help="method or method/backbone")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.images or made_images(Path(scratch) / "images")
        names = tuple(sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()))
        cache = ImageCache(folder, names, Path(scratch) / "cache", side=tile_side(asked.resolution))
        began = time.perf_counter()
        cache.build()
        cache.wait(10**9, 3600)
        reading = len(names) / (time.perf_counter() - began)
        print(f"{describe(make_accelerator().device)}; load {os.getloadavg()[0]:.1f}; {reading:.0f} images read per s")
        print(f"{'method':8} {'backbone':22} {'images/s':>9} {'bare':>9} {'ratio':>6} {'CPU':>6} {'wait':>6} {'MB':>6}")
        rows = []
        for method_id, backbone in PAIRS:
            if f"{method_id}/{backbone}".startswith(asked.only):
                row = measure(method_id, backbone, cache, asked)
                rows.append(row)
                print(
                    f"{row['method']:8} {row['backbone']:22} {row['images_per_second']:9.1f} "
                    f"{row['bare_images_per_second']:9.1f} {row['ratio']:6.3f} {row['cpu_ratio']:6.3f} "
                    f"{row['data_wait']:6.3f} {row['peak_memory_mb']:6}",
                    flush=True,
                )
        cache.close()
    print(json.dumps({"benchmark": "pretraining", "images_read_per_second": round(reading, 1), "rows": rows}))


if __name__ == "__main__":
    main()
