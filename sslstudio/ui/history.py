"""Earlier runs of a project, read once in the background: every run's events are looked through for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sslstudio.errors import UserError
from sslstudio.runs.folder import RunFolder, RunState, RunSummary, runs_of
from sslstudio.runs.prepare import has_learned


@dataclass(frozen=True)
class PastRun:
    """An earlier run; ``encoder`` is the checkpoint folder that later steps can start from, if there is one."""

    run: RunFolder
    summary: RunSummary
    method: str = ""
    backbone: str = ""
    encoder: Path | None = None


def past_run(run: RunFolder) -> PastRun:
    """What one run's folder tells."""
    summary = run.summary()
    method = backbone = ""
    try:
        request = run.request()
    except UserError:
        return PastRun(run, summary)
    if request.kind == "pretrain":
        method, backbone = request.recipe.method.id, request.recipe.backbone
    elif request.kind == "finetune":
        backbone = "" if request.encoder_run else request.recipe.backbone
    usable = request.kind == "pretrain" and has_learned(run)
    return PastRun(run, summary, method, backbone, run.checkpoints / "last" if usable else None)


def past_runs(project_folder: Path) -> tuple[PastRun, ...]:
    """All runs of a project, oldest first."""
    return tuple(past_run(run) for run in runs_of(project_folder))


def is_live(past: PastRun) -> bool:
    """Whether a worker holds the run."""
    state = past.summary.state
    return state in (RunState.RUNNING, RunState.PAUSED) or (state is RunState.WAITING and past.run.alive())


def is_broken(past: PastRun) -> bool:
    """Whether the run broke off, or was asked for and never begun."""
    return not is_live(past) and past.summary.state in (RunState.INTERRUPTED, RunState.WAITING)
