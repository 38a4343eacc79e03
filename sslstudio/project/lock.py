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


class ProjectLock:
    """The lock of a project folder; a JSON file beside it names the holder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._note = folder / "project.lock.json"
        # Any thread may close the project, so the lock must not belong to the thread that took it.
        self._lock = FileLock(folder / "project.lock", timeout=0, thread_local=False)

    def take(self) -> None:
        """Hold the lock; raises UserError naming the holder, or saying that the folder is read-only."""
        try:
            self._lock.acquire()
        except Timeout:
            raise UserError(
                f"The project {self._folder.name} is already open {self._holder()}.",
                "Close it there first, or go on working there.",
            ) from None
        except OSError as error:
            raise disk_refused(f"The project {self._folder.name}", error) from None
        with contextlib.suppress(OSError):
            self._note.write_text(json.dumps(_me()), "utf-8")

    def release(self) -> None:
        """Let others open the project; harmless when not held."""
        if self._lock.is_locked:
            with contextlib.suppress(OSError):
                self._note.unlink(missing_ok=True)
            self._lock.release()

    def _holder(self) -> str:
        """In words: "in another window on ward7 since 10:42 (process 4711)"."""
        try:
            note = json.loads(self._note.read_text("utf-8"))
            where = "on this computer" if note["host"] == socket.gethostname() else f"on {note['host']}"
            since = datetime.fromisoformat(note["since"])
            day = "" if since.date() == datetime.now().date() else f"{since:%d %B} "
            return f"in another window {where} since {day}{since:%H:%M} (process {note['pid']})"
        except (OSError, ValueError, KeyError, TypeError):
            return "in another window"


def _me() -> dict[str, object]:
    since = datetime.now().isoformat(timespec="seconds")
    return {"pid": os.getpid(), "host": socket.gethostname(), "since": since}
