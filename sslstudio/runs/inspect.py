"""Asks a worker what a checkpoint file holds, or how fast this machine is; nothing here loads torch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from sslstudio.errors import UserError
from sslstudio.language import tr


def inspect_checkpoint(file: Path, backbone: str = "") -> dict[str, Any]:
    """What ``learning.backbones.foreign.Inspection`` holds, as JSON values with ``told`` in words.

    Takes some seconds. Raises UserError in the worker's words.
    """
    file = Path(file).expanduser().absolute()
    if not file.exists():
        raise UserError(
            tr("There is no checkpoint {file}.").format(file=file), tr("Choose a .safetensors, .pth or .pt file.")
        )
    return _ask("inspect", str(file), *([backbone] if backbone else []))


def measure_machine() -> dict[str, Any]:
    """What ``recipes.machine.Machine`` holds, measured now; takes some twenty seconds."""
    return _ask("measure")


def _ask(module: str, *words: str) -> dict[str, Any]:
    command = [sys.executable, "-P", "-m", f"sslstudio.workers.{module}", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        last = (done.stderr.strip().splitlines() or [tr("it gave no reason")])[-1]
        raise UserError(
            tr("The worker ended unexpectedly: {last}").format(last=last[:200]), tr("Try again, or report this.")
        ) from None
    if "error" in found:
        raise UserError(found["error"]["problem"], found["error"]["advice"])
    return found
