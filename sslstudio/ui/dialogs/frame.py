"""What all dialogs share: a title, a body, a row of buttons, distances of the grid."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QVBoxLayout, QWidget

from sslstudio.ui import theme


def lay_out(dialog: QDialog, title: str, body: QWidget, buttons: QDialogButtonBox, sentence: str = "") -> None:
    """Fill a dialog: title, sentence, body, buttons; closing it deletes it."""
    dialog.setWindowTitle(title)
    dialog.setModal(True)
    column = QVBoxLayout(dialog)
    column.setContentsMargins(*(3 * theme.SPACE,) * 4)
    column.setSpacing(2 * theme.SPACE)
    column.addWidget(QLabel(title, font=theme.font(theme.TITLE, bold=True)))
    if sentence:
        note = QLabel(sentence, wordWrap=True)
        column.addWidget(note)
    column.addWidget(body, 1)
    column.addWidget(buttons)
    buttons.accepted.connect(dialog.accept)
    buttons.rejected.connect(dialog.reject)
    dialog.finished.connect(dialog.deleteLater)
