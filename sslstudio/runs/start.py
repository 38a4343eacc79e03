"""Starts the worker of a run as a process of its own, again after an interruption, and waits for nothing."""

from __future__ import annotations

import os
import subprocess
import sys

from sslstudio.errors import UserError
from sslstudio.language import tr
from sslstudio.runs.folder import RunFolder, RunState

# How far a worker steps back, 0 to 19. Not all the way: on a busy machine it would get next to nothing.
BACKGROUND, FOREGROUND = 10, 5


def start(run: RunFolder, *, background: bool = True) -> subprocess.Popen[bytes]:
    """Start the worker of ``run``; raises UserError when one lives already or the log cannot be opened.

    In the ``background`` it gets a session of its own, so it outlives the window and the terminal. In the
    foreground it stays in the terminal's group: Ctrl+C and a closed terminal reach it and mean "stop and keep".
    Only the background steps back behind everything else: there somebody may be painting.
    """
    if run.alive():
        raise UserError(
            tr("The run {id} is being worked on already.").format(id=run.id), tr("Stop it first, or wait for its end.")
        )
    run.check_allowed()
    run.request()  # an unreadable request is told now, by whoever asked, and not later in a log
    try:
        with run.log.open("ab") as log:
            return subprocess.Popen(
                worker_command(run, nice=BACKGROUND if background else FOREGROUND),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=background,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
    except OSError as error:
        raise UserError(
            tr("The worker of run {id} could not be started: {strerror}.").format(id=run.id, strerror=error.strerror),
            tr("Check that the project folder may be written to and that the disk is not full."),
        ) from None


def resume(run: RunFolder, *, background: bool = True) -> subprocess.Popen[bytes]:
    """Go on with a stopped, failed or interrupted run from its last checkpoint, if any; older wishes are forgotten."""
    if run.state() is RunState.FINISHED:
        raise UserError(
            tr("The run {id} is finished; there is nothing to resume.").format(id=run.id), tr("Start a new run.")
        )
    if not run.alive():
        run.unwish("stop")
        run.unwish("pause")
    return start(run, background=background)


def worker_command(run: RunFolder, nice: int = FOREGROUND) -> list[str]:
    """The command that carries out ``run``; the same one that a cluster's scheduler would be given."""
    # -P: a file named torch.py in the folder that one happens to be in must not be taken for the library.
    return [sys.executable, "-P", "-m", "sslstudio.workers", str(run.path.absolute()), "--nice", str(nice)]
