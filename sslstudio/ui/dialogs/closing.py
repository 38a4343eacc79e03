"""What to do with a run when the window is closed."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QDialog, QWidget

from sslstudio.language import later, tr
from sslstudio.ui import theme
from sslstudio.ui.dialogs.frame import lay_out
from sslstudio.ui.panels.buttons import Button

SENTENCE = later(
    "It can go on in the background; you will find it again, still running or done, when you "
    "open the project next time. Or stop it now: what was learned so far is kept.\n\nYour "
    "painting is saved either way."
)


class ClosingDialog(QDialog):
    """Asks whether what runs goes on in the background or is stopped and kept."""

    def __init__(
        self, what: str, go_on: Callable[[], None], stop: Callable[[], None], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("dialog.closing")
        on = Button("closing.go_on", tr("Go on in the background"), "primary")
        end = Button("closing.stop", tr("Stop and keep"))
        cancel = Button("closing.cancel", tr("Cancel"))
        on.clicked.connect(self.accept)
        end.clicked.connect(self.accept)
        cancel.clicked.connect(self.reject)
        on.clicked.connect(lambda: go_on())
        end.clicked.connect(lambda: stop())
        lay_out(self, tr("{what} is still going on").format(what=what), None, (on, end, cancel), tr(SENTENCE))
        self.setFixedWidth(max(62 * theme.SPACE, self.minimumSizeHint().width()))
