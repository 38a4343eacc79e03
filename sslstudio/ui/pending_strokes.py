"""Strokes on their way to disk: in the edit log at once, or kept and tried again while the disk refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from sslstudio.errors import UserError

if TYPE_CHECKING:
    from sslstudio.project.label_map import Patch
    from sslstudio.project.project import Project

RETRY = 3000  # milliseconds between two attempts to save a stroke that the disk refused


class PendingStrokes(QObject):
    """Strokes of a project in the order of their making; none is let go before it is durable.

    Signals:
        written: The paths of images whose strokes are on disk now, a set; only after there were some.
        refused: The UserError of the disk; it is tried again by itself.
    """

    written = Signal(object)
    refused = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.project: Project | None = None
        self._strokes: list[tuple[str, Patch, Patch]] = []
        self._retry = QTimer(self, interval=RETRY, singleShot=True)
        self._retry.timeout.connect(self.save)

    def add(self, path: str, before: Patch, after: Patch) -> bool:
        """Take a stroke on the image ``path`` and save; whether all is on disk."""
        self._strokes.append((path, before, after))
        return self.save()

    def save(self) -> bool:
        """Write what waits, oldest first; False when the disk refuses or there is no project."""
        if self.project is None:
            return False
        try:
            paths = self._write(self.project)
        except UserError as error:
            self.refused.emit(error)
            self._retry.start()
            return False
        if paths:
            self.written.emit(paths)
        return True

    def all_written(self) -> bool:
        """Whether nothing waits."""
        return not self._strokes

    def let_go(self) -> None:
        """Write what waits for a last time and leave the project; raises UserError, and what waited is gone then."""
        self._retry.stop()
        project, self.project = self.project, None
        try:
            if project is not None:
                self._write(project)
        finally:
            self._strokes.clear()

    def _write(self, project: Project) -> set[str]:
        """Write what waits; the paths of the images."""
        paths = set()
        while self._strokes:
            project.add_edit(*self._strokes[0])
            paths.add(self._strokes.pop(0)[0])
        return paths
