"""Repairing a damaged project database: what can still be read is saved, the newest backup fills the holes."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sslstudio.errors import UserError
from sslstudio.language import tr
from sslstudio.project import backups
from sslstudio.project.classes import default_colour
from sslstudio.project.database import FILE, SUSPICION, DamagedDatabase, Database, damaged
from sslstudio.project.edit_log import is_whole
from sslstudio.project.files import disk_refused, sync_folder

_log = logging.getLogger(__name__)
REPAIRED = "_repaired"  # the key of a setting: masks and counts still have to be brought in line
_KEYS = {"setting": "key", "class": "place", "image": "id", "edit": "id", "op": "id", "tally": "image"}
_PAGE = 4096  # bytes; what our databases are made with
_MOST_LOOKUPS = 200_000  # rows asked for one by one in a hole


@dataclass
class _Table:
    """What could be read of one table; ``whole`` when nothing is missing."""

    columns: list[str] = field(default_factory=list)
    rows: list[tuple] = field(default_factory=list)
    whole: bool = False


def open_database(path: Path, write: bool) -> Database:
    """The database of a project folder, repaired if it was damaged and may be written; raises UserError."""
    file = path / FILE
    read_only = not os.access(path, os.W_OK) or (file.exists() and not os.access(file, os.W_OK))
    if read_only and write:
        raise UserError(
            tr("The project {name} may not be written to.").format(name=path.name),
            tr("Copy it to a folder of yours, or ask for the right to write."),
        )
    try:
        return Database(path, read_only=read_only)
    except DamagedDatabase:
        if not write:
            raise
        try:
            repaired = _repair(path)
        except OSError as error:
            raise disk_refused(
                tr("The project {name} is damaged, and the repaired one").format(name=path.name), error
            ) from error
        if not repaired:
            raise
    return Database(path)


def salvage(path: Path, place: Path) -> Database:
    """A repaired database, in the empty folder ``place``, of a damaged project that is left as it is.

    Raises DamagedDatabase when there is nothing to save, and UserError when ``place`` takes no more.
    """
    try:
        for file in (path / FILE, path / (FILE + "-wal"), *sorted((path / backups.FOLDER).glob("*.sqlite"))):
            if file.is_file():
                copy = place / file.relative_to(path)
                copy.parent.mkdir(exist_ok=True)
                shutil.copyfile(file, copy)
        if (path / "masks").is_dir():
            (place / "masks").mkdir()
        if not _repair(place):
            raise damaged(path)
    except OSError as error:
        raise disk_refused(tr("What could be saved of the project"), error) from error
    return Database(place)


def _repair(folder: Path) -> bool:
    """Put a repaired database in the place of the damaged one, which is kept; False when there is nothing to save."""
    ready = folder / backups.FOLDER / "repaired.sqlite"
    if not backups.sound(ready):  # else we were killed while putting it in place
        base, saved = _base(folder), _salvage(folder)
        if not (base or saved["image"].rows or (folder / "masks").is_dir()):
            return False
        _keep_damaged(folder)
        _build(ready, base, saved)
    for part in ("-wal", "-shm"):  # the journal of the old file would be taken for one of the new
        (folder / (FILE + part)).unlink(missing_ok=True)
    ready.replace(folder / FILE)
    sync_folder(folder)
    (folder / SUSPICION).unlink(missing_ok=True)
    return True


def _base(folder: Path) -> dict[str, _Table]:
    """The tables of the newest sound backup; empty without one."""
    file = backups.newest(folder)
    return _tables(file) if file else {}


def _keep_damaged(folder: Path) -> None:
    stamp = f"{datetime.now():%Y%m%d-%H%M%S}"
    for part in ("", "-wal"):
        if (folder / (FILE + part)).is_file():
            shutil.copyfile(folder / (FILE + part), folder / backups.FOLDER / f"damaged-{stamp}.sqlite{part}")


# reading what is left ---------------------------------------------------------------------------------------


def _salvage(folder: Path) -> dict[str, _Table]:
    """What the damaged file still holds; where its beginning is destroyed, with that of another file."""
    (folder / backups.FOLDER).mkdir(exist_ok=True)
    trial = folder / backups.FOLDER / ".trial.sqlite"
    best: dict[str, _Table] = {name: _Table() for name in _KEYS}
    for page in _first_pages(folder):
        _copy_with(folder / FILE, trial, page)
        found = _tables(trial)
        if _worth(found) > _worth(best):
            best = found
        if best["image"].rows:
            break  # its own beginning is the right one if it works at all
    for part in ("", "-wal", "-shm"):
        trial.with_name(trial.name + part).unlink(missing_ok=True)
    return best


def _worth(tables: dict[str, _Table]) -> int:
    return sum(len(table.rows) for table in tables.values())


def _first_pages(folder: Path) -> Iterator[bytes]:
    """The beginnings to try: none (its own), that of the newest backup, that of a new project."""
    yield b""
    if file := backups.newest(folder):
        yield _beginning(file)
    with _fresh(folder / backups.FOLDER) as file:
        yield _beginning(file)


@contextlib.contextmanager
def _fresh(place: Path) -> Iterator[Path]:
    """The file of a new database without rows, below ``place``, for a while."""
    work = place / ".repair"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    Database(work, create=True).close()
    try:
        yield work / FILE
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _beginning(file: Path) -> bytes:
    with file.open("rb") as stream:
        return stream.read(_PAGE)


def _copy_with(file: Path, trial: Path, page: bytes) -> None:
    """Copy a database with its journal, and give it another first page (where ``page`` is not empty)."""
    for part in ("", "-wal", "-shm"):
        trial.with_name(trial.name + part).unlink(missing_ok=True)
        if part != "-shm" and file.with_name(file.name + part).is_file():
            shutil.copyfile(file.with_name(file.name + part), trial.with_name(trial.name + part))
    if page and trial.is_file():
        size = trial.stat().st_size // _PAGE
        # Its own size, no free pages, and a journal (WAL) as we use it: see the file format's header.
        header = page[:18] + b"\2\2" + page[20:28] + size.to_bytes(4, "big") + bytes(8) + page[40:92] + page[24:28]
        with trial.open("r+b") as stream:
            stream.write(header + page[96:])


def _tables(file: Path) -> dict[str, _Table]:
    """All tables of a database file, as far as they can be read."""
    if not file.is_file():
        return {name: _Table() for name in _KEYS}
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as connection:
        found = {name: _table(connection, name, key) for name, key in _KEYS.items()}
    for name, check in (("edit", _whole_edit), ("image", _whole_image)):
        table = found[name]
        kept = [row for row in table.rows if check(dict(zip(table.columns, row, strict=True)))]
        table.whole &= len(kept) == len(table.rows)
        table.rows = kept
    return found


def _table(connection: sqlite3.Connection, name: str, key: str) -> _Table:
    """One table, from both ends up to the damage, and then row by row."""
    try:
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({name})")]
    except sqlite3.Error:
        return _Table()
    if not columns:
        return _Table()
    order = "image, label" if name == "tally" else key
    rows, whole = _as_far_as_possible(connection, f'SELECT * FROM "{name}" ORDER BY {order}')
    if not whole:
        back = order.replace(",", " DESC,") + " DESC"
        rows_back, _ = _as_far_as_possible(connection, f'SELECT * FROM "{name}" ORDER BY {back}')
        rows = list(dict.fromkeys([*rows, *_in_the_hole(connection, name, key, rows, rows_back), *rows_back]))
    return _Table(columns, rows, whole)


def _as_far_as_possible(connection: sqlite3.Connection, sql: str) -> tuple[list[tuple], bool]:
    rows: list[tuple] = []
    try:
        for row in connection.execute(sql):
            rows.append(row)  # one by one: what came before an error counts
    except sqlite3.Error:
        return rows, False
    return rows, True


def _in_the_hole(
    connection: sqlite3.Connection, name: str, key: str, rows: list[tuple], back: list[tuple]
) -> list[tuple]:
    """Rows between those that were read from either end; only for tables with numbered rows."""
    if name in ("setting", "tally") or not back:
        return []
    first, last = (rows[-1][0] if rows else 0) + 1, back[-1][0]
    found = []
    for number in range(first, min(last, first + _MOST_LOOKUPS)):
        with contextlib.suppress(sqlite3.Error):
            found += connection.execute(f'SELECT * FROM "{name}" WHERE {key}=?', (number,)).fetchall()
    return found


def _whole_edit(row: dict[str, Any]) -> bool:
    """Whether a stroke can be unpacked."""
    sizes = row["height"], row["width"]
    if not all(isinstance(size, int) for size in sizes):
        return False
    return all(is_whole(row[side], *sizes) for side in ("before", "after"))


def _whole_image(row: dict[str, Any]) -> bool:
    numbers = ("id", "size", "mtime_ns", "painted", "mask_width", "mask_height", "png_op", "width", "height")
    return isinstance(row["path"], str) and all(isinstance(row[name], int) for name in numbers)


# building anew ----------------------------------------------------------------------------------------------


def _build(target: Path, base: dict[str, _Table], saved: dict[str, _Table]) -> None:
    """Write a sound database of what was saved, and of the backup's rows where something is missing."""
    whole = all(saved[name].whole for name in ("image", "edit", "op", "tally", "setting", "class"))
    with _fresh(target.parent) as file:
        fresh = Database(file.parent)
        with contextlib.closing(fresh), fresh.transaction():
            for name in _KEYS:
                sources = [saved[name]]
                if name == "class":
                    sources = [saved[name] if saved[name].whole or not base else base[name]]
                elif not whole and base:
                    sources = [base[name], saved[name]]
                for table in sources:
                    _insert(fresh, name, table)
            fresh.write("DELETE FROM op WHERE edit NOT IN (SELECT id FROM edit)")
            _name_classes(fresh)
            _advance(fresh)
            about = {"whole": whole, "backup": bool(base), "strokes": len(saved["edit"].rows)}
            fresh.write("INSERT OR REPLACE INTO setting VALUES (?,?)", REPAIRED, json.dumps(about))
        file.replace(target)


def _insert(database: Database, name: str, table: _Table) -> None:
    """Add rows by the names of their columns: an older backup may lack some."""
    known = [row[1] for row in database.rows(f"PRAGMA table_info({name})")]
    places = [at for at, column in enumerate(table.columns) if column in known]
    if not places:
        return
    columns = ", ".join(f'"{table.columns[at]}"' for at in places)
    marks = ",".join("?" * len(places))
    database.write_many(
        f'INSERT OR REPLACE INTO "{name}" ({columns}) VALUES ({marks})',
        [tuple(row[at] for at in places) for row in table.rows],
    )


def _name_classes(database: Database) -> None:
    """Give classes whose names are lost between others made ones, so that those keep their places."""
    known = {row[0] for row in database.rows("SELECT place FROM class")}
    missing = [
        (place, f"class {place}", default_colour(place)) for place in range(max(known, default=0)) if place not in known
    ]
    database.write_many("INSERT INTO class (place, name, colour) VALUES (?,?,?)", missing)


def _advance(database: Database) -> None:
    """Go on counting ops after all that ever were: mask files remember which they hold."""
    database.write("DELETE FROM sqlite_sequence WHERE name='op'")
    database.write(
        "INSERT INTO sqlite_sequence (name, seq) SELECT 'op', max(ifnull((SELECT max(id) FROM op), 0), "
        "ifnull((SELECT max(png_op) FROM image), 0))"
    )
