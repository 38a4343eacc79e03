"""Fine-tuning: from painted images and an encoder to a segmentation model, within a time."""

from __future__ import annotations

import logging
import math
import platform
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import timm
import torch
from accelerate.utils import broadcast_object_list

import sslstudio
from sslstudio.errors import UserError
from sslstudio.language import tr
from sslstudio.learning.backbones.encoder import Encoder, create_encoder
from sslstudio.learning.backbones.stem import told
from sslstudio.learning.methods.batch_norm import has_batch_norm
from sslstudio.learning.segmentation.crops import Batch, CropSampler, painted_pixels
from sslstudio.learning.segmentation.labelled import Painted, at_scale, choose_shrink, read_labelled
from sslstudio.learning.segmentation.learner import Learner, make_accelerator
from sslstudio.learning.segmentation.losses import class_weights
from sslstudio.learning.segmentation.measure import Examiner, Overlays, figures
from sslstudio.learning.segmentation.model import SegmentationModel, save_model
from sslstudio.learning.segmentation.schedule import Schedule, plan
from sslstudio.learning.segmentation.state import read_state, write_state
from sslstudio.learning.training.budget import TimeBudget
from sslstudio.learning.training.control import Control, hold
from sslstudio.learning.training.devices import describe
from sslstudio.learning.training.threads import pace_for
from sslstudio.recipes.presets import PRESETS
from sslstudio.runs.events import Checkpointed, Event, Finished, Metric, Phase, Progress, Started, Stopped, Warned
from sslstudio.runs.request import FinetuneRequest

log = logging.getLogger(__name__)

_REPORT = 2.0  # seconds between loss figures
_OVERLAY = 5.0  # seconds between overlays, at least
_STATE = 30.0  # seconds between saved states
_MEASURE = 15.0  # seconds between measurements, at least
_MEASURE_SHARE = 0.10  # of the time may go into measuring while it learns


def finetune(
    request: FinetuneRequest,
    *,
    project: Path,
    checkpoints: Path,
    previews: Path,
    control: Control,
    budget: TimeBudget | None = None,
) -> Iterator[Event]:
    """Train a model on what was painted and leave it in ``models/<name>``; ends with Finished or Stopped.

    ``budget`` replaces the recipe's minutes where a benchmark counts something else than time.
    """
    budget = budget or TimeBudget(request.recipe.minutes * 60)
    budget.start()
    torch.manual_seed(request.recipe.seed)
    yield Phase(text=tr("Reading masks"))
    painted: list[Painted] = []
    for item in read_labelled(request, Path(project), checkpoints, request.recipe.channels):
        if isinstance(item, Warned):
            yield item
        else:
            painted.append(item)
    yield from _unpainted_classes(request, painted)
    if request.recipe.start == "timm" and not request.encoder_run:
        budget.hold()  # waiting for the network is not learning
        yield from _fetch(request, control)
        if control.stopped():
            yield Stopped(result={"steps": 0})
            return
        budget.start()
    run = _Finetuning(request, Path(project), checkpoints, previews, control, budget, painted)
    yield from run.events()


def _fetch(request: FinetuneRequest, control: Control) -> Iterator[Event]:
    """Have the published weights on this machine; of several devices' processes the first one fetches them."""
    from sslstudio.learning.backbones.published import fetched

    accelerator = make_accelerator()
    if accelerator.is_main_process:
        yield from fetched(request.recipe.backbone, control)
    accelerator.wait_for_everyone()


def _unpainted_classes(request: FinetuneRequest, painted: list[Painted]) -> Iterator[Warned]:
    """Check that there is something to learn; a class without a pixel is only warned about."""
    if not painted:
        raise UserError(
            tr("None of the painted images can be used."), tr("Paint at least one image, or restore the files.")
        )
    pixels = painted_pixels(painted, len(request.classes))
    if (pixels > 0).sum() < 2:
        only = request.classes[int(pixels.argmax())].name
        raise UserError(
            tr("Only “{only}” is painted, so there is nothing to tell it from.").format(only=only),
            tr("Paint some pixels of another class, too.")
            if pixels.argmax() == 0
            else tr("Paint some background, too."),
        )
    for spec, count in zip(request.classes, pixels, strict=True):
        if count == 0:
            yield Warned(
                text=tr("Nobody painted “{name}”, so the model cannot find it.").format(name=spec.name),
                advice=tr("Paint some of it, or remove the class."),
                about=spec.name,
            )


def _split(painted: list[Painted]) -> tuple[list[Painted], list[Painted]]:
    """Training and validation images; validation steps back where training would lack images or classes."""
    train = [p for p in painted if not p.validation]
    validation = [p for p in painted if p.validation]
    if len({p.image for p in painted}) < 4 or not train:  # parts of one huge image are no images of their own
        return painted, []
    return train, validation


def _flattered(train: list[Painted], validation: list[Painted]) -> Iterator[Warned]:
    """Say so where one stack is all there is, so that the model is judged by neighbours of what it learned from."""
    if {p.whole for p in train} & {p.whole for p in validation}:
        yield Warned(
            text=tr("All masks are of one stack, whose slices are much alike: the figures flatter the model."),
            advice=tr("Paint some slices of another stack to learn how good it is on new images."),
            about="validation",
        )


@dataclass(frozen=True)
class Beginning:
    """The encoder to start from, whether it has learned anything yet, and the channels that it has learned on."""

    encoder: Encoder
    trained: bool
    learned_on: int

    def note(self) -> Iterator[Warned]:
        """What to tell where the first layer had to be adapted."""
        if self.trained and self.learned_on != self.encoder.channels:
            yield Warned(text=told(self.learned_on, self.encoder.channels), about="channels")


def starting_encoder(request: FinetuneRequest, project: Path) -> Beginning:
    """The encoder that a run starts from, for images with the recipe's channels."""
    recipe = request.recipe
    if request.encoder_run:
        from sslstudio.learning.backbones.checkpoints import encoder_channels, load_encoder

        folder = project / "runs" / request.encoder_run / "checkpoints" / "last"
        return Beginning(load_encoder(folder, channels=recipe.channels), True, encoder_channels(folder))
    published = recipe.start == "timm"
    encoder = create_encoder(recipe.backbone, pretrained=published, channels=recipe.channels)
    if recipe.start in ("scratch", "timm"):
        return Beginning(encoder, published, 3)
    from sslstudio.learning.backbones.foreign import load_foreign

    report = load_foreign(encoder, Path(recipe.start))
    return Beginning(encoder, True, report.channels[0] if report.channels else recipe.channels)


class _Finetuning:
    """One run of fine-tuning; ``events()`` does the work."""

    def __init__(
        self,
        request: FinetuneRequest,
        project: Path,
        checkpoints: Path,
        previews: Path,
        control: Control,
        budget: TimeBudget,
        painted: list[Painted],
    ) -> None:
        self.request, self.recipe = request, request.recipe
        self.project, self.checkpoints, self.control, self.budget = project, checkpoints, control, budget
        self.names = [spec.name for spec in request.classes]
        train, self.validation = _split(painted)
        self.pixels = painted_pixels(train, len(self.names))
        if (self.pixels > 0).sum() < 2 or (painted_pixels(painted, len(self.names)) > 0).sum() > (
            self.pixels > 0
        ).sum():
            # A class that only validation images show would never be learned.
            train, self.validation = painted, []
            self.pixels = painted_pixels(train, len(self.names))
        # Of a huge image each painted part is one of these.
        self.train_names = list(dict.fromkeys(p.image for p in train))
        self.validation_names = list(dict.fromkeys(p.image for p in self.validation))
        side = _crop_side(self.recipe.crop, train)
        shrink = self.recipe.shrink or choose_shrink(train, side)
        self.sampler = CropSampler(
            at_scale(train, shrink, checkpoints),
            len(self.names),
            side,
            PRESETS[self.recipe.preset].augmentation,
            self.recipe.seed,
        )
        beginning = starting_encoder(request, project)
        _refuse_single(beginning.encoder, self.recipe.batch_size, side)
        self.note = (*beginning.note(), *_flattered(train, self.validation))
        self.schedule: Schedule = plan(self.recipe, trained=beginning.trained)
        self.accelerator = make_accelerator()
        model = SegmentationModel(beginning.encoder, self.recipe.decoder, len(self.names), crop=side, shrink=shrink)
        weights = class_weights(self.pixels, self.recipe.class_balance)
        self.learner = Learner(model, weights, self.recipe, self.accelerator)
        self.examiner = Examiner(self.validation, self.names)
        colours = [spec.colour for spec in request.classes]
        self.overlays = Overlays(previews, Path(request.images_root), colours)
        self.metrics: dict[str, float] = {}
        self.best: tuple[float, dict[str, Any]] | None = None
        self.loss = math.nan
        self._stage = -1.0
        self._last = dict.fromkeys(("report", "overlay", "state", "measure"), time.perf_counter())
        self._seen: tuple[str, ...] = ()
        self._reported_steps = 0

    @property
    def main(self) -> bool:
        """Whether this process writes files; with torchrun there are several."""
        return bool(self.accelerator.is_main_process)

    def events(self) -> Iterator[Event]:
        """Train to the end of the time or until stopped, measure, save."""
        self._resume()
        yield from self.note
        yield Started(device=describe(self.accelerator.device), step=self.learner.steps)
        pool = ThreadPoolExecutor(1)
        try:
            yield from self._train(pool)
        finally:
            pool.shutdown(cancel_futures=True)
        stopped = self._together(self.control.stopped())
        if not stopped and self.validation and self.main:
            yield Phase(text=tr("Measuring"))
            yield self._measure(final=True)
        self.learner.check()
        result = self._save()
        yield Progress(step=self.learner.steps, steps=self.learner.steps, share=1.0, seconds_left=0.0)
        yield Stopped(result=result) if stopped else Finished(result=result)

    def _train(self, pool: ThreadPoolExecutor) -> Iterator[Event]:
        future = self._cut(pool)
        pace = pace_for(self.accelerator.device, self.accelerator.num_processes)
        self.budget.start()
        while not self._together(self.budget.done() or self.control.stopped()):
            if self.control.paused():
                self.budget.hold()
                yield from hold(self.control)
                self.budget.start()
                continue  # a pause may end with the wish to stop
            share = self._share()
            yield from self._enter_stage(share)
            batch, future = future.result(), self._cut(pool, ahead=1)
            self.budget.begin_step()
            began = time.perf_counter()
            self.loss = self.learner.step(batch, self.schedule.rate(share))
            pace.step_took(time.perf_counter() - began)
            self.budget.end_step()
            yield from self._divided()
            if self.main:
                yield from self._look()

    def _divided(self) -> Iterator[Event]:
        """Say so once where memory ran out."""
        if self.learner.out_of_memory:
            self.learner.out_of_memory = False
            yield Warned(
                text=tr("Memory ran out, so each batch is now worked through in {pieces} parts.").format(
                    pieces=self.learner.pieces
                ),
                advice=tr("A smaller crop, batch or backbone trains faster."),
                about="batch_size",
            )

    def _cut(self, pool: ThreadPoolExecutor, ahead: int = 0) -> Future[Batch]:
        """The next batch, cut in another thread while the network works on this one."""
        step = (self.learner.steps + ahead) * self.accelerator.num_processes + self.accelerator.process_index
        return pool.submit(self.sampler.batch, step, self.recipe.batch_size)

    def _together(self, ends: bool) -> bool:
        """The main process's word, so that several devices leave the loop at the same step."""
        if self.accelerator.num_processes == 1:
            return ends
        word = [ends]
        broadcast_object_list(word)
        return bool(word[0])

    def _enter_stage(self, share: float) -> Iterator[Event]:
        stage = self.schedule.stage(share)
        if stage.start != self._stage:
            self._stage = stage.start
            self.learner.unfreeze(stage.blocks, self.schedule.backbone_rate)
            yield Phase(text=stage.text)

    def _share(self) -> float:
        """How far the run is, by the main process's clock: devices with other rates would drift apart."""
        if self.accelerator.num_processes == 1:
            return self.budget.share
        word = [self.budget.share]
        broadcast_object_list(word)
        return float(word[0])

    def _look(self) -> Iterator[Event]:
        """Figures, overlays and states, each in its own rhythm."""
        if self._due("report", _REPORT):
            yield from self._report()
        if self.validation and self._due("measure", max(_MEASURE, self._measuring_time() / _MEASURE_SHARE)):
            yield self._measure()
        shown = self._shown()
        if shown and (shown != self._seen or self._due("overlay", max(_OVERLAY, 20 * self.overlays.seconds))):
            self._seen = shown
            yield from self._draw(shown)
        if self._due("state", _STATE):
            yield self._write_state()

    def _due(self, what: str, seconds: float) -> bool:
        now = time.perf_counter()
        if now - self._last[what] < seconds:
            return False
        self._last[what] = now
        return True

    def _report(self) -> Iterator[Event]:
        steps, budget = self.learner.steps, self.budget
        seconds = max(budget.elapsed, 1e-6)
        images = steps * self.recipe.batch_size * self.accelerator.num_processes / seconds
        rate = self.recipe.learning_rate * self.schedule.rate(budget.share)
        yield Metric(step=steps, values={"loss": self.loss, "images_per_second": images, "learning_rate": rate})
        yield Progress(
            step=steps,
            steps=max(budget.expected_steps, steps),
            share=min(budget.share, 1.0),
            seconds_left=budget.seconds_left,
        )

    def _measuring_time(self) -> float:
        return self.examiner.seconds * len(self.validation)

    def _measure(self, final: bool = False) -> Metric:
        """Figures of the averaged weights; at the end those of the best state where one was chosen."""
        if final and self.best is not None:
            self.learner.average.load_state_dict(self.best[1])
        limit = self.recipe.minutes * 60 * 0.05
        confusion = self.examiner.measure(self.learner.average, limit)
        self._last["measure"] = time.perf_counter()
        self.budget.reserve(min(limit, self._measuring_time()) + 0.5)
        values = figures(confusion)
        if values:
            # How far the figures can be trusted: from how many images they come, and how much of those was judged.
            trust = {"measured_images": float(self.examiner.measured), "measured_painted": self.examiner.painted}
            self.metrics = {**values, "pixel_accuracy": confusion.pixel_accuracy(), **trust}
            if self.examiner.trustworthy and (self.best is None or values["miou"] > self.best[0]):
                state = {k: v.detach().cpu().clone() for k, v in self.learner.average.state_dict().items()}
                self.best = (values["miou"], state)
        return Metric(step=self.learner.steps, values={"loss": self.loss, **self.metrics})

    def _shown(self) -> tuple[str, ...]:
        wished = self.control.preview_images() or ((self.request.preview,) if self.request.preview else ())
        return tuple(wished[:2])

    def _draw(self, images: tuple[str, ...]) -> Iterator[Event]:
        for image in images:
            preview = self.overlays.draw(self.learner.average, image, self.learner.steps)
            if preview is not None:
                yield preview
        self._last["overlay"] = time.perf_counter()

    def _write_state(self) -> Checkpointed:
        self.learner.check()
        state = {"learner": self.learner.state(), "elapsed": self.budget.elapsed, "metrics": self.metrics}
        write_state(self.checkpoints, self.request, state)
        return Checkpointed(folder=f"{self.checkpoints.name}/last", step=self.learner.steps)

    def _resume(self) -> None:
        state = read_state(self.checkpoints, self.request)
        if state is None:
            return
        self.learner.load_state(state["learner"], self.schedule.backbone_rate)
        self.metrics = state["metrics"]
        self.budget.hold()
        self.budget = TimeBudget(
            self.recipe.minutes * 60, elapsed=state["elapsed"] + self.budget.elapsed, steps=self.learner.steps
        )

    def _save(self) -> dict[str, Any]:
        """Write the model's folder; what the last event says about it."""
        iou = {key.removeprefix("iou/"): value for key, value in self.metrics.items() if key.startswith("iou/")}
        result: dict[str, Any] = {
            "model": self.request.model,
            "iou": iou,
            "validation_images": self.validation_names,
            "steps": self.learner.steps,
        }
        if "miou" in self.metrics:
            result["miou"] = self.metrics["miou"]
        if self.main:
            save_model(self.learner.average, self.project / "models" / self.request.model, self._about())
        self.accelerator.wait_for_everyone()
        return result

    def _about(self) -> dict[str, Any]:
        counts = {name: int(count) for name, count in zip(self.names, self.pixels, strict=True)}
        return {
            "classes": [{"name": spec.name, "colour": spec.colour} for spec in self.request.classes],
            "metrics": self.metrics,
            "encoder_run": self.request.encoder_run,
            "recipe": self.recipe.model_dump(),
            "data": {
                "training_images": self.train_names,
                "validation_images": self.validation_names,
                "pixels": counts,
            },
            "training": {"steps": self.learner.steps, "minutes": round(self.budget.elapsed / 60, 2)},
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "versions": {
                "sslstudio": sslstudio_version(),
                "torch": torch.__version__,
                "timm": timm.__version__,
                "python": platform.python_version(),
            },
        }


def _refuse_single(encoder: Encoder, crops: int, side: int) -> None:
    """Raise UserError where batch norm would see a single value: one crop with one place in the last map."""
    if crops == 1 and side <= encoder.stride and has_batch_norm(encoder):
        raise UserError(
            tr("“{name}” cannot learn from single crops of {side} pixels: it compares what is in a step.").format(
                name=encoder.name, side=side
            ),
            tr("Choose a batch of 2 or more, or a crop of {stride} pixels or more.").format(stride=2 * encoder.stride),
        )


def sslstudio_version() -> str:
    """The version of this program."""
    return str(getattr(sslstudio, "__version__", "0.1.0"))


def _crop_side(wanted: int, painted: list[Painted]) -> int:
    """The crop's side: as wanted, but not much larger than the images; a multiple of 32."""
    longest = max(max(p.labels.shape) for p in painted)
    return min(wanted, max(64, 32 * math.ceil(longest / 32)))
