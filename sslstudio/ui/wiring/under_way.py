"""Long work with files: how far it is, told above the canvas, and a button that calls it off."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

from sslstudio.language import tr
from sslstudio.ui.notice import Notice
from sslstudio.ui.panels.words import thousands

if TYPE_CHECKING:
    from sslstudio.ui import background
    from sslstudio.ui.main_window import MainWindow

FIRST = 400  # milliseconds until anything is told: most such work is over by then
AGAIN = 200  # milliseconds between two figures


class UnderWay(QObject):
    """Follows one task whose progress is (done, total); tells about it until it ends or is called off."""

    def __init__(self, window: MainWindow, task: background.Task, words: str, about: str) -> None:
        super().__init__(window)
        self._window, self._task, self._words, self._about = window, task, words, about
        self._project = window.session.project
        self._figures: tuple[int, int] | None = None
        self._off: Callable[[], None] = lambda: None
        self._told_off = ""
        self._later = QTimer(self, interval=FIRST, singleShot=True)
        self._later.timeout.connect(self._tell)
        self._later.start()
        task.progressed.connect(self._on_progress)
        task.over.connect(self._on_over)

    def called_off(self, words: str, then: Callable[[], None] = lambda: None) -> UnderWay:
        """What is said, and done, once it was called off; returns itself."""
        self._told_off, self._off = words, then
        return self

    def _on_progress(self, figures: tuple[int, int]) -> None:
        self._figures = figures
        if not self._later.isActive():
            self._later.setInterval(AGAIN)
            self._later.start()

    def _tell(self) -> None:
        if self._figures is None or self._task.cancelled:
            return
        done, total = self._figures
        text = tr("{words} {done} of {total} …").format(words=self._words, done=thousands(done), total=thousands(total))
        self._window.tell(Notice(text, about=self._about, button=tr("Call off"), act=self._call_off))

    def _call_off(self) -> None:
        self._task.cancel()
        self._window.tell(Notice(tr("Calling it off …"), about=self._about))

    def _on_over(self, finished: bool) -> None:
        self._later.stop()
        if self._window.session.project is not self._project:
            pass  # what is in the window now has nothing to do with it
        elif self._task.cancelled:
            words = tr("It was finished before it could be called off.") if finished else self._told_off
            self._window.tell(Notice(words, about=self._about))
            self._off()
        else:
            self._window.notice.solved(self._about)
        self.deleteLater()
