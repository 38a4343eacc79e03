"""What was exported and still lies there: told by the export runs, or found in the models' own folders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sslstudio.language import later, tr
from sslstudio.ui.panels.states import ExportRow
from sslstudio.ui.run_queue import kind_of

if TYPE_CHECKING:
    from sslstudio.runs.prepare import ModelInfo
    from sslstudio.ui.run_queue import RunQueue

FILES = {"onnx": "model.onnx", "backbone": "backbone.safetensors", "card": "model_card.md"}
TITLES = {"onnx": later("ONNX model"), "backbone": later("Backbone for timm"), "card": later("Model card")}
CHECKS = {"backbone": later("Loads into timm without changes."), "card": later("Data, classes, figures, settings.")}
UNCHECKED = later("Found in the model's folder. Export again to check it.")


def exports_of(queue: RunQueue, models: Iterable[ModelInfo]) -> tuple[ExportRow, ...]:
    """A row for each exported file that is still there, newest export first."""
    results = {past.run.id: past.summary.result for past in queue.past if kind_of(past.run.id) == "export"}
    latest = queue.latest("export")
    if latest is not None:
        results[latest.id] = dict(latest.result)
    rows: dict[Path, ExportRow] = {}
    for run_id in sorted(results, reverse=True):
        for row in _told(results[run_id]):
            rows.setdefault(row.path, row)
    for model in sorted(models, key=lambda model: -model.created):
        for kind, name in FILES.items():
            row = _row(kind, model.name, model.folder / name, tr(CHECKS.get(kind, UNCHECKED)))
            rows.setdefault(row.path, row)
    return tuple(row for row in rows.values() if row.path.is_file())


def agreement_words(agreement: Mapping[str, Any]) -> str:
    """What the check of an ONNX file measured, from the run's result; without figures only that it was checked."""
    try:
        difference = float(agreement["difference"])
        sizes = tr(" and ").join(f"{width} × {height}" for width, height in agreement["sizes"])
    except (KeyError, TypeError, ValueError):
        return tr("Checked against PyTorch.")
    most = (
        tr("at most {difference:.6f}").format(difference=difference) if difference >= 1e-6 else tr("less than 0.000001")
    )
    return tr("Agrees with PyTorch: probabilities differ by {most}, tried at {sizes} pixels.").format(
        most=most, sizes=sizes
    )


def _told(result: Mapping[str, Any]) -> list[ExportRow]:
    rows = []
    for kind, file in dict(result.get("files") or {}).items():
        check = agreement_words(result.get("agreement") or {}) if kind == "onnx" else tr(CHECKS.get(kind, ""))
        rows.append(_row(kind, str(result.get("model", "")), Path(file), check))
    return rows


def _row(kind: str, model: str, file: Path, check: str) -> ExportRow:
    return ExportRow(
        f"{tr(TITLES.get(kind, kind))} · {model}", file, check, "none" if check == tr(UNCHECKED) else "good"
    )
