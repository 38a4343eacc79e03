"""The pretraining job from request to encoder: reads images, trains, reports, keeps checkpoints."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import timm
import torch
from accelerate.utils import set_seed

from sslstudio.errors import UserError
from sslstudio.language import tr
from sslstudio.learning.backbones.encoder import Encoder, create_encoder
from sslstudio.learning.backbones.foreign import load_foreign
from sslstudio.learning.backbones.published import fetched
from sslstudio.learning.backbones.stem import told
from sslstudio.learning.evaluation.attention import to_input
from sslstudio.learning.methods.base import Method
from sslstudio.learning.methods.registry import create_method
from sslstudio.learning.training import checkpoint
from sslstudio.learning.training.batches import Order, Prefetch
from sslstudio.learning.training.budget import StepBudget, TimeBudget
from sslstudio.learning.training.cache import ImageCache, cannot_write, tile_side
from sslstudio.learning.training.control import Control, hold
from sslstudio.learning.training.devices import describe, make_accelerator
from sslstudio.learning.training.loop import Rates, Step, Trainer
from sslstudio.learning.training.optimiser import make_optimiser
from sslstudio.learning.training.reports import Figures, Health, Paced, Pictures
from sslstudio.learning.training.snapshots import Snapshots
from sslstudio.recipes.presets import look_of
from sslstudio.recipes.pretrain import PretrainRecipe
from sslstudio.runs.events import Checkpointed, Event, Finished, Phase, Progress, Started, Stopped, Warned
from sslstudio.runs.request import PretrainRequest

log = logging.getLogger(__name__)
HEALTH_SAMPLE = 128
WARNED_FILES = 20


def pretrain(
    request: PretrainRequest,
    *,
    checkpoints: Path,
    previews: Path,
    cache: Path,
    control: Control,
    steps: int | None = None,
) -> Iterator[Event]:
    """Train an encoder as ``request`` says and tell about it; the last event is Finished or Stopped.

    Goes on from ``checkpoints/last`` where there is one. ``steps`` trains that many steps instead of the
    recipe's minutes, which makes a run repeatable. Raises UserError for what the user can mend.
    """
    run = _Run(request, Path(checkpoints), Path(previews), Path(cache), control, steps)
    try:
        for event in run.events():
            if run.accelerator.is_main_process:
                yield event
    finally:
        run.close()


@dataclass
class _Parts:
    """What training needs, once the images are there."""

    trainer: Trainer
    feed: Prefetch
    figures: Figures
    health: Health
    pictures: Pictures


class _Run:
    """One pretraining run in this process."""

    def __init__(
        self,
        request: PretrainRequest,
        checkpoints: Path,
        previews: Path,
        cache: Path,
        control: Control,
        steps: int | None,
    ) -> None:
        self.request, self.recipe, self.control = request, request.recipe, control
        self._checkpoints, self._previews, self._cache_folder = checkpoints, previews, cache
        self._steps = steps
        self._cache: ImageCache = None  # type: ignore[assignment]  # set before it is used
        self._feed: Prefetch | None = None
        self._after = (0, 0)
        self._files_warned = 0
        self._saving = Paced(60.0, 0.03)

    def close(self) -> None:
        """Let the threads end."""
        if self._feed is not None:
            self._feed.close()
        if self._cache is not None:
            self._cache.close()

    def events(self) -> Iterator[Event]:
        """The whole run."""
        if not self.request.images:
            raise UserError(tr("There are no images to learn from."), tr("Choose a folder that holds images."))
        self.accelerator = make_accelerator()
        if self.recipe.start == "timm":
            yield from self._fetch()
            if self.control.stopped():
                yield Stopped(result={"steps": 0})
                return
        yield Phase(text=tr("Preparing the backbone"))
        yield from self._prepare()
        yield Started(device=describe(self.accelerator.device), step=self.budget.steps)
        if self._before is None:
            yield self._save()
        yield Phase(text=tr("Reading images"))
        yield from self._read_images()
        if self.control.stopped():
            yield Stopped(result=self._result(None))
            return
        yield Phase(text=tr("Training"))
        yield from self._train()

    # preparing ------------------------------------------------------------------------------------

    def _fetch(self) -> Iterator[Event]:
        """Have the published weights on this machine; an earlier part of this run needs them no more."""
        if checkpoint.read_numbers(self._checkpoints) is None and self.accelerator.is_main_process:
            yield from fetched(self.recipe.backbone, self.control)
        self.accelerator.wait_for_everyone()

    def _prepare(self) -> Iterator[Event]:
        """Method, optimiser, budget, and the state of an earlier part of this run."""
        recipe = self.recipe
        set_seed(recipe.seed)
        self._before = checkpoint.read_numbers(self._checkpoints)
        encoder, note = _starting_encoder(recipe, resumed=self._before is not None)
        look = look_of(recipe.preset, grey=recipe.grey)
        method = create_method(encoder, recipe.method, resolution=recipe.resolution, look=look)
        if recipe.start == "scratch":
            method.begin_from_scratch()
        if note is not None:
            yield note
        if method.views[0].size != recipe.resolution:
            yield Warned(
                text=tr("Views have {size} instead of {resolution} pixels, as the backbone needs.").format(
                    size=method.views[0].size, resolution=recipe.resolution
                ),
                about="resolution",
            )
        memory = torch.channels_last if encoder.kind == "conv" else torch.contiguous_format
        self.method: Method = method.to(self.accelerator.device).to(memory_format=memory)
        self._optimiser = make_optimiser(
            self.method, learning_rate=recipe.learning_rate, weight_decay=recipe.weight_decay
        )
        # Parameters of views are drawn on the CPU whatever the device; each device of several has its own.
        self._views_random = torch.Generator().manual_seed(recipe.seed + 7919 * self.accelerator.process_index)
        self._batch = recipe.batch_size
        self._snapshots = Snapshots(self._checkpoints, encoder)
        self._resume()

    def _resume(self) -> None:
        before = self._before
        if before is not None:
            _check_same(before, self.recipe)
            checkpoint.restore(self._checkpoints, self.method, self._optimiser, self._views_random)
            self._after = (before.epoch, before.at)
        done, worked = (before.step, before.elapsed) if before is not None else (0, 0.0)
        if self._steps is not None:
            self.budget: TimeBudget = StepBudget(self._steps, elapsed=worked, steps=done)
        else:
            self.budget = TimeBudget(self.recipe.minutes * 60, elapsed=worked, steps=done)

    # images ---------------------------------------------------------------------------------------

    def _read_images(self) -> Iterator[Event]:
        """Open or build the cache and wait until training can begin; the rest is read beside it."""
        alone = self.accelerator.num_processes == 1
        if not self.accelerator.is_main_process:
            self.accelerator.wait_for_everyone()  # the first process builds, the others find the file
        yield from self._fill(least=2 if len(self.request.images) == 1 else 1, whole=not alone)
        if not self.control.stopped() and self._cache.complete and len(self._cache) == 1:
            yield from self._fill(least=2, whole=True)  # one image was left: learn from its parts
        if self.accelerator.is_main_process:
            self.accelerator.wait_for_everyone()
        if not self.control.stopped():
            yield from self._fit_batch()

    def _fill(self, *, least: int, whole: bool) -> Iterator[Event]:
        request = self.request
        if self._cache is not None:
            self._cache.close()
        side = tile_side(self.method.views[0].size)
        folder = self._cache_folder / "pixels"
        try:
            self._cache = ImageCache(
                Path(request.images_root),
                request.images,
                folder,
                side=side,
                least=least,
                channels=self.recipe.channels,
            )
        except OSError as error:
            raise cannot_write(folder, error) from None
        self._cache.build()
        began = time.perf_counter()
        # A run by steps must be repeatable, so it waits until the order of the tiles is settled.
        settled = whole or self._steps is not None
        while not self.control.stopped() and not self._cache.wait(self._enough(began, settled=settled), 0.25):
            yield from self._file_warnings()
            yield Progress(step=self.budget.steps, steps=max(1, self.budget.steps), share=self.budget.share)
        yield from self._file_warnings()
        if self._cache.complete and len(self._cache) == 0:
            raise UserError(
                tr("None of the {images} images can be read.").format(images=len(request.images)),
                tr("See the reasons in the list of warnings; convert the images to PNG, JPEG or TIFF."),
            )

    def _enough(self, began: float, *, settled: bool) -> int:
        """With how many tiles training may begin; on a CPU, where reading slows training, it waits a while."""
        patience = 0.0 if self.accelerator.device.type == "cuda" else min(20.0, 0.1 * self.recipe.minutes * 60)
        if settled or time.perf_counter() - began < patience:
            return sys.maxsize
        return 4 * self.recipe.batch_size

    def _file_warnings(self) -> Iterator[Event]:
        """Each bad file by name, up to a number that a person still reads; then how many more."""
        found = self._cache.warnings()
        yield from found[: max(0, WARNED_FILES - self._files_warned)]
        rest = len(found) - max(0, WARNED_FILES - self._files_warned)
        self._files_warned += len(found)
        if rest > 0:
            yield Warned(
                text=tr("{rest} more images cannot be used and are left out.").format(rest=rest), about="images"
            )

    def _fit_batch(self) -> Iterator[Event]:
        """Lower the batch where there are fewer tiles than it wants."""
        count, wanted = len(self._cache), self.recipe.batch_size
        if self._cache.complete and count < wanted:
            self._batch = max(2, count)
            yield Warned(
                text=tr("There are only {count} pictures to learn from: a batch has {batch}, not {wanted}.").format(
                    count=count, batch=self._batch, wanted=wanted
                ),
                advice=tr("More images make a better network."),
                about="batch_size",
            )
        yield from self._short_queue()

    def _short_queue(self) -> Iterator[Event]:
        """Say so where a queue is longer than all pictures: it then holds old answers for the same ones."""
        count = max(len(self._cache), len(self.request.images))
        queue = getattr(self.recipe.method, "queue", 0)
        if queue > count:
            fits = max(0, count - self._batch)
            yield Warned(
                text=tr(
                    "The queue holds {queue} images, but there are only {count} pictures: most of it is old "
                    "answers for the same ones."
                ).format(queue=queue, count=count),
                advice=tr("Set the method's queue to {fits}: as many as are not in the step itself.").format(fits=fits),
                about="method.queue",
            )

    # training -------------------------------------------------------------------------------------

    def _train(self) -> Iterator[Event]:
        if self.accelerator.device.type == "cpu":
            self._cache.be_gentle()
        parts = self._parts()
        if self._saving.due():
            self._saving.later(60.0)
        self.budget.start()
        step: Step | None = None
        for step in parts.trainer.run(parts.feed.next, leave=self.control.stopped):
            self._after = step.after
            yield from self._after_step(parts, step)
        self.budget.hold()
        parts.trainer.check()
        if step is not None:
            yield from parts.figures.add(step, last=True)
        yield from self._look(parts, last=True)
        yield self._save(parts.trainer.pieces)
        result = self._result(parts)
        yield Finished(result=result) if parts.trainer.spent else Stopped(result=result)

    def _parts(self) -> _Parts:
        recipe, device = self.recipe, self.accelerator.device
        world = self.accelerator.num_processes
        order = Order(
            recipe.seed,
            max(2, self._batch // world),
            epoch=self._after[0],
            at=self._after[1],
            rank=self.accelerator.process_index,
            world=world,
        )
        self._feed = Prefetch(self._cache, order, pin=device.type == "cuda")
        trainer = Trainer(
            self.method,
            self._optimiser,
            self.accelerator,
            self.budget,
            Rates(recipe.learning_rate, recipe.warmup, recipe.clip),
            self._views_random,
            pieces=self._before.pieces if self._before is not None else 1,
        )
        root = Path(self.request.images_root)
        sample = _sample(self._cache, self.method.views[0].size)
        return _Parts(trainer, self._feed, Figures(self.budget), Health(sample), Pictures(root, self._previews))

    def _after_step(self, parts: _Parts, step: Step) -> Iterator[Event]:
        """Tell, look, save and hold as is due."""
        yield from parts.figures.add(step)
        parts.health.answers.add(step.number, step.figures)
        if parts.trainer.out_of_memory:
            parts.trainer.out_of_memory = False
            yield Warned(
                text=tr("Memory ran out, so each batch is now worked through in {pieces} parts.").format(
                    pieces=parts.trainer.pieces
                ),
                advice=tr("A smaller batch, view size or backbone trains faster."),
                about="batch_size",
            )
        yield from self._file_warnings()
        yield from self._look(parts)
        if self._saving.due():
            parts.trainer.check()
            yield self._save(parts.trainer.pieces)
        if self.control.paused():
            self.budget.hold()
            yield from hold(self.control)
            self.budget.start()

    def _look(self, parts: _Parts, *, last: bool = False) -> Iterator[Event]:
        """Health and pictures when they are due; always at the end."""
        if not self.accelerator.is_main_process:
            return
        encoder, number = self.method.encoder, self.budget.steps
        if self._snapshots.due(self.budget.share):
            self._snapshots.keep(encoder, number, self.budget.share)
        early = self.budget.share < 0.1 or number < 30
        with self.accelerator.autocast():
            found: list[Event] = []
            if last or parts.health.pace.due():
                found += parts.health.look(encoder, number, early=early)
            if last or parts.pictures.pace.due():
                found += parts.pictures.draw(encoder, self._shown(), number)
        yield from found

    def _shown(self) -> tuple[str, ...]:
        return self.control.preview_images() or self.request.pinned or self.request.images[:1]

    # keeping --------------------------------------------------------------------------------------

    def _save(self, pieces: int = 1) -> Event:
        """Write a checkpoint; its duration decides when the next comes and what is kept free at the end."""
        began = time.perf_counter()
        step = self.budget.steps
        if self.accelerator.is_main_process:
            with self._saving.turn():
                checkpoint.save_checkpoint(
                    self._checkpoints,
                    self.method,
                    self._optimiser,
                    self._views_random,
                    checkpoint.Numbers(
                        method=self.recipe.method.id,
                        backbone=self.recipe.backbone,
                        step=step,
                        elapsed=self.budget.elapsed,
                        epoch=self._after[0],
                        at=self._after[1],
                        batch=self._batch,
                        pieces=pieces,
                    ),
                    _about(self.recipe),
                )
        self.budget.reserve(time.perf_counter() - began)
        return Checkpointed(folder=f"{self._checkpoints.name}/last", step=step)

    def _result(self, parts: _Parts | None) -> dict:
        """Figures and paths that later steps want."""
        found: dict = {"encoder": f"{self._checkpoints.name}/last", "steps": self.budget.steps}
        if parts is not None:
            figures = {
                "effective_rank": parts.health.rank,
                "images_per_second": parts.figures.images_per_second,
                "loss": parts.figures.loss,
            }
            found |= {key: value for key, value in figures.items() if np.isfinite(value)}
        return found


def _starting_encoder(recipe: PretrainRecipe, *, resumed: bool) -> tuple[Encoder, Event | None]:
    """The encoder as the recipe wants it to start, and what to tell about it."""
    published = recipe.start == "timm" and not resumed
    encoder = create_encoder(recipe.backbone, pretrained=published, channels=recipe.channels)
    if published and recipe.channels != 3:
        return encoder, Warned(text=told(3, recipe.channels), about="channels")
    if resumed or recipe.start in ("scratch", "timm"):
        return encoder, None
    report = load_foreign(encoder, Path(recipe.start))
    log.info("%s: %s", recipe.start, report.sentence())
    if not report.missing and not report.channels:
        return encoder, None
    return encoder, Warned(text=f"{Path(recipe.start).name}: {report.sentence()}", about="start")


def _check_same(before: checkpoint.Numbers, recipe: PretrainRecipe) -> None:
    if (before.method, before.backbone) != (recipe.method.id, recipe.backbone):
        raise UserError(
            tr("The checkpoint of this run was made with {method} and {backbone}.").format(
                method=before.method, backbone=before.backbone
            ),
            tr("Start a new run for {id} and {backbone}.").format(id=recipe.method.id, backbone=recipe.backbone),
        )


def _about(recipe: PretrainRecipe) -> dict:
    return {
        "recipe": recipe.model_dump(mode="json"),
        "versions": {"sslstudio": "0.1.0", "torch": torch.__version__, "timm": timm.__version__},
    }


def _sample(cache: ImageCache, size: int) -> torch.Tensor:
    """A fixed sample of tiles over the whole folder as network input (N, C, size, size)."""
    numbers = np.unique(np.linspace(0, len(cache) - 1, HEALTH_SAMPLE).astype(int))
    tiles, _ = cache.read(numbers)
    return torch.cat([to_input(tile, size, size) for tile in tiles])
