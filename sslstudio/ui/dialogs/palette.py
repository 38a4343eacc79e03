"""The command palette: a few letters, and Enter does it."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence, QPainter, QPalette
from PySide6.QtWidgets import (
    QDialog,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from sslstudio.language import tr
from sslstudio.ui import icons, theme
from sslstudio.ui.actions import BY_ID
from sslstudio.ui.finding import found
from sslstudio.ui.panels.bars import SlimBar
from sslstudio.ui.panels.fields import Line

_Index = QModelIndex | QPersistentModelIndex
_KEY = Qt.ItemDataRole.UserRole + 1
_SHOWN = 12  # rows without scrolling
_ROW = 4 * theme.SPACE
_MOVES = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)


class PaletteDialog(QDialog):
    """Lists what can be done now; what cannot is left out.

    Signals:
        chosen: The id of an action; the palette has gone by then.
    """

    chosen = Signal(str)

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("dialog.palette")
        self.setAccessibleName(tr("Commands"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        possible = {name: one for name, one in actions.items() if one.isEnabled() and one.isVisible()}
        self._names = [name for name in possible if name != "help.palette"]
        self._actions = possible
        self._texts = [f"{possible[name].text().rstrip('…')} {tr(BY_ID[name].menu)}" for name in self._names]
        self.line = Line("palette.line", tr("What do you want to do?"))
        self.line.setPlaceholderText(tr("What do you want to do?"))
        self.line.installEventFilter(self)
        self.line.textChanged.connect(self._fill)
        self.list = QListWidget()
        self.list.setObjectName("palette.list")
        self.list.setAccessibleName(tr("Commands that fit"))
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setVerticalScrollBar(SlimBar())
        self.list.setItemDelegate(_Command(self.list))
        self.list.itemClicked.connect(lambda _: self._choose())
        column = QVBoxLayout(self)
        column.setContentsMargins(*(theme.SPACE,) * 4)
        column.setSpacing(theme.SPACE)
        column.addWidget(self.line)
        column.addWidget(self.list)
        self.setFixedSize(64 * theme.SPACE, _SHOWN * _ROW + 7 * theme.SPACE)
        self._fill("")
        self.line.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Arrows move in the list while letters go into the line."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._choose()
                return True
            if event.key() in _MOVES:
                self.list.event(event)
                return True
        return super().eventFilter(watched, event)

    def _fill(self, query: str) -> None:
        self.list.clear()
        native = QKeySequence.SequenceFormat.NativeText
        for place in found(query, self._texts):
            name = self._names[place]
            action = self._actions[name]
            item = QListWidgetItem(action.text().rstrip("…"))
            item.setData(_KEY, action.shortcut().toString(native))
            item.setData(Qt.ItemDataRole.UserRole, name)
            item.setToolTip(BY_ID[name].told_tip)
            item.setSizeHint(QSize(0, _ROW))
            self.list.addItem(item)
        self.list.setCurrentRow(0)

    def _choose(self) -> None:
        item = self.list.currentItem()
        if item is not None:
            name = item.data(Qt.ItemDataRole.UserRole)
            self.close()
            self.chosen.emit(name)


class _Command(QStyledItemDelegate):
    """Draws icon, words and, quietly at the right, the key; words begin below each other with and without icon."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Draw a row."""
        role, middle = QPalette.ColorRole, Qt.AlignmentFlag.AlignVCenter
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        ink = option.palette.color(role.HighlightedText if chosen else role.Text)
        if chosen:
            painter.fillRect(option.rect, option.palette.color(role.Highlight))
        area = option.rect.adjusted(theme.SPACE, 0, -theme.SPACE, 0)
        glyph = BY_ID[index.data(Qt.ItemDataRole.UserRole)].icon
        if glyph:
            top = area.center().y() - 9
            icons.icon(glyph, ink.name()).paint(painter, QRect(area.left(), top, 20, 20))
        painter.setPen(ink)
        painter.setFont(theme.font(theme.TEXT))
        painter.drawText(area.adjusted(28, 0, 0, 0), int(middle | Qt.AlignmentFlag.AlignLeft), str(index.data()))
        painter.setPen(ink if chosen else option.palette.color(role.PlaceholderText))
        painter.drawText(area, int(middle | Qt.AlignmentFlag.AlignRight), str(index.data(_KEY)))
