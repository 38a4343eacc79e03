"""Files whose headers look whole but which a run could not read: noted in the project, with the reason."""

from __future__ import annotations

import contextlib
from pathlib import Path

from sslstudio.errors import UserError
from sslstudio.project.places import is_project
from sslstudio.project.project import Project
from sslstudio.runs.events import Warned
from sslstudio.runs.folder import RunFolder


def note_damage_beside(run: RunFolder) -> None:
    """The same from the command line, where no project is open; what cannot be noted was told anyway."""
    if is_project(run.project_folder) and any(isinstance(event, Warned) for event in run.events()):
        with contextlib.suppress(UserError), Project.open(run.project_folder, write=False) as project:
            note_damage(project, run)


def note_damage(project: Project, run: RunFolder) -> int:
    """Look closely at the images that a run warned of, so that the next one leaves them out; how many are bad.

    Decoding all images on opening would cost minutes; a run decodes them anyway.
    """
    try:
        root = Path(run.request().images_root)  # type: ignore[union-attr]
    except (UserError, AttributeError):  # an export reads no images
        return 0
    if root.resolve() != Path(project.images_root).resolve():
        return 0  # a folder that is not the project's
    return project.look_closely([event.about for event in run.events() if isinstance(event, Warned) and event.about])
