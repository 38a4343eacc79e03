"""Other people's checkpoints: recognised by their names, read but never run, fitted, and accounted for."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from timm.layers import resample_abs_pos_embed, resample_patch_embed
from torch import Tensor

from sslstudio.errors import UserError
from sslstudio.language import tr
from sslstudio.learning.backbones.checkpoints import WEIGHTS, read_tensors
from sslstudio.learning.backbones.encoder import Encoder, ViTEncoder, create_encoder
from sslstudio.learning.backbones.layouts import Piece, dialects_of, guess_backbone, made_by, translated
from sslstudio.learning.backbones.stem import adapt_channels, told

ENOUGH = 0.5  # share of an encoder's weights below which a file is taken for another network's


@dataclass(frozen=True)
class LoadReport:
    """Names of tensors: taken from the file, left in the file, and left as they were in the encoder.

    ``origin`` says in words what the file seems to be and ``prefix`` which part of it was taken; ``adapted`` names
    tensors of the encoder that were resampled or reshaped; ``share`` (0 to 1) of the encoder's numbers came from it;
    ``channels`` of the images (the file's, the encoder's) where they differ.
    """

    used: tuple[str, ...]
    unused: tuple[str, ...]
    missing: tuple[str, ...]
    origin: str = ""
    prefix: str = ""
    adapted: tuple[str, ...] = ()
    share: float = 1.0
    channels: tuple[int, ...] = ()

    def sentence(self) -> str:
        """The report in a line or two for people."""
        part = tr(", from “{prefix}”").format(prefix=self.prefix.rstrip(".")) if self.prefix else ""
        parts = [
            tr("Recognised as {origin}: {used} tensors used{part}, {share:.0%} of the backbone.").format(
                origin=self.origin, used=len(self.used), part=part, share=self.share
            )
        ]
        if self.adapted:
            parts.append(tr("Resampled to fit: {named}.").format(named=_named(self.adapted)))
        if self.channels:
            parts.append(told(*self.channels))
        if self.missing:
            parts.append(tr("Not in the file, so they start anew: {named}.").format(named=_named(self.missing)))
        if self.unused:
            parts.append(tr("Left in the file: {named}.").format(named=_named(self.unused)))
        return " ".join(parts)


def _named(names: tuple[str, ...], most: int = 3) -> str:
    shown = ", ".join(name.removeprefix("net.") for name in names[:most])
    return shown if len(names) <= most else tr("{shown} and {names} more").format(shown=shown, names=len(names) - most)


@dataclass(frozen=True)
class Inspection:
    """What a checkpoint file holds: ``tensors`` in all, the ``backbone`` that fits, and the report for it if any."""

    file: str
    tensors: int
    origin: str
    backbone: str
    report: LoadReport | None
    problem: str = ""


def load_foreign(encoder: Encoder, file: Path) -> LoadReport:
    """Take what fits from a .safetensors or torch file (or a run's checkpoint folder) into ``encoder``.

    Raises UserError for a file with code in it, and for one that fits less than half.
    """
    tensors = read_tensors(inside(Path(file)))
    report, fitted, pieces = _fitted(encoder, tensors)
    if report.share < ENOUGH:
        guess = guess_backbone(pieces)
        raise UserError(
            tr("{file} does not fit the backbone “{name}”: only {share:.0%} of the weights match.").format(
                file=Path(file).name, name=encoder.name, share=report.share
            ),
            tr("It looks like “{guess}”: choose that.").format(guess=guess)
            if guess and guess != encoder.name.split(".")[0]
            else tr("Choose the backbone that the checkpoint was made with."),
        )
    encoder.load_state_dict(fitted, strict=False)
    return report


def inspect(file: Path, backbone: str = "") -> Inspection:
    """Say what a file holds and what of it a backbone would use; without ``backbone`` the one that it points to."""
    tensors = read_tensors(inside(Path(file)))
    dialect = dialects_of(tensors)[0]
    guess = guess_backbone(translated(tensors, dialect))
    name, origin = backbone or guess, made_by(tensors, dialect)
    if not name:
        unknown = tr("Which backbone it was made with cannot be told from its names.")
        return Inspection(str(file), len(tensors), origin, "", None, unknown)
    report, _, _ = _fitted(create_encoder(name), tensors)
    problem = (
        ""
        if report.share >= ENOUGH
        else tr("It does not fit “{name}”: only {share:.0%} of the weights match.").format(
            name=name, share=report.share
        )
    )
    return Inspection(str(file), len(tensors), report.origin, name, report, problem)


def inside(path: Path) -> Path:
    """The weights file of a checkpoint folder, or the file itself."""
    for inner in (path / WEIGHTS, path / "checkpoints" / "last" / WEIGHTS, path / "last" / WEIGHTS):
        if inner.is_file():
            return inner
    return path


# fitting ---------------------------------------------------------------------------------------------------


def _fitted(encoder: Encoder, tensors: dict[str, Tensor]) -> tuple[LoadReport, dict[str, Tensor], dict[str, Piece]]:
    """The best way to read a file for an encoder: report, tensors by the encoder's names, and all of the file."""
    wanted = encoder.state_dict()
    tried = []
    for dialect in dialects_of(tensors):
        pieces = _for_rotary(translated(tensors, dialect), wanted)
        prefix, chosen = _matching(pieces, wanted)
        fitted = _fit_all(encoder, pieces, chosen, prefix, wanted)
        share = sum(t.numel() for t in fitted.values()) / max(1, sum(t.numel() for t in wanted.values()))
        tried.append((share, dialect, pieces, prefix, chosen, fitted))
    share, dialect, pieces, prefix, chosen, fitted = max(tried, key=lambda row: row[0])
    used = {source for key in fitted for source in pieces[chosen[key]].sources}
    if _class_position_added(encoder, pieces, prefix):
        used |= set(pieces[f"{prefix}pos_embed"].sources)
    adapted = tuple(key for key in fitted if pieces[chosen[key]].value.shape != wanted[key].shape)
    report = LoadReport(
        used=tuple(sorted(used)),
        unused=tuple(sorted(set(tensors) - used)),
        missing=tuple(key for key in wanted if key not in fitted),
        origin=made_by(tensors, dialect),
        prefix=prefix,
        adapted=adapted,
        share=share,
        channels=_channels_changed(pieces, chosen, adapted, wanted),
    )
    return report, fitted, pieces


def _channels_changed(
    pieces: Mapping[str, Piece], chosen: Mapping[str, str], adapted: tuple[str, ...], wanted: Mapping[str, Tensor]
) -> tuple[int, ...]:
    """The channels of the file's first layer and of the encoder's; empty where they are the same."""
    for key in adapted:
        have = pieces[chosen[key]].value
        if have.dim() == wanted[key].dim() == 4 and have.shape[1] != wanted[key].shape[1]:
            return have.shape[1], wanted[key].shape[1]
    return ()


def _for_rotary(pieces: dict[str, Piece], wanted: Mapping[str, Tensor]) -> dict[str, Piece]:
    """Under the names of timm's Eva networks where those are wanted: other scales, and the bias in parts."""
    if "net.blocks.0.gamma_1" in wanted:
        pieces = {re.sub(r"\.ls([12])\.gamma$", r".gamma_\1", name): piece for name, piece in pieces.items()}
    if "net.blocks.0.mlp.fc1_x.weight" in wanted:
        pieces = {name.replace(".mlp.fc1.", ".mlp.fc1_x."): piece for name, piece in pieces.items()}
    if "net.blocks.0.attn.q_bias" in wanted:
        for name in [n for n in pieces if n.endswith(".attn.qkv.bias")]:
            query, _, value = pieces[name].value.chunk(3)
            base, sources = name.removesuffix("qkv.bias"), pieces.pop(name).sources
            pieces[f"{base}q_bias"], pieces[f"{base}v_bias"] = Piece(query, sources), Piece(value, sources)
    return pieces


def _plain(key: str) -> str:
    """A name in a form that timm's ways of naming stages share (``stages_0`` and ``stages.0``)."""
    return key.replace("_", ".")


def _matching(pieces: Mapping[str, Piece], wanted: Mapping[str, Tensor]) -> tuple[str, dict[str, str]]:
    """For each of the encoder's names the name among ``pieces``, under the one prefix that fits most tensors."""
    targets = {_plain(re.sub(r"^net\.(model\.)?", "", key)): key for key in wanted}
    votes: Counter[str] = Counter()
    for name, piece in pieces.items():
        plain = _plain(name)
        for cut in [0, *(m.end() for m in re.finditer(r"\.", plain))]:
            if plain[cut:] in targets and _alike(piece.value, wanted[targets[plain[cut:]]]):
                votes[name[:cut]] += 1
    if not votes:
        return "", {}
    best = max(votes, key=lambda prefix: (votes[prefix], _standing(prefix), -len(prefix)))
    by_plain = {_plain(name[len(best) :]): name for name in pieces if name.startswith(best)}
    return best, {key: by_plain[plain] for plain, key in targets.items() if plain in by_plain}


def _standing(prefix: str) -> int:
    """Which of several copies is the one to take.

    A self-distilling teacher is the better network (DINO, section 5); a momentum encoder that only makes targets
    is not the one that MoCo's and BYOL's authors evaluate.
    """
    if "teacher" in prefix or "ema" in prefix.split("."):
        return 2
    if re.search(r"momentum|encoder_k|target|student", prefix):
        return 0
    return 1


def _alike(found: Tensor, wanted: Tensor) -> bool:
    return found.shape == wanted.shape or (found.dim() == wanted.dim() and found.dim() in (3, 4))


def _fit_all(
    encoder: Encoder,
    pieces: Mapping[str, Piece],
    chosen: Mapping[str, str],
    prefix: str,
    wanted: Mapping[str, Tensor],
) -> dict[str, Tensor]:
    fitted: dict[str, Tensor] = {}
    for key, name in chosen.items():
        value = _fit(encoder, key, pieces[name].value, wanted[key])
        if value is not None:
            fitted[key] = value
    if _class_position_added(encoder, pieces, prefix) and "net.cls_token" in fitted:
        # timm keeps no position for the class token here; its authors' is a constant, so it is added once.
        fitted["net.cls_token"] = fitted["net.cls_token"] + pieces[f"{prefix}pos_embed"].value[:, :1]
    return fitted


def _class_position_added(encoder: Encoder, pieces: Mapping[str, Piece], prefix: str) -> bool:
    """Whether the file has a position for the class token and the encoder none."""
    positions = pieces.get(f"{prefix}pos_embed")
    if not isinstance(encoder, ViTEncoder) or positions is None or positions.value.dim() != 3:
        return False
    if encoder.net.pos_embed is None or encoder.prefix_positions or encoder.net.cls_token is None:
        return False
    count = positions.value.shape[1]
    return not _is_square(count) and _is_square(count - 1)


def _is_square(number: int) -> bool:
    return number > 0 and math.isqrt(number) ** 2 == number


def _fit(encoder: Encoder, key: str, value: Tensor, wanted: Tensor) -> Tensor | None:
    """The tensor in the encoder's shape, or None: positions and patches are resampled, the stem's channels adapted."""
    if value.shape == wanted.shape:
        return value
    if key.endswith("pos_embed") and isinstance(encoder, ViTEncoder) and value.shape[-1] == wanted.shape[-1]:
        return _fit_positions(value, encoder) if value.dim() == 3 else None
    if value.numel() == wanted.numel() and key.endswith(("gamma", "grn.weight", "grn.bias")):
        return value.reshape(wanted.shape)
    if value.dim() == 4 and wanted.dim() == 4 and len(value) == len(wanted):
        return _fit_stem(key, value, wanted, encoder.channels)
    return None


def _fit_stem(key: str, value: Tensor, wanted: Tensor, channels: int) -> Tensor | None:
    """The first convolution (O, C, h, w) for other channels, and for patches of another size."""
    if value.shape[2:] != wanted.shape[2:]:
        if not key.endswith("patch_embed.proj.weight"):
            return None
        value = resample_patch_embed(value.float(), list(wanted.shape[2:])).to(value.dtype)
    return adapt_channels(value, wanted.shape[1]) if _first_layer(value, wanted, channels) else None


def _first_layer(value: Tensor, wanted: Tensor, channels: int) -> bool:
    """Whether the difference in channels can be one of images (``channels``), not of layers within."""
    return value.shape[1] == wanted.shape[1] or wanted.shape[1] == channels


def _fit_positions(value: Tensor, encoder: ViTEncoder) -> Tensor | None:
    """Position embeddings (1, P + N, D) resampled to the encoder's grid; N must be a square."""
    rows, columns = encoder.net.patch_embed.grid_size
    own_prefix = encoder.prefix_positions
    for prefix in dict.fromkeys((own_prefix, 1, 0, 2, 5)):
        side = math.isqrt(max(0, value.shape[1] - prefix))
        if side and side * side == value.shape[1] - prefix:
            patches = value[:, prefix:].float()
            patches = resample_abs_pos_embed(patches, [rows, columns], [side, side], num_prefix_tokens=0)
            first = value.new_zeros(1, own_prefix, value.shape[-1])
            first[:, : min(prefix, own_prefix)] = value[:, : min(prefix, own_prefix)]
            return torch.cat([first, patches.to(value.dtype)], dim=1)
    return None
