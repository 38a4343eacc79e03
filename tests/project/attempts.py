"""One action under errors from the disk: what it says, and that nothing is lost by it."""

import os
import signal
import socket
import traceback

from labourer import LATER, Labourer, prepare, tell
from syscalls import Supervisor, submit

from sslstudio.errors import UserError
from sslstudio.project import schema
from sslstudio.project.project import Project


def supervise(forked, path, action, nth, error, lasting):
    """Let a worker do ``action`` with an error at its ``nth`` system call that saves, and kill it afterwards.

    Its wait status, how many calls there were, and which were refused.
    """
    ours, theirs = socket.socketpair()
    child = forked(attempt, path, action, theirs, ours)
    theirs.close()
    supervisor = Supervisor(path, nth, error, lasting)
    status = supervisor.serve(ours, child)
    ours.close()
    return status, supervisor.seen, dict(supervisor.refused)


def attempt(path, action, line, other):
    """In the worker: the action under errors, a look at the masks, the action again, and the end by SIGKILL."""
    other.close()
    what = action[0]
    if what == "migrate":
        schema.MIGRATIONS = (*schema.MIGRATIONS, *LATER)
    labourer = None if what in ("migrate", "open", "create") else Labourer(path)
    if what == "import":
        prepare(path, action[1], labourer.project.classes)
    if labourer:
        for image in labourer.project.images():
            labourer.shown(image.path)
    submit(line)
    _say(line, b"!")
    tell("will", action)
    first = _try(labourer, path, action)
    _say(line, b"?")
    tell("first", *first)
    if first[0] != "done" and what != "close":
        tell("again", *_try(labourer, path, action))
    os.kill(os.getpid(), signal.SIGKILL)


def _say(line, word):
    line.send(word)
    line.recv(1)


def _try(labourer, path, action):
    """("done",), ("refused", sentence, advice) or ("broken", traceback)."""
    try:
        match action[0]:
            case "migrate" | "open":
                Project.open(path).close()
            case "create":
                Project.create(path, path.parent / "images", ["a", "b", "c"]).close()
            case "close":
                labourer.project.close()
            case _:
                labourer.do(*action)
    except UserError as error:
        return "refused", error.problem, error.advice
    except BaseException:  # noqa: BLE001  (that is what we look for)
        return "broken", traceback.format_exc()
    return ("done",)
