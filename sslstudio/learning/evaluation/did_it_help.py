"""The check “did pretraining help?”: the same decoder on the same masks from several starts, cross-validated.

Each fold of the painted images is tested once by models that learned from the others, one per start: random weights,
what the run began from where that had learned already, and what pretraining made of it. Slices of one stack are in one
fold, and so are parts of one huge image. All take equally many steps on the same crops, and each learns as fine-tuning
would let it (``segmentation.schedule``). What is told is the difference between starts within folds, with an interval
that allows for folds sharing most of their images.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sslstudio.errors import UserError
from sslstudio.images.slices import sources
from sslstudio.language import tr
from sslstudio.learning.backbones.encoder import Encoder
from sslstudio.learning.evaluation import intervals
from sslstudio.learning.evaluation.probe import folds
from sslstudio.learning.evaluation.verdict import NAMES, compare, primary
from sslstudio.learning.evaluation.weights import began_from, run_encoder, starting_encoder
from sslstudio.learning.segmentation.crops import CropSampler, painted_pixels
from sslstudio.learning.segmentation.labelled import Painted, at_scale, choose_shrink, read_labelled
from sslstudio.learning.segmentation.learner import Learner, make_accelerator
from sslstudio.learning.segmentation.losses import class_weights
from sslstudio.learning.segmentation.metrics import Confusion
from sslstudio.learning.segmentation.model import SegmentationModel
from sslstudio.learning.segmentation.schedule import plan
from sslstudio.learning.segmentation.tiles import segment_labels
from sslstudio.learning.training.budget import TimeBudget
from sslstudio.learning.training.control import Control, hold
from sslstudio.learning.training.devices import describe
from sslstudio.recipes.presets import PRESETS
from sslstudio.runs.enough_masks import check_enough
from sslstudio.runs.events import Event, Finished, Metric, Phase, Progress, Started, Stopped, Warned
from sslstudio.runs.request import HelpRequest

log = logging.getLogger(__name__)
_KEPT_FREE = 0.06  # share of the time that is not planned for
_TRIED, _WARM = 3, 2  # steps that are timed, and steps before them that are not
_MOST_STEPS = 1500  # per model; more would not change the answer
_FEW_STEPS = 25  # below that, fewer folds and more steps say more


@dataclass(frozen=True)
class Arm:
    """One start that is compared: ``make`` gives its network for a fold; ``trained`` whether it has learned already."""

    id: str
    make: Callable[[int], Encoder]
    trained: bool


def did_it_help(
    request: HelpRequest,
    *,
    project: Path,
    spill: Path,
    control: Control,
    arms: Sequence[Arm] | None = None,
    steps: int | None = None,
) -> Iterator[Event]:
    """Compare starts within the recipe's minutes; ends with Finished or Stopped, whose result holds the answer.

    ``arms`` and ``steps`` (per model) replace what the request and the time would give, for tests.
    """
    budget = TimeBudget(request.recipe.minutes * 60)
    budget.start()
    yield Phase(text=tr("Reading masks"))
    painted: list[Painted] = []
    for item in read_labelled(request, Path(project), spill, request.recipe.channels):
        if isinstance(item, Warned):
            yield item
        else:
            painted.append(item)
    check_enough([pair.whole for pair in painted])
    if (painted_pixels(painted, len(request.classes)) > 0).sum() < 2:
        raise UserError(
            tr("Only one class is painted, so there is nothing to tell apart."), tr("Paint another class, too.")
        )
    yield Phase(text=tr("Getting the networks"))
    if arms is None:
        arms, note = _arms(request, Path(project))
        yield from note
    check = _Check(request, spill, control, budget, painted, tuple(arms), steps)
    yield from check.events()


def _arms(request: HelpRequest, project: Path) -> tuple[list[Arm], list[Event]]:
    """The starts that can be had; what cannot is left out with a note."""
    domain = run_encoder(project, request.encoder_run)
    arms = [Arm("random", lambda fold: _random(domain, fold), trained=False)]
    notes: list[Event] = []
    start = began_from(project, request.encoder_run)
    if start != "scratch":
        try:
            begun = starting_encoder(domain.name, start, domain.channels).state_dict()
            arms.append(Arm("start", lambda fold: _with(domain, begun), trained=True))
        except UserError as error:
            text = tr("What the run began from cannot be compared: {problem}").format(problem=error.problem)
            notes.append(Warned(text=text, advice=error.advice, about="start"))
    learned = domain.state_dict()
    arms.append(Arm("domain", lambda fold: _with(domain, learned), trained=True))
    return arms, notes


def _random(like: Encoder, fold: int) -> Encoder:
    torch.manual_seed(1000 + fold)
    return starting_encoder(like.name, "scratch", like.channels)


def _with(like: Encoder, weights: dict[str, torch.Tensor]) -> Encoder:
    encoder = starting_encoder(like.name, "scratch", like.channels)
    encoder.load_state_dict(weights)
    return encoder


@dataclass(frozen=True)
class _Costs:
    """Seconds on this machine: to build a model, for a step of decoder only and of all, to test an image."""

    build: float
    frozen: float
    full: float
    test: float


class _Check:
    """One check; ``events()`` does the work."""

    def __init__(
        self,
        request: HelpRequest,
        spill: Path,
        control: Control,
        budget: TimeBudget,
        painted: list[Painted],
        arms: tuple[Arm, ...],
        steps: int | None,
    ) -> None:
        self.request, self.recipe, self.control, self.budget = request, request.recipe, control, budget
        self.painted, self.arms, self._given = painted, arms, steps
        self.names = [spec.name for spec in request.classes]
        side = min(self.recipe.crop, 32 * -(-min(min(p.labels.shape) for p in painted) // 32))
        self.shrink = self.recipe.shrink or choose_shrink(painted, side)
        self.side = side
        self.small = at_scale(painted, self.shrink, spill)
        self.accelerator = make_accelerator()
        # Slices of one stack and parts of one image are tested together: they would tell each other's answers.
        self.sources = np.array(sources(pair.whole for pair in painted))
        self.masks = len(set(self.sources.tolist()))
        self.steps, self.folds = 0, min(request.folds, self.masks)
        self.scores: dict[str, list[float]] = {arm.id: [] for arm in arms}
        self._done = 0
        self._whole_folds = 0

    def events(self) -> Iterator[Event]:
        """Plan, train and test fold by fold, tell."""
        yield Started(device=describe(self.accelerator.device))
        if self._given is None:
            yield Phase(text=tr("Finding out how long a step takes"))
            self._plan(self._try())
        else:
            self.steps = self._given
        if self.steps < _FEW_STEPS and self._given is None:
            text = tr("The time allows only {steps} steps for each model, so all of them know little.").format(
                steps=self.steps
            )
            yield Warned(text=text, advice=tr("Give the check more minutes."), about="minutes")
        fold_of = folds(np.zeros(len(self.painted), int), self.sources, count=self.folds, seed=self.recipe.seed)
        for fold in range(self.folds):
            began = self.budget.elapsed
            yield from self._fold(fold, fold_of == fold)
            if self.control.stopped():
                break
            self._whole_folds += 1
            yield Metric(step=self._done, values={f"miou/{name}": values[-1] for name, values in self.scores.items()})
            if self._given is None and self.budget.elapsed + (self.budget.elapsed - began) > 1.02 * self.budget.seconds:
                break  # slower than planned: an answer from fewer folds, within the time
        yield Progress(step=self._done, steps=self._done, share=1.0, seconds_left=0.0)
        result = self._result()
        yield Stopped(result=result) if self.control.stopped() else Finished(result=result)

    # planning -------------------------------------------------------------------------------------

    def _try(self) -> _Costs:
        """Time a few steps of each kind on the first start, and one test."""
        began = time.perf_counter()
        learner, sampler = self._learner(self.arms[-1], 0, np.zeros(len(self.painted), bool))
        build = time.perf_counter() - began
        spans = []
        for blocks in (0, self.recipe.unfreeze_blocks):
            learner.unfreeze(blocks, self.recipe.backbone_rate)
            for number in range(_WARM + _TRIED):
                if number == _WARM:
                    began = time.perf_counter()
                learner.step(sampler.batch(number, self.recipe.batch_size), 0.1)
            spans.append((time.perf_counter() - began) / _TRIED)
        began = time.perf_counter()
        segment_labels(learner.average, self.painted[0].pixels)
        return _Costs(build, spans[0], spans[1], time.perf_counter() - began)

    def _plan(self, costs: _Costs) -> None:
        """Choose folds and steps that fit into the time that is left."""
        left = (1 - _KEPT_FREE) * self.budget.seconds - self.budget.elapsed
        for count in range(self.folds, 2, -1):
            per_fold = len(self.arms) * (costs.build + len(self.painted) / count * costs.test)
            trained = sum(arm.trained for arm in self.arms)
            share = self.recipe.frozen_share
            step = trained * (share * costs.frozen + (1 - share) * costs.full) + (len(self.arms) - trained) * costs.full
            self.steps = max(1, min(_MOST_STEPS, int((left / count - per_fold) / step)))
            self.folds = count
            if self.steps >= _FEW_STEPS:
                break

    # one fold -------------------------------------------------------------------------------------

    def _learner(self, arm: Arm, fold: int, test: np.ndarray) -> tuple[Learner, CropSampler]:
        """A model with this start and the crops that it learns from; all but the start is the same for each."""
        train = [pair for pair, tested in zip(self.small, test, strict=True) if not tested]
        encoder = arm.make(fold)
        torch.manual_seed(self.recipe.seed + fold)
        model = SegmentationModel(encoder, self.recipe.decoder, len(self.names), crop=self.side, shrink=self.shrink)
        weights = class_weights(painted_pixels(train, len(self.names)), self.recipe.class_balance)
        look = PRESETS[self.recipe.preset].augmentation
        sampler = CropSampler(train, len(self.names), self.side, look, self.recipe.seed + fold)
        return Learner(model, weights, self.recipe, self.accelerator), sampler

    def _fold(self, fold: int, test: np.ndarray) -> Iterator[Event]:
        found: dict[str, float] = {}
        for arm in self.arms:
            yield Phase(
                text=tr("Round {fold} of {folds}: {arm}").format(fold=fold + 1, folds=self.folds, arm=tr(NAMES[arm.id]))
            )
            learner, sampler = self._learner(arm, fold, test)
            yield from self._train(learner, sampler, arm)
            if self.control.stopped():
                return
            found[arm.id] = self._test(learner.average, test)
        for name, value in found.items():
            self.scores[name].append(value)

    def _train(self, learner: Learner, sampler: CropSampler, arm: Arm) -> Iterator[Event]:
        schedule = plan(self.recipe, trained=arm.trained)
        told = time.perf_counter()
        for step in range(self.steps):
            if self.control.paused():
                self.budget.hold()
                yield from hold(self.control)
                self.budget.start()
            if self.control.stopped():
                return
            share = step / self.steps
            learner.unfreeze(schedule.stage(share).blocks, schedule.backbone_rate)
            learner.step(sampler.batch(step, self.recipe.batch_size), schedule.rate(share))
            self._done += 1
            if time.perf_counter() - told > 0.5:
                told = time.perf_counter()
                yield self._progress()

    def _progress(self) -> Progress:
        total = self.steps * len(self.arms) * self.folds
        share = self._done / max(1, total)
        left = min(self.budget.elapsed / share * (1 - share), self.budget.seconds_left)  # it began with other work
        return Progress(step=self._done, steps=total, share=share, seconds_left=left)

    def _test(self, model: SegmentationModel, test: np.ndarray) -> float:
        """Mean overlap (IoU, 0 to 1) over the classes that are painted in the images that were held out."""
        confusion = Confusion(self.names)
        for pair, tested in zip(self.painted, test, strict=True):
            if tested:
                confusion.add(pair.labels, segment_labels(model, pair.pixels))
        present = {name for name, count in zip(self.names, confusion.table.sum(axis=1), strict=True) if count}
        return float(np.mean([value for name, value in confusion.iou().items() if name in present]))

    # telling --------------------------------------------------------------------------------------

    def _result(self) -> dict[str, Any]:
        masks, rounds = self.masks, self._whole_folds
        result: dict[str, Any] = {
            "run": self.request.encoder_run,
            "masks": masks,
            "rounds": rounds,
            "steps": self.steps,
            "seconds": round(self.budget.elapsed, 1),
        }
        if not rounds:
            return {**result, "answer": tr("Stopped before the first comparison was complete."), "shown": False}
        result["arms"] = [self._told(arm.id) for arm in self.arms]
        pairs = [(one.id, other.id) for place, one in enumerate(self.arms) for other in self.arms[:place]]
        compared = [compare(self.scores, *pair, masks=masks, test_share=1 / self.folds) for pair in pairs]
        first = primary(compared)
        result["comparisons"] = [found.values() for found in compared]
        return {**result, "answer": first.sentence, "shown": first.shown, "difference": first.difference}

    def _told(self, name: str) -> dict[str, Any]:
        found = intervals.mean(self.scores[name])
        return {"id": name, "name": tr(NAMES[name]), "miou": found.value, "rounds": self.scores[name]}
