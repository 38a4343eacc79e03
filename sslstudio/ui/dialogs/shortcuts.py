"""All keys on one page, each to be changed; two actions with one key are told before they can be kept."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QPalette
from PySide6.QtWidgets import QDialog, QFrame, QGridLayout, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from sslstudio.language import tr
from sslstudio.ui import shortcuts, theme
from sslstudio.ui.actions import ACTIONS, BY_ID, Action
from sslstudio.ui.dialogs.frame import lay_out
from sslstudio.ui.dialogs.key_field import KeyField, KeyRow
from sslstudio.ui.finding import found
from sslstudio.ui.panels.bars import SlimBar
from sslstudio.ui.panels.blocks import Notice
from sslstudio.ui.panels.buttons import Button
from sslstudio.ui.panels.fields import Line
from sslstudio.ui.panels.parts import label, question
from sslstudio.ui.shortcuts import Keys
from sslstudio.ui.synonyms import BY_POINTER, SYNONYMS, told_how

COLUMNS = (("Paint",), ("Edit", "View", "Image", "Help"), ("Learn", "File"))
_NOTE = 6 * theme.SPACE  # pixels kept free for what is said about conflicts


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
        self.rows: dict[str, list[KeyRow]] = {}  # by action, one for each key that it may have
        self._words: dict[str, list[QLabel]] = {}
        self._boxes: list[tuple[QWidget, list[str]]] = []
        self.search = Line("shortcuts.search", tr("Find an action or a key"))
        self.search.setPlaceholderText(tr("Find an action or a key"))
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._filter)
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
        column.setSpacing(theme.SPACE)
        column.addWidget(self.search)
        column.addWidget(self._scrolled(), 1)
        column.addWidget(self._place_of_note())
        sentence = tr("Click into a field and press the new key; Esc leaves it as it was. Clearing it leaves no key.")
        lay_out(self, tr("Keyboard shortcuts"), body, (self.keep, self.reset, close), sentence)
        self.resize(162 * theme.SPACE, 84 * theme.SPACE)
        self.search.setFocus()
        self._check()

    @property
    def fields(self) -> dict[str, KeyField]:
        """The field of each action's first key."""
        return {name: rows[0].field for name, rows in self.rows.items()}

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter in the search is no yes to the keys."""
        if not (self.focusWidget() is self.search and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)):
            super().keyPressEvent(event)

    def _place_of_note(self) -> QWidget:
        """Below the list and of one height, so that nothing moves when there is something to say."""
        place = QWidget()
        place.setFixedHeight(_NOTE)
        box = QVBoxLayout(place)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self.note)
        return place

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
                column.addWidget(self._pointer())
            column.addStretch(1)
            row.addLayout(column, 1)
        scroll.setWidget(body)
        return scroll

    def _group(self, menu: str) -> QWidget:
        box, grid = _box(tr(menu))
        actions = [row for row in ACTIONS if row.menu == menu]
        for action in actions:
            self._add(action, grid)
        self._boxes.append((box, [row.id for row in actions]))
        return box

    def _add(self, action: Action, grid: QGridLayout) -> None:
        """A row for each key that the action has, or had at first; one at least."""
        firsts, keys = action.shortcuts, self._keys[action.id]
        self.rows[action.id], self._words[action.id] = [], []
        for at in range(max(1, len(firsts), len(keys))):
            first, key = (given[at] if at < len(given) else "" for given in (firsts, keys))
            text = tr("{text}, also").format(text=action.told) if at else action.told
            words = label(text, wrap=False)
            words.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
            name = f"shortcuts.{action.id}" + (f".{at}" if at else "")
            row = KeyRow(name, tr("Key of {text}").format(text=text), key, first)
            row.changed.connect(lambda name=action.id: self._on_key(name))
            self.rows[action.id].append(row)
            self._words[action.id].append(words)
            below = grid.rowCount()
            grid.addWidget(words, below, 0)
            grid.addWidget(row, below, 1)

    def _on_key(self, name: str) -> None:
        """An action has what stands in its fields, each key once."""
        self._keys[name] = tuple(dict.fromkeys(row.field.key for row in self.rows[name] if row.field.key))
        self._check()

    def _show(self, keys: Keys) -> None:
        self._keys = dict(keys)
        for name, rows in self.rows.items():
            for at, row in enumerate(rows):
                row.put(keys[name][at] if at < len(keys[name]) else "")
        self._check()

    def _filter(self, query: str) -> None:
        """Leave in sight what fits the letters or has the key."""
        texts = [f"{row.told} {' '.join(self._keys[row.id])}" for row in ACTIONS]
        others = [(f"{tr(SYNONYMS.get(row.id, ''))} {tr(row.menu)}", row.told_tip) for row in ACTIONS]
        fitting = {ACTIONS[place].id for place in found(query, texts, others)}
        for name, rows in self.rows.items():
            for widget in (*rows, *self._words[name]):
                widget.setVisible(name in fitting)
        for box, names in self._boxes:
            box.setVisible(not fitting.isdisjoint(names))
        self._by_pointer.setVisible(not query.strip())

    def _check(self) -> None:
        """Say which keys are wanted twice; they cannot be kept so."""
        twice = shortcuts.conflicts(self._keys)
        self.note.say(" ".join(_conflict(key, names) for key, names in twice.items()), "poor")
        self.keep.setEnabled(not twice)
        marked = {name for names in twice.values() for name in names}
        for name, labels in self._words.items():
            for words in labels:
                words.setFont(theme.font(theme.TEXT, bold=name in marked))

    def _pointer(self) -> QWidget:
        """What the pointer and held keys do; those of tools follow the keys above."""
        box, grid = _box(tr("Pointer and held keys"))
        native = QKeySequence.SequenceFormat.NativeText
        for at, (text, how, _, name) in enumerate(BY_POINTER, 1):
            key = QKeySequence(next(iter(self._keys.get(name, ())), "")).toString(native)
            shown = label(told_how(how, key))
            shown.setForegroundRole(QPalette.ColorRole.PlaceholderText)
            grid.addWidget(label(tr(text), wrap=False), at, 0)
            grid.addWidget(shown, at, 1)
        self._by_pointer = box
        return box

    def _on_keep(self) -> None:
        self.keys_chosen.emit(self._keys)
        self.accept()


def _conflict(key: str, names: tuple[str, ...]) -> str:
    texts, never = [f"“{BY_ID[name].told}”" for name in names], shortcuts.reserved()
    if key in never:
        return tr("{key} is needed for {reserved}, so {texts} cannot have it.").format(
            key=key, reserved=never[key], texts=texts[0]
        )
    return tr("{key} is wanted by {texts}.").format(key=key, texts=tr(" and ").join(texts))


def _box(title: str) -> tuple[QWidget, QGridLayout]:
    box = QWidget()
    grid = QGridLayout(box)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setVerticalSpacing(theme.SPACE // 2)
    grid.setHorizontalSpacing(theme.SPACE)
    grid.setColumnStretch(0, 1)
    grid.addWidget(question(title), 0, 0, 1, 2)
    return box, grid
