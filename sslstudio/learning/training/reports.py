"""What a run tells while it works: throttled figures, health of the features, pictures of pinned images."""

from __future__ import annotations

import hashlib
import logging
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import torch

from sslstudio.errors import UserError
from sslstudio.images.bands import read_bands8
from sslstudio.images.display import to_rgb8
from sslstudio.language import tr
from sslstudio.learning.backbones.encoder import Encoder
from sslstudio.learning.evaluation.attention import (
    attention_maps,
    colour_overlay,
    feature_colours,
    heat_overlay,
)
from sslstudio.learning.evaluation.effective_rank import effective_rank, spread
from sslstudio.learning.training.budget import TimeBudget
from sslstudio.learning.training.collapse import Answers
from sslstudio.learning.training.loop import Step
from sslstudio.runs.events import Event, Metric, Preview, Progress, Warned
from sslstudio.runs.folder import write_atomic

log = logging.getLogger(__name__)
# Untrained networks on real folders showed ranks from 3.6 and spreads from 0.13.
COLLAPSED_RANK, COLLAPSED_SPREAD = 1.5, 0.02
PREVIEW_LONGEST = 448


class Paced:
    """Something done every ``every`` seconds, and seldom enough to take no more than ``most`` of all time."""

    def __init__(self, every: float, most: float, clock: Callable[[], float] = time.perf_counter) -> None:
        self._every, self._most, self._clock = every, most, clock
        self._next = -math.inf

    def due(self) -> bool:
        """Whether it is time."""
        return self._clock() >= self._next

    def later(self, seconds: float) -> None:
        """Let the first time come after ``seconds``."""
        self._next = self._clock() + seconds

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Do it now; how long it takes decides when the next turn comes."""
        began = self._clock()
        yield
        took = self._clock() - began
        self._next = self._clock() + max(self._every, took / self._most)


class Figures:
    """Collects steps and tells them twice a second."""

    def __init__(self, budget: TimeBudget) -> None:
        self._budget = budget
        self._pace = Paced(0.5, 1.0)
        self._all_images, self._all_seconds = 0, 0.0
        self._steps: list[Step] = []
        self.loss = math.nan

    @property
    def images_per_second(self) -> float:
        """Over the whole run so far, steps only."""
        return self._all_images / max(1e-9, self._all_seconds)

    def add(self, step: Step, *, last: bool = False) -> list[Event]:
        """Take a step in; the events that are due."""
        self._steps.append(step)
        if step.number > 1:  # the first step warms up
            self._all_images, self._all_seconds = (
                self._all_images + step.images,
                self._all_seconds + step.seconds,
            )
        if math.isfinite(step.loss):
            self.loss = step.loss if math.isnan(self.loss) else 0.9 * self.loss + 0.1 * step.loss
        if not (last or self._pace.due()):
            return []
        with self._pace.turn():
            return self._tell()

    def _tell(self) -> list[Event]:
        steps, self._steps = self._steps, []
        seconds = max(1e-9, sum(step.seconds for step in steps))
        budget, number = self._budget, steps[-1].number
        values = {
            "images_per_second": sum(step.images for step in steps) / seconds,
            "data_wait": sum(step.waited for step in steps) / seconds,
            "learning_rate": steps[-1].learning_rate,
        }
        if math.isfinite(self.loss):
            values["loss"] = self.loss
        values |= {name: value for name, value in steps[-1].figures.items() if math.isfinite(value)}
        return [
            Progress(
                step=number,
                steps=max(number, budget.expected_steps),
                share=budget.share,
                seconds_left=budget.seconds_left,
            ),
            Metric(step=number, values=values),
        ]


class Health:
    """Effective rank of the features of a fixed small sample, with one warning when they or the answers collapse."""

    def __init__(self, sample: torch.Tensor) -> None:
        self._sample = sample  # (N, C, H, W), normalised
        self._warned = False
        self.answers = Answers()
        self.rank = math.nan
        self.pace = Paced(15.0, 0.03)
        self.pace.later(5.0)

    def look(self, encoder: Encoder, step: int, *, early: bool) -> Iterator[Event]:
        """Measure; ``early`` features are not judged yet."""
        with self.pace.turn():
            features = features_of(encoder, self._sample)
            self.rank, apart = effective_rank(features), spread(features)
        figures = {"effective_rank": self.rank, "feature_spread": apart, "feature_width": float(features.shape[1])}
        alike = self.rank < COLLAPSED_RANK or apart < COLLAPSED_SPREAD
        collapsed = not early and (alike or self.answers.collapsed())
        yield Metric(step=step, values={**figures, "collapsed": float(collapsed)})
        if collapsed and not self._warned:
            self._warned = True
            yield Warned(
                text=tr("The network gives nearly the same answer for every image: it is not learning."),
                advice=tr(
                    "Stop, and start again with a lower learning rate, a larger batch or another method. "
                    "Images that are all alike bring it about, too."
                ),
                about="effective_rank",
            )


@torch.no_grad()
def features_of(encoder: Encoder, images: torch.Tensor) -> torch.Tensor:
    """Pooled features (N, D) in float32, in pieces that fit beside training."""
    was_training = encoder.training
    encoder.eval()
    device = next(encoder.parameters()).device
    found = [encoder(part.to(device)).float().cpu() for part in images.split(64)]
    encoder.train(was_training)
    return torch.cat(found)


class Pictures:
    """Attention maps (ViT) or feature colours (others) of the images that the window shows."""

    def __init__(self, root: Path, folder: Path) -> None:
        self._root, self._folder = Path(root), Path(folder)
        self._pixels: dict[str, np.ndarray | None] = {}
        self.pace = Paced(10.0, 0.05)
        self.pace.later(2.0)

    def draw(self, encoder: Encoder, images: tuple[str, ...], step: int) -> Iterator[Event]:
        """Write one picture per image and name them; an image that cannot be read is passed over."""
        made = []
        with self.pace.turn():
            for image in images[:4]:
                pixels = self._read(image, encoder.channels)
                if pixels is not None:
                    made.append(self._write(encoder, image, pixels, step))
        yield from made

    def _read(self, image: str, channels: int) -> np.ndarray | None:
        if image not in self._pixels:
            if len(self._pixels) > 16:
                self._pixels.clear()
            try:
                self._pixels[image] = read_bands8(self._root / image, channels, longest=PREVIEW_LONGEST)
            except (UserError, OSError) as error:
                log.warning("No preview of %s: %s", image, error)
                self._pixels[image] = None
        return self._pixels[image]

    def _write(self, encoder: Encoder, image: str, pixels: np.ndarray, step: int) -> Preview:
        if encoder.kind == "vit":
            picture = heat_overlay(to_rgb8(pixels), attention_maps(encoder, pixels, longest=PREVIEW_LONGEST)[0])
        else:
            picture = colour_overlay(to_rgb8(pixels), feature_colours(encoder, pixels, longest=PREVIEW_LONGEST))
        name = f"attention-{hashlib.sha256(image.encode()).hexdigest()[:12]}.png"
        _, data = cv2.imencode(".png", picture[..., ::-1])
        self._folder.mkdir(parents=True, exist_ok=True)
        write_atomic(self._folder / name, data.tobytes(), sync=False)
        return Preview(what="attention", image=image, file=f"{self._folder.name}/{name}", step=step)
