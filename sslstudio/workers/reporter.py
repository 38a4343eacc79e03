"""Writes what a job reports into the run's folder, even when the disk runs full."""

from __future__ import annotations

import contextlib
import logging
import os
from pathlib import Path

from sslstudio.runs.events import Event, Failed, Started
from sslstudio.runs.folder import RunFolder

RESERVE = 64 * 1024  # bytes kept back on the disk, so that the last words can be written when it is full

log = logging.getLogger(__name__)


class Reporter:
    """Appends events to ``events.jsonl``; a context manager that holds a little disk space in reserve."""

    def __init__(self, run: RunFolder) -> None:
        self._run = run
        self._reserve: Path = run.path / "control" / "reserve"

    def __enter__(self) -> Reporter:
        """Mend what a killed worker left half-written and set the reserve aside."""
        self._mend()
        with contextlib.suppress(OSError):
            self._reserve.write_bytes(os.urandom(RESERVE))  # random, because some file systems compress
        return self

    def __exit__(self, *_: object) -> None:
        """Give the reserve back."""
        self._reserve.unlink(missing_ok=True)

    def write(self, event: Event) -> None:
        """Append one event; raises OSError when the disk refuses."""
        if isinstance(event, Started):
            event = event.model_copy(update={"pid": os.getpid()})
        self._run.append(event)

    def write_failure(self, event: Failed) -> None:
        """Append the last words from the reserve; into the log alone where even that is refused."""
        log.error("%s %s", event.problem, event.advice)
        self._reserve.unlink(missing_ok=True)
        try:
            self._mend()
            self._run.append(event)
        except OSError as error:
            log.error("The failure could not be written: %s", error)

    def _mend(self) -> None:
        """End a torn last line, so that the next event does not stick to it."""
        file = self._run.path / "events.jsonl"
        if not file.exists() or file.stat().st_size == 0:
            return
        with file.open("rb+") as stream:
            stream.seek(-1, os.SEEK_END)
            if stream.read(1) != b"\n":
                stream.write(b"\n")
