"""What went wrong, in plain words with something to try."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

from sslstudio.errors import UserError
from sslstudio.language import later, tr
from sslstudio.runs.events import Checkpointed, Failed
from sslstudio.runs.folder import RunFolder

KEPT = later("What was learned up to the last checkpoint is kept.")
_DISK_FULL = ("no space left", "code: 28", "disk is full", "disk quota")
_MEMORY = ("out of memory", "can't allocate memory", "cannot allocate memory", "not enough memory")


def explain(error: BaseException, folder: Path) -> Failed:
    """The failure event for any exception; ``folder`` is where the run writes."""
    if isinstance(error, UserError):
        return Failed(problem=error.problem, advice=error.advice)
    text = str(error).lower()
    if _is_disk_full(error, text, folder):
        return Failed(
            problem=tr("The disk is full."), advice=tr("Make room and resume the run.{kept}").format(kept=_kept(folder))
        )
    if isinstance(error, PermissionError) or getattr(error, "errno", None) == errno.EROFS:
        name = getattr(error, "filename", None) or folder
        return Failed(
            problem=tr("{name} may not be written to.").format(name=name),
            advice=tr("Check the rights of the project folder."),
        )
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError" or any(w in text for w in _MEMORY):
        return Failed(
            problem=tr("The memory of this machine was not enough."),
            advice=tr("Choose a smaller batch, view size or backbone, or close other programs, and start again."),
        )
    first = str(error).strip().splitlines()[0][:200] if str(error).strip() else tr("no message")
    return Failed(
        problem=tr("Something unexpected happened ({name}: {first}).").format(name=type(error).__name__, first=first),
        advice=tr("See log.txt in the run's folder and report it; resuming may help.{kept}").format(kept=_kept(folder)),
    )


def _kept(folder: Path) -> str:
    """The sentence that comforts, where there is a checkpoint."""
    return f" {tr(KEPT)}" if any(isinstance(event, Checkpointed) for event in RunFolder(folder).events()) else ""


def is_expected(error: BaseException, folder: Path) -> bool:
    """Whether the user can mend it, so that no traceback is wanted."""
    return not explain(error, folder).problem.startswith("Something unexpected")


def _is_disk_full(error: BaseException, text: str, folder: Path) -> bool:
    if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
        return True
    if isinstance(error, OSError) and error.errno is not None:
        return False
    # Writers in C++ and Rust wrap the system's error in their own; only the text and the disk itself tell.
    return any(words in text for words in _DISK_FULL) or ("writ" in text and shutil.disk_usage(folder).free < 1 << 20)
