"""The training loop: a generator that yields after every step; leaving it stops the run between two steps."""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import torch
from accelerate import Accelerator
from torch import Tensor

from sslstudio.errors import UserError
from sslstudio.language import tr
from sslstudio.learning.methods.base import Method, Position, StepResult, Views
from sslstudio.learning.training.batches import Batch
from sslstudio.learning.training.budget import StepBudget, TimeBudget, rate
from sslstudio.learning.training.devices import no_room, with_room
from sslstudio.learning.training.threads import ThreadPace, pace_for
from sslstudio.learning.training.views import make_views

log = logging.getLogger(__name__)
LOOK_AT_LOSS_EVERY = 10  # steps on a GPU, where looking means waiting for it


@dataclass(frozen=True)
class Step:
    """What one step did; ``seconds`` in all, ``waited`` of them for data, ``loss`` the last one looked at."""

    number: int
    loss: float
    images: int
    seconds: float
    waited: float
    learning_rate: float
    after: tuple[int, int]
    figures: dict[str, float] = field(default_factory=dict)  # of the method, as last looked at


@dataclass(frozen=True)
class Rates:
    """Height and course of the learning rate, and the longest allowed gradient (0 for none)."""

    learning_rate: float
    warmup: float
    clip: float


class Trainer:
    """One method, its optimiser and its devices; ``run`` trains, ``pieces`` is how often a batch is divided."""

    def __init__(
        self,
        method: Method,
        optimiser: torch.optim.Optimizer,
        accelerator: Accelerator,
        budget: TimeBudget,
        rates: Rates,
        views_random: torch.Generator,
        *,
        pieces: int = 1,
    ) -> None:
        self.method, self.optimiser, self.accelerator, self.budget = method, optimiser, accelerator, budget
        self.pieces, self.out_of_memory, self.spent = pieces, False, False
        self._rates, self._random = rates, views_random
        self._module, self._optimiser = accelerator.prepare(method, optimiser)
        self._trained: list[Tensor] = [p for p in method.parameters() if p.requires_grad]
        self._loss = float("nan")
        self._told: dict[str, float | Tensor] = {}  # the method's figures of this step
        self._figures: dict[str, float] = {}
        # Sums in another order are other sums: a run that must be repeatable keeps its threads.
        fixed = isinstance(budget, StepBudget)
        self._pace: ThreadPace | None = None if fixed else pace_for(accelerator.device, accelerator.num_processes)

    def run(self, next_batch: Callable[[], Batch], *, leave: Callable[[], bool] = lambda: False) -> Iterator[Step]:
        """Train until the budget is spent or ``leave`` says so; every device leaves after the same step."""
        self.method.train()
        while not self._take_position(leave):
            self.budget.begin_step()
            began = time.perf_counter()
            batch = next_batch()
            waited = time.perf_counter() - began
            loss, viewing = self._step(batch)
            if self._pace:
                self._pace.step_took(time.perf_counter() - began - waited)
            self.budget.end_step()
            self._look_at(loss)
            yield Step(
                self.budget.steps,
                self._loss,
                len(batch.tiles) * self.accelerator.num_processes,
                time.perf_counter() - began,
                waited + viewing,
                self._optimiser.param_groups[0]["lr"],
                batch.after,
                dict(self._figures),
            )

    def check(self) -> None:
        """Raise UserError if the weights are no longer numbers, so that a good checkpoint is never replaced."""
        norms = torch._foreach_norm(self._trained)
        if not bool(torch.stack(norms).isfinite().all()):
            raise _not_a_number(self.budget.steps)

    # one step -------------------------------------------------------------------------------------

    def _take_position(self, leave: Callable[[], bool]) -> bool:
        """Set position and learning rate for the next step; True when there is none. The first device decides."""
        share, expected = self.budget.share, self.budget.expected_steps
        self.spent = self.budget.done()
        over = self.spent or leave()
        if self.accelerator.num_processes > 1:
            said = torch.tensor([share, expected, over], dtype=torch.float64, device=self.accelerator.device)
            torch.distributed.broadcast(said, 0)
            share, expected, over = float(said[0]), int(said[1]), bool(said[2])
        self.method.position = Position(share, expected)
        for group in self._optimiser.param_groups:
            group["lr"] = self._rates.learning_rate * rate(share, self._rates.warmup)
        return over

    def _step(self, batch: Batch) -> tuple[Tensor, float]:
        """One update; where memory runs out the batch is divided and tried again."""
        return with_room(lambda: self._update(batch), lambda: self._divide(len(batch.tiles)), self._optimiser)

    def _divide(self, images: int) -> None:
        self.pieces *= 2
        self.out_of_memory = True
        if self.accelerator.num_processes > 1 or images // self.pieces < 2:
            raise no_room()

    def _update(self, batch: Batch) -> tuple[Tensor, float]:
        total, viewing = torch.zeros((), device=self.accelerator.device), 0.0
        # Of even sizes, two images at least: what is learned by comparing them needs that many.
        pieces = max(1, min(self.pieces, len(batch.tiles) // 2))
        pictures = itertools.repeat(None) if batch.pictures is None else batch.pictures.tensor_split(pieces)
        parts = zip(batch.tiles.tensor_split(pieces), batch.aspects.tensor_split(pieces), strict=True)
        for (tiles, aspects), shown in zip(parts, pictures, strict=False):
            began = time.perf_counter()
            self.method.pictures = None if shown is None else shown.to(self.accelerator.device)
            views = self._views(tiles, aspects)
            viewing += time.perf_counter() - began
            result: StepResult = self._module(views)
            self._told = result.figures
            part = len(tiles) / len(batch.tiles)
            self.accelerator.backward(result.loss * part)
            total += result.loss.detach() * part
        if self.accelerator.device.type == "cpu" and not bool(total.isfinite()):
            raise _not_a_number(self.budget.steps + 1)
        self.method.before_update()
        if self._rates.clip > 0:
            self.accelerator.clip_grad_norm_(self._trained, self._rates.clip)
        self._optimiser.step()
        self._optimiser.zero_grad()
        self.method.after_step()
        return total, viewing

    def _views(self, tiles: Tensor, aspects: Tensor) -> Views:
        device = self.accelerator.device
        views = make_views(tiles.to(device, non_blocking=True), aspects, self.method.views, self._random)
        # Views come channels last from the CPU, which patch embeddings like as well: no copy there.
        if self.method.encoder.kind == "conv" or device.type == "cpu":
            return tuple(view.contiguous(memory_format=torch.channels_last) for view in views)
        return tuple(view.contiguous() for view in views)

    def _look_at(self, loss: Tensor) -> None:
        """Read the loss and stop when it is no number; on a GPU only now and then, since reading waits for it."""
        every = 1 if loss.device.type == "cpu" or self.budget.steps < LOOK_AT_LOSS_EVERY else LOOK_AT_LOSS_EVERY
        if self.budget.steps % every == 0:
            self._loss = float(loss)
            self._figures = {name: float(value) for name, value in self._told.items()}
            if not bool(loss.isfinite()):
                raise _not_a_number(self.budget.steps)


def _not_a_number(step: int) -> UserError:
    return UserError(
        tr("Training stopped at step {step}: the loss is no longer a number.").format(step=step),
        tr("The last good checkpoint is kept. Lower the learning rate or the gradient limit and start again."),
    )
