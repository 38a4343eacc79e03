"""The moments of a pretraining run that can be looked back at; what writes them is ``learning.training.snapshots``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from sslstudio.runs.folder import RunFolder


@dataclass(frozen=True)
class Moment:
    """The encoder as it was after ``step``, at ``share`` (0 to 1) of the run; ``folder`` holds it."""

    step: int
    share: float
    folder: Path


def moments_of(run: RunFolder) -> tuple[Moment, ...]:
    """What a run kept, oldest first; its last checkpoint, which goes on changing while it works, is not among them."""
    found = []
    for folder in sorted((run.checkpoints / "past").glob("[0-9]*")):
        try:
            about = json.loads((folder / "encoder.json").read_text(encoding="utf-8"))
            found.append(Moment(int(about["step"]), float(about["share"]), folder))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return tuple(found)
