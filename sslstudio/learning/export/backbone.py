"""The backbone's weights under the names that ``timm.create_model`` expects."""

from __future__ import annotations

import os
from pathlib import Path

import timm
from safetensors.torch import save_file
from torch import Tensor

from sslstudio.errors import UserError
from sslstudio.language import tr
from sslstudio.learning.backbones.encoder import Encoder


def timm_state(encoder: Encoder) -> dict[str, Tensor]:
    """The encoder's tensors by timm's own names; heads, which no encoder has, are left out.

    timm renames nested parts when it builds a feature extractor (``stages.0`` becomes ``stages_0``), so names
    are matched by their words.
    """
    ours = {_words(key): value for key, value in encoder.net.state_dict().items()}  # type: ignore[union-attr]
    wanted = timm.create_model(encoder.name, pretrained=False, num_classes=0, in_chans=encoder.channels).state_dict()
    found = {key: ours[_words(key)] for key in wanted if _words(key) in ours}
    wrong = [key for key, value in found.items() if value.shape != wanted[key].shape]
    if wrong or not found:
        raise UserError(
            tr("The weights of “{name}” do not fit this version of timm ({wrong}).").format(
                name=encoder.name, wrong=", ".join(wrong[:3])
            ),
            tr("Install the timm version named in the model card."),
        )
    return {key: value.detach().cpu().contiguous().clone() for key, value in found.items()}


def export_backbone(encoder: Encoder, file: Path) -> None:
    """Write the weights as safetensors in one step."""
    file = Path(file)
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    try:
        save_file(
            timm_state(encoder), temporary, {"format": "pt", "timm": encoder.name, "channels": str(encoder.channels)}
        )
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)


def _words(key: str) -> str:
    return key.replace(".", "_")
