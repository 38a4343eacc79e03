"""How far a run is: by the time it has worked, or by steps; pure, so that a test can bring its own clock."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

Clock = Callable[[], float]


class TimeBudget:
    """A run of ``seconds``; its position is the share of that time worked, so that no speed need be known.

    Time counts between ``start`` and ``hold`` only: pauses and start-up are free. ``elapsed`` and ``steps`` go
    on from a checkpoint. A step that would end more than half of itself too late is not begun.
    """

    def __init__(
        self, seconds: float, *, elapsed: float = 0.0, steps: int = 0, clock: Clock = time.perf_counter
    ) -> None:
        self.seconds = seconds
        self.steps = steps
        self._before = elapsed
        self._since: float | None = None
        self._clock = clock
        self._step_began = elapsed
        self._step_seconds = 0.0
        self._reserve = 0.0

    @property
    def elapsed(self) -> float:
        """Seconds worked so far."""
        return self._before + (self._clock() - self._since if self._since is not None else 0.0)

    @property
    def share(self) -> float:
        """How much of the run is done, 0 to 1."""
        return min(1.0, self.elapsed / max(1e-9, self.seconds - self._reserve))

    @property
    def seconds_left(self) -> float:
        """Seconds of work to come."""
        return max(0.0, self.seconds - self.elapsed)

    @property
    def expected_steps(self) -> int:
        """How many steps the whole run will have at the present speed."""
        if self._step_seconds <= 0:
            return max(1, self.steps)
        return self.steps + math.floor(self.seconds_left / self._step_seconds)

    def start(self) -> None:
        """Let the time run."""
        if self._since is None:
            self._since = self._clock()
        self._step_began = self.elapsed

    def hold(self) -> None:
        """Let the time stand still: a pause, or work that should not count."""
        self._before, self._since = self.elapsed, None

    def reserve(self, seconds: float) -> None:
        """Keep ``seconds`` at the end free for what follows the last step (the last checkpoint)."""
        self._reserve = min(seconds, 0.1 * self.seconds)

    def begin_step(self) -> None:
        """Remember when a step began."""
        self._step_began = self.elapsed

    def end_step(self) -> None:
        """Count a step; recent steps weigh more in the estimate of the speed."""
        took = self.elapsed - self._step_began
        self.steps += 1
        self._step_seconds = took if self._step_seconds <= 0 else 0.8 * self._step_seconds + 0.2 * took

    def done(self) -> bool:
        """Whether no further step fits; the first step of a run always does."""
        return self.steps > 0 and self.elapsed + self._step_seconds / 2 >= self.seconds - self._reserve


class StepBudget(TimeBudget):
    """A run of a fixed number of steps: the same position whatever the speed, so that runs can be repeated."""

    def __init__(self, steps_in_all: int, *, elapsed: float = 0.0, steps: int = 0, clock: Clock = time.perf_counter):
        super().__init__(math.inf, elapsed=elapsed, steps=steps, clock=clock)
        self._in_all = steps_in_all

    @property
    def share(self) -> float:
        """How much of the run is done, 0 to 1."""
        return min(1.0, self.steps / self._in_all)

    @property
    def seconds_left(self) -> float:
        """Seconds of work to come at the present speed."""
        return max(0, self._in_all - self.steps) * self._step_seconds

    @property
    def expected_steps(self) -> int:
        """How many steps the whole run has."""
        return self._in_all

    def reserve(self, seconds: float) -> None:
        """Nothing: steps are not traded for time."""

    def done(self) -> bool:
        """Whether all steps are done."""
        return self.steps >= self._in_all


def rate(share: float, warmup: float) -> float:
    """Learning rate as part of its height: a straight rise over ``warmup``, then half a cosine down to 0."""
    if share < warmup:
        return max(0.01, share / warmup)
    rest = (share - warmup) / max(1e-9, 1 - warmup)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, rest)))
