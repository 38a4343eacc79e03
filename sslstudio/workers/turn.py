"""One heavy run at a time on a machine: the others wait for their turn."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import socket
import time
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock, Timeout

from sslstudio.language import tr
from sslstudio.project.recent import state_folder
from sslstudio.runs.folder import RunFolder
from sslstudio.runs.naming import TimeLeft, run_name, waiting_words
from sslstudio.workers.control import FolderControl

log = logging.getLogger(__name__)

TELL_EVERY = 20.0  # seconds between two estimates; they waver


class Turn:
    """The right to keep this machine's processors (or the chosen GPUs) busy; released however the process ends.

    Beside the lock lies a note that names the ``run`` whose turn it is, so that others can say what they wait for.
    """

    def __init__(self, run: RunFolder | None = None) -> None:
        self._run = run
        self._lock: FileLock | None = None
        # Home folders are shared between machines of a cluster, and GPUs may be parted by hand.
        place = f"{socket.gethostname()}-{os.environ.get('CUDA_VISIBLE_DEVICES', '')}"
        name = "heavy-" + re.sub(r"[^A-Za-z0-9]+", "-", place).strip("-").lower() + ".lock"
        try:
            folder = state_folder()
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = FileLock(folder / name, timeout=0)
        except OSError as error:
            log.warning("No queue, because the state folder cannot be used: %s", error)

    def take(self) -> bool:
        """Take the turn if it is free; always true where the system offers no place for the lock."""
        if self._lock is None:
            return True
        try:
            self._lock.acquire()
        except Timeout:
            return False
        except (OSError, NotImplementedError) as error:
            log.warning("No queue, because the lock cannot be used: %s", error)
            self._lock = None
        self._leave_note()
        return True

    def wait(self, control: FolderControl, tell: Callable[[str], object] = lambda words: None) -> bool:
        """Wait for the turn; false when the run is asked to stop meanwhile. ``tell`` gets what it waits for."""
        ahead = _Ahead(self._run)
        while not control.stopped():
            if self.take():
                return True
            if words := ahead.news(self._holder()):
                tell(words)
            control.wait()
        return False

    def give(self) -> None:
        """Let the next run have its turn."""
        if self._lock is not None and self._lock.is_locked:
            with contextlib.suppress(OSError):
                self._note(self._lock).unlink(missing_ok=True)
            self._lock.release()

    @staticmethod
    def _note(lock: FileLock) -> Path:
        return Path(lock.lock_file).with_suffix(".txt")

    def _leave_note(self) -> None:
        if self._lock is not None and self._run is not None:
            with contextlib.suppress(OSError):
                self._note(self._lock).write_text(str(self._run.path.absolute()), "utf-8")

    def _holder(self) -> RunFolder | None:
        """The run whose turn it is, as far as its note tells."""
        try:
            path = "" if self._lock is None else self._note(self._lock).read_text("utf-8")
        except (OSError, ValueError):
            return None
        return RunFolder(Path(path)) if path else None


class _Ahead:
    """What a waiting run says about the one before it: at once, and again when the estimate has changed."""

    def __init__(self, own: RunFolder | None) -> None:
        self._own = own
        self._told = ""
        self._told_at = 0.0
        self._holder = Path()
        self._name = tr("another run")
        self._left: Callable[[], float] = lambda: -1.0
        self._knew = False

    def news(self, holder: RunFolder | None) -> str:
        """The words to tell now; empty when there is nothing new."""
        if holder is not None and holder.path != self._holder:
            self._holder, self._name, self._left = holder.path, run_name(holder), TimeLeft(holder)
            self._knew = False
        seconds = self._left()
        words = waiting_words(self._name, seconds, project=self._elsewhere(holder))
        wavers = self._knew and time.monotonic() - self._told_at < TELL_EVERY
        if words == self._told or wavers:
            return ""
        self._told, self._told_at, self._knew = words, time.monotonic(), seconds >= 0
        return words

    def _elsewhere(self, holder: RunFolder | None) -> str:
        """The name of the other run's project, if it is not the own one."""
        if holder is None or self._own is None or holder.project_folder == self._own.project_folder.absolute():
            return ""
        return holder.project_folder.stem
