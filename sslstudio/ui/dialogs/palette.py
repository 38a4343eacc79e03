"""The command palette: a few letters, and Enter does it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPalette
from PySide6.QtWidgets import (
    QDialog,
    QLabel,
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
from sslstudio.ui.commands import Command
from sslstudio.ui.finding import found
from sslstudio.ui.panels.bars import SlimBar
from sslstudio.ui.panels.fields import Line
from sslstudio.ui.panels.parts import label

_Index = QModelIndex | QPersistentModelIndex
_SHOWN = 12  # rows without scrolling
_ROW = 4 * theme.SPACE
_MOVES = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)


class PaletteDialog(QDialog):
    """Lists what can be done now; what is asked for and cannot be done stands there too, with the reason.

    Signals:
        chosen: A ``Command``; the palette has gone by then.
    """

    chosen = Signal(object)

    def __init__(self, commands: Sequence[Command], parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("dialog.palette")
        self.setAccessibleName(tr("Commands"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._commands = commands
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
        self.nothing = self._nothing()
        column = QVBoxLayout(self)
        column.setContentsMargins(*(theme.SPACE,) * 4)
        column.setSpacing(theme.SPACE)
        column.addWidget(self.line)
        column.addWidget(self.list, 1)
        column.addWidget(self.nothing)
        column.addStretch()  # takes the list's place where there is none
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

    @staticmethod
    def _nothing() -> QLabel:
        words = label(quiet=True)
        words.setObjectName("palette.nothing")
        words.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        words.setContentsMargins(theme.SPACE, theme.SPACE, theme.SPACE, 0)
        return words

    def _fill(self, query: str) -> None:
        self.list.clear()
        asked = bool(query.strip())
        for place in found(query, [one.text for one in self._commands], [one.others for one in self._commands]):
            command = self._commands[place]
            if asked or (command.do is not None and not command.why_not):
                self.list.addItem(_item(command))
        self.list.setCurrentRow(0)
        self.list.setVisible(self.list.count() > 0)
        self.nothing.setVisible(not self.list.count())
        self.nothing.setText(
            tr("Nothing fits “{query}”. Try one word for it, such as fill, contrast or export.").format(
                query=query.strip()
            )
        )

    def _choose(self) -> None:
        item = self.list.currentItem()
        command = None if item is None else item.data(Qt.ItemDataRole.UserRole)
        if command is not None and command.do is not None and not command.why_not:
            self.close()
            self.chosen.emit(command)


def _item(command: Command) -> QListWidgetItem:
    item = QListWidgetItem(command.text)
    item.setData(Qt.ItemDataRole.UserRole, command)
    item.setToolTip(command.tip)
    item.setSizeHint(QSize(0, _ROW))
    told = ", ".join(part for part in (command.text, command.why_not or command.key) if part)
    item.setData(Qt.ItemDataRole.AccessibleTextRole, told)
    return item


class _Command(QStyledItemDelegate):
    """Draws icon, words and, quietly at the right, the key or why not; words begin below each other."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Draw a row; quietly as a whole where it cannot be done."""
        role, middle = QPalette.ColorRole, Qt.AlignmentFlag.AlignVCenter
        command: Command = index.data(Qt.ItemDataRole.UserRole)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        possible = command.do is not None and not command.why_not
        quiet = option.palette.color(role.PlaceholderText)
        ink = option.palette.color(role.HighlightedText if chosen else role.Text)
        if chosen:
            ground = option.palette.color(role.Highlight if possible else role.Midlight)
            painter.fillRect(option.rect, ground)
        if not possible:
            ink = quiet
        area = option.rect.adjusted(theme.SPACE, 0, -theme.SPACE, 0)
        if command.icon:
            top = area.center().y() - 9
            icons.icon(command.icon, ink.name()).paint(painter, QRect(area.left(), top, 20, 20))
        painter.setPen(ink)
        painter.setFont(theme.font(theme.TEXT))
        painter.drawText(area.adjusted(28, 0, 0, 0), int(middle | Qt.AlignmentFlag.AlignLeft), command.text)
        painter.setPen(ink if chosen and possible else quiet)
        painter.drawText(area, int(middle | Qt.AlignmentFlag.AlignRight), command.why_not or command.key)
