"""The inference process: ``python -m sslstudio.workers.inference`` answers questions about single images.

It keeps the last model, encoder and answers, steps back behind the window, and ends when its input ends, so that
a window that was killed leaves no orphan.
"""

from __future__ import annotations

import contextlib
import faulthandler
import logging
import os
import sys
import threading
from typing import TYPE_CHECKING, BinaryIO

from sslstudio.errors import UserError
from sslstudio.language import tr
from sslstudio.queries.messages import Answer, Query, QueryKind, decode_query, kind_of, write_answer

if TYPE_CHECKING:
    from sslstudio.workers.answers import Answers

log = logging.getLogger("sslstudio.inference")


class Inbox:
    """The newest unanswered question of each kind; filled by a thread that reads the input."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._newest: dict[QueryKind, tuple[int, Query]] = {}
        self._changed = threading.Condition()

    def listen(self) -> None:
        """Start to read."""
        threading.Thread(target=self._read, name="inbox", daemon=True).start()

    def next(self) -> tuple[int, Query]:
        """Wait for a question; of several kinds, the one that waits longest."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._newest))
            kind = min(self._newest, key=lambda k: self._newest[k][0])
            return self._newest.pop(kind)

    def _read(self) -> None:
        for line in self._stream:
            try:
                number, query = decode_query(line)
            except ValueError:
                log.exception("Not understood.")
                continue
            with self._changed:
                self._newest[kind_of(query)] = (number, query)
                self._changed.notify()
        # The window is gone: nobody wants the answer that is being worked out.
        os._exit(0)


def answer(number: int, query: Query, answers: Answers) -> Answer:
    """The answer to one question; never raises."""
    about = kind_of(query)
    try:
        return Answer(number, about, answers.arrays(query), about=about)
    except UserError as error:
        return Answer(number, "problem", problem=error.problem, advice=error.advice, about=about)
    except MemoryError:
        return Answer(
            number,
            "problem",
            problem=tr("The memory was not enough for this image."),
            advice=tr("Close other programs."),
            about=about,
        )
    except Exception as error:  # the one place where a bug becomes an answer
        log.exception("A question could not be answered.")
        problem = tr("Something unexpected happened ({name}: {error}).").format(name=type(error).__name__, error=error)
        return Answer(number, "problem", problem=problem, advice=tr("Please report it."), about=about)


def main() -> int:
    """Answer questions from standard input on standard output until the input ends."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a library that prints must not garble an answer
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
    faulthandler.enable()
    with contextlib.suppress(OSError, AttributeError):
        os.nice(10)
    os.environ["HF_HUB_OFFLINE"] = "1"  # a hover must not wait for the network; only what is fetched already counts
    inbox = Inbox(sys.stdin.buffer)
    inbox.listen()  # before torch is loaded: the end of the input must be seen meanwhile
    from sslstudio.workers.answers import Answers

    answers = Answers()
    with contextlib.suppress(BrokenPipeError):
        while True:
            number, query = inbox.next()
            write_answer(out, answer(number, query, answers))
    return 0


if __name__ == "__main__":
    sys.exit(main())
