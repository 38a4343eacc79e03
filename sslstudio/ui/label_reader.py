"""Reads the labels of the image that is shown, in the background; what it delivers is as new as the project."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from sslstudio.errors import UserError
from sslstudio.language import tr
from sslstudio.ui import background
from sslstudio.ui.canvas.pyramid import prepared

if TYPE_CHECKING:
    from sslstudio.images.picture import Picture
    from sslstudio.project.label_map import LabelMap
    from sslstudio.project.project import Project


class LabelReader(QObject):
    """Only the newest read delivers, and only what no edit has changed since it began.

    ``when_free`` calls what it is given as soon as the labels may be exchanged; at once if nobody says otherwise.

    Signals:
        arriving: Labels are there; whoever draws on those of before should lift the pen.
        arrived: (path, Picture, LabelMap, number of the newest edit that the labels hold).
        failed: (path, UserError).
    """

    arriving = Signal()
    arrived = Signal(str, object, object, int)
    failed = Signal(str, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._task: background.Task | None = None
        self.when_free: Callable[[Callable[[], None]], None] = lambda deliver: deliver()

    def read(self, project: Project, path: str, picture: Picture) -> None:
        """Read the labels that belong to a picture; a read under way is dropped."""
        self.drop()

        def work(task: background.Task) -> tuple[int, LabelMap]:
            edit = project.newest_edit(path)  # before the labels: they may hold more than it says, never less
            return edit, prepared(project.label_map(path))

        def done(found: tuple[int, LabelMap]) -> None:
            self.when_free(lambda: deliver(found))

        def deliver(found: tuple[int, LabelMap]) -> None:
            if task.cancelled:
                return
            try:
                self._deliver(task, project, path, picture, *found)
            except UserError as error:
                self.failed.emit(path, error)

        task = self._task = background.run(work, done, lambda error: self.failed.emit(path, error))

    def drop(self) -> None:
        """What is being read is not wanted any more."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def _deliver(
        self, task: background.Task, project: Project, path: str, picture: Picture, edit: int, labels: LabelMap
    ) -> None:
        if project.newest_edit(path) == edit:  # else nobody need lift the pen yet
            self.arriving.emit()  # and a stroke under way becomes an edit
        if task.cancelled:
            return
        if project.newest_edit(path) != edit:
            self.read(project, path, picture)
            return
        self._task = None
        _check_size(path, picture, labels)
        self.arrived.emit(path, picture, labels, edit)


def _check_size(path: str, picture: Picture, labels: LabelMap) -> None:
    height, width = picture.rgb8.shape[:2]
    if labels.labels.shape != (height, width):
        raise UserError(
            tr("{path} is now {size} pixels, but its mask has another size.").format(
                path=path, size=f"{width} × {height}"
            ),
            tr("The mask is kept."),
        )
