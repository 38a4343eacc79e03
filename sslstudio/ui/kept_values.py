"""Small values that a project keeps for the window: the last image, sizes, choices."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

from sslstudio.errors import UserError

if TYPE_CHECKING:
    from sslstudio.project.project import Project

log = logging.getLogger(__name__)

DELAY = 1000  # milliseconds after which values are written


class KeptValues(QObject):
    """Values by key, written a little after they change, since each write waits for the disk."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.project: Project | None = None
        self._waiting: dict[str, object] = {}
        self._later = QTimer(self, interval=DELAY, singleShot=True)
        self._later.timeout.connect(self._write)

    def put(self, key: str, value: object) -> None:
        """Keep a value that JSON can hold; nothing is kept while there is no project."""
        if self.project is not None and self.get(key, None) != value:
            self._waiting[key] = value
            if not self.project.reading:  # then it is kept until the project is closed
                self._later.start()

    def get(self, key: str, default: object) -> object:
        """What was put last, written or not."""
        if key in self._waiting:
            return self._waiting[key]
        return default if self.project is None else self.project.setting(key, default)

    def let_go(self) -> None:
        """Write what waits and leave the project."""
        self._later.stop()
        self._write()
        self.project = None

    def _write(self) -> None:
        if self.project is None or self.project.reading:
            self._waiting.clear()
            return
        try:
            for key, value in self._waiting.items():
                self.project.set_setting(key, value)
        except UserError as error:
            log.warning("Settings were not kept: %s", error)
        self._waiting.clear()
