"""The run worker: ``python -m sslstudio.workers RUN_FOLDER`` carries out one run and reports into its folder.

``torchrun -m sslstudio.workers RUN_FOLDER`` starts the same on several devices; only the first process reports.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from filelock import Timeout

from sslstudio.errors import UserError
from sslstudio.language import tr
from sslstudio.runs.events import Event, Finished, Paused, Phase, Started, Stopped
from sslstudio.runs.folder import RunFolder
from sslstudio.runs.request import (
    EvaluateRequest,
    ExportRequest,
    FinetuneRequest,
    HelpRequest,
    PredictRequest,
    PretrainRequest,
    Request,
)
from sslstudio.workers.control import FolderControl
from sslstudio.workers.failure import explain, is_expected
from sslstudio.workers.reporter import Reporter
from sslstudio.workers.turn import Turn

DONE, UNEXPECTED, USER_CAN_MEND, TAKEN = 0, 1, 2, 3  # exit codes

log = logging.getLogger("sslstudio.worker")


def main(arguments: list[str] | None = None) -> int:
    """Carry out the run in the given folder; returns one of the exit codes above."""
    parser = argparse.ArgumentParser(prog="sslstudio.workers", description="Carry out one run.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--nice", type=int, default=5, help="how far to step back behind other programs, 0 to 19")
    chosen = parser.parse_args(arguments)
    run = RunFolder(chosen.folder.absolute())
    if not (run.path / "request.json").exists():
        sys.stderr.write(f"{run.path} is not a run folder: it has no request.json.\n")
        return USER_CAN_MEND
    _prepare_process(run, chosen.nice)
    if int(os.environ.get("RANK", "0")) > 0:
        return _follow_main_process(run)
    try:
        # A moment of patience: whoever asks whether the run is alive holds the lock for an instant.
        with run.life().acquire(timeout=3):
            return _work(run)
    except Timeout:
        log.error("Another worker holds this run.")
        return TAKEN


def _prepare_process(run: RunFolder, nice: int) -> None:
    """Send both outputs to the run's log and let the window have the processor first."""
    with run.log.open("ab") as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    faulthandler.enable()
    with contextlib.suppress(OSError, AttributeError):
        os.nice(nice)
        if os.getsid(0) == os.getpid():
            # Linux desktops share time between sessions first; without this, niceness would count for nothing.
            Path("/proc/self/autogroup").write_text(str(nice))


def _work(run: RunFolder) -> int:
    """Wait for the turn, do the job, report its end exactly once."""
    control = FolderControl(run)
    control.listen()
    with Reporter(run) as reporter:
        try:
            _carry_out(run, control, reporter)
        except BaseException as error:  # the one place where a failure of any kind is told
            if not is_expected(error, run.path):
                log.exception("The run ended unexpectedly.")
            reporter.write_failure(explain(error, run.path))
            return USER_CAN_MEND if isinstance(error, UserError) else UNEXPECTED
    return DONE


def _carry_out(run: RunFolder, control: FolderControl, reporter: Reporter) -> None:
    request = run.request()
    turn = Turn(run)
    if _is_heavy(request) and not _take_turn(turn, control, reporter):
        reporter.write(Stopped())
        return
    # Told before torch is loaded, which takes seconds: from here on a death is an interruption.
    reporter.write(Started())
    phase = Phase(text=tr("Getting ready"))
    reporter.write(phase)

    def take_back() -> None:
        """Have the turn again after a pause; whoever waited says at last what the run is about."""
        if not turn.take():
            _take_turn(turn, control, reporter)
            reporter.write(phase)

    if _is_heavy(request):
        control.on_resume = take_back
    last: Event | None = None
    for last in _job(run, request, control):
        phase = last if isinstance(last, Phase) else phase
        if isinstance(last, Paused):
            turn.give()  # before it is told: whoever reads of a pause may have the machine
        reporter.write(last)
    if not isinstance(last, Finished | Stopped):
        raise RuntimeError("the job ended without saying how")


def _is_heavy(request: Request) -> bool:
    """Whether the run keeps a machine busy for long; short ones need not wait behind those."""
    return isinstance(request, PretrainRequest | FinetuneRequest | EvaluateRequest | HelpRequest)


def _take_turn(turn: Turn, control: FolderControl, reporter: Reporter) -> bool:
    if turn.take():
        return True
    return turn.wait(control, lambda words: reporter.write(Phase(text=words)))


def _job(run: RunFolder, request: Request, control: FolderControl) -> Iterator[Event]:
    """The job for a request; imported here, because torch takes seconds."""
    project = run.project_folder
    match request:
        case PretrainRequest():
            from sslstudio.learning.training.pretrain import pretrain

            return pretrain(
                request, checkpoints=run.checkpoints, previews=run.previews, cache=project / "cache", control=control
            )
        case FinetuneRequest():
            from sslstudio.learning.segmentation.finetune import finetune

            return finetune(
                request, project=project, checkpoints=run.checkpoints, previews=run.previews, control=control
            )
        case PredictRequest():
            from sslstudio.learning.segmentation.predict import predict

            return predict(request, project=Path(request.project or project), control=control)
        case ExportRequest():
            from sslstudio.learning.export.export import export

            return export(request, project=Path(request.project or project), control=control)
        case EvaluateRequest():
            from sslstudio.learning.evaluation.evaluate import evaluate

            return evaluate(request, project=project, spill=run.checkpoints, control=control)
        case HelpRequest():
            from sslstudio.learning.evaluation.did_it_help import did_it_help

            return did_it_help(request, project=project, spill=run.checkpoints, control=control)


def _follow_main_process(run: RunFolder) -> int:
    """Do the same work on another device and report nothing."""
    control = FolderControl(run)
    control.listen()
    for _ in _job(run, run.request(), control):
        pass
    return DONE


if __name__ == "__main__":
    sys.exit(main())
