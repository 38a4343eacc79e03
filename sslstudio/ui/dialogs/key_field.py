"""A field for one key: Esc leaves it as it was, it can be emptied, and a button brings the first key back."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QHBoxLayout, QKeySequenceEdit, QLineEdit, QWidget

from sslstudio.language import tr
from sslstudio.ui import theme
from sslstudio.ui.panels.buttons import Button

FIELD = 20 * theme.SPACE  # pixels


class KeyField(QKeySequenceEdit):
    """Takes the key that is pressed; Esc keeps what it held when the keyboard came."""

    def __init__(self, name: str, title: str, key: str) -> None:
        super().__init__(QKeySequence(key))
        self._before = self.keySequence()
        self.setObjectName(name)
        self.setAccessibleName(title)
        self.setMaximumSequenceLength(1)
        self.setClearButtonEnabled(True)
        self.setFixedWidth(FIELD)
        for line in self.findChildren(QLineEdit):
            line.setPlaceholderText(tr("no key"))

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Keep what Esc goes back to."""
        self._before = self.keySequence()
        super().focusInEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take a key; Esc is none."""
        if event.key() == Qt.Key.Key_Escape and not event.modifiers():
            self.setKeySequence(self._before)
            self.clearFocus()
            event.accept()
        else:
            super().keyPressEvent(event)

    @property
    def key(self) -> str:
        """The key such as "Ctrl+K"; empty for none."""
        return self.keySequence().toString(QKeySequence.SequenceFormat.PortableText)


class KeyRow(QWidget):
    """The field with the way back to its first key.

    Signals:
        changed: Another key is in the field.
    """

    changed = Signal()

    def __init__(self, name: str, title: str, key: str, first: str) -> None:
        super().__init__()
        self._first = QKeySequence(first)
        self.field = KeyField(name, title, key)
        told = self._first.toString(QKeySequence.SequenceFormat.NativeText) or tr("no key")
        self.back = Button(f"{name}.first", "", "link", "undo", tr("Back to its first key: {key}").format(key=told))
        keep = self.back.sizePolicy()
        keep.setRetainSizeWhenHidden(True)  # the field stays where it is
        self.back.setSizePolicy(keep)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.field)
        row.addWidget(self.back)
        self.field.keySequenceChanged.connect(self._on_key)
        self.back.clicked.connect(lambda: self.field.setKeySequence(self._first))
        self.back.setVisible(self.field.keySequence() != self._first)

    def put(self, key: str) -> None:
        """Show a key without telling."""
        self.field.blockSignals(True)
        self.field.setKeySequence(QKeySequence(key))
        self.field.blockSignals(False)
        self.back.setVisible(self.field.keySequence() != self._first)

    def _on_key(self) -> None:
        self.back.setVisible(self.field.keySequence() != self._first)
        self.changed.emit()
