"""What is in the hand, in the line at the bottom: the class's colour and name, the tool and its size."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QWidget

from sslstudio.language import tr
from sslstudio.ui import theme

_SWATCH = 12  # pixels
_MOST = 30 * theme.SPACE  # pixels of text; longer names are cut off


class InHand(QWidget):
    """In sight in every step while a tool is in the hand that paints."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("status.hand")
        self.setFont(theme.font(theme.SMALL, tabular=True))
        self.text, self.colour = "", ""
        self.hide()

    def show_hand(self, tool: str, size: int, name: str, colour: str) -> None:
        """Tell tool (empty: none that paints), size in image pixels (0: none), and class; no name for an eraser."""
        sized = tr("{tool} {size} px").format(tool=tool, size=size) if size else tool
        self.text, self.colour = (f"{name} · {sized}" if name else sized), colour if name else ""
        self.setAccessibleName(tr("In the hand: {what}").format(what=self.text) if tool else "")
        self.setToolTip(self.accessibleName())
        self.setVisible(bool(tool))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """As wide as the text, up to a bound."""
        words = min(self.fontMetrics().horizontalAdvance(self.text), _MOST)
        return QSize(words + self._begin() + theme.SPACE, self.fontMetrics().height())

    def minimumSizeHint(self) -> QSize:
        """The same: the image's name gives way instead."""
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the colour and the words."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = self.rect().adjusted(self._begin(), 0, -theme.SPACE, 0)
        if self.colour:
            painter.setPen(self.palette().color(QPalette.ColorRole.Dark))
            painter.setBrush(QColor(self.colour))
            top = (self.height() - _SWATCH) / 2
            painter.drawRoundedRect(QRectF(theme.SPACE + 0.5, top + 0.5, _SWATCH - 1, _SWATCH - 1), 3, 3)
        painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))
        words = self.fontMetrics().elidedText(self.text, Qt.TextElideMode.ElideMiddle, area.width())
        painter.drawText(area, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), words)

    def _begin(self) -> int:
        return 2 * theme.SPACE + _SWATCH if self.colour else theme.SPACE
