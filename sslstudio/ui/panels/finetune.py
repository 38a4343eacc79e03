"""The fine-tune panel: from masks to a model; then curves and overlap per class."""

from __future__ import annotations

from PySide6.QtCore import Signal

from sslstudio.ui.panels.panel import Panel
from sslstudio.ui.panels.states import FinetuneState


class FinetunePanel(Panel):
    """Draws ``FinetuneState``.

    Signals:
        start_wanted: A whole ``FinetuneRecipe`` and the id of a pretraining run (or "").
        pause_wanted, resume_wanted, stop_wanted: A run's id.
        paint_wanted, review_wanted: Go to that step.
    """

    start_wanted = Signal(object, str)
    pause_wanted = Signal(str)
    resume_wanted = Signal(str)
    stop_wanted = Signal(str)
    paint_wanted = Signal()
    review_wanted = Signal()

    ID = "panel.finetune"
    NAME = "Fine-tune"

    def draw(self, state: FinetuneState) -> None:
        """Show ``state``; no other code touches these widgets."""
        self.state = state
