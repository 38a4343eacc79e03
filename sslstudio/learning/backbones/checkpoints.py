"""Encoders in files: our own folders, and other people's checkpoints, which are read but never run."""

from __future__ import annotations

import argparse
import json
import math
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
import torch
from safetensors.torch import load_file, save_file
from timm.layers import resample_abs_pos_embed
from torch import Tensor

from sslstudio.errors import UserError
from sslstudio.learning.backbones.encoder import Encoder, ViTEncoder, create_encoder
from sslstudio.runs.folder import write_atomic

VERSION = 1
WEIGHTS, ABOUT = "encoder.safetensors", "encoder.json"


def save_encoder(encoder: Encoder, folder: Path, about: dict[str, Any]) -> None:
    """Write weights and ``encoder.json`` into ``folder`` (which the caller moves into place when it is whole)."""
    folder.mkdir(parents=True, exist_ok=True)
    save_tensors(encoder.state_dict(), folder / WEIGHTS)
    described = {"name": encoder.name, "version": VERSION, "timm": encoder.name, **about}
    write_atomic(folder / ABOUT, json.dumps(described, indent=1).encode())


def save_tensors(tensors: dict[str, Tensor], file: Path) -> None:
    """Write tensors of any layout and device as safetensors."""
    save_file({key: value.detach().to("cpu").contiguous().clone() for key, value in tensors.items()}, file)


def load_encoder(folder: Path) -> Encoder:
    """Build the encoder that ``folder`` describes, with its weights; raises UserError when it is not whole."""
    try:
        name = json.loads((Path(folder) / ABOUT).read_bytes())["name"]
        state = load_file(Path(folder) / WEIGHTS)
    except (OSError, ValueError, KeyError, TypeError, safetensors.SafetensorError) as error:
        raise UserError(
            f"The encoder in {folder} cannot be read ({type(error).__name__}).",
            "Choose another run, or train anew.",
        ) from None
    encoder = create_encoder(name)
    try:
        encoder.load_state_dict(state)
    except RuntimeError:
        raise UserError(
            f"The encoder in {folder} does not fit the backbone “{name}” of this version of timm.",
            "Install the timm version named in its run, or train anew.",
        ) from None
    return encoder.eval()


# other people's checkpoints --------------------------------------------------------------------------


SAVE_SAFELY = (
    "Where it was made, save the weights alone: torch.save(model.state_dict(), “weights.pth”), "
    "or safetensors.torch.save_file(model.state_dict(), “weights.safetensors”)."
)

# Plain holders of settings that training scripts leave in their checkpoints.
_HARMLESS: list[Any] = [argparse.Namespace]


@dataclass(frozen=True)
class LoadReport:
    """Names of tensors: taken from the file, left in the file, and left as they were in the encoder."""

    used: tuple[str, ...]
    unused: tuple[str, ...]
    missing: tuple[str, ...]


def load_foreign(encoder: Encoder, file: Path) -> LoadReport:
    """Take what fits from a .safetensors or torch file (or a run's checkpoint folder) into ``encoder``.

    Whatever prefix the weights carry (module., backbone., teacher. ...) is found by which one fits most; heads
    stay behind. Raises UserError for a file with code in it, and for one that fits less than half.
    """
    tensors = read_tensors(_inside(Path(file)))
    wanted = encoder.state_dict()
    chosen = _matching(tensors, wanted)
    fitted: dict[str, Tensor] = {}
    for key, name in chosen.items():
        value = _fit(encoder, key, tensors[name], wanted[key])
        if value is not None:
            fitted[key] = value
    _check_share(encoder, file, fitted, wanted)
    encoder.load_state_dict(fitted, strict=False)
    used = {chosen[key] for key in fitted}
    return LoadReport(
        tuple(sorted(used)),
        tuple(sorted(set(tensors) - used)),
        tuple(key for key in wanted if key not in fitted),
    )


def _inside(path: Path) -> Path:
    """The weights file of a checkpoint folder, or the file itself."""
    for inner in (path / WEIGHTS, path / "checkpoints" / "last" / WEIGHTS, path / "last" / WEIGHTS):
        if inner.is_file():
            return inner
    return path


def read_tensors(file: Path) -> dict[str, Tensor]:
    """All tensors of a checkpoint by name, read without running anything in it."""
    if not file.is_file():
        raise UserError(f"There is no checkpoint {file}.", "Choose a .safetensors, .pth or .pt file.")
    try:
        if file.suffix == ".safetensors":
            return load_file(file)
        with torch.serialization.safe_globals(_HARMLESS):
            found = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # noqa: BLE001  (a hostile file may raise anything; all of it means: not usable)
        raise _refusal(file, error) from None
    tensors = dict(_walk(found, ""))
    if not tensors:
        raise UserError(f"{file.name} holds no weights.", "Choose a checkpoint of a network.")
    return tensors


def _refusal(file: Path, error: Exception) -> UserError:
    unsafe = re.search(r"(?:GLOBAL|global)\s+([\w.]+\.[\w.]+)", str(error))
    if unsafe:
        return UserError(f"{file.name} wants to run code when it is opened ({unsafe[1]}) and was refused.", SAVE_SAFELY)
    if _is_pickle(file):
        return UserError(
            f"{file.name} is a raw Python pickle: opening it would run the code in it, so it was refused.", SAVE_SAFELY
        )
    if "TorchScript" in str(error):
        return UserError(f"{file.name} is a TorchScript program, not weights alone, so it was refused.", SAVE_SAFELY)
    return UserError(f"{file.name} cannot be read as a checkpoint ({type(error).__name__}).", "Is the file whole?")


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


def _plain(key: str) -> str:
    """A name in a form that timm's ways of naming stages share (``stages_0`` and ``stages.0``)."""
    return key.replace("_", ".")


def _matching(tensors: dict[str, Tensor], wanted: dict[str, Tensor]) -> dict[str, str]:
    """For each of the encoder's names the name in the file, under the one prefix that fits most tensors."""
    targets = {_plain(key.removeprefix("net.")): key for key in wanted}
    votes: Counter[str] = Counter()
    for name in tensors:
        plain = _plain(name)
        for cut in [0, *(m.end() for m in re.finditer(r"\.", plain))]:
            if plain[cut:] in targets and _alike(tensors[name], wanted[targets[plain[cut:]]]):
                votes[name[:cut]] += 1
    if not votes:
        return {}
    # Where a file holds student and teacher, the teacher is the better one (DINO, section 5).
    best = max(votes, key=lambda prefix: (votes[prefix], "teacher" in prefix or "ema" in prefix, -len(prefix)))
    by_plain = {_plain(name[len(best) :]): name for name in tensors if name.startswith(best)}
    return {key: by_plain[plain] for plain, key in targets.items() if plain in by_plain}


def _alike(found: Tensor, wanted: Tensor) -> bool:
    return found.shape == wanted.shape or (found.dim() == wanted.dim() and found.dim() in (3, 4))


def _fit(encoder: Encoder, key: str, value: Tensor, wanted: Tensor) -> Tensor | None:
    """The tensor in the encoder's shape, or None: positions are resampled, a grey stem is spread over RGB."""
    if value.shape == wanted.shape:
        return value
    if key.endswith("pos_embed") and isinstance(encoder, ViTEncoder) and value.shape[-1] == wanted.shape[-1]:
        return _fit_positions(value, encoder)
    if value.dim() == 4 and value.shape[1] == 1 and value.shape[0] == wanted.shape[0] and wanted.shape[1] == 3:
        return value.repeat(1, 3, 1, 1) / 3 if value.shape[2:] == wanted.shape[2:] else None
    return None


def _fit_positions(value: Tensor, encoder: ViTEncoder) -> Tensor | None:
    """Position embeddings (1, P + N, D) resampled to the encoder's grid; N must be a square."""
    rows, columns = encoder.net.patch_embed.grid_size
    own_prefix = 0 if encoder.net.no_embed_class else encoder.net.num_prefix_tokens
    for prefix in dict.fromkeys((own_prefix, 1, 0, 2, 5)):
        side = math.isqrt(max(0, value.shape[1] - prefix))
        if side and side * side == value.shape[1] - prefix:
            patches = value[:, prefix:].float()
            patches = resample_abs_pos_embed(patches, [rows, columns], [side, side], num_prefix_tokens=0)
            first = value.new_zeros(1, own_prefix, value.shape[-1])
            first[:, : min(prefix, own_prefix)] = value[:, : min(prefix, own_prefix)]
            return torch.cat([first, patches.to(value.dtype)], dim=1)
    return None


def _check_share(encoder: Encoder, file: Path, fitted: dict[str, Tensor], wanted: dict[str, Tensor]) -> None:
    share = sum(t.numel() for t in fitted.values()) / max(1, sum(t.numel() for t in wanted.values()))
    if share < 0.5:
        raise UserError(
            f"{Path(file).name} does not fit the backbone “{encoder.name}”: only {share:.0%} of the weights match.",
            "Choose the backbone that the checkpoint was made with.",
        )
