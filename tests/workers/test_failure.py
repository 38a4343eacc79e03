"""Whatever goes wrong is told in words that help."""

import errno

import pytest

from sslstudio.errors import UserError
from sslstudio.runs.events import Checkpointed
from sslstudio.runs.folder import RunFolder
from sslstudio.runs.request import ExportRequest
from sslstudio.workers.failure import explain


class OutOfMemoryError(RuntimeError):
    """Named like torch's, which tests need not load."""


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (UserError("No masks.", "Paint one."), "No masks."),
        (OSError(errno.ENOSPC, "No space left on device"), "disk is full"),
        (OSError(errno.EDQUOT, "Quota exceeded"), "disk is full"),
        (RuntimeError("SafetensorError: I/O error: No space left on device (os error 28)"), "disk is full"),
        (OSError(errno.EROFS, "Read-only file system", "/p/runs"), "may not be written to"),
        (PermissionError(errno.EACCES, "Permission denied", "/p/runs"), "may not be written to"),
        (MemoryError(), "memory of this machine was not enough"),
        (OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), "memory of this machine was not enough"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "memory of this machine was not enough"),
        (KeyError("x"), "unexpected"),
    ],
)
def test_every_failure_has_words_and_advice(error, words, tmp_path):
    told = explain(error, tmp_path)
    assert words in told.problem
    assert told.advice
    assert "Traceback" not in told.problem


def test_a_checkpoint_is_promised_only_where_there_is_one(tmp_path):
    run = RunFolder.create(tmp_path, ExportRequest(model="m"))
    full = OSError(errno.ENOSPC, "No space left on device")
    assert "checkpoint" not in explain(full, run.path).advice
    run.append(Checkpointed(folder="checkpoints/last", step=7))
    assert "up to the last checkpoint is kept" in explain(full, run.path).advice
