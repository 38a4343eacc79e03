"""What to do with work on a project that leaving it would cut off."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QDialog, QWidget

from sslstudio.language import later, tr
from sslstudio.ui import background, theme
from sslstudio.ui.dialogs.frame import lay_out
from sslstudio.ui.panels.buttons import Button

SENTENCE = later(
    "The project is left by itself as soon as that is done. Or call it off now: nothing is left half done, and your "
    "painting is saved either way."
)


class UnfinishedDialog(QDialog):
    """Waits for a task, and leaves once it is over; it can be called off, or the user stays."""

    def __init__(
        self, task: background.Task, what: str, leave: Callable[[], None], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("dialog.unfinished")
        self._leave = leave
        stay = Button("unfinished.stay", tr("Stay here"), "primary")
        off = Button("unfinished.call_off", tr("Call off and leave"))
        stay.clicked.connect(self.reject)
        off.clicked.connect(task.cancel)
        off.clicked.connect(lambda: off.setEnabled(False))
        task.over.connect(self._on_over)
        lay_out(self, what, None, (stay, off), tr(SENTENCE))
        self.setFixedWidth(max(62 * theme.SPACE, self.minimumSizeHint().width()))

    def _on_over(self, _: bool) -> None:
        if self.isVisible():
            self.accept()
            QTimer.singleShot(0, self._leave)  # when others have heard of it, and perhaps begun what comes next
