"""Where a run's folder goes: into its project, or into the user's own state where the project may only be read."""

from __future__ import annotations

import os
from pathlib import Path

from sslstudio.errors import UserError
from sslstudio.language import later, tr
from sslstudio.project.recent import state_folder
from sslstudio.runs.folder import RunFolder
from sslstudio.runs.request import ExportRequest, PredictRequest, Request

COPY = later("Copy the project to a disk that may be written to.")


def create_run(project: Path, request: Request, name: str = "") -> RunFolder:
    """Make the folder of a new run; raises UserError when what it makes would have to go into a read-only project."""
    if _may_write(project):
        return RunFolder.create(project, request, name)
    refusal = tr("The project {name} may only be read").format(name=project.name)
    if not isinstance(request, PredictRequest | ExportRequest):
        raise UserError(tr("{refusal}, and this run leaves what it learns there.").format(refusal=refusal), tr(COPY))
    project = project.resolve()
    if not request.out or (project / request.out).resolve().is_relative_to(project):
        raise UserError(f"{refusal}.", tr("Say where the result should go: --out PLACE. {copy}").format(copy=tr(COPY)))
    elsewhere = state_folder() / "runs of read-only projects" / project.stem
    return RunFolder.create(elsewhere, request.model_copy(update={"project": str(project)}), name)


def _may_write(project: Path) -> bool:
    runs = project / "runs"
    return os.access(runs if runs.is_dir() else project, os.W_OK)
