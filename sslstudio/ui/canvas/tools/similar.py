"""Similar regions: click something, and all that a network finds alike is proposed; Enter takes it, Esc drops it.

The tool collects what was pointed at and asks; who answers stands in ``wiring/similar.py``. Alt or the right button
points at what is not meant, a drag at all within a box.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from sslstudio.language import tr
from sslstudio.queries.messages import Example
from sslstudio.regions.rect import NOTHING, Rect
from sslstudio.ui.canvas.search import RegionSearch
from sslstudio.ui.canvas.tools.gesture import Gesture, Mark, View

if TYPE_CHECKING:
    from sslstudio.regions.alike import Alike
    from sslstudio.regions.growing import Found
    from sslstudio.ui.canvas.pen import Pen
    from sslstudio.ui.canvas.strokes import Point

AT_ONCE = 4_000_000  # pixels that are taken without anybody noticing a delay
_DRAGGED = 6  # widget pixels from which on a drag is a box
_LEAST, _MOST = 0, 100


class Similar(Gesture):
    """Keeps examples and, once it is known, how alike everything is to them."""

    def __init__(self) -> None:
        super().__init__()
        self.examples: list[Example] = []
        self.alike: Alike | None = None
        self.corner = 0, 0  # left and top of the part of a huge image that is looked through
        self._start: Point | None = None
        self._end: Point = (0.0, 0.0)
        self._wanted = True

    @property
    def busy(self) -> bool:
        """From the first click on, and wherever a search of the folder proposes something."""
        return bool(self.examples) or self.alike is not None or self._start is not None

    @property
    def more(self) -> bool:
        """More can be pointed at until it is taken."""
        return self.alike is not None

    @property
    def marks(self) -> list[Mark]:
        """The middles of what was pointed at."""
        return [Mark((one.left + one.right) / 2, (one.top + one.bottom) / 2, one.wanted) for one in self.examples]

    def press(self, pen: Pen, place: Point, view: View, *, erase: bool) -> Rect:
        """Begin to point; with Alt at what is not meant."""
        if pen.label_at(place) is not None:
            self._start = self._end = place
            self._wanted = not (erase and self.examples)
        return NOTHING

    def drag(self, pen: Pen, place: Point, view: View) -> Rect:
        """A box, once it is larger than a hand's tremble."""
        if self._start is not None:
            (left, top), (right, bottom) = self._start, place
            if max(abs(right - left), abs(bottom - top)) * view.scale >= _DRAGGED:
                self._end = place
                self.outline = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
        return NOTHING

    def release(self, pen: Pen) -> Rect:
        """Point at it, and ask."""
        if self._start is not None:
            self._add(self._start, self._end, self._wanted)
        self._start, self.outline = None, []
        return NOTHING

    def counter(self, pen: Pen, place: Point) -> bool:
        """The right button: this is not meant."""
        if not self.examples or pen.label_at(place) is None:
            return False
        self._add(place, place, False)
        return True

    def turn(self, pen: Pen, steps: int) -> bool:
        """Shift and the wheel, or the keys of the brush's size: take more, or less."""
        pen.change(alike=min(max(pen.options.alike - steps, _LEAST), _MOST))
        self.caption = tr("At least {alike} % alike").format(alike=pen.options.alike)
        return True

    def finish(self, pen: Pen) -> Rect:
        """Take what is proposed."""
        if self.alike is None or pen.labels is None:
            return NOTHING
        find = partial(_found, self.alike, pen.options.alike / 100, self.corner)
        changed = NOTHING
        if math.prod(self.alike.image.shape[:2]) <= AT_ONCE:
            rect, inside = find()
            changed = pen.take(rect, np.asarray(inside))
        else:
            self.search = RegionSearch(find, pen.stroke(), (), tr("Taking what is alike …"))
        self.cancel()
        return changed

    def back(self) -> None:
        """Take back what was pointed at last."""
        if len(self.examples) > 1 and any(one.wanted for one in self.examples[:-1]):
            self.examples.pop()
            self.question = tuple(self.examples)
        else:
            self.cancel()

    def drop(self, pen: Pen) -> Rect:
        """Point nowhere with this drag; what was pointed at before stays."""
        self._start, self.outline = None, []
        return NOTHING

    def cancel(self) -> None:
        """Forget it all."""
        super().cancel()
        if self.examples or self.alike is not None:
            self.question = ()
        self.examples, self.alike, self._start = [], None, None

    def _add(self, one: Point, other: Point, wanted: bool) -> None:
        left, right = sorted((one[0], other[0]))
        top, bottom = sorted((one[1], other[1]))
        self.examples.append(Example(left, top, right, bottom, wanted))
        self.question, self.caption = tuple(self.examples), tr("Looking …")


def _found(alike: Alike, threshold: float, corner: tuple[int, int]) -> Found:
    rect, inside = alike.region(threshold)
    return rect.moved(*corner), inside
