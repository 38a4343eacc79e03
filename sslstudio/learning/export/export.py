"""The export run: ONNX, backbone weights, model card."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sslstudio.errors import UserError
from sslstudio.language import later, tr
from sslstudio.learning.export.backbone import export_backbone
from sslstudio.learning.export.card import model_card
from sslstudio.learning.segmentation.model import class_names, load_model, read_about
from sslstudio.learning.training.control import Control
from sslstudio.project.files import ensure_writable
from sslstudio.runs.events import Event, Finished, Phase, Progress, Started, Stopped
from sslstudio.runs.request import ExportRequest

ONNX, BACKBONE, CARD = "model.onnx", "backbone.safetensors", "model_card.md"


def export(request: ExportRequest, *, project: Path, control: Control) -> Iterator[Event]:
    """Write the wished files; ends with Finished, or Stopped between two files, with their paths.

    The result's ``agreement`` tells how far the ONNX file's probabilities are from PyTorch's at most.
    """
    folder = Path(project) / "models" / request.model
    about = read_about(folder)
    targets = _targets(request, Path(project), folder)
    for place in {file.parent for file in targets.values()}:
        ensure_writable(place)
    model = load_model(folder)
    yield Started(device="cpu")
    written: dict[str, str] = {}
    result: dict[str, Any] = {"model": request.model, "files": written}
    for number, (kind, file) in enumerate(targets.items()):
        if control.stopped():
            yield Stopped(result=result)
            return
        yield Phase(text=tr(_PHASES[kind]))
        yield Progress(step=number, steps=len(targets), share=number / len(targets))
        try:
            result |= _write(kind, file, model, about, targets)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise UserError(
                tr("{file} cannot be written ({reason}).").format(file=file, reason=reason),
                tr("Choose another folder or make room on the disk."),
            ) from None
        written[kind] = str(file)
    yield Progress(step=len(targets), steps=len(targets), share=1.0)
    yield Finished(result=result)


_PHASES = {
    "onnx": later("Writing ONNX and checking it against PyTorch"),
    "backbone": later("Writing the backbone's weights"),
    "card": later("Writing the model card"),
}


def _targets(request: ExportRequest, project: Path, folder: Path) -> dict[str, Path]:
    """Which files to write where; without ``out`` they go into the model's own folder."""
    if request.format == "all":
        out = project / request.out if request.out else folder
        return {"onnx": out / ONNX, "backbone": out / BACKBONE, "card": out / CARD}
    name = ONNX if request.format == "onnx" else BACKBONE
    out = project / request.out if request.out else folder / name
    return {request.format: out / name if out.is_dir() else out}


def _write(kind: str, file: Path, model: Any, about: dict[str, Any], targets: dict[str, Path]) -> dict[str, Any]:
    """Write one file; what the result should say about it."""
    if kind == "onnx":
        # onnx and onnxruntime take a second to import; a card or a backbone needs neither.
        from sslstudio.learning.export.onnx import export_onnx

        return {"agreement": asdict(export_onnx(model, file, class_names(about)))}
    if kind == "backbone":
        export_backbone(model.encoder, file)
    else:
        _write_card(file, model_card(about, onnx=targets["onnx"].name, backbone=targets["backbone"].name))
    return {}


def _write_card(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(file)
