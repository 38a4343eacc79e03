"""Encoders in files: our own folders, and reading other people's files without running them."""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

import safetensors
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from sslstudio.errors import UserError
from sslstudio.language import later, tr
from sslstudio.learning.backbones.encoder import Encoder, create_encoder
from sslstudio.learning.backbones.stem import adapt_stem
from sslstudio.runs.folder import write_atomic

VERSION = 1
WEIGHTS, ABOUT = "encoder.safetensors", "encoder.json"


def save_encoder(encoder: Encoder, folder: Path, about: dict[str, Any]) -> None:
    """Write weights and ``encoder.json`` into ``folder`` (which the caller moves into place when it is whole)."""
    folder.mkdir(parents=True, exist_ok=True)
    save_tensors(encoder.state_dict(), folder / WEIGHTS)
    described = {"name": encoder.name, "version": VERSION, "timm": encoder.name, "channels": encoder.channels, **about}
    write_atomic(folder / ABOUT, json.dumps(described, indent=1).encode())


def save_tensors(tensors: dict[str, Tensor], file: Path) -> None:
    """Write tensors of any layout and device as safetensors."""
    save_file({key: value.detach().to("cpu").contiguous().clone() for key, value in tensors.items()}, file)


def load_encoder(folder: Path, *, channels: int | None = None) -> Encoder:
    """Build the encoder that ``folder`` describes, with its weights; raises UserError when it is not whole.

    ``channels`` of the images, where they shall be others than it was trained with: the first layer is adapted.
    """
    try:
        about = json.loads((Path(folder) / ABOUT).read_bytes())
        name, have = about["name"], int(about.get("channels", 3))
        state = load_file(Path(folder) / WEIGHTS)
    except (OSError, ValueError, KeyError, TypeError, safetensors.SafetensorError) as error:
        raise UserError(
            tr("The encoder in {folder} cannot be read ({name}).").format(folder=folder, name=type(error).__name__),
            tr("Choose another run, or train anew."),
        ) from None
    encoder = create_encoder(name, channels=channels or have)
    try:
        encoder.load_state_dict(adapt_stem(state, encoder.state_dict(), have, encoder.channels))
    except RuntimeError:
        raise UserError(
            tr("The encoder in {folder} does not fit the backbone “{name}” of this version of timm.").format(
                folder=folder, name=name
            ),
            tr("Install the timm version named in its run, or train anew."),
        ) from None
    return encoder.eval()


def encoder_channels(folder: Path) -> int:
    """The channels of the images that an encoder's folder was trained with."""
    try:
        return int(json.loads((Path(folder) / ABOUT).read_bytes()).get("channels", 3))
    except (OSError, ValueError, TypeError):
        return 3


# files from anywhere ---------------------------------------------------------------------------------


SAVE_SAFELY = later(
    "Where it was made, save the weights alone: torch.save(model.state_dict(), "
    '"weights.pth"), or safetensors.torch.save_file(model.state_dict(), '
    '"weights.safetensors").'
)

# Plain holders of settings that training scripts leave in their checkpoints.
_HARMLESS: list[Any] = [argparse.Namespace]


def read_tensors(file: Path) -> dict[str, Tensor]:
    """All tensors of a checkpoint by name, read without running anything in it; raises UserError."""
    tensors = dict(_walk(read_nested(file), ""))
    if not tensors:
        raise UserError(tr("{name} holds no weights.").format(name=file.name), tr("Choose a checkpoint of a network."))
    return tensors


def read_nested(file: Path) -> dict[str, Any]:
    """A checkpoint as it was saved, with whatever nesting, read without running anything in it."""
    if not file.is_file():
        raise UserError(
            tr("There is no checkpoint {file}.").format(file=file), tr("Choose a .safetensors, .pth or .pt file.")
        )
    try:
        if _is_safetensors(file):
            return load_file(file)
        with torch.serialization.safe_globals(_HARMLESS):
            found = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # noqa: BLE001  (a hostile file may raise anything; all of it means: not usable)
        raise _refusal(file, error) from None
    return found if isinstance(found, dict) else {}


def _is_safetensors(file: Path) -> bool:
    """By content, since files of the hub's cache have names of digits: a length, then JSON."""
    with file.open("rb") as stream:
        head = stream.read(9)
    return file.suffix == ".safetensors" or (len(head) == 9 and head[8:] == b"{")


def _refusal(file: Path, error: Exception) -> UserError:
    unsafe = re.search(r"(?:GLOBAL|global)\s+([\w.]+\.[\w.]+)", str(error))
    if unsafe:
        return UserError(
            tr("{name} wants to run code when it is opened ({unsafe}) and was refused.").format(
                name=file.name, unsafe=unsafe[1]
            ),
            tr(SAVE_SAFELY),
        )
    if _is_pickle(file):
        return UserError(
            tr("{name} is a raw Python pickle: opening it would run the code in it, so it was refused.").format(
                name=file.name
            ),
            tr(SAVE_SAFELY),
        )
    if "TorchScript" in str(error):
        return UserError(
            tr("{name} is a TorchScript program, not weights alone, so it was refused.").format(name=file.name),
            tr(SAVE_SAFELY),
        )
    return UserError(
        tr("{name} holds no weights that can be read.").format(name=file.name),
        tr("Is the file whole, and is it a checkpoint (.safetensors, .pt or .pth)?"),
    )


def _is_pickle(file: Path) -> bool:
    """Whether the file begins as pickles of protocol 2 to 5 do; torch's own files of today are zip archives."""
    with file.open("rb") as opened:
        head = opened.read(2)
    return len(head) == 2 and head[0] == 0x80 and 2 <= head[1] <= 5


def _walk(node: Any, prefix: str) -> Any:
    """Every tensor below nested dicts with its dotted name."""
    if isinstance(node, Tensor):
        yield prefix.removesuffix("."), node
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from _walk(value, f"{prefix}{key}.")
