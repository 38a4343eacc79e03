"""Superpixel paint: takes patches of one colour, each shown under the pointer before it is taken."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from sslstudio.language import tr
from sslstudio.regions.rect import NOTHING, Rect
from sslstudio.regions.superpixels import Superpixels, border_lines, outline_of
from sslstudio.ui.canvas.steps import stepped
from sslstudio.ui.canvas.tools.gesture import Gesture, View

if TYPE_CHECKING:
    from sslstudio.ui.canvas.pen import Pen
    from sslstudio.ui.canvas.strokes import Point

PATCH_MIN, PATCH_MAX = 6, 100  # pixels
_AROUND = 2.5  # widths of a patch that others are shown around the pointer
_LEAST_SEEN = 6  # widget pixels of a patch below which its neighbours would be a mere grey


class SuperpixelPaint(Gesture):
    """A click takes one patch, a drag all that it crosses."""

    every_place = True
    _patches: Superpixels | None = None
    _last: Point | None = None
    _erase = False

    @property
    def busy(self) -> bool:
        """While it is dragged; the outline under an idle pointer is nothing that was begun."""
        return self._last is not None

    def press(self, pen: Pen, place: Point, view: View, *, erase: bool) -> Rect:
        """Take the patch under the pointer."""
        self._last, self._erase, self.outline, self.lines = place, erase, [], None
        return self._take(pen, place)

    def drag(self, pen: Pen, place: Point, view: View) -> Rect:
        """Take all patches on the way."""
        if self._last is None:
            return NOTHING
        start, self._last, changed = self._last, place, NOTHING
        if pen.image is not None:
            self._of(pen).ready(*place)  # begins what lies ahead
        steps = max(1, math.ceil(2 * math.dist(start, place) / pen.options.patch))
        for step in range(1, steps + 1):
            share = step / steps
            x, y = start[0] + share * (place[0] - start[0]), start[1] + share * (place[1] - start[1])
            changed = changed.joined(self._take(pen, (x, y)))
        return changed

    def release(self, pen: Pen) -> Rect:
        """Keep what was taken."""
        self.cancel()
        return NOTHING

    def hover(self, pen: Pen, place: Point, view: View) -> bool:
        """Show the patch that a click would take."""
        before = self.outline
        self.unready = pen.image is not None and not self._of(pen).ready(*place)
        if pen.image is None:
            self.outline = []
        else:
            self.outline = self._about(pen, place) if self.unready else outline_of(*self._of(pen).at(*place))
        if self.outline == before:
            return False
        self.lines = self._nearby(pen, place) if pen.options.patch * view.scale >= _LEAST_SEEN else None
        return True

    def _nearby(self, pen: Pen, place: Point) -> np.ndarray | None:
        """The borders of the patches around the pointer, as far as these are made."""
        reach = _AROUND * pen.options.patch
        found = self._of(pen).borders(*place, reach) if pen.image is not None else []
        if not found:
            return None
        lines = np.concatenate([border_lines(*part) for part in found])
        middles = (lines[:, :2] + lines[:, 2:]) / 2
        return lines[np.hypot(*(middles - place).T) <= reach]

    def turn(self, pen: Pen, steps: int) -> bool:
        """Larger patches, or smaller ones."""
        pen.change(patch=stepped(pen.options.patch, steps, PATCH_MIN, PATCH_MAX))
        return True

    def size_words(self, pen: Pen) -> str:
        """How large patches are."""
        return tr("Patches of {patch} px").format(patch=pen.options.patch)

    def cancel(self) -> None:
        """Let go."""
        super().cancel()
        self._last = None

    @staticmethod
    def _about(pen: Pen, place: Point) -> list[Point]:
        """About what a click would take, while the patches are being made: a square of their size."""
        (x, y), half = place, pen.options.patch / 2
        return [(x + dx * half, y + dy * half) for dx, dy in ((-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1))]

    def _take(self, pen: Pen, place: Point) -> Rect:
        return NOTHING if pen.image is None else pen.take(*self._of(pen).at(*place), erase=self._erase)

    def _of(self, pen: Pen) -> Superpixels:
        assert pen.image is not None
        kept = self._patches
        if kept is None or kept.image is not pen.image or kept.side != pen.options.patch:
            self._patches = kept = Superpixels(pen.image, pen.options.patch)
        return kept
