"""One run's folder: request, events, control, result. The window and the worker both speak through it."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Literal, get_args

from filelock import FileLock, Timeout
from pydantic import ValidationError

from sslstudio.errors import UserError
from sslstudio.language import tr
from sslstudio.runs import events as ev
from sslstudio.runs.request import REQUEST, Request, RunKind


class RunState(Enum):
    """Where a run is; the value is the word that lists show."""

    WAITING = "waiting"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"
    INTERRUPTED = "interrupted"  # its worker died; resuming goes on from the last checkpoint, if it had one


Wish = Literal["pause", "stop"]


@dataclass(frozen=True)
class RunSummary:
    """A row of the list of runs; ``minutes`` is the time worked, ``metrics`` the last value of each figure.

    ``checkpoint`` is the step that resuming would go on from, 0 before the first checkpoint.
    """

    id: str
    kind: RunKind
    state: RunState
    minutes: float
    metrics: dict[str, float]
    result: dict
    folder: Path
    checkpoint: int = 0


class RunFolder:
    """A run below ``<project>/runs``; every method reads or writes files and keeps nothing in memory."""

    def __init__(self, path: Path) -> None:
        self.path = Path(path)

    @property
    def id(self) -> str:
        """The folder's name, which is the run's id."""
        return self.path.name

    @property
    def project_folder(self) -> Path:
        """The project that this run belongs to."""
        return self.path.parent.parent

    @property
    def checkpoints(self) -> Path:
        """Where the last and the best state are kept."""
        return self.path / "checkpoints"

    @property
    def previews(self) -> Path:
        """Where pictures for the window are kept."""
        return self.path / "previews"

    @property
    def log(self) -> Path:
        """The worker's standard error."""
        return self.path / "log.txt"

    @classmethod
    def create(cls, project_folder: Path, request: Request, name: str = "") -> RunFolder:
        """Make a new run folder with its request; raises UserError when the disk refuses."""
        label = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-").lower() or "run"
        stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
        runs = Path(project_folder) / "runs"
        try:
            runs.mkdir(parents=True, exist_ok=True)
            for attempt in range(1000):
                tail = f"-{attempt}" if attempt else ""
                path = runs / f"{stamp}-{request.kind}-{label}{tail}"
                try:
                    path.mkdir()
                    break
                except FileExistsError:
                    continue
            run = cls(path)
            for part in (run.path / "control", run.checkpoints, run.previews):
                part.mkdir(exist_ok=True)
            write_atomic(run.path / "request.json", request.model_dump_json(indent=1).encode())
        except OSError as error:
            raise UserError(
                tr("The run could not be prepared in {runs}: {strerror}.").format(runs=runs, strerror=error.strerror),
                tr("Make room on the disk, or check that the project folder may be written to."),
            ) from None
        return run

    def request(self) -> Request:
        """What was asked; raises UserError when ``request.json`` is missing or unreadable."""
        try:
            return REQUEST.validate_json((self.path / "request.json").read_bytes())
        except (OSError, ValidationError) as error:
            raise UserError(
                tr("The request of run {id} cannot be read ({name}).").format(id=self.id, name=type(error).__name__),
                tr("Start a new run."),
            ) from None

    # events -----------------------------------------------------------------------------------------

    def append(self, event: ev.Event) -> None:
        """Add one event line and hand it to the system at once."""
        stamped = event.model_copy(update={"time": time.time()})
        with (self.path / "events.jsonl").open("ab") as file:
            file.write(stamped.model_dump_json().encode() + b"\n")

    def events(self) -> Iterator[ev.Event]:
        """All whole events so far; a torn or unknown line is skipped."""
        yield from EventTail(self.path / "events.jsonl").read()

    # control ----------------------------------------------------------------------------------------

    def wish(self, wish: Wish) -> None:
        """Ask the worker to pause, or to stop and keep."""
        (self.path / "control").mkdir(exist_ok=True)
        (self.path / "control" / wish).touch()

    def unwish(self, wish: Wish) -> None:
        """Take a wish back (taking back "pause" resumes)."""
        (self.path / "control" / wish).unlink(missing_ok=True)

    def wishes(self, wish: Wish) -> bool:
        """Whether the window asks for this."""
        return (self.path / "control" / wish).exists()

    def set_preview(self, images: tuple[str, ...]) -> None:
        """Tell the worker which images (relative paths) its previews should show from now on."""
        (self.path / "control").mkdir(exist_ok=True)
        write_atomic(self.path / "control" / "preview.json", json.dumps(list(images)).encode(), sync=False)

    def preview(self) -> tuple[str, ...] | None:
        """The images that the window wants to see, or None when it has not said."""
        try:
            return tuple(json.loads((self.path / "control" / "preview.json").read_bytes()))
        except (OSError, ValueError):
            return None

    def forbid(self, problem: str, advice: str) -> None:
        """Let nobody start or resume this run any more, with the reason."""
        (self.path / "control").mkdir(exist_ok=True)
        write_atomic(self.path / "control" / "forbidden.json", json.dumps([problem, advice]).encode())

    def check_allowed(self) -> None:
        """Raise UserError with the reason if this run may not be started any more."""
        try:
            problem, advice = json.loads((self.path / "control" / "forbidden.json").read_bytes())
        except (OSError, ValueError):
            return
        raise UserError(problem, advice)

    # state ------------------------------------------------------------------------------------------

    def life(self) -> FileLock:
        """The lock that a worker holds while it lives; the system releases it however the worker ends."""
        return FileLock(self.path / "control" / "alive.lock", timeout=0)

    def alive(self) -> bool:
        """Whether a worker holds this run now."""
        if not (self.path / "control" / "alive.lock").exists():
            return False
        lock = self.life()
        try:
            with lock:
                return False
        except Timeout:
            return True
        except OSError:
            return False

    def state(self) -> RunState:
        """Where the run is, from its events and from whether its worker lives."""
        return self.summary().state

    def summary(self) -> RunSummary:
        """State, minutes worked and last figures, from the events and from whether the worker lives."""
        summary = self._told()
        if summary.state not in (RunState.RUNNING, RunState.PAUSED, RunState.WAITING) or self.alive():
            return summary
        # Read again: the worker may have told its end between the first reading and the look at its lock.
        summary = self._told()
        if summary.state in (RunState.RUNNING, RunState.PAUSED) or self._has_begun_waiting(summary):
            return replace(summary, state=RunState.INTERRUPTED)
        return summary

    def _has_begun_waiting(self, summary: RunSummary) -> bool:
        """Whether a worker told that it waits for its turn, which is all that it told."""
        return summary.state is RunState.WAITING and any(True for _ in self.events())

    def _told(self) -> RunSummary:
        """The summary as the events tell it, in one pass; a dead worker cannot tell its own death."""
        metrics: dict[str, float] = {}
        result: dict = {}
        last: RunState | None = None
        worked, begun, latest, previous = 0.0, None, 0.0, 0.0
        checkpoint = 0
        for event in self.events():
            latest = max(latest, event.time)
            match event:
                case ev.Started():
                    if begun is not None:
                        worked += max(0.0, previous - begun)
                    begun, last = event.time, RunState.RUNNING
                case ev.Phase() if last in (RunState.FINISHED, RunState.STOPPED, RunState.FAILED):
                    last = RunState.WAITING  # resumed, and waiting for its turn
                case ev.Phase() if last is RunState.PAUSED:
                    last = RunState.RUNNING  # the pause is over; it waits for its turn
                case ev.Paused():
                    last = RunState.PAUSED
                case ev.Resumed():
                    last = RunState.RUNNING
                case ev.Metric():
                    metrics.update(event.values)
                case ev.Checkpointed():
                    checkpoint = event.step
                case ev.Finished():
                    last, result = RunState.FINISHED, event.result
                case ev.Stopped():
                    last, result = RunState.STOPPED, event.result
                case ev.Failed():
                    last = RunState.FAILED
            previous = event.time
        if begun is not None:
            worked += max(0.0, latest - begun)
        state = last or RunState.WAITING
        kind: RunKind = self._kind()
        return RunSummary(self.id, kind, state, worked / 60, metrics, result, self.path, checkpoint)

    def _kind(self) -> RunKind:
        """The kind from the folder's name, ``date-time-kind-name``, or from the request where it was renamed."""
        named = "-".join(self.id.split("-")[2:]) + "-"
        for kind in get_args(RunKind):
            if named.startswith(f"{kind}-"):
                return kind
        return self.request().kind


class EventTail:
    """Reads an ``events.jsonl`` on from where it stopped last; a half-written last line waits."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def read(self) -> list[ev.Event]:
        """The events added since the last call."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                data = file.read()
        except OSError:
            return []
        end = data.rfind(b"\n") + 1
        self._offset += end
        found = []
        for line in data[:end].splitlines():
            try:
                found.append(ev.EVENT.validate_json(line))
            except ValidationError:
                continue  # a torn line after a crash, or an event of a newer version
        return found


def runs_of(project_folder: Path) -> list[RunFolder]:
    """All runs of a project, oldest first."""
    folder = Path(project_folder) / "runs"
    if not folder.is_dir():
        return []
    return [RunFolder(path) for path in sorted(folder.iterdir()) if (path / "request.json").exists()]


def find_run(project_folder: Path, run_id: str) -> RunFolder:
    """The run with this id (or unique beginning of it); raises UserError naming the known ones."""
    runs = runs_of(project_folder)
    hits = [run for run in runs if run.id == run_id] or [run for run in runs if run.id.startswith(run_id)]
    if len(hits) != 1:
        known = ", ".join(run.id for run in runs[-5:]) or tr("none yet")
        raise UserError(
            tr("There is no run “{run_id}” in {project_folder}.").format(run_id=run_id, project_folder=project_folder),
            tr("Known runs: {known}.").format(known=known),
        )
    return hits[0]


def write_atomic(path: Path, data: bytes, *, sync: bool = True) -> None:
    """Replace ``path`` by ``data``: a temporary neighbour, synced, renamed; never a half file."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            if sync:
                os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
