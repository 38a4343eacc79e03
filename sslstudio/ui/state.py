"""What the window remembers between two starts; ``SSLSTUDIO_STATE`` (a folder) moves it elsewhere."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSettings

LOOK = "look"  # one of theme.LOOKS
LANGUAGE = "language"  # a code such as “de”; empty for the system's


def folder() -> Path:
    """The folder of the window's own files."""
    from sslstudio.project.recent import state_folder

    return state_folder()


def settings() -> QSettings:
    """Splitters, geometry and the like."""
    return QSettings(str(folder() / "window.ini"), QSettings.Format.IniFormat)


def look() -> str:
    """Light or dark windows or as the system has them, as it was chosen: one of ``theme.LOOKS``."""
    from sslstudio.ui.theme import LOOKS, SYSTEM

    kept = str(settings().value(LOOK, SYSTEM))
    return kept if kept in LOOKS else SYSTEM
