"""What is in the user's hand: tool, brush, class, and the stroke or polygon that has begun.

Places are image pixels as floats. Methods that change the mask return the rectangle to repaint. Nothing here knows Qt.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from sslstudio.images.limits import BOUND
from sslstudio.project.label_map import UNPAINTED
from sslstudio.regions.rect import whole
from sslstudio.regions.sieve import between
from sslstudio.ui.canvas.curve import curve
from sslstudio.ui.canvas.strokes import Ended, Point, Stroke, snapped
from sslstudio.ui.canvas.viewport import NOTHING, Rect
from sslstudio.ui.tool_options import ToolOptions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sslstudio.project.label_map import Labels, Patch

TOOLS = (
    *("brush", "eraser", "lasso", "polygon", "livewire", "wand", "superpixels", "box", "similar"),
    *("fill", "select", "pan"),
)
Sample = tuple[Point, int]  # a place and the brush's diameter there
_AFAR = 4.0  # image pixels in one of the screen from which on drawing a piece twice takes too long
_SLACK = 0.25  # image pixels that a stroke may pass beside the curve; more for broad brushes and from afar


@dataclass(frozen=True)
class Outline:
    """A polygon or live-wire under way: the line from corner to corner, which ends at one, and whether it erases."""

    pieces: tuple[tuple[Point, ...], ...] = ()
    erases: bool = False


class Pen:
    """One pen over one label map."""

    def __init__(self) -> None:
        self.labels: Labels | None = None
        self.image: np.ndarray | None = None  # (H, W, 3) uint8, shared and never written; by parts if it is huge
        self.bounded = False  # whether a tool has stopped at the edge of what it looks through on a huge image
        self.selection = NOTHING  # where whole-mask changes act; empty for everywhere
        self.tool = "brush"
        self.diameter = 20
        self.label = 0
        self.grain = 1.0  # image pixels in a pixel of the screen: what is finer nobody sees while drawing
        self.options = ToolOptions()
        self.points: list[Point] = []
        self.last: Ended | None = None  # the stroke that was finished last
        self.recording = False  # whether strokes can be drawn anew, since the mask below them is still being changed
        self._stroke: Stroke | None = None
        self._trail: list[Sample] = []  # where the brush was last, the newest at the end; four at most
        self._tip: tuple[list[Point], list[Sample]] = [], []  # the newest piece as it is drawn, and its ends
        self._polygon_erases = False

    @property
    def corners(self) -> Outline:
        """The polygon under way."""
        return Outline(tuple((point,) for point in self.points), self._polygon_erases)

    @corners.setter
    def corners(self, outline: Outline) -> None:
        self.points, self._polygon_erases = [piece[-1] for piece in outline.pieces], outline.erases

    @property
    def drawing(self) -> bool:
        """Whether a stroke is under way."""
        return self._stroke is not None

    @property
    def busy(self) -> bool:
        """Whether a stroke or a polygon has begun."""
        return self.drawing or bool(self.points)

    @property
    def drawn(self) -> Stroke | None:
        """The stroke that is under way."""
        return self._stroke

    def turn_to(self, labels: Labels | None, image: np.ndarray | None) -> None:
        """Draw on other labels from now on."""
        self.labels, self.image, self.selection = labels, image, NOTHING

    def begin(self, place: Point, *, erase: bool = False, diameter: int = 0) -> Rect:
        """Put the brush down."""
        if self.labels is None:
            return NOTHING
        self._stroke = self.stroke(erase=erase, sieved=self.options.sieved)
        self._trail, self._tip = [(place, diameter or self.diameter)], ([], [])
        return self._dab()

    def stroke(self, *, erase: bool = False, sieved: bool = False, label: int | None = None) -> Stroke:
        """A new change to the map, in the value of now or a told one, and within what may change."""
        assert self.labels is not None
        value = self._value(erase) if label is None else label
        sieve = self._sieve if sieved and self.image is not None else None
        stroke = Stroke(self.labels, value, self.options.changeable(erasing=value == UNPAINTED), sieve)
        stroke.recorded = [] if self.recording else None
        return stroke

    def take(self, rect: Rect, inside: np.ndarray, *, erase: bool = False) -> Rect:
        """Give the pixels of ``rect`` that are ``inside`` (bool) the value; call ``finish`` when all is taken."""
        if self._stroke is None:
            self._stroke = self.stroke(erase=erase)
        return self._stroke.paint(rect, inside)

    def put(self, rect: Rect, labels: np.ndarray) -> Rect:
        """Give a rectangle these labels where they may change; call ``finish`` when all is put."""
        if self._stroke is None:
            self._stroke = self.stroke()
        return self._stroke.put(rect, labels)

    def untake(self) -> Rect:
        """Put back what was taken; the rectangle to repaint."""
        stroke, self._stroke = self._stroke, None
        return stroke.cancel() if stroke else NOTHING

    def change(self, **values: object) -> None:
        """Change some of the options."""
        self.options = replace(self.options, **values)  # type: ignore[arg-type]

    def move(self, *places: Sample) -> Rect:
        """Draw on to other places, each with the brush's diameter there.

        The newest piece is drawn as far as it is known, and again once the next place tells how the way bends. Seen
        from afar, where a piece is large, it waits for the next place, or for ``catch_up``.
        """
        changed = NOTHING
        if self._stroke is None:
            return changed
        for place, diameter in places:
            last, widest = self._trail[-1]
            if place != last:
                self._trail = [*self._trail[-3:], (place, diameter)]
                changed = changed.joined(self._settle_tip())
            elif diameter > widest:
                self._trail[-1] = place, diameter
        return changed if self.behind else changed.joined(self._draw_tip())

    @property
    def behind(self) -> bool:
        """Whether the newest piece has not been drawn."""
        return self._stroke is not None and self.grain >= _AFAR and len(self._trail) > 1 and not self._tip[0]

    def catch_up(self) -> Rect:
        """Draw to where the brush is; what changed."""
        return self._draw_tip() if self.behind else NOTHING

    def _dab(self) -> Rect:
        assert self._stroke is not None
        (place, diameter) = self._trail[0]
        return self._stroke.line(place, place, diameter, square=self.options.square)

    def _settle_tip(self) -> Rect:
        """Let the piece before the newest be as it is now known to be; what changed."""
        assert self._stroke is not None
        if len(self._trail) < 3:
            return NOTHING
        (line, ends), (tip, seen) = (self._bent(len(self._trail) - 2), self._trail[-3:-1]), self._tip
        self._tip = [], []
        if len(line) == len(tip) == 2 and ends == seen:
            self._stroke.keep_tip()
            return NOTHING
        changed = self._stroke.take_tip_back()
        return changed.joined(self._draw(line, *ends))

    def _draw_tip(self) -> Rect:
        assert self._stroke is not None
        if len(self._trail) == 1:
            return self._dab()
        changed = self._stroke.take_tip_back()
        self._tip = self._bent(len(self._trail) - 1), self._trail[-2:]
        self._stroke.begin_tip()
        return changed.joined(self._draw(self._tip[0], *self._trail[-2:]))

    def _bent(self, at: int) -> list[Point]:
        """The way to the place ``at`` of the trail from the one before it."""
        before = self._trail[at - 2][0] if at > 1 else None
        after = self._trail[at + 1][0] if at + 1 < len(self._trail) else None
        (start, _), (end, diameter) = self._trail[at - 1 : at + 1]
        return curve(before, start, end, after, max(_SLACK, self.grain / 2, diameter / 200))

    def _draw(self, line: list[Point], start: Sample, end: Sample) -> Rect:
        assert self._stroke is not None
        places = [snapped(start[0], start[1]), *line[1:-1], snapped(end[0], end[1])]
        return self._stroke.way(places, start[1], end[1], square=self.options.square)

    def finish(self) -> tuple[Patch, Patch] | None:
        """Lift the brush; before and after, or None if nothing changed."""
        stroke, self._stroke = self._stroke, None
        if stroke is not None:
            self.last = Ended(stroke.value, stroke.held, not stroke.touched.empty)
        return stroke.patches() if stroke else None

    def cancel(self) -> Rect:
        """Take back the stroke that is under way and forget the polygon."""
        self.points.clear()
        return self.untake()

    def fill(self, place: Point, *, erase: bool = False) -> Rect:
        """Fill the region around a place; call ``finish`` next."""
        x, y = math.floor(place[0]), math.floor(place[1])
        if self.label_at(place) is None or self.labels is None:
            return NOTHING
        self._stroke = self.stroke(erase=erase)
        return self.note_reach(self._stroke.fill(x, y, self.reach(x, y)), x, y)

    def reach(self, x: int, y: int) -> Rect:
        """What a tool looks through from a pixel on: the whole image, or of a huge one the part around."""
        assert self.labels is not None
        everything = whole(self.labels.shape)
        half = BOUND // 2
        return Rect(x - half, y - half, x + half, y + half).within(everything) if self.huge else everything

    @property
    def huge(self) -> bool:
        """Whether the image or its labels are dealt with by parts."""
        return not isinstance(self.labels, np.ndarray | None) or not isinstance(self.image, np.ndarray | None)

    def note_reach(self, found: Rect, x: int, y: int) -> Rect:
        """What was found from a pixel on; notes whether more of it may lie outside of the reach."""
        if self.huge and not found.empty and self.labels is not None:
            reach, edge = self.reach(x, y), whole(self.labels.shape)
            self.bounded = self.bounded or (
                found.left == reach.left > edge.left
                or found.top == reach.top > edge.top
                or found.right == reach.right < edge.right
                or found.bottom == reach.bottom < edge.bottom
            )
        return found

    def take_polygon(self, points: Sequence[Point], *, erase: bool = False) -> Rect:
        """Give the area within ``points`` the value; call ``finish`` when all is taken."""
        if self.labels is None:
            return NOTHING
        if self._stroke is None:
            self._stroke = self.stroke(erase=erase)
        return self._stroke.polygon(points)

    def add_corner(self, place: Point, *, erase: bool = False) -> None:
        """Add a corner to the polygon, beginning one if there is none."""
        if self.labels is None:
            return
        if not self.points:
            self._polygon_erases = erase
        self.points.append(place)

    def close_polygon(self) -> Rect:
        """Fill the polygon that the corners make; call ``finish`` next."""
        points, self.points = self.points, []
        if self.labels is None or len(points) < 3:
            return NOTHING
        self._stroke = self.stroke(erase=self._polygon_erases)
        return self._stroke.polygon(points)

    def label_at(self, place: Point) -> int | None:
        """The label under a place, 255 included; None outside of the image."""
        x, y = math.floor(place[0]), math.floor(place[1])
        if self.labels is None or not (0 <= y < self.labels.shape[0] and 0 <= x < self.labels.shape[1]):
            return None
        return int(self.labels[y, x])

    def _sieve(self, rect: Rect) -> np.ndarray:
        assert self.image is not None
        return between(self.image, rect, self.options.low, self.options.high)

    def _value(self, erase: bool) -> int:
        return UNPAINTED if erase or self.tool == "eraser" else self.label
