"""Writes ``resources/backbones.csv``: what the program knows about timm's models without loading timm.

    python packaging/backbone_catalogue.py            the whole catalogue, some ten minutes of processor time; goes
                                                      on where an interrupted call ended (delete the file to begin)
    python packaging/backbone_catalogue.py NAME ...   prints the rows of these models

Every network is built without weights (on torch's meta device) and run once, so a row means that this program
can use the model. Run it again after raising timm's version in ``packaging/constraints.txt``.
"""

from __future__ import annotations

import csv
import os
import re
import sys
import warnings
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import timm
import torch
from timm.layers import set_fused_attn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from sslstudio.errors import UserError
from sslstudio.learning.backbones.create import create
from sslstudio.learning.backbones.encoder import Encoder
from sslstudio.recipes.catalogue import COLUMNS, FILE, LEFT_OUT

SIDE = 224  # pixels of the image that work and memory are stated for


def row(name: str) -> dict[str, Any]:
    """The catalogue's row of one model; raises UserError for one that the program cannot use."""
    set_fused_attn(enable=False)
    with torch.device("meta"):
        encoder = create(name)
    fixed = getattr(encoder, "fixed", None)
    side = fixed[0] if fixed else max(2, round(SIDE / encoder.stride)) * encoder.stride
    work, saved = _cost(encoder, side)
    scale = SIDE**2 / side**2
    return {
        "name": name,
        "family": encoder_family(name),
        "kind": encoder.kind,
        "parameters": sum(p.numel() for p in encoder.parameters()),
        "patch": encoder.stride,
        "size": timm.models.get_pretrained_cfg(name).input_size[-1],
        "fixed": int(bool(fixed)),
        "gflops": f"{work * scale / 1e9:.3g}",
        "activations": f"{saved * scale / 1e6:.3g}",
        "weights": " ".join(f"{tag or '-'}:{licence or '-'}:{size}" for tag, licence, size in published(name)),
    }


def encoder_family(name: str) -> str:
    """The module of timm that a model comes from."""
    return str(timm.models.model_entrypoint(name).__module__.rsplit(".", 1)[-1])


def published(name: str) -> Iterator[tuple[str, str, int]]:
    """Tag, licence and input size of every set of published weights that can be fetched, the default first."""
    for full in [name, *(n for n in timm.list_pretrained(f"{name}.*") if n.startswith(f"{name}."))]:
        cfg = timm.models.get_pretrained_cfg(full)
        from_hub = cfg is not None and bool(cfg.hf_hub_id) and cfg.custom_load != "hf"
        if cfg is None or not (from_hub or (cfg.url and not cfg.custom_load)):
            continue
        tag = cfg.tag or ""
        if full == name or tag != (timm.models.get_pretrained_cfg(name).tag or ""):
            yield tag, cfg.license or "", cfg.input_size[-1]


def _cost(encoder: Encoder, side: int) -> tuple[float, float]:
    """Floating-point operations of a forward pass, and bytes (in 32 bits) kept for the backward one, of one image."""
    own = {p.untyped_storage()._cdata for p in (*encoder.parameters(), *encoder.buffers())}
    seen: dict[int, torch.Tensor] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        place = tensor.untyped_storage()._cdata
        if place not in own:
            seen[place] = tensor
        return tensor

    images = torch.empty(2, 3, side, side, device="meta")
    counter = _Work()
    with counter, torch.autograd.graph.saved_tensors_hooks(keep, lambda t: t):
        outputs = encoder.train().feature_levels(images)
    del outputs
    saved = sum(t.untyped_storage().nbytes() for t in seen.values())
    return counter.flops / 2, saved / 2


class _Work(TorchDispatchMode):
    """Adds up the operations of products and convolutions; torch's own counter takes several times as long."""

    flops = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        formula = flop_registry.get(getattr(func, "overloadpacket", None))
        if formula is not None:
            self.flops += formula(*args, **(kwargs or {}), out_val=found)
        return found


def rows(names: list[str]) -> Iterator[dict[str, Any] | str]:
    """A row of each model that can be used, and a line with the reason for each that cannot."""
    with ProcessPoolExecutor(min(len(names), len(os.sched_getaffinity(0))), initializer=_prepare) as pool:
        yield from pool.map(_row_or_reason, names)


def _prepare() -> None:
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)


def _row_or_reason(name: str) -> dict[str, Any] | str:
    try:
        return row(name)
    except Exception as error:  # noqa: BLE001  (a model of timm may fail in any way; it is left out then)
        told = error.problem if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
        sys.stderr.write(f"{name} is left out: {told[:200]}\n")
        return f"{LEFT_OUT}{name}: {reason(told)}"


def reason(told: str) -> str:
    """Why a model is left out, in the few words that users read; ``told`` is what was raised."""
    for mark, words in _REASONS:
        if mark in told:
            return words
    return "it gives no feature maps"


# What timm and our encoders raise, and what it means.
_REASONS = (
    ("no usable feature maps", "its feature maps are not of the sizes that it promises"),
    ("features_only", "timm gives no feature maps of it"),
    ("feature", "timm gives no feature maps of it"),
)


def main(words: list[str]) -> None:
    """Write the catalogue, or the rows of the named models."""
    if words:
        writer = csv.DictWriter(sys.stdout, COLUMNS, lineterminator="\n")
        for found in rows(words):
            if isinstance(found, dict):
                writer.writerow(found)
        return
    head = f"# timm {timm.__version__}; made by packaging/backbone_catalogue.py, not by hand"
    known = _known(head)
    names = sorted((n for n in timm.list_models() if not n.startswith("test_")), key=_turn)
    todo = [name for name in names if name not in known]
    with Path(FILE).open("a" if known else "w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
        if not known:
            out.write(f"{head}\n")
            writer.writeheader()
        for found in rows(todo) if todo else ():
            if isinstance(found, dict):
                writer.writerow(found)
            else:
                out.write(f"{found}\n")
            out.flush()
    first, titles, *rest = FILE.read_text(encoding="utf-8").splitlines()
    FILE.write_text("\n".join([first, titles, *sorted(rest, key=_last_if_left_out)]) + "\n", encoding="utf-8")


def _last_if_left_out(line: str) -> tuple[bool, str]:
    return line.startswith(LEFT_OUT), line


_FIRST = ("resnet", "vision_transformer", "eva", "convnext", "swin_transformer", "deit", "efficientnet")


def _turn(name: str) -> tuple[bool, int]:
    """What people ask for comes first, so that an interrupted catalogue is of use."""
    family = encoder_family(name)
    return not timm.models.get_pretrained_cfg(name).has_weights, _FIRST.index(family) if family in _FIRST else 99


def _known(head: str) -> set[str]:
    """Names that an earlier, interrupted call with the same timm has written, also those that are left out."""
    if not FILE.exists() or not FILE.read_text(encoding="utf-8").startswith(head):
        return set()
    lines = FILE.read_text(encoding="utf-8").splitlines()[2:]
    return {re.split("[,:]", line.removeprefix(LEFT_OUT), maxsplit=1)[0] for line in lines}


if __name__ == "__main__":
    main(sys.argv[1:])
