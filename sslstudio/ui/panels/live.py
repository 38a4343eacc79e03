"""A run as the window sees it while its events come in: folded event by event, without Qt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sslstudio.runs import events as ev
from sslstudio.runs.folder import RunFolder, RunState

MOST_POINTS = 1200  # of a curve; more cannot be seen in a panel and would cost time at every redraw
PER_CLASS = ("iou/", "recall/", "precision/")


@dataclass(frozen=True)
class Curve:
    """Values over steps, thinned to at most ``MOST_POINTS``."""

    steps: tuple[float, ...] = ()
    values: tuple[float, ...] = ()

    def with_point(self, step: float, value: float) -> Curve:
        """The curve with one more point."""
        steps, values = (*self.steps, step), (*self.values, value)
        if len(steps) > MOST_POINTS:
            steps, values = steps[::2], values[::2]
        return Curve(steps, values)


@dataclass(frozen=True)
class Thumb:
    """A preview picture: what it shows, of which image, and where the file lies."""

    what: str
    image: str
    file: Path
    step: int = 0


@dataclass(frozen=True)
class LiveRun:
    """State, figures, curves and pictures of one run; ``seconds_left`` is negative while unknown."""

    id: str
    folder: Path
    state: RunState = RunState.WAITING
    title: str = ""
    name: str = ""  # what it does, for other runs that wait for it: “Pretraining with SimCLR”
    device: str = ""
    phase: str = ""
    step: int = 0
    steps: int = 0
    share: float = 0.0
    seconds_left: float = -1.0
    figures: Mapping[str, float] = field(default_factory=dict)
    curves: Mapping[str, Curve] = field(default_factory=dict)
    thumbs: tuple[Thumb, ...] = ()
    checkpoint: int = 0  # the step that resuming would go on from; 0 before the first checkpoint
    warning: str = ""
    advice: str = ""
    result: Mapping[str, Any] = field(default_factory=dict)

    @property
    def active(self) -> bool:
        """Whether it waits, runs or holds still: whether it can be paused or stopped."""
        return self.state in (RunState.WAITING, RunState.RUNNING, RunState.PAUSED)

    def after(self, event: ev.Event) -> LiveRun:
        """The run after one more event."""
        match event:
            case ev.Started():
                return replace(self, state=RunState.RUNNING, device=event.device, step=event.step)
            case ev.Phase():
                # In a pause only waiting for the turn is told: the pause is over.
                state = RunState.RUNNING if self.state is RunState.PAUSED else self.state
                return replace(self, phase=event.text, state=state)
            case ev.Progress():
                return replace(
                    self, step=event.step, steps=event.steps, share=event.share, seconds_left=event.seconds_left
                )
            case ev.Metric():
                return self._with_metric(event)
            case ev.Preview():
                return self._with_preview(event)
            case ev.Warned():
                return replace(self, warning=event.text, advice=event.advice)
            case ev.Checkpointed():
                return replace(self, checkpoint=event.step)
            case ev.Paused():
                return replace(self, state=RunState.PAUSED)
            case ev.Resumed():
                return replace(self, state=RunState.RUNNING)
            case ev.Finished():
                return replace(self, state=RunState.FINISHED, result=event.result, share=1.0, seconds_left=0.0)
            case ev.Stopped():
                return replace(self, state=RunState.STOPPED, result=event.result, seconds_left=0.0)
            case ev.Failed():
                return replace(self, state=RunState.FAILED, warning=event.problem, advice=event.advice)
        return self

    def after_all(self, events: Iterable[ev.Event]) -> LiveRun:
        """The run after several events, oldest first."""
        run = self
        for event in events:
            run = run.after(event)
        return run

    def interrupted(self) -> LiveRun:
        """The run as it is once its worker is found to be gone."""
        return replace(self, state=RunState.INTERRUPTED, seconds_left=-1.0) if self.active else self

    def _with_metric(self, event: ev.Metric) -> LiveRun:
        curves = dict(self.curves)
        for name, value in event.values.items():
            curves[name] = curves.get(name, Curve()).with_point(event.step, value)
        old = self.figures
        if "miou" in event.values:  # a new measurement: a class that it does not name was not measured this time
            old = {name: value for name, value in old.items() if not name.startswith(PER_CLASS)}
        return replace(self, figures={**old, **event.values}, curves=curves)

    def _with_preview(self, event: ev.Preview) -> LiveRun:
        thumb = Thumb(event.what, event.image, self.folder / event.file, event.step)
        kept = tuple(old for old in self.thumbs if (old.what, old.image) != (thumb.what, thumb.image))
        at = next((i for i, old in enumerate(self.thumbs) if (old.what, old.image) == (thumb.what, thumb.image)), None)
        if at is None:
            return replace(self, thumbs=(*kept, thumb))
        return replace(self, thumbs=(*kept[:at], thumb, *kept[at:]))


def live_run(run: RunFolder, title: str = "") -> LiveRun:
    """What a run's folder tells now; a dead worker shows as interrupted."""
    live = LiveRun(run.id, run.path, title=title).after_all(run.events())
    if live.state in (RunState.RUNNING, RunState.PAUSED) and not run.alive():
        return live.interrupted()
    return live
