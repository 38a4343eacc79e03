"""Strokes on their way to disk: in the edit log at once, or kept and tried again while the disk refuses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from sslstudio.errors import UserError
from sslstudio.project.label_map import rebased

if TYPE_CHECKING:
    from sslstudio.project.label_map import LabelMap, Patch
    from sslstudio.project.project import Project

RETRY = 3000  # milliseconds between two attempts to save a stroke that the disk refused
_MOST_REFUSED = 8  # images; then it is the disk that refuses


@dataclass(frozen=True)
class _Stroke:
    path: str
    before: Patch
    after: Patch
    written: Callable[[int], None] | None


class PendingStrokes(QObject):
    """Strokes of a project in the order of their making; none is let go before it is durable.

    Beside the window others change masks too: an import, for example. What was painted on labels from before that is
    put on those of now, so that it changes no more than its own pixels.

    Signals:
        written: The paths of images whose strokes are all on disk now, a set; only after there were some.
        refused: The UserError of the disk; it is tried again by itself.
        outdated: The path of an image that was painted on labels that others have changed since they were read.
    """

    written = Signal(object)
    refused = Signal(object)
    outdated = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.project: Project | None = None
        self._strokes: list[_Stroke] = []
        self._written: set[str] = set()  # images that wait with others to be told of
        self._shown: dict[str, int] = {}  # the newest edit that the labels hold on which an image is painted
        self._retry = QTimer(self, interval=RETRY, singleShot=True)
        self._retry.timeout.connect(self.save)

    def add(self, path: str, before: Patch, after: Patch, written: Callable[[int], None] | None = None) -> bool:
        """Take a stroke on the image ``path`` and save; whether all is on disk.

        ``written`` is called with the number of the edit once it is. There are no strokes on what is open for reading.
        """
        if self.project is None or self.project.reading:
            return False
        self._strokes.append(_Stroke(path, before, after, written))
        return self.save()

    def save(self) -> bool:
        """Write what waits, oldest first; False when the disk refuses or there is no project."""
        if self.project is None:
            return False
        outdated = set[str]()
        try:
            self._write(self.project, outdated)
        except UserError as error:
            self.refused.emit(error)
            self._retry.start()
        paths = {path for path in self._written if not self.waits(path)}
        self._written -= paths
        if paths:
            self.written.emit(paths)
        for path in outdated:
            self.outdated.emit(path)
        return not self._strokes

    def all_written(self) -> bool:
        """Whether nothing waits."""
        return not self._strokes

    def waits(self, path: str) -> bool:
        """Whether strokes on an image are not on disk."""
        return any(stroke.path == path for stroke in self._strokes)

    def labels(self, project: Project, path: str) -> LabelMap:
        """The labels of an image with what waits; raises UserError."""
        found = project.label_map(path)
        for stroke in self._strokes:
            if stroke.path == path:
                found.put(stroke.after)
        return found

    def show(self, path: str, labels: LabelMap, edit: int) -> None:
        """An image is painted on these labels from now on, which hold all up to an edit; what waits is put on them."""
        self._shown[path] = edit
        for at, stroke in enumerate(self._strokes):
            if stroke.path == path:
                before, after = rebased(labels, stroke.before, stroke.after)
                self._strokes[at] = replace(stroke, before=before, after=after)
                labels.put(after)

    def is_shown(self, path: str) -> bool:
        """Whether an image is painted on labels that nobody else has changed since; raises UserError."""
        return self.project is not None and self._shown.get(path) == self.project.newest_edit(path)

    def note(self, path: str) -> None:
        """What the window has just changed in the project is on the labels too; raises UserError."""
        if self.project is not None:
            self._shown[path] = self.project.newest_edit(path)

    def let_go(self) -> None:
        """Write what waits for a last time and leave the project; raises UserError, and what waited is gone then."""
        self._retry.stop()
        project, self.project = self.project, None
        try:
            if project is not None:
                self._write(project, set())
        finally:
            self._strokes.clear()
            self._written.clear()
            self._shown.clear()

    def _write(self, project: Project, outdated: set[str]) -> None:
        """Write what waits; adds the paths of images that are painted on labels of before. Raises UserError.

        An image that refuses its strokes, since it is gone for example, does not hold up those on others.
        """
        refused: dict[str, UserError] = {}
        at = 0
        while at < len(self._strokes) and len(refused) < _MOST_REFUSED:
            stroke = self._strokes[at]
            try:
                if stroke.path not in refused and self._put(project, stroke):
                    outdated.add(stroke.path)
            except UserError as error:
                refused[stroke.path] = error
            if stroke.path in refused:
                at += 1
            else:
                self._strokes.pop(at)
                self._written.add(stroke.path)
        if refused:
            raise next(iter(refused.values()))

    def _put(self, project: Project, stroke: _Stroke) -> bool:
        """Write a stroke; whether others had changed the labels on which it was painted."""
        path, before, after = stroke.path, stroke.before, stroke.after
        with project.together():
            fresh = self._shown.get(path) in (None, project.newest_edit(path))
            if not fresh:
                before, after = rebased(project.label_map(path), before, after)
            project.add_edit(path, before, after)
            edit = project.newest_edit(path)
        if fresh and path in self._shown:
            self._shown[path] = edit
        if stroke.written is not None:
            stroke.written(edit)
        return not fresh
