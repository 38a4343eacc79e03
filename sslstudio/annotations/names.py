"""Names of exported files: as short as they can be told apart."""

from __future__ import annotations

from sslstudio.images.slices import without_suffix


class Names:
    """The image's name with another suffix; behind its own where two images would share one."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def of(self, path: str, suffix: str) -> str:
        """The relative path of the file that goes with an image."""
        short = f"{without_suffix(path)}{suffix}"
        name = f"{path}{suffix}" if short in self._taken else short
        self._taken.add(name)
        return name
