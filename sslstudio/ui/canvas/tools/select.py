"""Selection: a rectangle within which grow, shrink, smooth and the like act; a click takes it away."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sslstudio.regions.rect import NOTHING, Rect, whole
from sslstudio.ui.canvas.tools.gesture import Gesture, View

if TYPE_CHECKING:
    from sslstudio.ui.canvas.pen import Pen
    from sslstudio.ui.canvas.strokes import Point


class Select(Gesture):
    """Draws a rectangle from corner to corner."""

    _start: Point | None = None

    @property
    def busy(self) -> bool:
        """While it is drawn."""
        return self._start is not None

    def press(self, pen: Pen, place: Point, view: View, *, erase: bool) -> Rect:
        """The first corner; the selection before it goes."""
        self._start, pen.selection = place, NOTHING
        return NOTHING

    def drag(self, pen: Pen, place: Point, view: View) -> Rect:
        """The opposite corner; touched pixels belong to it."""
        if self._start is not None and pen.labels is not None:
            pen.selection = box_of(self._start, place).within(whole(pen.labels.shape))
            self.caption = f"{pen.selection.width} × {pen.selection.height}"
        return NOTHING

    def release(self, pen: Pen) -> Rect:
        """Keep it."""
        self.cancel()
        return NOTHING

    def drop(self, pen: Pen) -> Rect:
        """Select nothing."""
        pen.selection = NOTHING
        return super().drop(pen)

    def cancel(self) -> None:
        """Stop drawing."""
        super().cancel()
        self._start = None


def box_of(one: Point, other: Point) -> Rect:
    """The whole pixels of which two places are opposite corners."""
    return Rect(
        math.floor(min(one[0], other[0])),
        math.floor(min(one[1], other[1])),
        math.ceil(max(one[0], other[0])),
        math.ceil(max(one[1], other[1])),
    )
