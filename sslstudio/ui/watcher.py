"""One watcher per run: a thread reads the run's folder and turns what it finds into signals."""

from __future__ import annotations

import subprocess
import time
from dataclasses import replace

from PySide6.QtCore import QObject, Qt, QThread, QTimer, Signal, Slot

from sslstudio.runs.folder import EventTail, RunFolder, RunState
from sslstudio.runs.naming import run_name
from sslstudio.ui.panels.live import LiveRun

EVERY = 200  # milliseconds between two looks into the folder
OVER = (RunState.FINISHED, RunState.STOPPED, RunState.FAILED, RunState.INTERRUPTED)


class _Reader(QObject):
    """Lives in the watcher's thread; folds new events into a LiveRun."""

    changed = Signal(object)
    ended = Signal(object)

    def __init__(self, run: RunFolder, title: str, process: subprocess.Popen | None, since: float) -> None:
        super().__init__()
        self._run = run
        self._process = process
        self._since = since
        self._tail = EventTail(run.path / "events.jsonl")
        self._live = LiveRun(run.id, run.path, title=title)
        self._shown: LiveRun | None = None
        self._timer: QTimer | None = None
        self._over = False

    @Slot()
    def begin(self) -> None:
        """Look at once and then again and again."""
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._look)
        self._timer.start(EVERY)
        self._live = replace(self._live, name=run_name(self._run))
        self._look()

    @Slot()
    def finish(self) -> None:
        """Stop looking; the run itself goes on."""
        if self._timer is not None:
            self._timer.stop()

    @Slot()
    def _look(self) -> None:
        if self._over:
            return
        gone = self._gone()  # asked before reading, so that nothing written before the end is missed
        self._fold()
        if self._live.active and gone:
            self._live = self._live.interrupted()
        if self._live != self._shown:
            self._shown = self._live
            self.changed.emit(self._live)
        if self._live.state in OVER:
            self._over = True
            self.finish()
            self.ended.emit(self._live)

    def _fold(self) -> None:
        for event in self._tail.read():
            self._live = self._live.after(event)
            if event.time < self._since and self._live.state in OVER:
                self._live = replace(self._live, state=RunState.WAITING)  # how it ended before it was resumed

    def _gone(self) -> bool:
        if self._process is not None:
            return self._process.poll() is not None
        return not self._run.alive()


class Watcher(QObject):
    """Watches one run until it is over.

    Signals:
        changed: The run as it is now (a LiveRun); at most five times a second.
        ended: The run as it ended; exactly once, however it ends.
    """

    changed = Signal(object)
    ended = Signal(object)
    _finish = Signal()

    def __init__(
        self,
        run: RunFolder,
        title: str = "",
        process: subprocess.Popen | None = None,
        since: float | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.run = run
        self.live = LiveRun(run.id, run.path, title=title)
        self._over = False
        self._thread = QThread()
        self._thread.setObjectName(f"watch {run.id}")
        self._reader = _Reader(run, title, process, time.time() if process and since is None else since or 0.0)
        self._reader.moveToThread(self._thread)
        self._thread.started.connect(self._reader.begin)
        self._finish.connect(self._reader.finish, Qt.ConnectionType.BlockingQueuedConnection)
        self._reader.changed.connect(self._on_changed)
        self._reader.ended.connect(self._on_ended)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def close(self) -> None:
        """Stop watching; the run goes on. Safe to call twice."""
        if self._thread.isRunning():
            self._finish.emit()
            self._thread.quit()
            self._thread.wait()

    @Slot(object)
    def _on_changed(self, live: LiveRun) -> None:
        self.live = live
        self.changed.emit(live)

    @Slot(object)
    def _on_ended(self, live: LiveRun) -> None:
        if self._over:
            return
        self._over = True
        self.live = live
        self.close()
        self.ended.emit(live)
