"""The runs of a project as the window knows them: one works, others wait, all are watched."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from sslstudio.errors import UserError
from sslstudio.language import later, tr
from sslstudio.runs import events as ev
from sslstudio.runs.folder import RunFolder, RunState
from sslstudio.runs.naming import waiting_words
from sslstudio.ui import background
from sslstudio.ui.history import PastRun, is_broken, is_live, past_run, past_runs
from sslstudio.ui.panels.live import LiveRun
from sslstudio.ui.watcher import Watcher

log = logging.getLogger(__name__)

TITLES = {
    "pretrain": later("Pretraining"),
    "finetune": later("Fine-tuning"),
    "predict": later("Segmenting"),
    "export": later("Exporting"),
    "evaluate-features": later("Looking at all images"),
    "did-it-help": later("Checking whether it helped"),
}


def kind_of(run_id: str) -> str:
    """What kind of run an id names: one of ``TITLES``, or nothing."""
    return next((kind for kind in TITLES if f"-{kind}-" in f"-{run_id}-"), "")


@dataclass(frozen=True)
class _Waiting:
    run: RunFolder
    begin: Callable[[RunFolder], object]


class RunQueue(QObject):
    """Starts runs one after the other and watches them.

    Signals:
        changed: The list of runs under way changed, or one of them did.
        updated: One run as it is now (LiveRun).
        ended: One run as it ended (LiveRun); exactly once each.
        history_changed: ``past`` was read anew.
        found_broken: Runs (tuple of PastRun) whose worker died, found on opening.
        failed: A UserError on starting.
    """

    changed = Signal()
    updated = Signal(object)
    ended = Signal(object)
    history_changed = Signal()
    found_broken = Signal(object)
    failed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.past: tuple[PastRun, ...] = ()
        self._watchers: dict[str, Watcher] = {}
        self._waiting: list[_Waiting] = []
        self._latest: dict[str, LiveRun] = {}  # newest state of the newest run of each kind
        self._search: background.Task | None = None
        self._reading: set[background.Task] = set()

    # what there is ------------------------------------------------------------------------------------

    def live(self) -> list[LiveRun]:
        """Runs under way, the working ones first, then those that wait."""
        working = [watcher.live for watcher in self._watchers.values()]
        return working + self._queued(working)

    def latest(self, kind: str) -> LiveRun | None:
        """The newest run of a kind that this window has seen, also when it is over."""
        found = self._latest.get(kind)
        queued = {live.id: live for live in self.live() if live.state is RunState.WAITING}
        return found and queued.get(found.id, found)

    def _queued(self, working: list[LiveRun]) -> list[LiveRun]:
        """Those that wait in this window, each with the words that say for what."""
        found = []
        for place, waiting in enumerate(self._waiting):
            words = ""
            if working:
                first = working[0]
                words = waiting_words(first.name or first.title, first.seconds_left, more=place)
            found.append(LiveRun(waiting.run.id, waiting.run.path, title=self._title(waiting.run), phase=words))
        return found

    # asking -------------------------------------------------------------------------------------------

    def submit(self, run: RunFolder, *, resume: bool = False) -> None:
        """Start a run now, or as soon as those before it are over."""
        from sslstudio.runs import start

        self._waiting.append(_Waiting(run, start.resume if resume else start.start))
        self._latest[kind_of(run.id)] = LiveRun(run.id, run.path, title=self._title(run))
        self._begin_next()
        self.changed.emit()

    def adopt(self, project_folder: Path) -> None:
        """Find runs that went on without a window, and those that broke off."""
        self._search = background.run(lambda task: past_runs(project_folder), self._on_found)

    def pause(self, run_id: str) -> None:
        """Ask a run to hold still."""
        self._wish(run_id, "pause", True)

    def go_on(self, run_id: str) -> None:
        """Let a paused run continue."""
        self._wish(run_id, "pause", False)

    def stop(self, run_id: str) -> None:
        """Ask a run to save and leave; one that only waits is taken out of the queue."""
        for waiting in self._waiting:
            if waiting.run.id == run_id:
                self._waiting.remove(waiting)
                waiting.run.append(ev.Stopped())
                kind, latest = kind_of(run_id), self._latest.get(kind_of(run_id))
                if latest is not None and latest.id == run_id:
                    self._latest[kind] = latest.after(ev.Stopped())
                self.changed.emit()
                return
        self._wish(run_id, "stop", True)

    def stop_all(self) -> None:
        """Ask every run to save and leave."""
        for live in self.live():
            self.stop(live.id)

    def show(self, image: str) -> None:
        """Tell running fine-tunings which image the window shows."""
        for watcher in self._watchers.values():
            if kind_of(watcher.run.id) == "finetune":
                try:
                    watcher.run.set_preview((image,))
                except OSError as error:
                    log.warning("The wish for a preview could not be written: %s", error)

    def close(self) -> None:
        """Stop watching; what works goes on, what waits is found again next time."""
        for task in (self._search, *self._reading):
            if task is not None:
                task.cancel()  # what it finds is not of the next project
        for watcher in self._watchers.values():
            watcher.close()
        self._watchers.clear()
        self._waiting.clear()
        self._latest.clear()
        self.past = ()

    # inside -------------------------------------------------------------------------------------------

    def _wish(self, run_id: str, wish: str, wanted: bool) -> None:
        watcher = self._watchers.get(run_id)
        if watcher is None:
            return
        try:
            (watcher.run.wish if wanted else watcher.run.unwish)(wish)  # type: ignore[arg-type]
        except OSError as error:
            self.failed.emit(
                UserError(
                    tr("The run could not be reached: {strerror}.").format(strerror=error.strerror),
                    tr("Make room on the disk, then try again."),
                )
            )

    def _begin_next(self) -> None:
        while self._waiting and not self._watchers:
            waiting = self._waiting.pop(0)
            since = time.time()
            try:
                process = waiting.begin(waiting.run)
            except (UserError, OSError) as error:
                shown = (
                    error
                    if isinstance(error, UserError)
                    else UserError(tr("The run could not start: {error}.").format(error=error))
                )
                waiting.run.append(ev.Failed(problem=shown.problem, advice=shown.advice))
                self.failed.emit(shown)
                continue
            self._watch(waiting.run, process, since)

    def _watch(self, run: RunFolder, process: object = None, since: float | None = None) -> None:
        watcher = Watcher(run, self._title(run), process, since, self)  # type: ignore[arg-type]
        self._watchers[run.id] = watcher
        watcher.changed.connect(self._on_changed)
        watcher.ended.connect(self._on_ended)
        watcher.start()

    def _on_changed(self, live: LiveRun) -> None:
        self._latest[kind_of(live.id)] = live
        self.updated.emit(live)
        self.changed.emit()

    def _on_ended(self, live: LiveRun) -> None:
        watcher = self._watchers.pop(live.id, None)
        if watcher is not None:
            watcher.deleteLater()
            run = watcher.run
            reading = background.run(lambda task: past_run(run), self._on_past)
            self._reading.add(reading)
            reading.over.connect(lambda _: self._reading.discard(reading))
        self._latest[kind_of(live.id)] = live
        self._begin_next()
        self.changed.emit()
        self.ended.emit(live)

    def _on_found(self, past: tuple[PastRun, ...]) -> None:
        known = {live.id for live in self.live()}
        self.past = tuple(one for one in past if not is_live(one))
        for one in past:
            if is_live(one) and one.run.id not in known:
                self._watch(one.run)
        self.changed.emit()
        self.history_changed.emit()
        broken = tuple(one for one in past if is_broken(one) and one.run.id not in known)
        if broken:
            self.found_broken.emit(broken)

    def _on_past(self, past: PastRun) -> None:
        self.past = (*(one for one in self.past if one.run.id != past.run.id), past)
        self.history_changed.emit()

    @staticmethod
    def _title(run: RunFolder) -> str:
        return tr(TITLES.get(kind_of(run.id), later("Run")))
