"""Masks become PNG files a while after the last stroke; until then the edit log has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from sslstudio.errors import UserError

if TYPE_CHECKING:
    from sslstudio.project.project import Project
    from sslstudio.ui import background
    from sslstudio.ui.project_tasks import ProjectTasks

IDLE = 4000  # milliseconds without a stroke after which masks are written as PNG


class MaskWriter(QObject):
    """Writes a project's masks in the background, one writer at a time; what fails is tried again.

    Signals:
        written: All masks are files; failed: The UserError of the disk.
    """

    written = Signal()
    failed = Signal(object)

    def __init__(self, tasks: ProjectTasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.project: Project | None = None
        self._tasks = tasks
        self._writing: background.Task | None = None
        self._idle = QTimer(self, interval=IDLE, singleShot=True)
        self._idle.timeout.connect(self.write)

    def write_soon(self) -> None:
        """A mask has changed."""
        self._idle.start()

    def write(self) -> None:
        """Write masks now."""
        project = self.project
        self._idle.stop()
        if project is not None and not project.reading and self._writing is None:
            self._writing = self._tasks.run(lambda task: project.save_masks(), self._on_written, self._on_failed)

    def let_go(self) -> None:
        """Leave the project, which writes what waits when it is closed."""
        self._idle.stop()
        self.project = self._writing = None

    def _on_written(self, _: object) -> None:
        self._writing = None
        self.written.emit()

    def _on_failed(self, error: UserError) -> None:
        self._writing = None
        self.failed.emit(error)
        self._idle.start()
