"""What belongs to the tool “similar regions” beside its threshold: which network is asked, what is proposed."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from sslstudio.ui.panels.blocks import Notice
from sslstudio.ui.panels.buttons import Button
from sslstudio.ui.panels.parts import label
from sslstudio.ui.panels.states import SimilarState
from sslstudio.ui.panels.words import percent
from sslstudio.ui.theme import SMALL, SPACE


class SimilarRows(QWidget):
    """Draws a ``SimilarState``.

    Signals:
        answered: The proposal is accepted, or dropped.
    """

    answered = Signal(bool)

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE // 2)
        self.hint = label(size=SMALL, quiet=True)
        self.note = Notice(f"{name}.note", lines=3)
        self.accept = Button(f"{name}.accept", "Accept", glyph="check", tip="Enter on the image does the same")
        self.drop = Button(f"{name}.drop", "Drop", glyph="close", tip="Esc on the image does the same")
        row = QHBoxLayout()
        row.addWidget(self.accept, 2)
        row.addWidget(self.drop, 1)
        for widget in (self.hint, self.note):
            column.addWidget(widget)
        column.addLayout(row)
        self.accept.clicked.connect(lambda: self.answered.emit(True))
        self.drop.clicked.connect(lambda: self.answered.emit(False))

    def draw(self, state: SimilarState) -> None:
        """Show ``state``; no other code touches these widgets."""
        self.hint.setText(state.words)
        self.note.say(state.problem or state.doubt, "warning" if state.problem else "none")
        self.accept.set_words(f"Accept as {state.class_name}" if state.class_name else "Accept")
        self.accept.setEnabled(state.proposed and bool(state.class_name))
        self.drop.setEnabled(state.begun)
