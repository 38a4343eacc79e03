"""The state from which an interrupted fine-tuning goes on."""

from __future__ import annotations

import hashlib
import logging
import os
from pathlib import Path
from typing import Any

import torch

from sslstudio.runs.request import FinetuneRequest

log = logging.getLogger(__name__)


def state_file(checkpoints: Path) -> Path:
    """Where the state lies below a run's checkpoints."""
    return checkpoints / "last" / "state.pt"


def write_state(checkpoints: Path, request: FinetuneRequest, state: dict[str, Any]) -> None:
    """Replace the saved state in one step."""
    file = state_file(checkpoints)
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_suffix(".tmp")
    with temporary.open("wb") as handle:
        torch.save({**state, "request": fingerprint(request)}, handle)
        handle.flush()
        os.fsync(handle.fileno())
    temporary.replace(file)


def read_state(checkpoints: Path, request: FinetuneRequest) -> dict[str, Any] | None:
    """The saved state if there is one and it belongs to this request; a damaged one is as good as none."""
    file = state_file(checkpoints)
    if not file.exists():
        return None
    try:
        state = torch.load(file, map_location="cpu", weights_only=True)
    except Exception:
        log.warning("the saved state %s cannot be read; starting anew", file, exc_info=True)
        return None
    return state if state.get("request") == fingerprint(request) else None


def fingerprint(request: FinetuneRequest) -> str:
    """The same for requests that ask for the same run."""
    return hashlib.sha256(request.model_dump_json().encode()).hexdigest()
