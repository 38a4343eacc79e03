"""Names of exported files: as short as they can be told apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from sslstudio.images.slices import without_suffix


class Names:
    """The image's name with another suffix; behind its own where it shares its name with another of ``paths``."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._count = Counter(without_suffix(path).casefold() for path in paths)

    def of(self, path: str, suffix: str) -> str:
        """The relative path of the file that goes with an image."""
        short = without_suffix(path)
        return f"{path if self._count[short.casefold()] > 1 else short}{suffix}"
