"""What all panels share: a scrolling column with title, sentence and room for the step's widgets."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from sslstudio.language import tr
from sslstudio.ui.panels.bars import SlimBar
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
        self.setAccessibleName(tr(self.NAME))
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setMinimumWidth(WIDTH - 5 * SPACE)
        body = QWidget()
        body.setObjectName(f"{self.ID}.body")
        self.column = QVBoxLayout(body)
        self.column.setContentsMargins(2 * SPACE, 2 * SPACE, 2 * SPACE, 0)  # the stretch ends it with a distance
        self.column.setSpacing(2 * SPACE)
        head = QVBoxLayout()
        head.setSpacing(SPACE // 2)
        head.addWidget(label(tr(self.NAME), TITLE, bold=True))
        head.addWidget(label(tr(self.SENTENCE), quiet=True))
        self.column.addLayout(head)
        self.setWidget(body)
        self._fill()
        self.column.addStretch(1)
        self._add_bar()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the slim bar at the edge."""
        super().resizeEvent(event)
        self._bar.setGeometry(self.width() - SlimBar.BREADTH, 0, SlimBar.BREADTH, self.height())

    def sizeHint(self) -> QSize:
        """The width that the window gives a panel at first."""
        return QSize(WIDTH, 600)

    def _fill(self) -> None:
        """Put the step's widgets into ``column``."""

    def _add_bar(self) -> None:
        """Show the place in a slim bar that lies in the margin and stands for the hidden one."""
        real = self.verticalScrollBar()
        self._bar = SlimBar(Qt.Orientation.Vertical, self)
        self._bar.setObjectName(self._id("scroll"))
        self._bar.setAccessibleName(tr("Scroll {name}").format(name=tr(self.NAME)))
        real.rangeChanged.connect(self._on_range)
        real.valueChanged.connect(self._bar.setValue)
        self._bar.valueChanged.connect(real.setValue)
        self._on_range(real.minimum(), real.maximum())

    def _on_range(self, low: int, high: int) -> None:
        self._bar.setRange(low, high)
        self._bar.setPageStep(self.verticalScrollBar().pageStep())
        self._bar.setVisible(high > low)

    def _id(self, name: str) -> str:
        return f"{self.ID}.{name}"
