"""What is known about the images of the open project, as it was read last."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sslstudio.errors import UserError

if TYPE_CHECKING:
    from sslstudio.project.index import ImageRecord
    from sslstudio.project.project import Project

_NEWEST = 50  # edited images that are read once more, since a list may have been read before they were edited


class Records:
    """All images in natural order, and each by its path."""

    def __init__(self) -> None:
        self.all: list[ImageRecord] = []
        self._places: dict[str, int] = {}
        self._edited: list[str] = []

    def __contains__(self, path: object) -> bool:
        """Whether there is an image of this path."""
        return path in self._places

    def take(self, records: Sequence[ImageRecord], project: Project | None = None) -> None:
        """Know these images from now on; of those edited of late what the project knows now."""
        self.all = list(records)
        self._places = {record.path: place for place, record in enumerate(self.all)}
        self._edited = [path for path in self._edited if path in self._places] if project else []
        for path in self._edited:
            with contextlib.suppress(UserError):  # it is gone meanwhile, and the next list will say so
                self.all[self._places[path]] = project.image(path)  # type: ignore[union-attr]

    def get(self, path: str) -> ImageRecord | None:
        """One image."""
        place = self._places.get(path)
        return None if place is None else self.all[place]

    def beside(self, path: str, by: int) -> ImageRecord | None:
        """The image so many places behind this one."""
        place = self._places.get(path, -1) + by
        return self.all[place] if path in self._places and 0 <= place < len(self.all) else None

    def edited(self, record: ImageRecord) -> None:
        """What is known about an image after an edit."""
        self.all[self._places[record.path]] = record
        self._edited = [*(path for path in self._edited if path != record.path), record.path][-_NEWEST:]
