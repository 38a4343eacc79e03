"""The export panel: a model becomes files that other programs read."""

from __future__ import annotations

from PySide6.QtCore import Signal

from sslstudio.ui.panels.panel import Panel
from sslstudio.ui.panels.states import ExportState


class ExportPanel(Panel):
    """Draws ``ExportState``.

    Signals:
        model_chosen: A model's name.
        export_wanted: onnx, backbone or all.
        open_folder_wanted: The path of a result.
        stop_wanted: A run's id.
        finetune_wanted: Go to that step.
    """

    model_chosen = Signal(str)
    export_wanted = Signal(str)
    open_folder_wanted = Signal(str)
    stop_wanted = Signal(str)
    finetune_wanted = Signal()

    ID = "panel.export"
    NAME = "Export"

    def draw(self, state: ExportState) -> None:
        """Show ``state``; no other code touches these widgets."""
        self.state = state
