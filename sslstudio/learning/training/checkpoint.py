"""A pretraining checkpoint: the encoder worth exporting, and the state that only resuming needs."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import safetensors
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from sslstudio.errors import UserError
from sslstudio.language import tr
from sslstudio.learning.backbones.checkpoints import save_encoder, save_tensors
from sslstudio.learning.methods.base import Method

STATE, NUMBERS = "state.safetensors", "state.json"


@dataclass(frozen=True)
class Numbers:
    """What resuming needs besides tensors: steps and seconds worked, where the data order stands, batch size."""

    method: str
    backbone: str
    step: int
    elapsed: float
    epoch: int
    at: int
    batch: int
    pieces: int = 1
    images_seen: int = 0


def save_checkpoint(
    root: Path,
    method: Method,
    optimiser: torch.optim.Optimizer,
    views_random: torch.Generator,
    numbers: Numbers,
    about: dict[str, Any],
) -> None:
    """Replace ``root/last`` by the present state, whole or not at all; raises UserError when the disk refuses."""

    def fill(folder: Path) -> None:
        save_encoder(method.encoder, folder, {"step": numbers.step, **about})
        tensors = {f"method.{key}": value for key, value in method.state_dict().items()}
        tensors |= _optimiser_tensors(optimiser)
        tensors |= {"random.torch": torch.get_rng_state(), "random.views": views_random.get_state()}
        if torch.cuda.is_available():
            tensors["random.cuda"] = torch.cuda.get_rng_state()
        save_tensors(tensors, folder / STATE)
        (folder / NUMBERS).write_text(json.dumps(asdict(numbers), indent=1))

    try:
        replace_folder(root / "last", fill)
    except (OSError, safetensors.SafetensorError) as error:
        raise UserError(
            tr("The checkpoint could not be written to {root}: {getattr}.").format(
                root=root, getattr=getattr(error, "strerror", None) or error
            ),
            tr("Make room on the disk, then resume the run; it goes on from its last checkpoint."),
        ) from None


def replace_folder(target: Path, fill: Callable[[Path], None]) -> None:
    """Put a new folder in the place of ``target``: filled under another name, synced, renamed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    new, old = target.with_name(f".{target.name}.new"), target.with_name(f".{target.name}.old")
    _mend(target)
    shutil.rmtree(new, ignore_errors=True)
    try:
        new.mkdir()
        fill(new)
        for file in new.iterdir():
            _sync(file)
        _sync(new)
        if target.exists():
            target.rename(old)
        new.rename(target)
        _sync(target.parent)
    finally:
        shutil.rmtree(new, ignore_errors=True)
        _mend(target)
    shutil.rmtree(old, ignore_errors=True)


def _mend(target: Path) -> None:
    """If the process died between the two renames, the old folder is the good one."""
    old = target.with_name(f".{target.name}.old")
    if old.exists() and not target.exists():
        old.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        # Windows cannot sync a folder; its rename is durable by itself.
        with contextlib.suppress(PermissionError):
            os.fsync(handle)
    finally:
        os.close(handle)


def _optimiser_tensors(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    found = {}
    for number, parameter in enumerate(_parameters(optimiser)):
        for key, value in optimiser.state.get(parameter, {}).items():
            found[f"optimiser.{number}.{key}"] = torch.as_tensor(value)
    return found


def _parameters(optimiser: torch.optim.Optimizer) -> list[nn.Parameter]:
    return [parameter for group in optimiser.param_groups for parameter in group["params"]]


def read_numbers(root: Path) -> Numbers | None:
    """The numbers of ``root/last``, or None where there is nothing to resume."""
    _mend(root / "last")
    try:
        return Numbers(**json.loads((root / "last" / NUMBERS).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def restore(root: Path, method: Method, optimiser: torch.optim.Optimizer, views_random: torch.Generator) -> None:
    """Put the state of ``root/last`` back; raises UserError when it does not fit."""
    try:
        tensors = load_file(root / "last" / STATE)
        method.load_state_dict({k.removeprefix("method."): v for k, v in tensors.items() if k.startswith("method.")})
    except (OSError, RuntimeError, safetensors.SafetensorError) as error:
        raise UserError(
            tr("The checkpoint in {root} cannot be resumed ({name}).").format(root=root, name=type(error).__name__),
            tr("Start a new run."),
        ) from None
    for number, parameter in enumerate(_parameters(optimiser)):
        prefix = f"optimiser.{number}."
        kept = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
        if kept:
            optimiser.state[parameter] = {key: _like(value, parameter, key) for key, value in kept.items()}
    torch.set_rng_state(tensors["random.torch"])
    views_random.set_state(tensors["random.views"])
    if torch.cuda.is_available() and "random.cuda" in tensors:
        torch.cuda.set_rng_state(tensors["random.cuda"])


def _like(value: Tensor, parameter: nn.Parameter, key: str) -> Tensor:
    """An optimiser tensor where the parameter is and with its layout; the step count where AdamW wants it."""
    if key == "step":
        return value.to(parameter.device)
    return torch.empty_like(parameter, memory_format=torch.preserve_format).copy_(value).detach()
