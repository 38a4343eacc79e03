"""Curves over steps, drawn by ourselves.

pyqtgraph costs about a second of CPU when it is first imported, which would freeze the window just when training
starts; two lines and a grid need none of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPalette, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from sslstudio.language import tr
from sslstudio.ui.panels.live import Curve
from sslstudio.ui.panels.words import percent
from sslstudio.ui.theme import SMALL, SPACE, font, tone

HEIGHT = 120
LEFT = 40


@dataclass(frozen=True)
class Scale:
    """A range of values and the round numbers that are marked in it."""

    low: float
    high: float
    ticks: tuple[float, ...]

    def share(self, value: float) -> float:
        """Where a value lies between low (0) and high (1)."""
        return (value - self.low) / (self.high - self.low)


def nice_scale(values: Sequence[float], *, low: float | None = None, high: float | None = None) -> Scale:
    """A range around ``values`` with three or four round marks; ``low`` and ``high`` pin its ends."""
    finite = [value for value in values if math.isfinite(value)] or [0.0, 1.0]
    bottom = min(finite) if low is None else low
    top = max(finite) if high is None else high
    if top - bottom < 1e-9:
        bottom, top = bottom - 0.5, top + 0.5
    step = 10 ** math.floor(math.log10((top - bottom) / 2))
    step = next(step * factor for factor in (1, 2, 5, 10) if (top - bottom) / (step * factor) <= 3)
    bottom = step * math.floor(bottom / step + 1e-9) if low is None else low
    top = step * math.ceil(top / step - 1e-9) if high is None else high
    count = round((top - bottom) / step)
    return Scale(bottom, top, tuple(bottom + step * place for place in range(count + 1)))


class CurvePlot(QWidget):
    """One figure over the run; its title is above it, its last value at the right."""

    def __init__(self, name: str, title: str, *, share: bool = False) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(title)
        self._title, self._as_share = title, share
        self._curve = Curve()
        self.setFixedHeight(HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMouseTracking(True)

    def sizeHint(self) -> QSize:
        """As wide as the panel."""
        return QSize(240, HEIGHT)

    def draw(self, curve: Curve) -> None:
        """Show a curve."""
        if curve != self._curve:
            self._curve = curve
            self.setAccessibleDescription(
                tr("now {text}").format(text=self._text(curve.values[-1])) if curve.values else tr("no values yet")
            )
            self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Tell the value under the pointer."""
        steps = self._curve.steps
        if len(steps) < 2:
            return
        area = self._area()
        wanted = steps[0] + (event.position().x() - area.left()) / area.width() * (steps[-1] - steps[0])
        at = min(range(len(steps)), key=lambda place: abs(steps[place] - wanted))
        text = tr("{title} {text} at step {steps:g}").format(
            title=self._title, text=self._text(self._curve.values[at]), steps=steps[at]
        )
        QToolTip.showText(event.globalPosition().toPoint(), text, self)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw title, marks and line."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = self._area()
        self._draw_title(painter)
        values = self._curve.values
        if len(values) < 2:
            painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
            painter.setFont(font(SMALL))
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, tr("The curve begins after the first steps"))
            self._draw_line(painter, area.bottomLeft(), area.bottomRight())
            return
        scale = nice_scale(values, low=0.0, high=1.0) if self._as_share else nice_scale(values)
        self._draw_marks(painter, area, scale)
        self._draw_curve(painter, area, scale)

    def _area(self) -> QRectF:
        return QRectF(self.rect()).adjusted(LEFT, 3 * SPACE, -SPACE / 2, -SPACE)

    def _text(self, value: float) -> str:
        return percent(value) if self._as_share else f"{value:.3g}"

    def _draw_title(self, painter: QPainter) -> None:
        painter.setFont(font(SMALL, tabular=True))
        line = QRectF(0, 0, self.width(), 2 * SPACE)
        painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft, self._title)
        if self._curve.values:
            painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))
            painter.drawText(line, Qt.AlignmentFlag.AlignRight, self._text(self._curve.values[-1]))

    def _draw_line(self, painter: QPainter, start: QPointF, end: QPointF) -> None:
        painter.setPen(QPen(QColor(tone().line), 1))
        painter.drawLine(start, end)

    def _draw_marks(self, painter: QPainter, area: QRectF, scale: Scale) -> None:
        painter.setFont(font(SMALL, tabular=True))
        for tick in scale.ticks:
            height = round(area.bottom() - area.height() * scale.share(tick)) + 0.5
            self._draw_line(painter, QPointF(area.left(), height), QPointF(area.right(), height))
            painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
            box = QRectF(0, height - SPACE, LEFT - SPACE / 2, 2 * SPACE)
            text = self._text(tick) if self._as_share else f"{tick:.4g}"
            painter.drawText(box, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), text)

    def _draw_curve(self, painter: QPainter, area: QRectF, scale: Scale) -> None:
        steps, values = self._curve.steps, self._curve.values
        length = max(steps[-1] - steps[0], 1e-9)
        points = [
            QPointF(
                area.left() + area.width() * (step - steps[0]) / length,
                area.bottom() - area.height() * scale.share(value),
            )
            for step, value in zip(steps, values, strict=True)
            if math.isfinite(value)
        ]
        painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Highlight), 2, j=Qt.PenJoinStyle.RoundJoin))
        painter.setClipRect(area.adjusted(-2, -2, 4, 2))
        painter.drawPolyline(QPolygonF(points))
        painter.setBrush(self.palette().color(QPalette.ColorRole.Highlight))
        painter.drawEllipse(points[-1], 2.5, 2.5)
