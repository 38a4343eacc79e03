"""The networks that evaluation compares: a run's encoder, what that run began from, and random weights."""

from __future__ import annotations

from pathlib import Path

from sslstudio.learning.backbones.checkpoints import load_encoder
from sslstudio.learning.backbones.encoder import Encoder, create_encoder
from sslstudio.runs.folder import find_run
from sslstudio.runs.prepare import encoder_folder
from sslstudio.runs.request import EvaluateRequest, PretrainRequest


def asked_encoder(request: EvaluateRequest, project: Path) -> Encoder:
    """The encoder that an evaluation is about; UserError where it cannot be had."""
    if request.encoder_run:
        return run_encoder(project, request.encoder_run)
    return create_encoder(request.backbone, pretrained=request.start == "timm", channels=request.channels)


def run_encoder(project: Path, run_id: str) -> Encoder:
    """What a pretraining run has left."""
    return load_encoder(encoder_folder(find_run(project, run_id)))


def began_from(project: Path, run_id: str) -> str:
    """What a pretraining run started from: “scratch”, “timm” or a file."""
    request = find_run(project, run_id).request()
    return request.recipe.start if isinstance(request, PretrainRequest) else "scratch"


def starting_encoder(name: str, start: str, channels: int = 3) -> Encoder:
    """The network ``name`` as a run begins with it; UserError where weights cannot be had."""
    if start in ("scratch", "timm"):
        return create_encoder(name, pretrained=start == "timm", channels=channels)
    from sslstudio.learning.backbones.foreign import load_foreign

    encoder = create_encoder(name, channels=channels)
    load_foreign(encoder, Path(start))
    return encoder
