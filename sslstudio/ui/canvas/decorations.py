"""What is drawn over the picture and belongs to no image: brush outline, polygon, divider, texts."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPen, QPolygonF

from sslstudio.language import tr

_DARK, _LIGHT = QColor(0, 0, 0, 150), QColor(255, 255, 255)
_QUIET = QColor(0xF2, 0xF2, 0xF2)


def draw_brush(painter: QPainter, centre: QPointF, radius: float, colour: QColor | None, square: bool = False) -> None:
    """The outline of a brush in its class's colour, between dark and light so that it shows on any image.

    Without a colour it erases: light dashes. A cross in the middle is there to be found where the outline is not.
    """
    area = QRectF(centre.x() - radius, centre.y() - radius, 2 * radius, 2 * radius)
    draw = painter.drawRect if square else painter.drawEllipse
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    erasing = QPen(_LIGHT, 1.2)
    erasing.setDashPattern([4, 3])
    told = [erasing] if colour is None else [QPen(_LIGHT, 3.2), QPen(colour, 2)]
    for pen in (QPen(_DARK, 3 if colour is None else 4.6), *told):
        painter.setPen(pen)
        draw(area)
    if radius < 4:  # too small to find: a cross with a gap for the pixel
        _draw_cross(painter, centre, radius + 3, radius + 8)
    else:
        _draw_cross(painter, centre, 1.5, min(6.0, max(3.0, radius - 2)))


def draw_polygon(painter: QPainter, points: Sequence[QPointF], pointer: QPointF | None, colour: QColor) -> None:
    """The polygon so far with its corners, and the line to the pointer."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    line = QPolygonF([*points, pointer] if pointer is not None else list(points))
    fill = QColor(colour)
    fill.setAlphaF(0.25)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(fill)
    painter.drawPolygon(line)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for pen in (QPen(_DARK, 3), QPen(_LIGHT, 1.2)):
        painter.setPen(pen)
        painter.drawPolyline(line)
    painter.setPen(QPen(_DARK, 1))
    painter.setBrush(_LIGHT)
    for place in points:
        painter.drawRect(QRectF(place.x() - 2.5, place.y() - 2.5, 5, 5))


def draw_first(painter: QPainter, place: QPointF, closing: bool) -> None:
    """The first corner of an outline; ringed where a click closes it."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(_DARK, 1))
    painter.setBrush(_LIGHT)
    painter.drawRect(QRectF(place.x() - 2.5, place.y() - 2.5, 5, 5))
    if closing:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for pen in (QPen(_DARK, 4), QPen(_LIGHT, 2)):
            painter.setPen(pen)
            painter.drawEllipse(place, 8, 8)


def draw_outline(painter: QPainter, points: Sequence[QPointF], colour: QColor) -> None:
    """An area that is being drawn, without corners."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    line, fill = QPolygonF(list(points)), QColor(colour)
    fill.setAlphaF(0.25)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(fill)
    painter.drawPolygon(line)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for pen in (QPen(_DARK, 3), QPen(_LIGHT, 1.2)):
        painter.setPen(pen)
        painter.drawPolyline(line)


def draw_faintly(painter: QPainter, lines: Sequence[QLineF]) -> None:
    """Lines that are to be found on any image and distract on none."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    for pen in (QPen(QColor(0, 0, 0, 60), 2), QPen(QColor(255, 255, 255, 100), 1)):
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)  # ends that overlap would be seen as dots
        painter.setPen(pen)
        painter.drawLines(lines)


def draw_selection(painter: QPainter, area: QRectF) -> None:
    """The rectangle that is selected: dashes, dark on light."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(_LIGHT, 1.5))
    painter.drawRect(area)
    dashes = QPen(QColor(20, 20, 20), 1.5)
    dashes.setDashPattern([4, 4])
    painter.setPen(dashes)
    painter.drawRect(area)


def draw_query(painter: QPainter, centre: QPointF) -> None:
    """Where the attention asks from."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for pen in (QPen(_DARK, 4), QPen(_LIGHT, 2)):
        painter.setPen(pen)
        painter.drawEllipse(centre, 6, 6)


def draw_example(painter: QPainter, centre: QPointF, wanted: bool) -> None:
    """A place that was pointed at: a plus, or a minus where it is not meant; told by shape, not by colour."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(_DARK, 1.5))
    painter.setBrush(_LIGHT)
    painter.drawEllipse(centre, 7, 7)
    painter.setPen(QPen(QColor(20, 20, 20), 2))
    painter.drawLine(centre - QPointF(4, 0), centre + QPointF(4, 0))
    if wanted:
        painter.drawLine(centre - QPointF(0, 4), centre + QPointF(0, 4))


def draw_divider(painter: QPainter, x: float, height: float, handle: bool) -> None:
    """The line between two pictures; with a handle where it can be dragged."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(_DARK, 4))
    painter.drawLine(QPointF(x, 0), QPointF(x, height))
    painter.setPen(QPen(_LIGHT, 2))
    painter.drawLine(QPointF(x, 0), QPointF(x, height))
    if handle:
        painter.setPen(QPen(_DARK, 1))
        painter.setBrush(_LIGHT)
        painter.drawEllipse(QPointF(x, height / 2), 12, 12)
        painter.setPen(QPen(QColor(40, 40, 40), 2, c=Qt.PenCapStyle.RoundCap, j=Qt.PenJoinStyle.RoundJoin))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for side in (-1, 1):
            tip, back = QPointF(x + side * 7, height / 2), x + side * 3.5
            painter.drawPolyline([QPointF(back, height / 2 - 3.5), tip, QPointF(back, height / 2 + 3.5)])


def draw_split(painter: QPainter, x: float, height: float, swipe: bool) -> None:
    """The divider between mask and prediction, and which is which."""
    draw_divider(painter, x, height, swipe)
    draw_caption(painter, tr("Painted"), 8, 8)
    draw_caption(painter, tr("Prediction"), x + 8, 8)


def draw_caption(painter: QPainter, text: str, left: float, top: float) -> None:
    """A small label on a dark ground, such as the name of a pane."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setFont(_font(painter, 11))
    width = painter.fontMetrics().horizontalAdvance(text)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(0, 0, 0, 170))
    painter.drawRoundedRect(QRectF(left, top, width + 16, 20), 4, 4)
    painter.setPen(_LIGHT)
    painter.drawText(QRectF(left, top, width + 16, 20), Qt.AlignmentFlag.AlignCenter, text)


def draw_scale_bar(painter: QPainter, length: float, text: str, height: float) -> None:
    """A bar of ``length`` widget pixels with what it stands for, on a dark ground, at the lower left."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setFont(_font(painter, 11))
    wide = max(length, painter.fontMetrics().horizontalAdvance(text)) + 16
    area = QRectF(8, height - 42, wide, 34)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(0, 0, 0, 170))
    painter.drawRoundedRect(area, 4, 4)
    painter.setPen(_LIGHT)
    painter.drawText(area.adjusted(0, 4, 0, -14), Qt.AlignmentFlag.AlignCenter, text)
    painter.fillRect(QRectF(area.center().x() - length / 2, area.bottom() - 11, length, 4), _LIGHT)


def draw_message(painter: QPainter, text: str, area: QRectF) -> None:
    """The quiet text in place of an image."""
    painter.setFont(_font(painter, 13))
    painter.setPen(_QUIET)
    room = area.adjusted(24, 24, -24, -24)
    painter.drawText(room, int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap), text)


def _draw_cross(painter: QPainter, centre: QPointF, inner: float, outer: float) -> None:
    for pen in (QPen(_DARK, 3), QPen(_LIGHT, 1.2)):
        painter.setPen(pen)
        for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            way = QPointF(dx, dy)
            painter.drawLine(centre + way * inner, centre + way * outer)


def _font(painter: QPainter, pixels: int) -> QFont:
    font = QFont(painter.font())
    font.setPixelSize(pixels)
    return font
