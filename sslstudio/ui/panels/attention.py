"""The attention section, shared by Pretrain (``.attention``) and Review: what the network looks at."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from sslstudio.ui.panels.states import AttentionState


class AttentionSection(QWidget):
    """Draws an ``AttentionState``; lives as ``.attention`` in the pretrain and the review panel.

    Signals:
        shown_chosen: Whether the map is drawn over the image.
        head_chosen: 0 for the mean, else the head's number.
        block_chosen: 0 for the last block, else its number from 1.
        hover_chosen: Whether the pointer asks for its own patch.
    """

    shown_chosen = Signal(bool)
    head_chosen = Signal(int)
    block_chosen = Signal(int)
    hover_chosen = Signal(bool)

    def draw(self, state: AttentionState) -> None:
        """Show ``state``; no other code touches these widgets."""
        self.state = state
