"""Taking a class away from a project with its runs and models: none of them may misread what masks mean now."""

from __future__ import annotations

from sslstudio.errors import UserError
from sslstudio.language import tr
from sslstudio.project.project import Project
from sslstudio.runs.folder import RunFolder, RunState, runs_of
from sslstudio.runs.prepare import models_of


def remove_class(project: Project, at: int) -> None:
    """Remove a class: its pixels become unpainted, those after it move up; raises UserError while one fine-tunes.

    Fine-tunings that broke off cannot be resumed after it: they learned other numbers.
    """
    tuning = [run for run in runs_of(project.path) if run.summary().kind == "finetune"]
    if any(run.alive() for run in tuning):
        raise UserError(
            tr("Fine-tuning is under way, with the classes as they are."),
            tr("Stop it or wait for its end, then remove it."),
        )
    for run in tuning:
        if run.state() is not RunState.FINISHED:
            _forbid(run)
    project.remove_class(at, [model.name for model in models_of(project.path)])


def _forbid(run: RunFolder) -> None:
    run.forbid(tr("The classes have changed since this fine-tuning was asked for."), tr("Start a new one."))
