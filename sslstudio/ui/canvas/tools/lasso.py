"""Free-hand lasso: draw around something; releasing fills it, or cuts it while erasing."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sslstudio.regions.rect import NOTHING, Rect
from sslstudio.ui.canvas.tools.gesture import Gesture, View

if TYPE_CHECKING:
    from sslstudio.ui.canvas.pen import Pen
    from sslstudio.ui.canvas.strokes import Point

_STEP = 1.5  # widget pixels between two points


class Lasso(Gesture):
    """Follows the pointer."""

    _erase = False

    def press(self, pen: Pen, place: Point, view: View, *, erase: bool) -> Rect:
        """Begin the line."""
        self.outline, self._erase = [place], erase
        return NOTHING

    def drag(self, pen: Pen, place: Point, view: View) -> Rect:
        """Draw it on."""
        if self.outline and math.dist(self.outline[-1], place) * view.scale >= _STEP:
            self.outline.append(place)
        return NOTHING

    def release(self, pen: Pen) -> Rect:
        """Close the line and take what is within."""
        points, self.outline = self.outline, []
        if pen.labels is None or len(points) < 3:
            return NOTHING
        return pen.take_polygon(points, erase=self._erase)
