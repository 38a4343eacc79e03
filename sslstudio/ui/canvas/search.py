"""One change to the mask that takes a while to be found. Nothing here knows Qt."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from sslstudio.regions.rect import NOTHING, Rect

if TYPE_CHECKING:
    from sslstudio.regions.growing import Found
    from sslstudio.regions.shaping import Change
    from sslstudio.ui import background
    from sslstudio.ui.canvas.strokes import Point, Stroke


class Search(ABC):
    """One change that is being looked for, and the stroke that takes it: class and bounds are those of its beginning.

    ``reads_mask``: it looks at the mask, which must stay as it is meanwhile. ``caption`` tells what goes on.
    """

    def __init__(self, stroke: Stroke, outline: Sequence[Point], caption: str, *, reads_mask: bool = False) -> None:
        self.stroke, self.outline, self.caption, self.reads_mask = stroke, list(outline), caption, reads_mask
        self.told = self.done = False
        self.moment = self.ahead = 0  # when it was begun, and how much was to come after others then
        self.task: background.Task | None = None
        self._lock = threading.Lock()

    def look(self) -> None:
        """Find the change; by the first who asks, the others wait for that."""
        with self._lock:
            if not self.done:
                try:
                    self._look()
                finally:
                    self.done = True  # what cannot be found must not be waited for again

    @abstractmethod
    def take(self) -> list[Rect]:
        """Put the change on the mask; what it changed."""

    @abstractmethod
    def _look(self) -> None:
        """Find the change and keep it for ``take``; called once, in any thread."""


class RegionSearch(Search):
    """Looks for a region of the image, which gets the class."""

    def __init__(self, find: Callable[[], Found], stroke: Stroke, outline: Sequence[Point], caption: str) -> None:
        super().__init__(stroke, outline, caption)
        self._find = find
        self._found: Found = NOTHING, np.zeros((0, 0), bool)

    def take(self) -> list[Rect]:
        """Paint the region."""
        return [self.stroke.paint(*self._found)]

    def _look(self) -> None:
        self._found = self._find()


class MaskSearch(Search):
    """Looks for new labels of parts of the mask."""

    def __init__(self, find: Callable[[], list[Change]], stroke: Stroke, caption: str) -> None:
        super().__init__(stroke, (), caption, reads_mask=True)
        self._find = find
        self._changes: list[Change] = []

    def take(self) -> list[Rect]:
        """Put the labels."""
        return [self.stroke.put(rect, labels) for rect, labels in self._changes]

    def _look(self) -> None:
        self._changes = self._find()
