"""The encoder at some moments of its training, kept small, so that one can look back at how it learned.

Each lies in ``checkpoints/past/<step>`` like any encoder, with weights in half precision: they are looked at, not
trained on.
"""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file

from sslstudio.learning.backbones.checkpoints import ABOUT, WEIGHTS, save_encoder
from sslstudio.learning.backbones.encoder import Encoder

log = logging.getLogger(__name__)
FOLDER = "past"
SHARES = (0.0, 0.03, 0.08, 0.16, 0.3, 0.5, 0.75)  # of the run; denser at the beginning, where most changes
ROOM = 256 << 20  # bytes that the snapshots of a run may take together


class Snapshots:
    """Keeps the encoder when the run passes one of a few shares; as many as fit into the room."""

    def __init__(self, checkpoints: Path, encoder: Encoder, *, room: int = ROOM) -> None:
        self._root = Path(checkpoints) / FOLDER
        bytes_each = sum(2 * tensor.numel() for tensor in encoder.state_dict().values())
        count = min(len(SHARES), room // max(1, bytes_each))
        chosen = {round(place * (len(SHARES) - 1) / max(1, count - 1)) for place in range(count)}
        self._shares = [SHARES[place] for place in sorted(chosen)]
        self._passed = max((_share_of(folder) for folder in self._root.glob("[0-9]*")), default=-1.0)

    def due(self, share: float) -> bool:
        """Whether a moment has come that is not kept yet."""
        return any(self._passed < wanted <= share for wanted in self._shares)

    def keep(self, encoder: Encoder, step: int, share: float) -> None:
        """Keep the encoder as it is now; a disk that refuses is only noted, since training matters more."""
        self._passed = max(wanted for wanted in self._shares if wanted <= share)
        target, fresh = self._root / f"{step:08}", self._root / f".{step:08}.new"
        try:
            shutil.rmtree(fresh, ignore_errors=True)
            fresh.mkdir(parents=True)
            save_encoder(encoder, fresh, {"step": step, "share": share, "passed": self._passed})
            save_file({name: _small(value) for name, value in encoder.state_dict().items()}, fresh / WEIGHTS)
            shutil.rmtree(target, ignore_errors=True)
            fresh.rename(target)
        except Exception as error:  # noqa: BLE001  (the writer wraps the system's errors in its own)
            log.warning("The encoder of step %s was not kept for looking back: %s", step, error)
            shutil.rmtree(fresh, ignore_errors=True)


def _small(value: torch.Tensor) -> torch.Tensor:
    value = value.detach().cpu()
    return (value.half() if value.is_floating_point() else value).contiguous().clone()


def _share_of(folder: Path) -> float:
    try:
        return float(json.loads((folder / ABOUT).read_text(encoding="utf-8"))["passed"])
    except (OSError, ValueError, KeyError, TypeError):
        return -1.0
