"""Follows a run from a terminal: one line that is kept up to date, or now and then a new one in a log."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from typing import TextIO

from sslstudio.errors import UserError
from sslstudio.runs import events as ev
from sslstudio.runs.damage import note_damage_beside
from sslstudio.runs.folder import EventTail, RunFolder, RunState, RunSummary
from sslstudio.runs.start import resume, start

LOOK_EVERY = 0.2  # seconds
TELL_EVERY = 15.0  # seconds between two lines where the output is not a terminal


class WorkerDied(Exception):
    """The worker ended without telling how; the run can be resumed."""


class Teller:
    """Tells events on ``stream``: figures on a line that is rewritten, everything else on lines of their own."""

    def __init__(self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream or sys.stderr
        self._clock = clock
        self._live = self._stream.isatty()
        self._width = 0
        self._told_at = float("-inf")
        self._figures: dict[str, float] = {}

    def __call__(self, event: ev.Event) -> None:
        """Tell one event."""
        match event:
            case ev.Phase():
                self.line(event.text)
            case ev.Warned():
                self.line(f"Note: {event.text} {event.advice}".rstrip())
            case ev.Paused():
                self.line("Paused")
            case ev.Metric():
                self._figures.update(event.values)
            case ev.Progress():
                self._progress(event)
            case ev.Started():
                self._figures.clear()
                if event.device:
                    self.line(f"Working on {event.device}" + (f" from step {event.step}" if event.step else ""))

    def line(self, text: str) -> None:
        """Tell a sentence on a line of its own."""
        self._clear()
        self._stream.write(text + "\n")
        self._stream.flush()

    def close(self) -> None:
        """Leave the terminal tidy."""
        self._clear()
        self._stream.flush()

    def _progress(self, event: ev.Progress) -> None:
        text = f"{event.share:4.0%}  step {event.step}/{event.steps}{_left(event.seconds_left)}{self._shown_figures()}"
        if self._live:
            self._stream.write("\r" + text.ljust(self._width))
            self._stream.flush()
            self._width = len(text)
        elif self._clock() - self._told_at >= TELL_EVERY or event.share >= 1:
            self._told_at = self._clock()
            self.line(text.strip())

    def _shown_figures(self) -> str:
        known = {"loss": "loss {:.3f}", "miou": "mIoU {:.3f}", "images_per_second": "{:.0f} images/s"}
        return "".join("  " + form.format(self._figures[key]) for key, form in known.items() if key in self._figures)

    def _clear(self) -> None:
        if self._width:
            self._stream.write("\r" + " " * self._width + "\r")
            self._width = 0


def _left(seconds: float) -> str:
    if seconds < 0:
        return ""
    return f"  {seconds:.0f} s left" if seconds < 100 else f"  {seconds / 60:.0f} min left"


def carry_out(run: RunFolder, told: Callable[[ev.Event], None], *, again: bool = False) -> RunSummary:
    """Start (or resume) the worker in the foreground and follow it to its end; Ctrl+C stops and keeps.

    Raises UserError when the run failed for a reason that the user can mend, and WorkerDied when the worker is gone.
    """
    tail = EventTail(run.path / "events.jsonl")
    tail.read()  # what an earlier worker told is known
    process = (resume if again else start)(run, background=False)
    failure = _follow(run, process, tail, told)
    note_damage_beside(run)
    if failure is not None:
        raise UserError(failure.problem, failure.advice)
    summary = run.summary()
    if summary.state not in (RunState.FINISHED, RunState.STOPPED):
        raise WorkerDied(f"The worker of run {run.id} ended unexpectedly (code {process.returncode}); see {run.log}.")
    return summary


def _follow(
    run: RunFolder, process: subprocess.Popen[bytes], tail: EventTail, told: Callable[[ev.Event], None]
) -> ev.Failed | None:
    """Tell events until the process has ended; the failure if there was one."""
    failure, ended = None, False
    while not ended:
        try:
            ended = _has_ended(process)
            for event in tail.read():
                failure = event if isinstance(event, ev.Failed) else failure
                told(event)
        except KeyboardInterrupt:
            told(ev.Phase(text="Stopping and keeping what was learned…"))
            run.wish("stop")
    return failure


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(LOOK_EVERY)
    except subprocess.TimeoutExpired:
        return False
    return True
