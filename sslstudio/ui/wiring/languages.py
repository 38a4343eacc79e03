"""The language of the texts, chosen in the Help menu."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtGui import QActionGroup

from sslstudio.language import LANGUAGES, tr
from sslstudio.ui import state
from sslstudio.ui.notice import Notice

if TYPE_CHECKING:
    from sslstudio.ui.main_window import MainWindow

SYSTEM = "system"


class LanguagesWiring(QObject):
    """Shows which language is chosen and keeps another one for the next start."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.window = window
        group = QActionGroup(self)
        kept = str(state.settings().value(state.LANGUAGE, "") or "")
        for code in (SYSTEM, *LANGUAGES):
            action = window.actions_[f"language.{code}"]
            group.addAction(action)
            action.setChecked(code == (kept or SYSTEM))
            action.triggered.connect(lambda _=False, code=code: self._on_chosen(code))

    def _on_chosen(self, code: str) -> None:
        state.settings().setValue(state.LANGUAGE, "" if code == SYSTEM else code)
        self.window.tell(
            Notice(
                tr("SSL Studio speaks this language from its next start on."),
                tr("Close the window and open it again; everything painted is saved."),
                about="language",
            )
        )
