"""What lies over the window while something is dragged across it: that it may be dropped, and what happens then."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from sslstudio.language import tr
from sslstudio.ui import icons, theme


class Veil(QWidget):
    """Covers its parent, lets the mouse through, and is hidden until ``offer``."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("veil")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.words = ""
        self.hide()

    def offer(self, path: Path) -> None:
        """Say that ``path`` would be opened if it were let go here."""
        shown = path.parent if path.is_file() else path
        what = tr("the project") if shown.suffix == ".sslproj" else tr("the folder")
        self.words = tr("Let go to open {what} “{value}”").format(
            what=what, value=shown.stem if what == "the project" else shown.name
        )
        self.setAccessibleName(self.words)
        parent = self.parentWidget()
        if parent is not None:
            self.setGeometry(parent.rect())
        self.raise_()
        self.show()

    def paintEvent(self, event: QPaintEvent) -> None:
        """A tinted ground with a frame, and the sentence on a card in the middle."""
        tone, painter = theme.tone(), QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for colour, share in ((tone.window, 0.75), (tone.accent, 0.12)):  # what lies below fades
            ground = QColor(colour)
            ground.setAlphaF(share)
            painter.fillRect(self.rect(), ground)
        painter.setPen(QPen(QColor(tone.accent), 3))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(QRectF(self.rect()).adjusted(1.5, 1.5, -1.5, -1.5))
        painter.setFont(theme.font(theme.TITLE, bold=True))
        most = max(0, self.width() - 16 * theme.SPACE)
        words = painter.fontMetrics().elidedText(self.words, Qt.TextElideMode.ElideMiddle, most)
        width = painter.fontMetrics().horizontalAdvance(words) + 10 * theme.SPACE
        card = QRectF((self.width() - width) / 2, (self.height() - 64) / 2, width, 64)
        painter.setPen(QPen(QColor(tone.accent), 1))
        painter.setBrush(QColor(tone.base))
        painter.drawRoundedRect(card, 6, 6)
        spot = card.adjusted(2 * theme.SPACE, 20, 0, -20)
        spot.setWidth(24)
        icons.icon("folder", tone.accent).paint(painter, spot.toRect())
        painter.setPen(QColor(tone.text))
        painter.drawText(card.adjusted(6 * theme.SPACE, 0, 0, 0), int(Qt.AlignmentFlag.AlignVCenter), words)
