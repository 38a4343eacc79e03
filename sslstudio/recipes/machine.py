"""How much memory and time a backbone takes on this machine: counted work over a measured rate; told with “about”.

The rate is measured by a worker when asked (``python -m sslstudio.workers.measure``) and kept in the user's state
folder; until then a cautious rate for the processor's cores is taken, and the estimate says that it is a guess.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from sslstudio.language import later, tr
from sslstudio.project.recent import state_folder
from sslstudio.recipes.catalogue import Backbone

SIDE = 224  # pixels of the image that the catalogue's figures are for
PASSES = 3  # a training step costs a forward pass and, for the gradients, twice as much again
BYTES_PER_WEIGHT = 16  # the weight, its gradient, and AdamW's two moments, 32 bits each
BASE = 0.7e9  # bytes of torch itself
CORE_GFLOPS = 20.0  # of a core of no particular merit, in 32 bits
GPU_GFLOPS = 10_000.0


@dataclass(frozen=True)
class Machine:
    """10⁹ operations per second in training, measured with a ResNet (``conv``) and a ViT (``vit``).

    ``half`` tells whether activations take 16 bits; ``measured`` is False for a guess.
    """

    conv: float
    vit: float
    half: bool = False
    measured: bool = False
    device: str = ""


@dataclass(frozen=True)
class Estimate:
    """About how much one training step takes: bytes of memory and seconds."""

    memory: float
    seconds: float
    guessed: bool

    @property
    def words(self) -> str:
        """Both in words, for example “about 1.4 GB, about 0.8 s”."""
        return f"{memory_words(self.memory)}, {time_words(self.seconds)}"


def machine() -> Machine:
    """What was measured on this machine, else a guess from its cores."""
    try:
        return Machine(**json.loads(_file().read_bytes()))
    except (OSError, ValueError, TypeError):
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        rate = CORE_GFLOPS * cores
        return Machine(rate, rate)


def remember(measured: Machine) -> None:
    """Keep a measurement for the next start."""
    file = _file()
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps(asdict(measured)))
    fresh.replace(file)


def _file() -> Path:
    return state_folder() / "machine.json"


def estimate(backbone: Backbone, here: Machine, *, resolution: int = 128, images: int = 64, views: int = 2) -> Estimate:
    """A step on ``images`` images seen as ``views`` views of ``resolution`` pixels (a fixed size wins over it)."""
    side = backbone.size if backbone.fixed else max(resolution, backbone.patch)
    scale = images * views * side**2 / SIDE**2
    kept = backbone.activations * 1e6 * scale * (0.6 if here.half else 1.0)
    work = backbone.gflops * scale * PASSES
    rate = here.vit if backbone.kind == "vit" else here.conv
    return Estimate(BASE + backbone.parameters * BYTES_PER_WEIGHT + kept, work / max(rate, 1e-6), not here.measured)


def memory_words(size: float) -> str:
    """Bytes as people say them, with two figures: an estimate has no more."""
    gigabytes = size / 1e9
    return (
        tr("about {gigabytes:.1f} GB").format(gigabytes=gigabytes)
        if gigabytes < 9.95
        else tr("about {gigabytes:.0f} GB").format(gigabytes=gigabytes)
    )


def time_words(seconds: float) -> str:
    """Seconds as people say them, with two figures."""
    if seconds < 0.095:
        return tr("about {value:.0f} ms").format(value=max(1, round(seconds * 1000, -1 if seconds > 0.02 else 0)))
    if seconds > 99:
        return (
            tr("about {seconds:.1f} min").format(seconds=seconds / 60)
            if seconds < 597
            else tr("about {seconds:.0f} min").format(seconds=seconds / 60)
        )
    return (
        tr("about {seconds:.1f} s").format(seconds=seconds)
        if seconds < 9.95
        else tr("about {seconds:.0f} s").format(seconds=seconds)
    )


@dataclass(frozen=True)
class Advice:
    """A backbone worth trying first, for a machine with or without a GPU, and why."""

    name: str
    device: str
    reason: str


RECOMMENDED = (
    Advice("resnet18", "cpu", later("Learns most per minute on a processor and keeps fine detail.")),
    Advice("convnext_atto", "cpu", later("A modern network of a third of that size; sees wider surroundings.")),
    Advice("vit_tiny_patch16_224", "cpu", later("The quickest transformer: attention maps, and all masked methods.")),
    Advice(
        "vit_small_patch16_224", "cuda", later("Attention maps that find objects; learns well from a thousand images.")
    ),
    Advice(
        "vit_small_patch16_dinov3", "cuda", later("With published weights the best start for few images; own licence.")
    ),
    Advice("convnext_tiny", "cuda", later("The convolutional choice where outlines must be sharp.")),
)
