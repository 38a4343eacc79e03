"""Where the keyboard is, and whether somebody types there; marked only for those who came there by keyboard."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QColor, QFocusEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QKeySequenceEdit,
    QLineEdit,
    QPlainTextEdit,
    QTextEdit,
    QWidget,
)

from sslstudio.ui import theme

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


class KeyboardFrame(QWidget):
    """A frame over a large area (the image, the list of images) while the keyboard is there and came by a key."""

    def __init__(self, around: QWidget) -> None:
        super().__init__(around)
        self._around = around
        self.setObjectName(f"{around.objectName()}.frame")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.hide()
        around.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Come and go with the keyboard, and keep the size of what it frames."""
        kind = event.type()
        if kind == QEvent.Type.Resize:
            self.setGeometry(self._around.rect())
        elif kind == QEvent.Type.MouseButtonPress:
            self.hide()
        elif isinstance(event, QFocusEvent) and event.reason() not in _BACK_AGAIN:
            self.setGeometry(self._around.rect())
            self.setVisible(event.gotFocus() and event.reason() in _BY_KEY)
            self.raise_()
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        """Two lines, of which one is seen on any image."""
        painter = QPainter(self)
        area = self.rect().adjusted(0, 0, -1, -1)
        for at, colour in enumerate((theme.tone().accent, theme.tone().accent, theme.tone().on_accent)):
            painter.setPen(QPen(QColor(colour), 1))
            painter.drawRect(area.adjusted(at, at, -at, -at))


def is_typing() -> bool:
    """Whether the keyboard is in a field for text or numbers, where any key may belong to what is written."""
    fields = (QLineEdit, QAbstractSpinBox, QTextEdit, QPlainTextEdit, QKeySequenceEdit)
    return isinstance(QApplication.focusWidget(), fields)
