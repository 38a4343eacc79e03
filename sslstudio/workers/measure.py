"""Measures how fast this machine trains: ``python -m sslstudio.workers.measure`` keeps and prints two rates."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from dataclasses import asdict
from typing import TYPE_CHECKING

from sslstudio.recipes.machine import PASSES, SIDE, Machine, remember

if TYPE_CHECKING:
    import torch
    from torch import Tensor
    from torch.optim import Optimizer

    from sslstudio.learning.backbones.encoder import Encoder

SECONDS = 3.0  # per network, after its first step
IMAGES, RESOLUTION = 8, 128


def measure(seconds: float = SECONDS) -> Machine:
    """Train a small ResNet and a small ViT for a moment; 10⁹ operations per second of each."""
    import torch

    from sslstudio.learning.training.devices import describe, has_bf16

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    conv, vit = (_rate(name, device, seconds) for name in ("resnet18", "vit_tiny_patch16_224"))
    return Machine(conv, vit, half=has_bf16(), measured=True, device=describe(device))


def _rate(name: str, device: torch.device, seconds: float) -> float:
    import torch

    from sslstudio.learning.backbones.encoder import create_encoder
    from sslstudio.recipes.catalogue import catalogue

    encoder = create_encoder(name).to(device).train()
    many = IMAGES * (8 if device.type == "cuda" else 1)
    images = torch.randn(many, 3, RESOLUTION, RESOLUTION, device=device)
    if encoder.kind == "conv":
        encoder, images = encoder.to(memory_format=torch.channels_last), images.to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(encoder.parameters())
    # As training does: all processors, or one less where another program keeps one busy. Of each the quickest step
    # counts, since what else the machine does now says nothing of it.
    threads = torch.get_num_threads()
    counts = {threads, max(1, threads - 1)} if device.type == "cpu" else {threads}
    took = min(_quickest(count, encoder, images, optimiser, seconds / len(counts)) for count in counts)
    torch.set_num_threads(threads)
    return catalogue()[name].gflops * PASSES * many * RESOLUTION**2 / SIDE**2 / took


def _quickest(threads: int, encoder: Encoder, images: Tensor, optimiser: Optimizer, seconds: float) -> float:
    """Seconds of the quickest of some training steps; the first one warms up and does not count."""
    import torch

    torch.set_num_threads(threads)
    _step(encoder, images, optimiser)
    quickest, ends = float("inf"), time.perf_counter() + seconds
    while quickest == float("inf") or time.perf_counter() < ends:
        began = time.perf_counter()
        _step(encoder, images, optimiser)
        quickest = min(quickest, time.perf_counter() - began)
    return quickest


def _step(encoder: Encoder, images: Tensor, optimiser: Optimizer) -> None:
    import torch

    from sslstudio.learning.training.devices import has_bf16

    with torch.autocast(images.device.type, torch.bfloat16, enabled=has_bf16()):
        loss = encoder(images).float().square().mean()
    loss.backward()
    optimiser.step()
    optimiser.zero_grad()
    if images.is_cuda:
        torch.cuda.synchronize()


def main() -> int:
    """Measure, keep, print."""
    with contextlib.suppress(OSError, AttributeError):
        os.nice(5)
    found = measure()
    remember(found)
    sys.stdout.write(json.dumps(asdict(found)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
