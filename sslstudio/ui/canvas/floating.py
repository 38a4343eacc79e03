"""What floats above the picture: the tool's outline, corners, the line between two pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QLineF, QPointF, QRectF
from PySide6.QtGui import QPainter, QPolygonF

from sslstudio.language import tr
from sslstudio.ui.canvas import decorations
from sslstudio.ui.canvas.lengths import round_length
from sslstudio.ui.canvas.strokes import snapped

if TYPE_CHECKING:
    import numpy as np

    from sslstudio.images.pixel_size import PixelSize
    from sslstudio.ui.canvas.canvas import Canvas
    from sslstudio.ui.canvas.input import Hand
    from sslstudio.ui.canvas.search import Search
    from sslstudio.ui.canvas.tools import Gesture

_BAR_ROOM = 160  # widget pixels that a scale bar may take


def draw(painter: QPainter, canvas: Canvas, hand: Hand) -> None:
    """All of it."""
    if canvas.scale_bar and canvas.pixel_size is not None:
        _draw_scale_bar(painter, canvas, canvas.pixel_size)
    if canvas.split != "over":
        decorations.draw_split(painter, canvas.divide, canvas.height(), canvas.split == "swipe")
    if canvas.pen.points:
        corners = [canvas.widget_points(point)[0] for point in canvas.pen.points]
        ahead = None if hand.dragging else canvas.outlines.closes(hand.pointer) or hand.pointer
        decorations.draw_polygon(painter, corners, ahead, canvas.colour)
    if not canvas.pen.selection.empty:
        decorations.draw_selection(painter, _area(canvas))
    if canvas.gesture is not None:
        _draw_gesture(painter, canvas, canvas.gesture, hand)
    _draw_first(painter, canvas, hand)
    for search in canvas.searches.running:
        _draw_search(painter, canvas, search)
    if hand.query is not None:
        for centre in canvas.widget_points(hand.query):
            decorations.draw_query(painter, centre)
    for centre, radius in brush_outlines(canvas, hand):
        colour = None if hand.erasing else canvas.colour
        decorations.draw_brush(painter, centre, radius, colour, canvas.options.square)
    if canvas.sizing.words:
        decorations.draw_caption(painter, canvas.sizing.words, hand.place.x() + 16, hand.place.y() + 16)


def _draw_scale_bar(painter: QPainter, canvas: Canvas, size: PixelSize) -> None:
    found = round_length(size.x * canvas.devicePixelRatioF() / canvas.zoom, _BAR_ROOM)
    if found is not None:
        decorations.draw_scale_bar(painter, *found, canvas.height())


def _draw_gesture(painter: QPainter, canvas: Canvas, gesture: Gesture, hand: Hand) -> None:
    if gesture.lines is not None:
        _draw_lines(painter, canvas, gesture.lines)
    if len(gesture.outline) > 1:
        line = [canvas.widget_points(point)[0] for point in gesture.outline]
        decorations.draw_outline(painter, line, canvas.colour)
    for mark in gesture.marks:
        for centre in canvas.widget_points((mark.x, mark.y)):
            decorations.draw_example(painter, centre, mark.wanted)
    if gesture.caption:
        decorations.draw_caption(painter, gesture.caption, hand.pointer.x() + 16, hand.pointer.y() + 16)


def _draw_lines(painter: QPainter, canvas: Canvas, lines: np.ndarray) -> None:
    ratio, view = canvas.devicePixelRatioF(), canvas.viewport
    seen = (lines * view.zoom + (view.x, view.y, view.x, view.y)) / ratio
    decorations.draw_faintly(painter, [QLineF(*line) for line in seen.tolist()])


def _draw_first(painter: QPainter, canvas: Canvas, hand: Hand) -> None:
    """The corner that closes an outline, and larger where a click would."""
    first = canvas.outlines.first
    if first is not None:
        closing = hand.inside and not hand.dragging and canvas.outlines.closes(hand.pointer) is not None
        decorations.draw_first(painter, canvas.widget_points(first)[0], closing)


def _draw_search(painter: QPainter, canvas: Canvas, search: Search) -> None:
    """What is being looked for; in words only once it has taken a while."""
    line = [canvas.widget_points(point)[0] for point in search.outline]
    if line:
        decorations.draw_outline(painter, line, canvas.colour)
    if search.told:
        middle = (QPolygonF(line).boundingRect() if line else QRectF(canvas.rect())).center()
        decorations.draw_caption(
            painter, tr("{caption}  Esc stops it").format(caption=search.caption), middle.x() - 90, middle.y() - 10
        )


def _area(canvas: Canvas) -> QRectF:
    """Where the selection is seen."""
    box = canvas.pen.selection
    return QRectF(canvas.widget_points((box.left, box.top))[0], canvas.widget_points((box.right, box.bottom))[0])


def brush_outlines(canvas: Canvas, hand: Hand) -> list[tuple[QPointF, float]]:
    """Where the brush's outline is drawn, in widget pixels: middle and radius."""
    if not hand.brush_in_sight:
        return []
    diameter = hand.diameter
    centre = snapped(canvas.image_point(hand.place), diameter)
    radius = diameter / 2 * canvas.zoom / canvas.devicePixelRatioF()
    return [(place, radius) for place in canvas.widget_points(centre)]
