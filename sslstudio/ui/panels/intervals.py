"""Differences with their intervals around a line at zero: at a glance, whether luck is ruled out."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from sslstudio.language import tr
from sslstudio.ui.panels.working_state import Span
from sslstudio.ui.theme import SMALL, SPACE, font, tone

ROW = 5 * SPACE


class IntervalPlot(QWidget):
    """One row per span: its name, a bar from low to high, a dot at the value."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(tr("Differences between the starts, with intervals"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._spans: tuple[Span, ...] = ()
        self.setFixedHeight(0)

    def sizeHint(self) -> QSize:
        """As wide as the panel."""
        return QSize(240, self.height())

    def draw(self, spans: tuple[Span, ...]) -> None:
        """Show the spans."""
        if spans != self._spans:
            self._spans = spans
            self.setFixedHeight(ROW * len(spans) + 3 * SPACE if spans else 0)
            self.setAccessibleDescription("; ".join(_words(span) for span in spans))
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw zero, bars, dots, names and the two ends of the scale."""
        if not self._spans:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        reach = self._reach()
        area = QRectF(self.rect()).adjusted(SPACE, 0, -SPACE, -2.5 * SPACE)
        zero = area.center().x()
        painter.setPen(QPen(QColor(tone().edge), 1))
        painter.drawLine(QPointF(zero, 0), QPointF(zero, area.bottom()))
        for place, span in enumerate(self._spans):
            self._draw_span(painter, span, QRectF(area.left(), place * ROW, area.width(), ROW), reach)
        painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
        painter.setFont(font(SMALL, tabular=True))
        foot = QRectF(0, area.bottom(), self.width(), 2 * SPACE)
        painter.drawText(foot, Qt.AlignmentFlag.AlignLeft, f"-{reach:g}")
        painter.drawText(foot, Qt.AlignmentFlag.AlignHCenter, tr("no difference"))
        painter.drawText(foot, Qt.AlignmentFlag.AlignRight, tr("+{reach:g} points").format(reach=reach))

    def _reach(self) -> float:
        ends = [abs(end) for span in self._spans for end in (span.value, span.low, span.high) if end is not None]
        largest = max(ends, default=1.0)
        return next((nice for nice in (1, 2, 5, 10, 20, 30, 50) if nice >= largest), 100)

    def _draw_span(self, painter: QPainter, span: Span, row: QRectF, reach: float) -> None:
        def at(value: float) -> float:
            return row.center().x() + max(-1.0, min(1.0, value / reach)) * row.width() / 2

        painter.setFont(font(SMALL, tabular=True))
        painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))
        head = QRectF(row.left(), row.top(), row.width(), 2 * SPACE)
        ground = self.palette().color(QPalette.ColorRole.Window)
        words = painter.fontMetrics().boundingRect(span.name)
        painter.fillRect(QRectF(head.left() - 2, head.top(), words.width() + 6, head.height()), ground)
        painter.drawText(head, Qt.AlignmentFlag.AlignLeft, span.name)
        figure = tr("{value:+.1f} points").format(value=span.value)
        wide = painter.fontMetrics().horizontalAdvance(figure)
        painter.fillRect(QRectF(head.right() - wide - 4, head.top(), wide + 6, head.height()), ground)
        painter.drawText(head, Qt.AlignmentFlag.AlignRight, figure)
        now = tone()
        colour = QColor(now.quiet if not span.shown else now.good if span.value > 0 else now.error)
        height = row.top() + 3.2 * SPACE
        if span.low is not None and span.high is not None:
            painter.setPen(QPen(colour, 3, c=Qt.PenCapStyle.RoundCap))
            painter.drawLine(QPointF(at(span.low), height), QPointF(at(span.high), height))
        painter.setPen(QPen(ground, 1.5))
        painter.setBrush(colour)
        painter.drawEllipse(QPointF(at(span.value), height), 5, 5)


def _words(span: Span) -> str:
    if span.low is None or span.high is None:
        return f"{span.name}: " + tr("{value:+.1f} points").format(value=span.value)
    return tr("{name}: {value:+.1f} points, from {low:.1f} to {high:.1f}").format(
        name=span.name, value=span.value, low=span.low, high=span.high
    )
