"""The window's side of the inference process: ask, and be called back from a reader thread. No Qt."""

from __future__ import annotations

import contextlib
import io
import logging
import queue
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import cast

from sslstudio.errors import UserError
from sslstudio.language import tr
from sslstudio.queries.messages import Answer, Query, QueryKind, encode_query, kind_of, read_answer

GRACE = 2.0  # seconds that a closing process gets before it is killed

log = logging.getLogger(__name__)


class InferenceClient:
    """Asks one long-lived process, started at the first question and again after a crash.

    ``on_answer`` is called from a thread of the client's own with each answer that is still the newest of its kind;
    a process that dies answers what was open with a "problem".
    """

    def __init__(self, on_answer: Callable[[Answer], None]) -> None:
        self._on_answer = on_answer
        self._guard = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._number = 0
        # The newest question of each kind that has no answer yet, and the process that was asked.
        self._open: dict[QueryKind, tuple[int, subprocess.Popen[bytes] | None]] = {}
        self._closed = False

    def ask(self, query: Query) -> int:
        """Send a question and return its number; an earlier one of the same kind is forgotten."""
        with self._guard:
            self._number += 1
            number = self._number
            if not self._closed:
                self._open[kind_of(query)] = (number, self._send(encode_query(number, query)))
            return number

    def warm(self) -> None:
        """Start the process now, so that the first answer comes sooner."""
        with self._guard:
            if not self._closed:
                self._living()

    @property
    def pid(self) -> int | None:
        """The process's number, or None before the first question."""
        return self._process.pid if self._process else None

    def close(self) -> None:
        """End the process; no answer comes afterwards."""
        with self._guard:
            self._closed = True
            self._open.clear()
            process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(OSError):
            process.stdin.close()  # type: ignore[union-attr]
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _send(self, line: bytes) -> subprocess.Popen[bytes]:
        """Write to the process, which is replaced once if it died since the last question."""
        for _ in range(2):
            process = self._living()
            try:
                process.stdin.write(line)  # type: ignore[union-attr]
                break
            except OSError:
                self._process = None
        return process

    def _living(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "sslstudio.workers.inference"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,  # what a dead process did not take must not wait in a buffer
                start_new_session=True,  # Ctrl+C in the terminal is the window's to answer
            )
            threading.Thread(target=self._read, args=(self._process,), name="inference", daemon=True).start()
        return self._process

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        """Hand on the answers of one process until it ends."""
        stream = io.BufferedReader(cast(io.RawIOBase, process.stdout))
        with stream, contextlib.suppress(OSError, ValueError):
            while (answer := read_answer(stream)) is not None:
                if self._is_wanted(answer):
                    self._on_answer(answer)
        process.wait()
        self._tell_crash(process)

    def _is_wanted(self, answer: Answer) -> bool:
        with self._guard:
            for kind, (number, _) in self._open.items():
                if number == answer.number:
                    del self._open[kind]
                    return True
        return False

    def _tell_crash(self, process: subprocess.Popen[bytes]) -> None:
        with self._guard:
            if self._process is process:
                self._process = None
            left = {kind: number for kind, (number, asked) in self._open.items() if asked is process}
            for kind in left:
                del self._open[kind]
        for kind, number in left.items():
            log.warning("The inference process ended with code %s.", process.returncode)
            self._on_answer(
                Answer(
                    number,
                    "problem",
                    problem=tr("The process that looks at images has ended unexpectedly."),
                    advice=tr("Ask again; if it happens again, the image or model may be too large for this machine."),
                    about=kind,
                    crashed=True,
                )
            )


def ask_once(query: Query) -> Answer:
    """Ask a process of its own and wait for the answer; raises UserError for a problem."""
    answers: queue.Queue[Answer] = queue.Queue()
    client = InferenceClient(answers.put)
    try:
        client.ask(query)
        answer = answers.get()
    finally:
        client.close()
    if answer.kind == "problem":
        raise UserError(answer.problem, answer.advice)
    return answer
