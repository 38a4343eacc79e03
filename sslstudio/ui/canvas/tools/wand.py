"""Magic wand: a press takes what has the colour under it; dragging right or up takes more, left or down less.

What it takes is shown at once: in sight, and on large images around the pointer. There the rest is looked for beside
the window when it is let go.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from sslstudio.language import tr
from sslstudio.regions.rect import NOTHING, Rect, whole
from sslstudio.regions.wand import similar, similar_connected
from sslstudio.ui.canvas.search import RegionSearch
from sslstudio.ui.canvas.steps import stepped
from sslstudio.ui.canvas.tools.gesture import Gesture, View

if TYPE_CHECKING:
    from sslstudio.regions.growing import Found
    from sslstudio.ui.canvas.pen import Pen
    from sslstudio.ui.canvas.strokes import Point

TOLERANCE_MAX = 255
_PER_LEVEL = 3  # widget pixels of a drag that change the tolerance by one
AT_ONCE = 4_000_000  # pixels that are looked through without anybody noticing a delay
_AROUND = 1000  # pixels to each side of the pointer


class Wand(Gesture):
    """Shows what it takes while it is held, and takes it in the whole image on release."""

    def __init__(self) -> None:
        super().__init__()
        self._start: Point | None = None
        self._erase = False
        self.tolerance = 0

    @property
    def busy(self) -> bool:
        """While it is held."""
        return self._start is not None

    def press(self, pen: Pen, place: Point, view: View, *, erase: bool) -> Rect:
        """Take what is like the pixel under the pointer."""
        if pen.image is None or pen.label_at(place) is None:
            return NOTHING
        self._start, self._erase = place, erase
        return self._show(pen, view, pen.options.tolerance)

    def drag(self, pen: Pen, place: Point, view: View) -> Rect:
        """Another tolerance."""
        if self._start is None:
            return NOTHING
        moved = (place[0] - self._start[0] - place[1] + self._start[1]) * view.scale
        tolerance = min(max(pen.options.tolerance + round(moved / _PER_LEVEL), 0), TOLERANCE_MAX)
        return NOTHING if tolerance == self.tolerance else self._show(pen, view, tolerance)

    def release(self, pen: Pen) -> Rect:
        """Take it in the whole image; the tolerance stays for the next time."""
        if self._start is None or pen.image is None:
            return NOTHING
        x, y = math.floor(self._start[0]), math.floor(self._start[1])
        image = pen.reach(x, y)
        if image.width * image.height <= AT_ONCE:
            changed = self._take(pen, image)
        else:
            changed = pen.untake()
            stroke = pen.stroke(erase=self._erase)
            find = self._finder(pen, image)
            self.search = RegionSearch(lambda: _noted(find(), pen, x, y), stroke, (), tr("Looking for what is alike …"))
        pen.change(tolerance=self.tolerance)
        self.cancel()
        return changed

    def turn(self, pen: Pen, steps: int) -> bool:
        """More of what is alike, or less; not while it is held, where the drag does that."""
        if not self.busy:
            pen.change(tolerance=stepped(pen.options.tolerance, steps, 0, TOLERANCE_MAX))
        return not self.busy

    def size_words(self, pen: Pen) -> str:
        """How much may differ."""
        return tr("Tolerance {tolerance}").format(tolerance=pen.options.tolerance)

    def cancel(self) -> None:
        """Forget where it was put down."""
        super().cancel()
        self._start = None

    def _show(self, pen: Pen, view: View, tolerance: int) -> Rect:
        self.tolerance, self.caption = tolerance, tr("Tolerance {tolerance}").format(tolerance=tolerance)
        assert pen.image is not None
        assert self._start is not None
        seen = view.seen.within(whole(pen.image.shape))
        if seen.width * seen.height > AT_ONCE:
            x, y = (math.floor(value) for value in self._start)
            seen = seen.within(Rect(x - _AROUND, y - _AROUND, x + _AROUND, y + _AROUND))
        return self._take(pen, seen)

    def _take(self, pen: Pen, within: Rect) -> Rect:
        before = pen.untake()
        rect, inside = self._finder(pen, within)()
        return before.joined(pen.take(rect, np.asarray(inside), erase=self._erase))

    def _finder(self, pen: Pen, within: Rect) -> Callable[[], Found]:
        """What looks for it in a rectangle; needs nothing of this object any more."""
        assert self._start is not None
        assert pen.image is not None
        x, y = math.floor(self._start[0]), math.floor(self._start[1])
        find = similar_connected if pen.options.contiguous else similar
        image, tolerance = pen.image, self.tolerance
        return lambda: find(image, x, y, tolerance, _with(within, x, y))


def _noted(found: Found, pen: Pen, x: int, y: int) -> Found:
    pen.note_reach(found[0], x, y)
    return found


def _with(rect: Rect, x: int, y: int) -> Rect:
    """The rectangle with a pixel that may have been scrolled out of it."""
    return rect.joined(Rect(x, y, x + 1, y + 1))
