"""Looking at a model while it learns: figures on validation images, overlays of the image in view."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from sslstudio.errors import UserError
from sslstudio.images.bands import read_bands8
from sslstudio.images.slices import sources
from sslstudio.learning.segmentation.labelled import Painted
from sslstudio.learning.segmentation.metrics import Confusion
from sslstudio.learning.segmentation.model import SegmentationModel
from sslstudio.learning.segmentation.tiles import segment_labels
from sslstudio.project.masks import write_mask
from sslstudio.runs.events import Preview


@dataclass
class Examiner:
    """Measures a model on validation images and remembers how long that takes."""

    images: Sequence[Painted]
    names: Sequence[str]
    seconds: float = 0.0  # what measuring one image took last
    measured: int = 0  # how many images the last figures come from; a stack and a huge image count once
    painted: float = 0.0  # and which share of their pixels is painted: of the others nothing is known

    def measure(self, model: SegmentationModel, seconds: float = float("inf")) -> Confusion:
        """Figures over as many images as fit into ``seconds``, at least one, in an order that never changes."""
        confusion, seen = Confusion(list(self.names)), 0
        files = sources(pair.whole for pair in self.images)
        began = time.perf_counter()
        for done, pair in enumerate(self.images, start=1):
            confusion.add(pair.labels, segment_labels(model, pair.pixels))
            self.seconds = (time.perf_counter() - began) / done
            self.measured = len(set(files[:done]))
            seen += pair.labels.size
            if (done + 1) * self.seconds > seconds:
                break
        self.painted = confusion.pixels / seen if seen else 0.0
        return confusion

    @property
    def trustworthy(self) -> bool:
        """Whether choosing the best of several states by these images picks more than luck."""
        return len(set(sources(pair.whole for pair in self.images))) >= 10


def figures(confusion: Confusion) -> dict[str, float]:
    """``miou``, ``iou/``, ``recall/`` and ``precision/CLASS`` for metric events; empty where nothing was measured.

    ``miou`` is the mean over the classes that are painted in these images: kept-aside images are few, and a class that
    none of them shows would count as 0 for one stray pixel.
    """
    if not confusion.pixels:
        return {}
    parts = {"iou": confusion.iou(), "recall": confusion.recall(), "precision": confusion.precision()}
    rows = {f"{kind}/{name}": value for kind, values in parts.items() for name, value in values.items()}
    return {"miou": float(np.mean([parts["iou"][name] for name in parts["recall"]])), **rows}


@dataclass
class Overlays:
    """Draws what the model sees in the images in view, as palette masks in ``folder``."""

    folder: Path
    root: Path
    colours: Sequence[str]
    longest: int = 1024
    seconds: float = 0.0  # what the last overlay took
    _pixels: dict[str, np.ndarray] = field(default_factory=dict)

    def draw(self, model: SegmentationModel, image: str, step: int) -> Preview | None:
        """The overlay of one image (relative path), or None where it cannot be read.

        Images whose working size is above ``longest`` are shrunk first: a preview must not stop the learning.
        """
        began = time.perf_counter()
        pixels = self._read(image, model.encoder.channels, self.longest * model.shrink)
        if pixels is None:
            return None
        labels = segment_labels(model, pixels)
        if max(labels.shape) > self.longest:
            share = self.longest / max(labels.shape)
            size = (max(1, round(labels.shape[1] * share)), max(1, round(labels.shape[0] * share)))
            labels = cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST)
        name = f"overlay-{hashlib.sha1(image.encode()).hexdigest()[:12]}.png"
        self.folder.mkdir(parents=True, exist_ok=True)
        write_mask(self.folder / name, labels, self.colours)
        self.seconds = time.perf_counter() - began
        return Preview(what="overlay", image=image, file=f"{self.folder.name}/{name}", step=step)

    def _read(self, image: str, channels: int, longest: int) -> np.ndarray | None:
        if image not in self._pixels:
            try:
                pixels = read_bands8(self.root / image, channels, longest=longest)
            except (UserError, OSError):
                return None
            self._pixels = dict([*self._pixels.items(), (image, pixels)][-3:])
        return self._pixels[image]
