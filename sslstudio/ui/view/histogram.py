"""How often values occur in the image, with the window as two handles that can be dragged."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from sslstudio.images.look import Channel
from sslstudio.images.picture import Histogram
from sslstudio.language import tr
from sslstudio.ui import theme
from sslstudio.ui.view.state import ALL, ViewState

HEIGHT = 88
_EDGE = 8  # pixels at both sides, so that handles at the ends can be taken
_FOOT = 12  # pixels of the handles below the curve
_REACH = 10  # pixels from a handle at which it is taken
_GAMMA_POINTS = 33


class HistogramView(QWidget):
    """Draws counts, window and gamma; a handle or, between them, the whole window can be dragged.

    Signals:
        window_chosen: The values that become black and full colour.
        auto_wanted: A double click.
    """

    window_chosen = Signal(float, float)
    auto_wanted = Signal()

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(tr("Histogram"))
        self.setAccessibleDescription(tr("The window can also be typed into the fields below"))
        self.setFixedHeight(HEIGHT)
        self.setMouseTracking(True)
        self.setToolTip(tr("Drag a handle, or what lies between them; a double click sets both by themselves"))
        self._state = ViewState()
        self._axis = (0.0, 1.0)
        self._drag = ""  # "", "low", "high" or "both"
        self._from = (0.0, 0.0, 0.0)  # where a drag began: value, low, high

    def draw(self, state: ViewState) -> None:
        """Show a state; the axis holds still while a handle is dragged."""
        self._state = state
        if not self._drag and state.histogram is not None:
            self._axis = axis_of(state.histogram, state.low, state.high)
        self.update()

    def x_of(self, value: float) -> float:
        """Where a value stands, in pixels."""
        low, high = self._axis
        return _EDGE + (value - low) / (high - low) * (self.width() - 2 * _EDGE)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take what is nearest."""
        if event.button() == Qt.MouseButton.LeftButton and self._state.histogram is not None:
            self._drag = self._part_at(event.position().x())
            self._from = (self._value(event.position().x()), self._state.low, self._state.high)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag, or show what could be dragged."""
        if self._drag:
            self._move(self._value(event.position().x()))
        elif self._state.histogram is not None:
            between = self._part_at(event.position().x()) == "both"
            self.setCursor(Qt.CursorShape.OpenHandCursor if between else Qt.CursorShape.SizeHorCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go."""
        self._drag = ""
        self.draw(self._state)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Let the window be found."""
        self.auto_wanted.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Ground, curves, what is cut off, gamma, handles."""
        painter, tone = QPainter(self), theme.tone()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(_EDGE, 1, self.width() - 2 * _EDGE, self.height() - _FOOT - 1)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.fillRect(area, QColor(tone.base))
        state = self._state
        if state.histogram is not None:
            painter.setClipRect(area)
            self._draw_counts(painter, area, state, state.histogram)
            self._draw_window(painter, area)
            painter.setClipping(False)
            self._draw_handles(painter, area)
        painter.setPen(QPen(QColor(tone.edge), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(area.adjusted(0.5, 0.5, -0.5, -0.5))

    def _draw_counts(self, painter: QPainter, area: QRectF, state: ViewState, found: Histogram) -> None:
        shown = [at for at in range(len(state.channels)) if state.target in (ALL, at)]
        several = len(state.channels) > 1
        heights = np.sqrt(found.counts[shown])  # rare values are seen beside a large background
        heights = heights / max(1.0, 1.1 * float(np.percentile(heights, 98)))  # a lone peak may be cut off
        for at, curve in zip(shown, np.minimum(heights, 1.0), strict=True):
            colour = _ink(state.channels[at], several)
            places = np.linspace(self.x_of(found.low), self.x_of(found.high), len(curve) + 1)
            line = QPolygonF([QPointF(places[0], area.bottom())])
            for left, right, height in zip(places, places[1:], curve, strict=False):
                top = area.bottom() - height * (area.height() - 6)
                line.append(QPointF(left, top))
                line.append(QPointF(right, top))
            line.append(QPointF(places[-1], area.bottom()))
            fill = QColor(colour)
            fill.setAlphaF(0.45 if len(shown) > 1 else 0.75)
            painter.setBrush(fill)
            painter.drawPolygon(line)

    def _draw_window(self, painter: QPainter, area: QRectF) -> None:
        """Veil what is cut off, and draw how bright each value becomes."""
        tone, state = theme.tone(), self._state
        low, high = self.x_of(state.low), self.x_of(state.high)
        veil = QColor(tone.window)
        veil.setAlphaF(0.7)
        painter.fillRect(QRectF(area.left(), area.top(), low - area.left(), area.height()), veil)
        painter.fillRect(QRectF(high, area.top(), area.right() - high, area.height()), veil)
        shares = np.linspace(0, 1, _GAMMA_POINTS)
        bright = shares**state.gamma
        line = QPolygonF(
            [
                QPointF(low + s * (high - low), area.bottom() - b * area.height())
                for s, b in zip(shares, bright, strict=True)
            ]
        )
        painter.setPen(QPen(QColor(tone.text), 1.2))
        painter.drawPolyline(line)
        painter.setPen(Qt.PenStyle.NoPen)

    def _draw_handles(self, painter: QPainter, area: QRectF) -> None:
        tone = theme.tone()
        for value, fill in ((self._state.low, "#000000"), (self._state.high, "#ffffff")):
            x = min(max(self.x_of(value), area.left()), area.right())
            painter.setPen(QPen(QColor(tone.accent), 1.5))
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
            painter.setPen(QPen(QColor(tone.edge), 1.2))
            painter.setBrush(QColor(fill))
            foot = area.bottom() + 1
            painter.drawPolygon(QPolygonF([QPointF(x, foot), QPointF(x + 6, foot + 10), QPointF(x - 6, foot + 10)]))

    def _part_at(self, x: float) -> str:
        low, high = self.x_of(self._state.low), self.x_of(self._state.high)
        near = "low" if abs(x - low) < abs(x - high) or (low == high and x < low) else "high"
        within = low + _REACH < x < high - _REACH
        return "both" if within else near

    def _value(self, x: float) -> float:
        low, high = self._axis
        return low + (x - _EDGE) / max(1, self.width() - 2 * _EDGE) * (high - low)

    def _move(self, value: float) -> None:
        start, low, high = self._from
        least = (self._axis[1] - self._axis[0]) / 1000
        if self._drag == "both":
            low, high = low + value - start, high + value - start
        elif self._drag == "low":
            low = min(min(max(value, self._axis[0]), self._axis[1]), high - least)
        else:
            high = max(min(max(value, self._axis[0]), self._axis[1]), low + least)
        self.window_chosen.emit(low, high)


def axis_of(found: Histogram, low: float, high: float) -> tuple[float, float]:
    """The values at both ends: what occurs, and the window."""
    first, last = min(found.low, low), max(found.high, high)
    return first, last if last > first else first + 1


def _ink(channel: Channel, several: bool) -> QColor:
    """The colour of a curve that can be seen in light and dark."""
    colour = QColor(channel.colour if several else theme.tone().quiet)
    if several and channel.colour == "#ffffff":
        colour = QColor(theme.tone().quiet)
    return colour
