"""In which order things were done on each image, so that undo takes back first what was done last. Nothing knows Qt."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class Order:
    """Counts moments, and knows those of the strokes that are done; 0 is before all of them."""

    def __init__(self) -> None:
        self._moment = 0
        self._wished = 0  # when a stroke was wished for that becomes one only now; 0: now
        self._done: dict[str, list[int]] = {}  # by image, the newest at the end
        self._undone: dict[str, list[int]] = {}  # the same, the oldest at the end

    def next(self) -> int:
        """The moment of something that is done now."""
        self._moment += 1
        return self._moment

    def newest(self, key: str) -> int:
        """When the newest stroke on an image was done; 0 if nobody has seen it."""
        return next(reversed(self._done.get(key, [])), 0)

    def undone(self, key: str) -> int | None:
        """When the stroke on an image was done that redo brings; None if nobody has seen it."""
        return next(reversed(self._undone.get(key, [])), None)

    def paint(self, key: str) -> None:
        """A stroke on an image was done."""
        self._done.setdefault(key, []).append(self._wished or self.next())
        self._undone.pop(key, None)

    @contextmanager
    def wished_at(self, moment: int) -> Iterator[None]:
        """A stroke that is done in here was wished for at this moment, since when others may have been."""
        self._wished = moment
        try:
            yield
        finally:
            self._wished = 0

    def undo(self, key: str) -> None:
        """The newest was taken back."""
        if self._done.get(key):
            self._undone.setdefault(key, []).append(self._done[key].pop())

    def redo(self, key: str) -> None:
        """It was put back."""
        if self._undone.get(key):
            self._done.setdefault(key, []).append(self._undone[key].pop())

    def forget(self) -> None:
        """Another project."""
        self._done.clear()
        self._undone.clear()
