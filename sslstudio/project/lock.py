"""One writer per project: a lock that the system releases however its holder ends, and who holds it."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from sslstudio.errors import UserError
from sslstudio.project.files import disk_refused
from sslstudio.project.holder import introduced


class ProjectTaken(UserError):
    """Somebody else has the project open; ``problem`` says who. It may be opened for reading beside them."""


class ProjectLock:
    """The lock of a project folder; a JSON file beside it names the holder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._note = folder / "project.lock.json"
        # Any thread may close the project, so the lock must not belong to the thread that took it.
        self._lock = FileLock(folder / "project.lock", timeout=0, thread_local=False)
        self.left = 0.0  # when the holder before us began, in seconds since 1970, if it ended without letting go

    def take(self) -> None:
        """Hold the lock; raises UserError naming the holder, or saying that the folder is read-only."""
        try:
            self._lock.acquire()
        except Timeout:
            raise self._taken() from None
        except OSError as error:
            raise disk_refused(f"The project {self._folder.name}", error) from None
        with contextlib.suppress(OSError):
            self.left = self._note.stat().st_mtime
        with contextlib.suppress(OSError):
            self._note.write_text(json.dumps(_me()), "utf-8")

    def release(self) -> None:
        """Let others open the project; harmless when not held."""
        if self._lock.is_locked:
            with contextlib.suppress(OSError):
                self._note.unlink(missing_ok=True)
            self._lock.release()

    def _taken(self) -> ProjectTaken:
        """Who holds it, in words, and what to do about it."""
        try:
            note = json.loads(self._note.read_text("utf-8"))
            what, more = str(note.get("what", "")), _where_and_since(note)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            what, more = "", ""
        problem, advice = _IN_HANDS.get(what, _IN_HANDS["command"] if what else _IN_HANDS[""])
        return ProjectTaken(f"The project {self._folder.name} is {problem.format(what)}{more}.", advice)


_CLOSE = "Close it there first, or go on working there."
_IN_HANDS = {
    "": ("already open in another program", _CLOSE),
    "window": ("already open in another window", _CLOSE),
    "command": ("in use by the command “sslstudio {}”", "Wait until it has ended, or press Ctrl+C where it runs."),
}


def _where_and_since(note: dict) -> str:
    """In words: " on ward7 since 10:42 (process 4711)"."""
    where = "on this computer" if note["host"] == socket.gethostname() else f"on {note['host']}"
    since = datetime.fromisoformat(note["since"])
    day = "" if since.date() == datetime.now().date() else f"{since.day} {since:%B}, "
    return f" {where} since {day}{since:%H:%M} (process {note['pid']})"


def _me() -> dict[str, object]:
    since = datetime.now().isoformat(timespec="seconds")
    return {"what": introduced(), "pid": os.getpid(), "host": socket.gethostname(), "since": since}
