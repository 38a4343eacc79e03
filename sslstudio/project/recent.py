"""The projects that were open lately, for the welcome page."""

from __future__ import annotations

import json
import logging
import os
from dataclasses import dataclass
from pathlib import Path

from sslstudio.errors import UserError
from sslstudio.language import tr
from sslstudio.project.files import replace_file
from sslstudio.project.places import is_project

_log = logging.getLogger(__name__)
_LENGTH = 12


def state_folder() -> Path:
    """Where the program keeps what belongs to no project; ``SSLSTUDIO_STATE`` overrides it."""
    if folder := os.environ.get("SSLSTUDIO_STATE"):
        return Path(folder)
    from platformdirs import user_state_path

    return user_state_path("sslstudio")


@dataclass(frozen=True)
class Recent:
    """A project that was open lately; ``there`` is false where it was moved or its disk is not connected."""

    path: Path
    there: bool


def recent_projects() -> list[Recent]:
    """Projects that were open lately, newest first; those that are not there now come last."""
    found = [Recent(path, is_project(path)) for path in _listed()]
    return sorted(found, key=lambda recent: not recent.there)


def remember(path: Path) -> None:
    """Put a project at the top of the list."""
    path = Path(path).absolute()
    _write([path, *(one for one in _listed() if one != path)][:_LENGTH])


def forget(path: Path) -> None:
    """Take a project off the list."""
    _write([one for one in _listed() if one != Path(path).absolute()])


def _listed() -> list[Path]:
    try:
        paths = json.loads((state_folder() / "recent.json").read_text("utf-8"))
        return [Path(path) for path in paths if isinstance(path, str)]
    except (OSError, ValueError, TypeError):
        return []


def _write(paths: list[Path]) -> None:
    """Keep the list; losing it is no reason to bother anybody."""
    try:
        text = json.dumps([str(path) for path in paths], indent=1)
        replace_file(state_folder() / "recent.json", text.encode(), tr("The list of recent projects"))
    except (UserError, OSError) as error:
        _log.warning("%s", error)
