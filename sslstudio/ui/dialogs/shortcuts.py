"""All keys on one page, out of the table of actions."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QPalette
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from sslstudio.ui import theme
from sslstudio.ui.actions import ACTIONS, Action
from sslstudio.ui.dialogs.frame import lay_out
from sslstudio.ui.panels.bars import SlimBar
from sslstudio.ui.panels.buttons import Button
from sslstudio.ui.panels.parts import question

POINTER = (
    ("Zoom at the pointer", "wheel"),
    ("Move the image", "Space or middle drag"),
    ("Brush size", "Shift and wheel"),
    ("Erase for a moment", "Alt"),
    ("Pick the class", "right click"),
)


class ShortcutsDialog(QDialog):
    """Three columns of keys, by menu."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("dialog.shortcuts")
        close = Button("shortcuts.close", "Close")
        close.clicked.connect(self.accept)
        scroll = QScrollArea(widgetResizable=True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setVerticalScrollBar(SlimBar())
        scroll.setWidget(self._columns())
        lay_out(self, "Keyboard shortcuts", scroll, (close,))
        self.resize(124 * theme.SPACE, 80 * theme.SPACE)

    def _columns(self) -> QWidget:
        body = QWidget()
        row = QHBoxLayout(body)
        row.setContentsMargins(0, 0, 2 * theme.SPACE, 0)
        row.setSpacing(4 * theme.SPACE)
        for menus in (("Paint", "Edit"), ("View", "Image", "Help"), ("Learn", "File")):
            column = QVBoxLayout()
            column.setSpacing(2 * theme.SPACE)
            for menu in menus:
                column.addWidget(_group(menu, [(a.text, _keys(a)) for a in _listed(menu)]))
            if "Paint" in menus:
                column.addWidget(_group("Pointer", list(POINTER)))
            column.addStretch(1)
            row.addLayout(column, 1)
        return body


def _listed(menu: str) -> list[Action]:
    """The actions of a menu that have keys; the nine classes as one line."""
    return [a for a in ACTIONS if a.menu == menu and a.shortcut and not a.id.startswith("paint.class_")]


def _keys(action: Action) -> str:
    native = QKeySequence.SequenceFormat.NativeText
    return " or ".join(QKeySequence(keys).toString(native) for keys in action.shortcuts)


def _group(title: str, rows: list[tuple[str, str]]) -> QWidget:
    box = QWidget()
    grid = QGridLayout(box)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setVerticalSpacing(theme.SPACE // 2)
    grid.setHorizontalSpacing(2 * theme.SPACE)
    grid.setColumnStretch(0, 1)
    grid.addWidget(question(title), 0, 0, 1, 2)
    if title == "Paint":
        rows = [*rows, ("Class 1 to 9", "1 … 9")]
    for at, (text, keys) in enumerate(rows, 1):
        grid.addWidget(QLabel(text), at, 0)
        shown = QLabel(keys, alignment=Qt.AlignmentFlag.AlignRight, wordWrap=False)
        shown.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        grid.addWidget(shown, at, 1)
    return box
