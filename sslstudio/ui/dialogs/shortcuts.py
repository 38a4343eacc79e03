"""All keys on one page, each to be changed; two actions with one key are told before they can be kept."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QPalette
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QKeySequenceEdit,
    QLabel,
    QLineEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from sslstudio.language import later, tr
from sslstudio.ui import shortcuts, theme
from sslstudio.ui.actions import ACTIONS, BY_ID, Action
from sslstudio.ui.dialogs.frame import lay_out
from sslstudio.ui.panels.bars import SlimBar
from sslstudio.ui.panels.blocks import Notice
from sslstudio.ui.panels.buttons import Button
from sslstudio.ui.panels.parts import label, question
from sslstudio.ui.shortcuts import RESERVED, Keys

POINTER = (
    (later("Zoom at the pointer"), later("wheel")),
    (later("Move the image"), later("Space or middle drag")),
    (later("Brush size"), later("Shift and wheel")),
    (later("Erase for a moment"), later("Alt, or hold the eraser’s key")),
    (later("A tool for a moment"), later("hold its key")),
    (later("Pick the class"), later("right click")),
    (later("Contrast, brightness"), later("right drag across, up and down")),
    (later("Finish or cancel"), later("Enter or Esc")),
)
COLUMNS = (("Paint",), ("Edit", "View", "Image", "Help"), ("Learn", "File"))
FIELD = 20 * theme.SPACE  # pixels


class ShortcutsDialog(QDialog):
    """Three columns of keys, by menu.

    Signals:
        keys_chosen: The ``Keys`` to be used from now on; none of them twice.
    """

    keys_chosen = Signal(object)

    def __init__(self, keys: Keys, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("dialog.shortcuts")
        self._keys = dict(keys)
        self._others = {name: chosen[1:] for name, chosen in keys.items()}
        self.fields: dict[str, QKeySequenceEdit] = {}
        self._words: dict[str, QLabel] = {}
        self.note = Notice("shortcuts.conflict")
        self.keep = Button("shortcuts.keep", tr("Use these keys"), "primary")
        self.reset = Button("shortcuts.reset", tr("Back to the first keys"))
        close = Button("shortcuts.close", tr("Close"))
        self.keep.clicked.connect(self._on_keep)
        self.reset.clicked.connect(lambda: self._show(shortcuts.defaults()))
        close.clicked.connect(self.reject)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.note)
        column.addWidget(self._scrolled(), 1)
        sentence = tr("Click into a field and press the new key. Clearing it leaves the action without one.")
        lay_out(self, tr("Keyboard shortcuts"), body, (self.keep, self.reset, close), sentence)
        self.resize(162 * theme.SPACE, 84 * theme.SPACE)
        self._check()

    def _scrolled(self) -> QScrollArea:
        scroll = QScrollArea(widgetResizable=True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setVerticalScrollBar(SlimBar())
        body = QWidget()
        row = QHBoxLayout(body)
        row.setContentsMargins(0, 0, 2 * theme.SPACE, 0)
        row.setSpacing(4 * theme.SPACE)
        for menus in COLUMNS:
            column = QVBoxLayout()
            column.setSpacing(2 * theme.SPACE)
            for menu in menus:
                column.addWidget(self._group(menu))
            if "File" in menus:
                column.addWidget(_pointer())
            column.addStretch(1)
            row.addLayout(column, 1)
        scroll.setWidget(body)
        return scroll

    def _group(self, menu: str) -> QWidget:
        box, grid = _box(tr(menu))
        for at, action in enumerate((row for row in ACTIONS if row.menu == menu), 1):
            words = label(_words(action, self._keys[action.id]), wrap=False)
            words.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
            field = QKeySequenceEdit(QKeySequence(next(iter(self._keys[action.id]), "")))
            field.setObjectName(f"shortcuts.{action.id}")
            field.setAccessibleName(tr("Key of {text}").format(text=action.told))
            field.setMaximumSequenceLength(1)
            field.setClearButtonEnabled(True)
            field.setFixedWidth(FIELD)
            for line in field.findChildren(QLineEdit):
                line.setPlaceholderText(tr("no key"))
            field.keySequenceChanged.connect(lambda key, name=action.id: self._on_key(name, key))
            self.fields[action.id], self._words[action.id] = field, words
            grid.addWidget(words, at, 0)
            grid.addWidget(field, at, 1)
        return box

    def _on_key(self, name: str, key: QKeySequence) -> None:
        """Change the first key; others of the same action stay. A field empties itself before it takes another."""
        chosen = key.toString(QKeySequence.SequenceFormat.PortableText)
        others = [other for other in self._others[name] if shortcuts.plain(other) != chosen]
        self._keys[name] = (chosen, *others) if chosen else ()
        self._words[name].setText(_words(BY_ID[name], self._keys[name]))
        self._check()

    def _show(self, keys: Keys) -> None:
        self._keys = dict(keys)
        self._others = {name: chosen[1:] for name, chosen in keys.items()}
        for name, field in self.fields.items():
            field.blockSignals(True)
            field.setKeySequence(QKeySequence(next(iter(keys[name]), "")))
            field.blockSignals(False)
            self._words[name].setText(_words(BY_ID[name], keys[name]))
        self._check()

    def _check(self) -> None:
        """Say which keys are wanted twice; they cannot be kept so."""
        found = shortcuts.conflicts(self._keys)
        self.note.say(" ".join(_conflict(key, names) for key, names in found.items()), "poor")
        self.keep.setEnabled(not found)
        marked = {name for names in found.values() for name in names}
        for name, words in self._words.items():
            words.setFont(theme.font(theme.TEXT, bold=name in marked))

    def _on_keep(self) -> None:
        self.keys_chosen.emit(self._keys)
        self.accept()


def _conflict(key: str, names: tuple[str, ...]) -> str:
    texts = [f"“{BY_ID[name].told}”" for name in names]
    if key in RESERVED:
        return tr("{key} is needed for {reserved}, so {texts} cannot have it.").format(
            key=key, reserved=tr(RESERVED[key]), texts=texts[0]
        )
    return tr("{key} is wanted by {texts}.").format(key=key, texts=tr(" and ").join(texts))


def _words(action: Action, keys: tuple[str, ...]) -> str:
    native = QKeySequence.SequenceFormat.NativeText
    others = "".join(tr(" (or {tostring})").format(tostring=QKeySequence(key).toString(native)) for key in keys[1:])
    return f"{action.told}{others}"


def _pointer() -> QWidget:
    box, grid = _box(tr("Pointer"))
    for at, (text, keys) in enumerate(POINTER, 1):
        grid.addWidget(label(tr(text), wrap=False), at, 0)
        shown = label(tr(keys), wrap=False)
        shown.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        grid.addWidget(shown, at, 1)
    return box


def _box(title: str) -> tuple[QWidget, QGridLayout]:
    box = QWidget()
    grid = QGridLayout(box)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setVerticalSpacing(theme.SPACE // 2)
    grid.setHorizontalSpacing(theme.SPACE)
    grid.setColumnStretch(0, 1)
    grid.addWidget(question(title), 0, 0, 1, 2)
    return box, grid
