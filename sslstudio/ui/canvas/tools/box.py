"""Box (GrabCut): drag a box around an object; releasing takes the object out of its surroundings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sslstudio.regions.box import object_in
from sslstudio.regions.rect import NOTHING, Rect
from sslstudio.ui.canvas.tools.gesture import Gesture, View
from sslstudio.ui.canvas.tools.select import box_of

if TYPE_CHECKING:
    from sslstudio.ui.canvas.pen import Pen
    from sslstudio.ui.canvas.strokes import Point


class Box(Gesture):
    """Shows the box, then what is in it."""

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
        """Take the object."""
        start = self._start
        self.cancel()
        if start is None or pen.image is None:
            return NOTHING
        return pen.take(*object_in(pen.image, box_of(start, self._end)), erase=self._erase)

    def cancel(self) -> None:
        """Forget the box."""
        super().cancel()
        self._start = None
