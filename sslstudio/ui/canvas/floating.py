"""What floats above the picture: the tool's outline, corners, the line between two pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF
from PySide6.QtGui import QPainter

from sslstudio.ui.canvas import decorations
from sslstudio.ui.canvas.strokes import snapped

if TYPE_CHECKING:
    from sslstudio.ui.canvas.canvas import Canvas
    from sslstudio.ui.canvas.input import Hand


def draw(painter: QPainter, canvas: Canvas, hand: Hand) -> None:
    """All of it."""
    if canvas.split != "over":
        decorations.draw_split(painter, canvas.divide, canvas.height(), canvas.split == "swipe")
    if canvas.pen.points:
        corners = [canvas.widget_points(point)[0] for point in canvas.pen.points]
        decorations.draw_polygon(painter, corners, hand.pointer, canvas.colour)
    if hand.query is not None:
        for centre in canvas.widget_points(hand.query):
            decorations.draw_query(painter, centre)
    for centre, radius in brush_outlines(canvas, hand):
        decorations.draw_brush(painter, centre, radius, hand.erasing, canvas.options.square)


def brush_outlines(canvas: Canvas, hand: Hand) -> list[tuple[QPointF, float]]:
    """Where the brush's outline is drawn, in widget pixels: middle and radius."""
    if not hand.brush_in_sight:
        return []
    diameter = hand.diameter
    centre = snapped(canvas.image_point(hand.pointer), diameter)
    radius = diameter / 2 * canvas.zoom / canvas.devicePixelRatioF()
    return [(place, radius) for place in canvas.widget_points(centre)]
