"""Slim bars: how far something is, and where one is in what scrolls."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QProgressBar, QScrollBar, QStyle, QStyleOptionSlider

from sslstudio.ui.theme import SPACE, tone


class Bar(QProgressBar):
    """A slim progress bar; 0 to 1000, or running to and fro at maximum 0."""

    def __init__(self, name: str, title: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(title)
        self.setTextVisible(False)
        self.setFixedHeight(SPACE)
        self.setRange(0, 1000)

    def set_share(self, share: float) -> None:
        """Show 0 to 1."""
        self.setValue(round(1000 * min(1.0, max(0.0, share))))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw a rounded track and what is done of it."""
        painter = QPainter(self)
        draw_share(
            painter, QRectF(self.rect()), self.value() / 1000, self.palette().color(QPalette.ColorRole.Highlight)
        )


def draw_share(painter: QPainter, area: QRectF, share: float, colour: QColor) -> None:
    """A rounded track with the first ``share`` of it filled."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    radius = area.height() / 2
    painter.setBrush(QColor(tone().line))
    painter.drawRoundedRect(area, radius, radius)
    if share > 0:
        painter.setBrush(colour)
        width = max(area.height(), area.width() * min(1.0, share))
        painter.drawRoundedRect(QRectF(area.left(), area.top(), width, area.height()), radius, radius)


class SlimBar(QScrollBar):
    """A scroll bar that lies in the margin beside the content, so that nothing moves when it comes."""

    BREADTH = SPACE

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the handle only, and nothing where there is nothing to scroll."""
        if self.maximum() <= self.minimum():
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        option = QStyleOptionSlider()
        self.initStyleOption(option)
        part = QStyle.SubControl.SC_ScrollBarSlider
        handle = self.style().subControlRect(QStyle.ComplexControl.CC_ScrollBar, option, part, self)
        colour = self.palette().color(QPalette.ColorRole.Dark)
        colour.setAlphaF(0.9 if self.underMouse() or self.isSliderDown() else 0.5)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        area = QRectF(handle).adjusted(2, 2, -2, -2)
        painter.drawRoundedRect(area, area.width() / 2, area.width() / 2)
