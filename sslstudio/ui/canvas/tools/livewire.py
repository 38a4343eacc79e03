"""Live-wire: click along an edge; the line between clicks clings to it; Enter or a double click fills."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sslstudio.regions.livewire import Wire
from sslstudio.regions.rect import NOTHING, Rect
from sslstudio.ui.canvas.pen import Outline
from sslstudio.ui.canvas.tools.gesture import Gesture, View

if TYPE_CHECKING:
    from sslstudio.ui.canvas.pen import Pen
    from sslstudio.ui.canvas.strokes import Point


class LiveWire(Gesture):
    """Keeps one piece of line per click."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[list[Point]] = []
        self._wire: Wire | None = None
        self._erase = False

    @property
    def busy(self) -> bool:
        """From the first click on."""
        return bool(self._pieces)

    @property
    def more(self) -> bool:
        """Until it is closed."""
        return self.busy

    @property
    def line(self) -> Outline:
        """What is fixed so far."""
        return Outline(tuple(map(tuple, self._pieces)), self._erase)

    @property
    def first(self) -> Point | None:
        """The place of the first click."""
        return self._pieces[0][0] if self._pieces else None

    def take_up(self, pen: Pen, line: Outline) -> None:
        """Go on from another line, in the image of now."""
        self._pieces, self._erase, self._wire = [list(piece) for piece in line.pieces], line.erases, None
        if self._pieces and pen.image is not None:
            self._wire = Wire(pen.image, self._pieces[-1][-1])
        self._draw([])

    def press(self, pen: Pen, place: Point, view: View, *, erase: bool) -> Rect:
        """Fix the line up to here and go on from here."""
        if pen.image is None or pen.label_at(place) is None:
            return NOTHING
        if not self._pieces:
            self._erase = erase
        self._pieces.append(self._wire.way(place) if self._wire and self._pieces else [place])
        self._wire = Wire(pen.image, place)
        self._draw([])
        return NOTHING

    def hover(self, pen: Pen, place: Point, view: View) -> bool:
        """Show the line that a click would fix."""
        if self._wire is None or not self._pieces:
            return False
        self._draw(self._wire.way(place, wait=False))
        self.unready = not self._wire.ready
        return True

    def finish(self, pen: Pen) -> Rect:
        """Close the line and take what is within."""
        if self._wire is None or pen.labels is None:
            self.cancel()
            return NOTHING
        points = [place for piece in self._pieces for place in piece]
        points += self._wire.way(points[0]) if len(self._pieces) > 1 else []
        self.cancel()
        return pen.take_polygon(points, erase=self._erase) if len(points) > 2 else NOTHING

    def cancel(self) -> None:
        """Forget the line."""
        super().cancel()
        self._pieces, self._wire = [], None

    def _draw(self, ahead: list[Point]) -> None:
        self.outline = [place for piece in self._pieces for place in piece] + ahead
