"""Box (GrabCut): drag a box around an object; releasing has the object in it looked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sslstudio.images.limits import BOUND
from sslstudio.language import tr
from sslstudio.regions.box import object_in
from sslstudio.regions.rect import NOTHING, Rect
from sslstudio.ui.canvas.search import RegionSearch
from sslstudio.ui.canvas.tools.gesture import Gesture, View
from sslstudio.ui.canvas.tools.select import box_of

if TYPE_CHECKING:
    from sslstudio.ui.canvas.pen import Pen
    from sslstudio.ui.canvas.strokes import Point


class Box(Gesture):
    """Shows the box; what is in it is one edit once it is found."""

    _start: Point | None = None
    _end: Point = (0.0, 0.0)
    _erase = False

    @property
    def busy(self) -> bool:
        """While the box is drawn."""
        return self._start is not None

    def press(self, pen: Pen, place: Point, view: View, *, erase: bool) -> Rect:
        """The first corner."""
        self._start, self._end, self._erase = place, place, erase
        return NOTHING

    def drag(self, pen: Pen, place: Point, view: View) -> Rect:
        """The opposite corner."""
        if self._start is not None:
            (left, top), (right, bottom) = self._start, place
            self._end = place
            self.outline = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
        return NOTHING

    def release(self, pen: Pen) -> Rect:
        """Have the object looked for, in the class of now."""
        start, image, outline = self._start, pen.image, self.outline
        self.cancel()
        if start is not None and image is not None and outline:
            box = box_of(start, self._end)
            if pen.huge and box.width * box.height > BOUND * BOUND:
                pen.bounded = True
                return NOTHING
            stroke = pen.stroke(erase=self._erase)
            self.search = RegionSearch(lambda: object_in(image, box), stroke, outline, tr("Looking for the object …"))
        return NOTHING

    def cancel(self) -> None:
        """Forget the box."""
        super().cancel()
        self._start = None
