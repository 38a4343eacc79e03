"""Free-hand lasso: draw around something; releasing fills it, or cuts it while erasing."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sslstudio.regions.rect import NOTHING, Rect
from sslstudio.ui.canvas.curve import curve
from sslstudio.ui.canvas.tools.gesture import Gesture, View

if TYPE_CHECKING:
    from sslstudio.ui.canvas.pen import Pen
    from sslstudio.ui.canvas.strokes import Point

_STEP = 1.5  # widget pixels between two points


class Lasso(Gesture):
    """Follows the pointer in a smooth line."""

    every_place = True

    def __init__(self) -> None:
        super().__init__()
        self._erase = False
        self._places: list[Point] = []  # the last ones that the hand was at
        self._settled: list[Point] = []  # the line, but for its newest piece

    def press(self, pen: Pen, place: Point, view: View, *, erase: bool) -> Rect:
        """Begin the line."""
        self.outline, self._erase = [place], erase
        self._places, self._settled = [place], [place]
        return NOTHING

    def drag(self, pen: Pen, place: Point, view: View) -> Rect:
        """Draw it on."""
        if self.outline and math.dist(self._places[-1], place) * view.scale >= _STEP:
            self._places = [*self._places[-3:], place]
            *earlier, start, end = self._places
            if earlier:
                before = earlier[0] if len(earlier) > 1 else None
                self._settled += curve(before, earlier[-1], start, end)[1:]
            self.outline = self._settled + curve(earlier[-1] if earlier else None, start, end, None)[1:]
        return NOTHING

    def release(self, pen: Pen) -> Rect:
        """Close the line and take what is within."""
        points, self.outline = self.outline, []
        if pen.labels is None or len(points) < 3:
            return NOTHING
        return pen.take_polygon(points, erase=self._erase)
