"""The SQLite file of a project: opening, migrating, mending, and transactions that speak plainly."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from sslstudio.errors import UserError
from sslstudio.project import backups, journal, schema
from sslstudio.project.files import disk_refused

_log = logging.getLogger(__name__)
T = TypeVar("T")
FILE = "project.sqlite"
SUSPICION = "project.damaged"
APPLICATION = 0x53534C53  # "SSLS": tells our files from other SQLite files
_CHECKED_SIZE = 32 << 20  # files up to this many bytes are checked whole while opening (some ms)
_NETWORK = ("nfs", "cifs", "smb", "9p", "fuse.sshfs", "afs", "ncpfs", "fuse.rclone")


class DamagedDatabase(UserError):
    """The database file is not what SQLite wrote; a backup may help."""


class Database:
    """One connection that any thread may use, one at a time; ``writable`` is False on a read-only disk."""

    def __init__(self, folder: Path, *, create: bool = False, read_only: bool = False) -> None:
        self.folder = folder
        self.file = folder / FILE
        self._lock = threading.RLock()
        self._depth = 0
        if not create and not self.file.is_file():
            raise DamagedDatabase(
                f"{folder} is not a whole project: it holds no {FILE}.", "Choose a folder whose name ends in .sslproj."
            )
        self.writable = not read_only
        self.journalled = False  # whether readers and a writer may work at the same time (WAL)
        self.torn = False  # whether the journal held more, once, than SQLite could read of it
        with self.explained():
            wal = self.file.with_name(FILE + "-wal")
            ends = () if create else journal.transactions(wal)
            self._connection = self._connect(create)
            try:
                self._prepare(create)
                if ends and self.writable:
                    self._compare_journal(wal, ends)
            except BaseException:
                self._connection.close()
                raise

    # opening --------------------------------------------------------------------------------------------

    def _connect(self, create: bool) -> sqlite3.Connection:
        if not self.writable:
            # A leftover journal must be replayed to be seen; "immutable" would pass over it.
            wal = self.file.with_name(FILE + "-wal")
            mode = "mode=ro" if wal.exists() and wal.stat().st_size else "immutable=1"
        else:
            mode = "mode=rwc" if create else "mode=rw"
        return sqlite3.connect(
            f"{self.file.absolute().as_uri()}?{mode}",
            uri=True,
            timeout=10,
            isolation_level=None,
            check_same_thread=False,
        )

    def _prepare(self, create: bool) -> None:
        run = self._connection.execute
        version = run("PRAGMA user_version").fetchone()[0]
        newest = len(schema.MIGRATIONS)
        if version > newest:
            raise UserError(
                f"The project {self.folder.name} was made by a newer SSL Studio "
                f"(its format is {version}, this program knows up to {newest}).",
                "Install the newest SSL Studio to open it; nothing was changed.",
            )
        if not create and version == 0:
            raise damaged(self.folder)  # an empty file, or one that lost its beginning
        if version and run("PRAGMA application_id").fetchone()[0] != APPLICATION:
            raise DamagedDatabase(f"The file {FILE} in {self.folder.name} belongs to another program.")
        if self.writable:
            self._set_journal()
        if not create:
            self._check()
        if version < newest:
            self._migrate(version)

    def _set_journal(self) -> None:
        run = self._connection.execute
        wanted = "DELETE" if on_network(self.folder) else "WAL"
        got = run(f"PRAGMA journal_mode={wanted}").fetchone()[0].upper()
        if got != wanted:
            run("PRAGMA journal_mode=DELETE")  # a disk without shared memory
        self.journalled = got == wanted == "WAL"
        run("PRAGMA synchronous=FULL")

    def _compare_journal(self, wal: Path, ends: tuple[int, ...]) -> None:
        """Notice a journal that is damaged in the midst: SQLite passes over all that comes after without a word.

        One transaction too many is the one in which the program was killed or the disk refused.
        """
        known = "PRAGMA wal_checkpoint(PASSIVE)"
        if len(_beyond(ends, self._connection.execute(known).fetchone()[1])) < 2:
            return
        ends = journal.transactions(wal)  # once more: a command beside us may have begun a new one meanwhile
        self.torn = len(_beyond(ends, self._connection.execute(known).fetchone()[1])) > 1
        if self.torn:
            kept = self.folder / backups.FOLDER / "damaged.sqlite-wal"
            kept.parent.mkdir(exist_ok=True)
            shutil.copyfile(wal, kept)

    def _check(self) -> None:
        """Find damage now, while it can be repaired; a large file is checked whole only when it is under suspicion."""
        suspected = self.suspicion.exists()
        if suspected or self.file.stat().st_size <= _CHECKED_SIZE:
            answer = self._connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        else:
            answer = "ok"
            self._connection.execute("SELECT count(*) FROM image").fetchone()
        if answer != "ok":
            raise damaged(self.folder)
        if suspected and self.writable:
            raise damaged(self.folder)  # what was found in use may be what SQLite does not see, so all is gone through

    def is_whole(self) -> bool:
        """Whether SQLite finds nothing wrong; reads everything."""
        return self.rows("PRAGMA quick_check(1)") == [("ok",)]

    @property
    def suspicion(self) -> Path:
        """A file that is there once damage was found in use; the project is then repaired when it is opened next."""
        return self.folder / SUSPICION

    def suspect(self) -> DamagedDatabase:
        """Remember that the database is damaged, and the exception that says so."""
        with contextlib.suppress(OSError):
            self.suspicion.touch()
        return damaged(self.folder)

    def _migrate(self, version: int) -> None:
        if not self.writable:
            raise UserError(
                f"The project {self.folder.name} was made by an older SSL Studio and must be brought up to date first.",
                "Copy it to a disk that may be written to and open it there.",
            )
        if version:
            backups.keep(self, f"before-format-{len(schema.MIGRATIONS)}.sqlite")
        for number, script in enumerate(schema.MIGRATIONS[version:], version + 1):
            _log.info("bringing %s to format %d", self.folder.name, number)
            self._connection.executescript(
                f"BEGIN IMMEDIATE;\n{script}\nPRAGMA application_id={APPLICATION};\n"
                f"PRAGMA user_version={number};\nCOMMIT;"
            )

    # using ----------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, durable at the end; may be nested (the outermost commits). Raises UserError."""
        with self._lock, self.explained():
            if not self.writable:
                raise UserError(
                    f"The project {self.folder.name} lies on a disk that may only be read.",
                    "Copy it to a disk that may be written to.",
                )
            run = self._connection.execute
            inner = f"depth{self._depth}" if self._depth else ""
            run(f"SAVEPOINT {inner}" if inner else "BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
                run(f"RELEASE {inner}" if inner else "COMMIT")
            except BaseException:
                # A full disk may have rolled everything back already; then there is nothing left to undo.
                with contextlib.suppress(sqlite3.Error):
                    run(f"ROLLBACK TO {inner}" if inner else "ROLLBACK")
                raise
            finally:
                self._depth -= 1

    def rows(self, sql: str, *values: Any) -> list[tuple]:
        """All rows of a query."""
        with self._lock, self.explained():
            return self._connection.execute(sql, values).fetchall()

    def rows_as(self, made: Callable[[tuple], T], sql: str, *values: Any) -> list[T]:
        """All rows of a query, each turned into something else as it is read, so that they never stand there twice."""
        with self._lock, self.explained():
            return [made(row) for row in self._connection.execute(sql, values)]

    def row(self, sql: str, *values: Any) -> tuple | None:
        """The first row of a query, or None."""
        with self._lock, self.explained():
            return self._connection.execute(sql, values).fetchone()

    def write(self, sql: str, *values: Any) -> int:
        """Run one statement in a transaction; the id of the last row added."""
        with self._statement():
            return self._connection.execute(sql, values).lastrowid or 0

    def write_soon(self, sql: str, *values: Any) -> None:
        """Run one statement that nobody need wait for: whole or not there, and a power cut may still take it away."""
        with self._lock, self.explained():
            if self._depth:
                self.write(sql, *values)
                return
            self._connection.execute("PRAGMA synchronous=NORMAL")
            try:
                self.write(sql, *values)
            finally:
                self._connection.execute("PRAGMA synchronous=FULL")

    def write_many(self, sql: str, rows: Iterable[tuple]) -> None:
        """Run one statement for many rows in one transaction."""
        with self._statement():
            self._connection.executemany(sql, rows)

    @contextlib.contextmanager
    def _statement(self) -> Iterator[None]:
        """A transaction for one statement; inside another, none is needed."""
        with self._lock, contextlib.nullcontext() if self._depth else self.transaction():
            yield

    @property
    def changed(self) -> bool:
        """Whether anything was written through this connection."""
        return self._connection.total_changes > 0

    def close(self) -> None:
        """Close the connection; harmless twice."""
        with self._lock, contextlib.suppress(sqlite3.Error):
            self._connection.close()

    def copy_to(self, target: Path) -> None:
        """Copy the database as it is now into a new file, in one step; raises OSError or sqlite3.Error."""
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        with contextlib.closing(sqlite3.connect(target)) as copy:
            if self.journalled:  # then others may go on painting meanwhile
                with contextlib.closing(sqlite3.connect(f"{self.file.absolute().as_uri()}?mode=ro", uri=True)) as own:
                    own.backup(copy)
            else:
                with self._lock:
                    self._connection.backup(copy)

    @contextlib.contextmanager
    def explained(self) -> Iterator[None]:
        """Turn what SQLite and the disk say into a UserError."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            said = _in_words(error, self.folder)
            raise self.suspect() if isinstance(said, DamagedDatabase) else said from error
        except OSError as error:
            raise disk_refused(f"The project {self.folder.name}", error) from error


def on_network(folder: Path) -> bool:
    """Whether the folder lies on a network drive, as far as can be told; WAL is unsafe there."""
    text = str(folder.absolute())
    if os.name == "nt":
        return text.startswith("\\\\")
    best = ("", "")
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/mounts").read_text("utf-8", "replace").splitlines():
            _, point, kind = line.split(" ")[:3]
            if (text + "/").startswith(point.rstrip("/") + "/") and len(point) >= len(best[0]):
                best = (point, kind)
    return best[1].startswith(_NETWORK)


def _beyond(ends: tuple[int, ...], read: int) -> list[int]:
    return [end for end in ends if end > read >= 0]


def damaged(folder: Path) -> DamagedDatabase:
    """The exception for a project whose database is not what it should be."""
    return DamagedDatabase(
        f"The file {FILE} in {folder.name} is damaged.",
        f"Close the project and open it again to have it repaired; the painted masks are in {folder.name}/masks.",
    )


def _in_words(error: sqlite3.DatabaseError, folder: Path) -> UserError:
    """What SQLite says, for people."""
    text = str(error)
    if "full" in text or "disk I/O" in text:
        return UserError(
            f"The project {folder.name} could not be written: the disk is full or does not take more.",
            "Make room on the disk and try again; nothing that was saved is lost.",
        )
    if "readonly" in text or "unable to open" in text:
        return UserError(
            f"The project {folder.name} could not be written: you may not write there, or the disk is read-only.",
            "Ask for the right to write, or copy the project to your own folder.",
        )
    if "locked" in text:
        return UserError(f"The project {folder.name} is busy in another program.", "Try again in a moment.")
    if any(words in text for words in ("not a database", "malformed", "no such table", "Could not decode")):
        return damaged(folder)
    return UserError(f"The project {folder.name} answered: {text}.", "Close it and open it again.")
