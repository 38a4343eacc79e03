"""Keys and the command palette."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint

from sslstudio.ui import shortcuts, theme

if TYPE_CHECKING:
    from sslstudio.ui.main_window import MainWindow


class KeysWiring(QObject):
    """Gives the actions their keys, lets them be changed, and finds actions by a few letters."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.window = window
        self._use(shortcuts.kept())
        window.actions_["help.shortcuts"].triggered.connect(lambda: self.show_shortcuts())
        window.actions_["help.palette"].triggered.connect(lambda: self.show_palette())

    def show_shortcuts(self) -> None:
        """All keys on one page, each to be changed."""
        from sslstudio.ui.dialogs.shortcuts import ShortcutsDialog

        dialog = ShortcutsDialog(shortcuts.kept(), self.window)
        dialog.keys_chosen.connect(self._on_chosen)
        dialog.open()

    def show_palette(self) -> None:
        """A line for a few letters, in the middle of the window."""
        from sslstudio.ui.commands import commands
        from sslstudio.ui.dialogs.palette import PaletteDialog

        palette = PaletteDialog(commands(self.window), self.window)
        palette.chosen.connect(lambda command: command.do())
        left = (self.window.width() - palette.width()) // 2
        palette.move(self.window.mapToGlobal(QPoint(left, 12 * theme.SPACE)))
        palette.show()

    def _on_chosen(self, keys: shortcuts.Keys) -> None:
        shortcuts.keep(keys)
        self._use(keys)

    def _use(self, keys: shortcuts.Keys) -> None:
        shortcuts.apply(self.window.actions_, keys)
        shortcuts.tell_again(self.window, keys)
