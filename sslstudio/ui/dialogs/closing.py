"""What to do with a run when the window is closed."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QMessageBox, QPushButton, QWidget


class ClosingDialog(QMessageBox):
    """Asks whether what runs goes on in the background or is stopped and kept."""

    def __init__(
        self, what: str, go_on: Callable[[], None], stop: Callable[[], None], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("dialog.closing")
        self.setWindowTitle("Close SSL Studio?")
        self.setIcon(QMessageBox.Icon.Question)
        self.setText(f"{what} is still going on.")
        self.setInformativeText(
            "It can go on in the background: you will find it again, still running or done, when you open the "
            "project next time. Or stop it now; what was learned so far is kept. Your painting is saved either way."
        )
        self.on_button = self._add("Go on in the background", "closing.go_on", QMessageBox.ButtonRole.AcceptRole)
        self.stop_button = self._add("Stop and keep", "closing.stop", QMessageBox.ButtonRole.DestructiveRole)
        self.cancel_button = self._add("Cancel", "closing.cancel", QMessageBox.ButtonRole.RejectRole)
        self.setDefaultButton(self.on_button)
        self.setEscapeButton(self.cancel_button)
        self.on_button.clicked.connect(lambda: go_on())
        self.stop_button.clicked.connect(lambda: stop())
        self.finished.connect(self.deleteLater)

    def _add(self, text: str, name: str, role: QMessageBox.ButtonRole) -> QPushButton:
        button = self.addButton(text, role)
        button.setObjectName(name)
        return button
