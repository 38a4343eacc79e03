"""Where the keyboard is, and whether somebody types there; marked only for those who came there by keyboard."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QAbstractSpinBox, QApplication, QKeySequenceEdit, QLineEdit, QPlainTextEdit, QTextEdit

_BY_KEY = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason, Qt.FocusReason.ShortcutFocusReason)
_BACK_AGAIN = (Qt.FocusReason.ActiveWindowFocusReason, Qt.FocusReason.PopupFocusReason)


class KeyboardPlace:
    """Mixed into a widget, before its Qt class, that draws its own frame."""

    _came_by_key = False

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Keep how the keyboard came here; a window that becomes active again changes nothing."""
        if event.reason() not in _BACK_AGAIN:
            self._came_by_key = event.reason() in _BY_KEY
        super().focusInEvent(event)  # type: ignore[misc]

    def has_keyboard(self) -> bool:
        """Whether to draw the frame."""
        return self._came_by_key and self.hasFocus()  # type: ignore[attr-defined]


def is_typing() -> bool:
    """Whether the keyboard is in a field for text or numbers, where any key may belong to what is written."""
    fields = (QLineEdit, QAbstractSpinBox, QTextEdit, QPlainTextEdit, QKeySequenceEdit)
    return isinstance(QApplication.focusWidget(), fields)
