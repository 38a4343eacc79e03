"""The job that looks at a whole folder with one network: figures, a map, and what “images like this one” needs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from torch.nn import functional as F

from sslstudio.errors import UserError
from sslstudio.images.slices import sources, whole_of
from sslstudio.language import tr
from sslstudio.learning.backbones.encoder import Encoder
from sslstudio.learning.evaluation.effective_rank import deviation, effective_rank, spread
from sslstudio.learning.evaluation.features import painted_pixels, pooled
from sslstudio.learning.evaluation.layout import clusters, layout
from sslstudio.learning.evaluation.scores import Knowledge, knowledge
from sslstudio.learning.evaluation.weights import asked_encoder
from sslstudio.learning.evaluation.words import Row, as_json, health_rows, knowledge_rows, missing_row
from sslstudio.learning.segmentation.labelled import Painted, read_labelled
from sslstudio.learning.training.control import Control, hold
from sslstudio.learning.training.devices import describe
from sslstudio.project.feature_sets import FeatureSet, folder_labels, write_features
from sslstudio.runs.enough_masks import once
from sslstudio.runs.events import Event, Finished, Metric, Phase, Progress, Started, Stopped, Warned
from sslstudio.runs.folder import find_run
from sslstudio.runs.request import EvaluateRequest, features_key

T = TypeVar("T")
_WARNED_FILES = 20
_RANKED = 5000  # images that the rank is measured on; more would not change it
_PAINTED_SHARE, _LOOK_SHARE = 0.15, 0.6  # of the progress bar


def evaluate(request: EvaluateRequest, *, project: Path, spill: Path, control: Control) -> Iterator[Event]:
    """Look at all images with a network and keep the findings in ``features/``; ends with Finished or Stopped."""
    job = _Evaluation(request, Path(project), spill, control)
    yield from job.events()


class _Evaluation:
    """One evaluation; ``events()`` does the work."""

    def __init__(self, request: EvaluateRequest, project: Path, spill: Path, control: Control) -> None:
        self.request, self.project, self.spill, self.control = request, project, spill, control
        self.names: list[str] = []
        self.features = torch.empty(0, 0)
        self.rows: list[Row] = []
        self.figures: dict[str, float] = {}
        self.found: dict[str, Any] = {}

    def events(self) -> Iterator[Event]:
        """The whole job."""
        torch.manual_seed(self.request.seed)
        yield Phase(text=tr("Getting the network"))
        encoder = asked_encoder(self.request, self.project)
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        encoder = encoder.to(device).eval()
        yield Started(device=describe(device))
        yield Phase(text=tr("Looking at every image"))
        yield from self._look(encoder)
        if not self.control.stopped():
            yield Phase(text=tr("Measuring"))
            self._measure_health()
            self._measure_folders()
            yield from self._measure_painted(encoder)
        if not self.control.stopped():
            yield Metric(step=len(self.names), values=self.figures)
            yield from self._draw()
        if self.control.stopped():
            yield Stopped()

    def _look(self, encoder: Encoder) -> Iterator[Event]:
        parts, total, done, unread = [], len(self.request.images), 0, 0
        began = time.perf_counter()
        for part in pooled(encoder, Path(self.request.images_root), self.request.images):
            self.names += part.images
            parts.append(part.features)
            done += len(part.images) + len(part.problems)
            for name, problem in part.problems:
                unread += 1
                if unread <= _WARNED_FILES:
                    yield Warned(text=problem, about=name)
            left = (time.perf_counter() - began) / max(done, 1) * (total - done)
            share = _LOOK_SHARE * done / max(total, 1)
            yield Progress(step=done, steps=total, share=share, seconds_left=left if done < total else -1.0)
            yield from hold(self.control)
            if self.control.stopped():
                return
        if len(self.names) < 2:
            raise UserError(
                tr("There are fewer than two images to compare."), tr("Add images, or mend those that are broken.")
            )
        self.features = F.normalize(torch.cat(parts), dim=1)

    def _measure_health(self) -> None:
        some = self.features[np.unique(np.linspace(0, len(self.features) - 1, _RANKED).astype(int))]
        self.figures |= {
            "effective_rank": effective_rank(some),
            "feature_width": float(some.shape[1]),
            "feature_spread": spread(some),
            "feature_deviation": deviation(some),
        }
        told = dict(self.figures)
        if self.request.encoder_run:
            known = find_run(self.project, self.request.encoder_run).summary().metrics
            told |= {name: known[name] for name in ("teacher_entropy", "loss") if name in known}
        self.found["training"] = {name: told[name] for name in ("teacher_entropy", "loss") if name in told}
        self.rows += health_rows(told, len(some))

    def _measure_folders(self) -> None:
        known = folder_labels(self.names)
        if known is None:
            self.rows.append(
                missing_row("folder", tr("All images lie in one folder, so folder names tell nothing apart."))
            )
            return
        classes, labels = known
        files = np.array(sources(whole_of(name, self.request.series.get(name, "")) for name in self.names))
        labels = _in_several_files(labels, files)
        if len(np.unique(labels[labels >= 0])) < 2:
            why = tr("Fewer than two folders hold two files, so folder names tell nothing apart.")
            self.rows.append(missing_row("folder", f"{why} {once()}"))
            return
        kept = torch.from_numpy(labels >= 0)
        owners = torch.from_numpy(files)[kept] if len(set(files.tolist())) < len(files) else None
        self._keep("folder", knowledge(self.features[kept], torch.from_numpy(labels)[kept], classes, owners))

    def _measure_painted(self, encoder: Encoder) -> Iterator[Event]:
        painted: list[Painted] = []
        for item in read_labelled(self.request, self.project, self.spill, encoder.channels):
            if isinstance(item, Warned):
                yield item
            else:
                painted.append(item)
        parts = []
        for number, part in enumerate(painted_pixels(encoder, painted), start=1):
            parts.append(part)
            share = _LOOK_SHARE + _PAINTED_SHARE * number / len(painted)
            yield Progress(step=len(self.names), steps=len(self.names), share=share)
            if self.control.stopped():
                return
        labels = torch.cat([part.labels for part in parts]) if parts else torch.empty(0)
        owners = torch.cat([part.images for part in parts]) if parts else torch.empty(0)
        if len(owners.unique()) < 2 or len(labels.unique()) < 2:
            why = tr("Paint at least two classes in two images; then this can be measured.")
            self.rows.append(missing_row("painted", f"{why} {once()}" if len(parts) > 1 else why))
            return
        features = torch.cat([part.features for part in parts])
        names = tuple(spec.name for spec in self.request.classes)
        self._keep("painted", knowledge(features, labels, names, owners))

    def _keep(self, kind: str, measured: Knowledge) -> None:
        self.found[kind] = measured.values()
        self.figures |= {f"{kind}_knn": measured.knn.value, f"{kind}_probe": measured.probe.value}
        self.rows += knowledge_rows(kind, measured)  # type: ignore[arg-type]

    def _draw(self) -> Iterator[Event]:
        yield Phase(text=tr("Drawing the map"))
        yield Progress(step=len(self.names), steps=len(self.names), share=_LOOK_SHARE + _PAINTED_SHARE)
        features = self.features.numpy()
        drawn = _beside(lambda: (layout(features, seed=self.request.seed), clusters(features)), self.control)
        if drawn is None:
            return
        key = features_key(self.request)
        about = {
            "run": self.request.encoder_run,
            "backbone": self.request.backbone,
            "start": self.request.start,
            "channels": self.request.channels,
            "figures": self.figures,
            "rows": as_json(sorted(self.rows, key=lambda row: row.value == "–")),  # what is not known comes last
            **self.found,
        }
        folder = write_features(self.project, FeatureSet(key, tuple(self.names), features, *drawn, about))
        result = {"key": key, "count": len(self.names), "folder": str(folder.relative_to(self.project)), **about}
        yield Progress(step=len(self.names), steps=len(self.names), share=1.0, seconds_left=0.0)
        yield Finished(result=result)


def _in_several_files(labels: np.ndarray, files: np.ndarray) -> np.ndarray:
    """Labels (N,) with -1 for those that only one file has: its slices have nobody else to be known by."""
    alone = [label for label in np.unique(labels) if len(np.unique(files[labels == label])) < 2]
    return np.where(np.isin(labels, alone), -1, labels)


def _beside(work: Callable[[], T], control: Control) -> T | None:
    """What ``work`` gives, done in another thread; None when a stop is wished meanwhile, which it cannot hear."""
    outcome: list[T | BaseException] = []

    def run() -> None:
        try:
            outcome.append(work())
        except BaseException as error:  # noqa: BLE001  (raised again in the caller's thread)
            outcome.append(error)

    thread = threading.Thread(target=run, name="map", daemon=True)
    thread.start()
    while thread.is_alive() and not control.stopped():
        thread.join(0.25)
    if not outcome:
        return None
    if isinstance(outcome[0], BaseException):
        raise outcome[0]
    return outcome[0]
