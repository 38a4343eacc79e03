"""What is in the hand, in the line at the bottom: the class's colour and name, the tool and its size."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from sslstudio.language import tr
from sslstudio.ui import theme

_SWATCH = 12  # pixels
_MOST = 20 * theme.SPACE  # pixels of a class's name; longer ones are cut off


class InHand(QWidget):
    """In sight in every step while a tool is in the hand that paints."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("status.hand")
        self.text, self.colour = "", ""
        self._swatch, self._words = _Swatch(), QLabel()
        self._words.setFont(theme.font(theme.SMALL, tabular=True))
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.SPACE, 0, theme.SPACE, 0)
        row.setSpacing(theme.SPACE)
        row.addWidget(self._swatch)
        row.addWidget(self._words)
        self.hide()

    def show_hand(self, tool: str, size: str, name: str, colour: str) -> None:
        """Tell tool (empty: none that paints), its size in words if it has one, and class; no name for an eraser."""
        sized = f"{tool} · {size}" if size else tool
        self.text, self.colour = (f"{name} · {sized}" if name else sized), colour if name else ""
        short = self._words.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, _MOST)
        self._words.setText(f"{short} · {sized}" if name else sized)
        self._swatch.put(self.colour)
        self.setAccessibleName(tr("In the hand: {what}").format(what=self.text) if tool else "")
        self.setToolTip(self.accessibleName())
        self.setVisible(bool(tool))


class _Swatch(QWidget):
    """A colour, with an outline that can be seen on any ground."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedSize(_SWATCH, _SWATCH)
        self._colour = QColor()

    def put(self, colour: str) -> None:
        """Show a colour; none if empty."""
        self._colour = QColor(colour)
        self.setVisible(bool(colour))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw a square of it."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(self.palette().color(QPalette.ColorRole.Dark))
        painter.setBrush(self._colour)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 3, 3)
