"""What the window remembers between two starts; ``SSLSTUDIO_STATE`` (a folder) moves it elsewhere."""

from __future__ import annotations

import os
from pathlib import Path

from PySide6.QtCore import QSettings

import sslstudio


def folder() -> Path:
    """The folder of the window's own files."""
    given = os.environ.get("SSLSTUDIO_STATE")
    if given:
        return Path(given)
    from platformdirs import user_state_path

    return user_state_path(sslstudio.__name__, appauthor=False)


def settings() -> QSettings:
    """Splitters, geometry and the like."""
    return QSettings(str(folder() / "window.ini"), QSettings.Format.IniFormat)
