"""Light or dark, chosen in the View menu and kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QApplication

from sslstudio.ui import state, theme

if TYPE_CHECKING:
    from sslstudio.ui.main_window import MainWindow


class LooksWiring(QObject):
    """Shows which look is chosen and puts another one on at once."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        group = QActionGroup(self)
        for look in theme.LOOKS:
            action = window.actions_[f"looks.{look}"]
            group.addAction(action)
            action.setChecked(look == state.look())
            action.triggered.connect(lambda _=False, look=look: self._on_chosen(look))

    def _on_chosen(self, look: str) -> None:
        state.settings().setValue(state.LOOK, look)
        app = QApplication.instance()
        if isinstance(app, QApplication):
            theme.choose(app, look)
