"""What a tool does between press and release; the canvas calls it, draws its outline, and makes one edit of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sslstudio.regions.rect import NOTHING, Rect

if TYPE_CHECKING:
    import numpy as np

    from sslstudio.queries.messages import Example
    from sslstudio.ui.canvas.pen import Pen
    from sslstudio.ui.canvas.search import Search
    from sslstudio.ui.canvas.strokes import Point


@dataclass(frozen=True)
class Mark:
    """A place (image pixels) that was pointed at: more of it is wanted, or none."""

    x: float
    y: float
    wanted: bool = True


@dataclass(frozen=True)
class View:
    """What is seen: the image's pixels in sight, and widget pixels per image pixel."""

    seen: Rect
    scale: float


class Gesture:
    """A tool; places are image pixels, methods that change the mask return the rectangle to repaint.

    When a drag or the whole gesture is over, the canvas lifts the pen: what was taken is one edit.
    """

    every_place = False  # whether each place of a drag counts, and not only where the pointer is now

    def __init__(self) -> None:
        self.outline: list[Point] = []  # drawn as a polygon that fills with the class's colour
        self.lines: np.ndarray | None = None  # (n, 4) x, y, x, y of lines that are faintly drawn, or None
        self.caption = ""  # a few words at the pointer
        self.unready = False  # whether what it shows is only about right, and it is to be asked again soon
        self.search: Search | None = None  # what the canvas is to look for beside the window
        self.question: tuple[Example, ...] | None = None  # what is to be asked; () when nothing is wanted any more

    @property
    def busy(self) -> bool:
        """Whether something was begun that Enter finishes and Esc cancels."""
        return bool(self.outline)

    @property
    def more(self) -> bool:
        """Whether the gesture goes on after the button was released."""
        return False

    @property
    def marks(self) -> list[Mark]:
        """Places to be marked on the image."""
        return []

    def press(self, pen: Pen, place: Point, view: View, *, erase: bool) -> Rect:
        """The button went down."""
        return NOTHING

    def drag(self, pen: Pen, place: Point, view: View) -> Rect:
        """The pointer moved while the button is down."""
        return NOTHING

    def release(self, pen: Pen) -> Rect:
        """The button went up."""
        return NOTHING

    def hover(self, pen: Pen, place: Point, view: View) -> bool:
        """The pointer moved without a button; whether there is something else to draw."""
        return False

    def counter(self, pen: Pen, place: Point) -> bool:
        """The right button went down; whether the tool makes something of it."""
        return False

    def turn(self, pen: Pen, steps: int) -> bool:
        """The wheel was turned with Shift, or the keys of size were pressed; whether the tool makes something of it."""
        return False

    def size_words(self, pen: Pen) -> str:
        """What ``turn`` has changed, as it is now."""
        return ""

    def finish(self, pen: Pen) -> Rect:
        """Enter or a double click."""
        return NOTHING

    def back(self) -> None:
        """Take back the last part of what was begun."""

    def drop(self, pen: Pen) -> Rect:
        """Undo during a drag: forget what was begun with it, and take back what it has painted."""
        self.cancel()
        return pen.untake()

    def cancel(self) -> None:
        """Forget what was begun."""
        self.outline, self.caption, self.lines = [], "", None
