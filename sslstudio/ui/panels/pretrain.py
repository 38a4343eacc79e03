"""The pretrain panel: how long, what for, start; then curves, health and attention previews."""

from __future__ import annotations

from PySide6.QtCore import Signal

from sslstudio.ui.panels.attention import AttentionSection
from sslstudio.ui.panels.panel import Panel
from sslstudio.ui.panels.states import PretrainState


class PretrainPanel(Panel):
    """Draws ``PretrainState``.

    Signals:
        start_wanted: A whole ``PretrainRecipe``.
        pause_wanted, resume_wanted, stop_wanted, use_wanted: A run's id.
        preset_chosen: The preset's id.
        image_wanted: The image of a preview that was clicked.
        images_wanted, paint_wanted: Go to that step.
    """

    start_wanted = Signal(object)
    pause_wanted = Signal(str)
    resume_wanted = Signal(str)
    stop_wanted = Signal(str)
    use_wanted = Signal(str)
    preset_chosen = Signal(str)
    image_wanted = Signal(str)
    images_wanted = Signal()
    paint_wanted = Signal()

    ID = "panel.pretrain"
    NAME = "Pretrain"

    def _fill(self) -> None:
        self.attention = AttentionSection()
        self.column.addWidget(self.attention)

    def draw(self, state: PretrainState) -> None:
        """Show ``state``; no other code touches these widgets."""
        self.state = state
