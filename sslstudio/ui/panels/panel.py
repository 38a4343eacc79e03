"""What all panels share: a scrolling column with title, sentence and room for the step's widgets."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

GRID = 8
WIDTH = 320
TEXT, NOTE, TITLE = 13, 11, 16  # pixels; ui.md knows no other sizes


def label(text: str = "", size: int = TEXT, *, quiet: bool = False, bold: bool = False) -> QLabel:
    """A wrapping text label of one of the three sizes; ``quiet`` for what matters less."""
    made = QLabel(text)
    made.setWordWrap(True)
    made.setTextFormat(Qt.TextFormat.PlainText)
    font = made.font()
    font.setPixelSize(size)
    font.setBold(bold)
    made.setFont(font)
    if quiet:
        made.setForegroundRole(QPalette.ColorRole.PlaceholderText)
    return made


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
        self.setMinimumWidth(WIDTH - 40)
        body = QWidget()
        self.column = QVBoxLayout(body)
        self.column.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        self.column.setSpacing(GRID)
        self.title = label(self.NAME, TITLE, bold=True)
        self.sentence = label(self.SENTENCE, quiet=True)
        self.column.addWidget(self.title)
        self.column.addWidget(self.sentence)
        self.setWidget(body)
        self._fill()
        self.column.addStretch(1)

    def sizeHint(self) -> QSize:  # noqa: N802
        """The width that the window gives a panel at first."""
        return QSize(WIDTH, 600)

    def _fill(self) -> None:
        """Put the step's widgets into ``column``."""
