"""Undo of what is under way on a canvas: what was done last goes first, and nothing that is done for what is not."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sslstudio.ui.canvas.order import Order
from sslstudio.ui.canvas.tools.livewire import LiveWire

if TYPE_CHECKING:
    from sslstudio.ui.canvas.canvas import Canvas
    from sslstudio.ui.canvas.tools import Gesture


class TakingBack:
    """Knows what undo would take back before, or after, the strokes that are done."""

    def __init__(self, canvas: Canvas) -> None:
        self._canvas = canvas
        self.order = Order()

    @property
    def possible(self) -> bool:
        """Whether anything is under way that can be taken back."""
        canvas = self._canvas
        begun = canvas.pen.drawing or canvas.hand.gesturing or self._gesture is not None or canvas.offers.open
        return begun or bool(canvas.searches.running) or canvas.outlines.begun

    def back(self) -> bool:
        """Take back what was done last; False if that is the newest stroke of those that are done."""
        canvas = self._canvas
        if canvas.hand.gesturing and not isinstance(canvas.gesture, LiveWire):
            self._drop_drag()
            return True
        if canvas.pen.drawing:
            return self._drop_stroke()
        moment, take_back = max(self._ways(), key=lambda way: way[0], default=(-1, None))
        if take_back is None or moment < self.order.newest(canvas.key):
            return False
        take_back()
        canvas.hand.let_go()
        canvas.outlines.look()
        canvas.update()
        return True

    @property
    def _gesture(self) -> Gesture | None:
        """The gesture that goes on though no button is held; an outline is dealt with by its corners."""
        gesture = self._canvas.gesture
        return gesture if gesture is not None and gesture.busy and not isinstance(gesture, LiveWire) else None

    def _ways(self) -> list[tuple[int, Callable[[], object]]]:
        """What can be taken back, and when it was done."""
        canvas = self._canvas
        offers, outlines, searches = canvas.offers, canvas.outlines, canvas.searches
        ways: list[tuple[int, Callable[[], object]]] = []
        if outlines.moment is not None:
            ways.append((outlines.moment, outlines.back))
        if searches.running:  # the mask stays as it is meanwhile, so no stroke that is done goes before
            ways.append((max(searches.moment, self.order.newest(canvas.key)), searches.drop_newest))
        if self._gesture is not None:
            ways.append((offers.moment, self._point_back))
        elif offers.open:
            ways.append((offers.moment, lambda: offers.answered.emit(False)))
        return ways

    def _point_back(self) -> None:
        if self._canvas.gesture is not None:
            self._canvas.gesture.back()
            self._canvas.offers.hear_gesture()

    def _drop_drag(self) -> None:
        """Forget what the tool is being dragged for; what it was told before stays."""
        canvas = self._canvas
        canvas.hand.let_go()
        if canvas.gesture is not None:
            canvas.mend(canvas.gesture.drop(canvas.pen))
        self._settle()

    def _drop_stroke(self) -> bool:
        """Drop the stroke under way; False if it is done now instead, so that it can be brought again."""
        canvas = self._canvas
        if not canvas.searches.running:
            return not canvas.lift()  # one that has changed nothing is no reason to go further back
        canvas.hand.let_go()
        canvas.mend(canvas.pen.untake())
        self._settle()
        return True

    def _settle(self) -> None:
        canvas = self._canvas
        canvas.searches.collect()  # what was found meanwhile has waited for the pen
        canvas.hand.report_place()
        canvas.outlines.look()
        canvas.update()
