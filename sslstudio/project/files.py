"""Replacing files so that never a half one is seen, and disk errors in words."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
import threading
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from sslstudio.errors import UserError
from sslstudio.language import later, tr

_REASONS = {
    errno.ENOSPC: (
        later("the disk is full"),
        later("Make room on the disk and try again; nothing that was saved is lost."),
    ),
    errno.EDQUOT: (
        later("your share of the disk is used up"),
        later("Make room and try again; nothing that was saved is lost."),
    ),
    errno.EFBIG: (later("the disk does not take files of this size"), later("Use a disk with another file system.")),
    errno.EROFS: (later("the disk is read-only"), later("Copy the project to a disk that may be written to.")),
    errno.EACCES: (
        later("you may not write there"),
        later("Ask for the right to write, or copy the project to your own folder."),
    ),
    errno.EPERM: (
        later("you may not write there"),
        later("Ask for the right to write, or copy the project to your own folder."),
    ),
    errno.ENAMETOOLONG: (
        later("its name is too long for the disk"),
        later("Choose a shorter name or a place higher up."),
    ),
}


def disk_refused(what: str, error: OSError) -> UserError:
    """The exception for a failed write; ``what`` begins the sentence: "The mask of a.png"."""
    reason, advice = _REASONS.get(
        error.errno or 0,
        (str(error.strerror or error).lower(), later("Check the disk or the network drive and try again.")),
    )
    return UserError(tr("{what} could not be written: {reason}.").format(what=what, reason=tr(reason)), tr(advice))


def ensure_writable(folder: Path) -> None:
    """Make ``folder`` where it is missing and try a file in it; raises UserError when the disk refuses."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UserError(
            tr("Nothing can be written into {folder} ({strerror}).").format(
                folder=folder, strerror=error.strerror or type(error).__name__
            ),
            tr("Choose another folder, or check its rights and the room on the disk."),
        ) from None


def replace_file(
    path: Path, data: bytes | Callable[[BinaryIO], None], what: str, *, alone: bool = False, settle: bool = True
) -> None:
    """Put ``data``, or what it writes, in the place of ``path``, durably: temporary neighbour, synced, renamed.

    Raises UserError beginning with ``what``; the old file then stands as it was. ``alone``: the caller lets
    nobody else write this file, so what a killed predecessor left over is reused and does not pile up.
    Without ``settle`` the caller calls ``sync_folder`` itself, once for many files.
    """
    owner = "" if alone else f"-{os.getpid()}-{threading.get_ident()}"
    temporary = path.with_name(f".{zlib.crc32(os.fsencode(path.name)):08x}{owner}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            if isinstance(data, bytes):
                file.write(data)
            else:
                data(file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        if settle:
            sync_folder(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise disk_refused(what, error) from None


def sync_folder(folder: Path) -> None:
    """Make a rename in ``folder`` survive a power cut, where the system knows such a thing."""
    if os.name != "posix":
        return
    # Some network drives refuse; the rename itself is then as safe as it gets.
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
