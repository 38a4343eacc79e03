"""What all dialogs share: a title, a sentence, a body, a row of buttons, distances of the grid."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from sslstudio.ui import theme
from sslstudio.ui.panels.buttons import Button
from sslstudio.ui.panels.parts import label


def lay_out(
    dialog: QDialog, title: str, body: QWidget | None, buttons: Sequence[Button], sentence: str = ""
) -> QVBoxLayout:
    """Fill a modal dialog and return its column; it deletes itself when it is closed."""
    dialog.setWindowTitle(title)
    dialog.setModal(True)
    column = QVBoxLayout(dialog)
    column.setContentsMargins(*(3 * theme.SPACE,) * 4)
    column.setSpacing(2 * theme.SPACE)
    column.addWidget(label(title, theme.TITLE, bold=True, wrap=False))
    if sentence:
        column.addWidget(label(sentence))
    if body is not None:
        column.addWidget(body, 1)
    row = QHBoxLayout()
    row.setSpacing(theme.SPACE)
    row.addStretch(1)
    for button in buttons:
        button.setFixedHeight(4 * theme.SPACE)
        button.setMinimumWidth(max(12 * theme.SPACE, button.sizeHint().width()))
        row.addWidget(button)
    column.addLayout(row)
    if buttons:
        buttons[0].setDefault(True)
    dialog.finished.connect(dialog.deleteLater)
    return column


def scrolled(body: QWidget, wanted: bool) -> QWidget:
    """The same, with a bar at its side and no higher than a dialog has room for, where that is wanted."""
    if not wanted:
        return body
    area = QScrollArea(widgetResizable=True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(body)
    area.setMinimumSize(body.sizeHint().width() + 3 * theme.SPACE, 40 * theme.SPACE)
    return area
