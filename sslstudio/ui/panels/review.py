"""The review panel: the model's answer over or beside the image, and how to keep it."""

from __future__ import annotations

from PySide6.QtCore import Signal

from sslstudio.ui.panels.attention import AttentionSection
from sslstudio.ui.panels.panel import Panel
from sslstudio.ui.panels.states import ReviewState


class ReviewPanel(Panel):
    """Draws ``ReviewState``.

    Signals:
        model_chosen: A model's name.
        view_chosen: over, beside or swipe.
        opacity_chosen: 0 to 1.
        differences_chosen: Whether differences to the own mask are marked.
        accept_wanted: Keep the prediction as the mask; True: and go to the next image.
        predict_all_wanted, stop_wanted: Predict every image; the id of the run to stop.
        finetune_wanted, export_wanted: Go to that step.
    """

    model_chosen = Signal(str)
    view_chosen = Signal(str)
    opacity_chosen = Signal(float)
    differences_chosen = Signal(bool)
    accept_wanted = Signal(bool)
    predict_all_wanted = Signal()
    stop_wanted = Signal(str)
    finetune_wanted = Signal()
    export_wanted = Signal()

    ID = "panel.review"
    NAME = "Review"

    def _fill(self) -> None:
        self.attention = AttentionSection()
        self.column.addWidget(self.attention)

    def draw(self, state: ReviewState) -> None:
        """Show ``state``; no other code touches these widgets."""
        self.state = state
