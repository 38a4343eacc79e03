"""What all panels share: a scrolling column with title, sentence and room for the step's widgets."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from sslstudio.ui.panels.parts import label
from sslstudio.ui.theme import SPACE, TITLE

WIDTH = 320


class Panel(QScrollArea):
    """A step's panel: ``column`` takes its widgets; draws a state, emits wishes, decides nothing."""

    ID = "panel"
    NAME = ""
    SENTENCE = ""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(self.ID)
        self.setAccessibleName(self.NAME)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setMinimumWidth(WIDTH - 5 * SPACE)
        body = QWidget()
        body.setObjectName(f"{self.ID}.body")
        self.column = QVBoxLayout(body)
        self.column.setContentsMargins(2 * SPACE, 2 * SPACE, 2 * SPACE, 2 * SPACE)
        self.column.setSpacing(SPACE)
        self.column.addWidget(label(self.NAME, TITLE, bold=True))
        self.sentence = label(self.SENTENCE, quiet=True)
        self.column.addWidget(self.sentence)
        self.column.addSpacing(SPACE)
        self.setWidget(body)
        self._fill()
        self.column.addStretch(1)

    def sizeHint(self) -> QSize:
        """The width that the window gives a panel at first."""
        return QSize(WIDTH, 600)

    def _fill(self) -> None:
        """Put the step's widgets into ``column``."""

    def _id(self, name: str) -> str:
        return f"{self.ID}.{name}"
