"""Rolling copies of a project's database: after every session, every ten minutes of work, a day and a week ago."""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING

from sslstudio.errors import UserError
from sslstudio.project.files import sync_folder

if TYPE_CHECKING:
    from sslstudio.project.database import Database

_log = logging.getLogger(__name__)
FOLDER = "backups"
NAMES = ("last.sqlite", "older.sqlite", "day.sqlite", "week.sqlite")  # the newest first
EVERY = 600.0  # seconds of work between two copies
_DAY = 86400.0  # seconds


def keep(database: Database, name: str) -> Path:
    """Copy the database as it is now to ``backups/<name>``, in one step; raises OSError or sqlite3.Error."""
    target = database.folder / FOLDER / name
    temporary = target.with_name(f".{name}.{os.getpid()}.tmp")
    try:
        database.copy_to(temporary)
        temporary.replace(target)
        sync_folder(target.parent)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
    return target


class Rolling:
    """The backups of one open database; one that fails is only logged."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._since = time.monotonic()

    def when_due(self) -> None:
        """Keep one if the last is ten minutes old and something was written since the project was opened."""
        due = time.monotonic() - self._since >= EVERY
        if due and self._database.changed and self._database.journalled:  # else it would keep one from painting
            self.roll()

    def roll(self) -> None:
        """Keep the state of now, and the ones before it; a damaged database never takes a sound one's place."""
        self._since = time.monotonic()
        folder, fresh = self._database.folder / FOLDER, "fresh.sqlite"
        try:
            keep(self._database, fresh)
            if not sound(folder / fresh):
                (folder / fresh).unlink()
                self._look_for_damage()
                return
            _move_on(folder)
            (folder / fresh).replace(folder / NAMES[0])
        except (OSError, sqlite3.Error, UserError) as error:
            _log.warning("no backup of %s: %s", folder.parent.name, error)

    def _look_for_damage(self) -> None:
        """A copy is not sound: because the disk refused a part of it, or because the database is not either."""
        name = self._database.folder.name
        if self._database.is_whole():
            _log.warning("no backup of %s: the copy is not sound", name)
        else:
            self._database.suspect()
            _log.warning("the database of %s is damaged; its backups stay as they are", name)


def _move_on(folder: Path) -> None:
    """Make room for the newest; every backup has one name at any moment."""
    last, older, day, week = (folder / name for name in NAMES)
    if older.exists() and _age(day) - _age(older) > _DAY:
        if day.exists() and _age(week) - _age(day) > 7 * _DAY:
            day.replace(week)
        older.replace(day)
    if last.exists():
        last.replace(older)


def _age(file: Path) -> float:
    """Seconds since it was written; very many for one that is not there."""
    return time.time() - file.stat().st_mtime if file.exists() else 1e12


def newest(folder: Path) -> Path | None:
    """The newest sound backup of a project."""
    return next((file for name in NAMES if sound(file := folder / FOLDER / name)), None)


def sound(file: Path) -> bool:
    """Whether a file is a whole database of a project."""
    if not file.is_file():
        return False
    try:
        with contextlib.closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as copy:
            version = copy.execute("PRAGMA user_version").fetchone()[0]
            return version > 0 and copy.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok"
    except sqlite3.Error:
        return False
