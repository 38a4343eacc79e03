"""An encoder with a decoder: the model that paints, and its folder on disk."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from sslstudio.errors import UserError
from sslstudio.language import tr
from sslstudio.learning.backbones.encoder import Encoder, create_encoder
from sslstudio.learning.segmentation.decoders import create_decoder


class SegmentationModel(nn.Module):
    """Class scores for every pixel of images of any size.

    ``crop`` is the side of a training crop and prediction tile; ``shrink`` is the whole number by which
    images are shrunk before they reach the network, in training as in prediction.
    """

    def __init__(self, encoder: Encoder, decoder: str, classes: int, *, crop: int = 256, shrink: int = 1) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = create_decoder(decoder, encoder.levels, classes, encoder.channels)  # type: ignore[arg-type]
        self.decoder_kind, self.classes, self.crop, self.shrink = decoder, classes, crop, shrink

    def forward(self, images: Tensor) -> Tensor:
        """Scores (B, K, H, W) for images (B, C, H, W), already shrunk and normalised; any H and W."""
        height, width = images.shape[-2:]
        stride = self.encoder.stride
        down, right = (-height) % stride, (-width) % stride
        if not isinstance(down, int) or down or right:
            images = F.pad(images, (0, right, 0, down), mode="replicate")
        return self.decoder(self.encoder.feature_levels(images), images)[..., :height, :width]


def save_model(model: SegmentationModel, folder: Path, about: dict[str, Any]) -> None:
    """Write the model's folder; an older one of the same name is replaced only when the new one is complete."""
    folder = Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = folder.with_name(f".{folder.name}.{os.getpid()}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    save_file({key: value.detach().cpu().contiguous() for key, value in model.state_dict().items()},
              fresh / "model.safetensors")  # fmt: skip
    facts = {
        **about,
        "name": folder.name,
        "backbone": model.encoder.name,
        "channels": model.encoder.channels,
        "decoder": model.decoder_kind,
        "crop": model.crop,
        "shrink": model.shrink,
    }
    (fresh / "model.json").write_text(json.dumps(facts, indent=1, ensure_ascii=False), encoding="utf-8")
    for file in fresh.iterdir():
        _sync(file)
    _swap(fresh, folder)


def _sync(file: Path) -> None:
    with file.open("rb") as handle:
        os.fsync(handle.fileno())


def _swap(fresh: Path, folder: Path) -> None:
    """Put ``fresh`` in the place of ``folder``; a folder cannot be renamed over a full one, so the old steps aside."""
    old = folder.with_name(f".{folder.name}.{os.getpid()}.old")
    if folder.exists():
        folder.rename(old)
    fresh.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def read_about(folder: Path) -> dict[str, Any]:
    """What ``model.json`` of a model's folder says; UserError where there is no model."""
    try:
        return json.loads((Path(folder) / "model.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(
            tr("There is no model in {folder} ({name}).").format(folder=folder, name=type(error).__name__),
            tr("Fine-tune a model, or choose another one."),
        ) from None


def load_model(folder: Path, device: str | torch.device = "cpu") -> SegmentationModel:
    """The model of a folder, ready to predict (eval mode); UserError where it is missing or damaged."""
    about = read_about(folder)
    try:
        model = SegmentationModel(
            create_encoder(about["backbone"], channels=int(about.get("channels", 3))),
            about["decoder"],
            len(about["classes"]),
            crop=int(about["crop"]),
            shrink=int(about.get("shrink", 1)),
        )
        model.load_state_dict(load_file(Path(folder) / "model.safetensors"))
    except UserError:
        raise
    except Exception as error:
        raise UserError(
            tr("The model in {folder} cannot be read ({name}).").format(folder=folder, name=type(error).__name__),
            tr("Fine-tune it again."),
        ) from error
    return model.to(device).eval()


def class_names(about: dict[str, Any]) -> list[str]:
    """The classes of a model by pixel value."""
    return [entry["name"] for entry in about["classes"]]
