"""The outline under way, a polygon's or a live-wire's: gone back step by step, closed, kept when it is put aside."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPointF, Signal

from sslstudio.ui.canvas.pen import Outline
from sslstudio.ui.canvas.tools.livewire import LiveWire

if TYPE_CHECKING:
    from sslstudio.ui.canvas.canvas import Canvas
    from sslstudio.ui.canvas.order import Order
    from sslstudio.ui.canvas.strokes import Point

LEAST = 3  # corners that enclose something
_REACH = 8  # widget pixels from which on the pointer is on a corner
_Place = tuple[str, tuple[int, int], str]  # an image, its size, and a tool
_Step = tuple[Outline, int]  # an outline as it was before a step, or after it, and the moment of the step


class Outlines(QObject):
    """The outline under way on a canvas, its steps, and those that wait at their image for their tool.

    Signals:
        changed: The outline, or whether there is something to take back or to bring again, may be otherwise now.
        put_aside: The tool whose outline waits, since another tool or image was taken.
        brought_back: The tool whose outline is under way again.
        too_short: An outline was to be closed that encloses nothing yet; it is kept as it is.
    """

    changed = Signal()
    put_aside = Signal(str)
    brought_back = Signal(str)
    too_short = Signal()

    def __init__(self, canvas: Canvas) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self._before: list[_Step] = []
        self._after: list[_Step] = []
        self._waiting: dict[_Place, Outline] = {}
        self._histories: dict[_Place, list[_Step]] = {}  # the steps of those, and of what was dropped there
        self._told = (False, False)

    # as it is -------------------------------------------------------------------------------------------

    @property
    def now(self) -> Outline:
        """The outline under way; without corners where there is none."""
        gesture = self._canvas.gesture
        return gesture.line if isinstance(gesture, LiveWire) else self._canvas.pen.corners

    @property
    def first(self) -> Point | None:
        """The corner that it began with; None where there is no outline."""
        gesture, points = self._canvas.gesture, self._canvas.pen.points
        return gesture.first if isinstance(gesture, LiveWire) else points[0] if points else None

    @property
    def short(self) -> bool:
        """Whether it has begun and encloses nothing yet."""
        return 0 < len(self.now.pieces) < LEAST

    @property
    def again(self) -> bool:
        """Whether a step was taken back that can be brought again."""
        return bool(self._after)

    @property
    def begun(self) -> bool:
        """Whether there is a step to take back."""
        return self.first is not None or any(outline.pieces for outline, _ in self._before)

    @property
    def moment(self) -> int | None:
        """When the step was done that goes first; 0 for one of another day, None where there is none."""
        self._skip_idle()
        return self._before[-1][1] if self._before else 0 if self.first is not None else None

    @property
    def moment_again(self) -> int:
        """When the step was done that comes again first, if there is any."""
        return self._after[-1][1] if self._after else 0

    def grip(self, pointer: QPointF) -> int | None:
        """The corner under a place in the widget: the first closes, a polygon's others can be dragged.

        The last is none, since one draws on from there.
        """
        pieces = self.now.pieces
        reaches = [self._distance(piece[-1], pointer) for piece in pieces]
        nearest = min(range(len(reaches)), key=reaches.__getitem__, default=0)
        if not reaches or reaches[nearest] > _REACH or nearest == len(pieces) - 1:
            return None
        dragged = not isinstance(self._canvas.gesture, LiveWire)
        return nearest if dragged or (nearest == 0 and not self.short) else None

    def closes(self, pointer: QPointF) -> QPointF | None:
        """Where in the widget the first corner is, if a click on ``pointer`` closes the outline."""
        first = self.first
        if first is None or self._distance(first, pointer) > _REACH or self.short or self.grip(pointer) != 0:
            return None
        return self._places(first)[0]

    # steps ----------------------------------------------------------------------------------------------

    def begin_step(self) -> None:
        """Something is about to be added or moved; it can be taken back."""
        self._before.append((self.now, self._order.next()))
        self._after.clear()

    def move(self, corner: int, place: Point) -> None:
        """Drag a corner of the polygon to a place in the image."""
        pieces = self.now.pieces
        self._put(replace(self.now, pieces=(*pieces[:corner], (place,), *pieces[corner + 1 :])))

    def back(self) -> bool:
        """Take back the last step; whether there was one."""
        now = self.now
        if self.moment is None:
            return False
        before, moment = self._before.pop() if self._before else (replace(now, pieces=now.pieces[:-1]), 0)
        self._after.append((now, moment))
        self._put(before)
        self._tell()
        return True

    def drop(self) -> None:
        """Forget the outline, as one step that can be taken back."""
        if self.first is not None:
            self.begin_step()
            self._put(Outline())
            self._tell()

    def drop_corner(self) -> None:
        """Take away the last corner."""
        now = self.now
        left = replace(now, pieces=now.pieces[:-1])
        while self._before and self._before[-1][0] != left and len(self._before[-1][0].pieces) >= len(left.pieces):
            self._before.pop()
        self._after.append((now, self._order.next()))
        self._put(left)
        self._tell()

    def forward(self) -> bool:
        """Bring the last step again that was taken back; whether there was one."""
        if not self._after:
            return False
        outline, moment = self._after.pop()
        late = moment < self._order.newest(self._canvas.key)
        self._before.append((self.now, self._order.next() if late else moment))
        self._put(outline)
        self._tell()
        return True

    def forget_steps(self) -> None:
        """The outline is closed."""
        self._before.clear()
        self._after.clear()
        self.look()

    # put aside ------------------------------------------------------------------------------------------

    def keep(self) -> None:
        """Another tool or image is taken: what has begun waits for this one."""
        canvas, now, steps = self._canvas, self.now, list(self._before)
        place = (canvas.key, canvas.image_size, canvas.tool)
        self.forget_steps()
        if steps:
            self._histories[place] = steps
        if now.pieces:
            self._waiting[place] = now
            self.put_aside.emit(canvas.tool)

    def bring_back(self) -> None:
        """Go on with what waits for this tool at this image, if anything does."""
        canvas = self._canvas
        place = (canvas.key, canvas.image_size, canvas.tool)
        waiting = None
        if canvas.pen.labels is not None:
            self._before = self._histories.pop(place, [])
            waiting = self._waiting.pop(place, None)
        if waiting is not None:
            self._put(waiting)
        self.look()
        if waiting is not None:
            self.brought_back.emit(canvas.tool)

    def waiting_at(self, key: str) -> list[str]:
        """The tools whose outlines wait at an image."""
        return [tool for image, _, tool in self._waiting if image == key]

    def to_json(self) -> list[object]:
        """All that wait and the one under way, as plain values to be kept with a project."""
        canvas, waiting = self._canvas, dict(self._waiting)
        if self.first is not None:
            waiting[canvas.key, canvas.image_size, canvas.tool] = self.now
        return [
            [
                image,
                list(size),
                tool,
                one.erases,
                [[[round(x, 2), round(y, 2)] for x, y in piece] for piece in one.pieces],
            ]
            for (image, size, tool), one in waiting.items()
        ]

    def take_over(self, values: object) -> None:
        """Another project: those that ``to_json`` gave of it wait, and no others."""
        self._waiting.clear()
        self._histories.clear()
        for value in values if isinstance(values, list) else []:
            try:
                image, (width, height), tool, erases, pieces = value
                places = tuple(tuple((float(x), float(y)) for x, y in piece) for piece in pieces)
            except (TypeError, ValueError):
                continue  # a bad entry costs only itself
            if places and all(places) and tool in ("polygon", "livewire"):
                self._waiting[str(image), (width, height), tool] = Outline(places, bool(erases))

    # inside ---------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Tell if there is something to take back, or to bring again, that was not there, or no longer."""
        if (self._canvas.taking_back.possible, self.again) != self._told:
            self._tell()

    @property
    def _order(self) -> Order:
        return self._canvas.taking_back.order

    def _skip_idle(self) -> None:
        """Forget steps that have changed nothing."""
        now = self.now
        while self._before and self._before[-1][0] == now:
            self._before.pop()

    def _tell(self) -> None:
        """The outline is another one, which is to be kept, whether or not there is more to take back than before."""
        self._told = (self._canvas.taking_back.possible, self.again)
        self.changed.emit()

    def _put(self, outline: Outline) -> None:
        gesture = self._canvas.gesture
        if isinstance(gesture, LiveWire):
            gesture.take_up(self._canvas.pen, outline)
        else:
            self._canvas.pen.corners = outline
        self._canvas.update()

    def _distance(self, point: Point, pointer: QPointF) -> float:
        return min((place - pointer).manhattanLength() for place in self._places(point))

    def _places(self, point: Point) -> list[QPointF]:
        return self._canvas.widget_points(point)
