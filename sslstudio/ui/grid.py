"""A list in a grid whose cells are all of one size, so that where a row lies is arithmetic, however many there are."""

from __future__ import annotations

from PySide6.QtCore import QItemSelection, QItemSelectionModel, QModelIndex, QPersistentModelIndex, QPoint, QRect, Qt
from PySide6.QtGui import QCursor, QPainter, QPaintEvent, QRegion, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyle, QStyleOptionViewItem

Index = QModelIndex | QPersistentModelIndex
State = QStyle.StateFlag


class Grid(QListView):
    """A ``QListView`` (for whoever reads the screen) that lays nothing out: Qt's own takes 0.1 s for 100,000 rows."""

    def columns(self) -> int:
        """How many cells lie side by side."""
        return max(1, (self.viewport().width() - 1) // max(1, self.gridSize().width()))

    def visible_rows(self) -> tuple[int, int]:
        """First and last row in sight; (0, -1) for none."""
        return self._rows_between(0, self.viewport().height())

    def _rows_between(self, upper: int, lower: int) -> tuple[int, int]:
        """First and last row between two heights of the viewport; (0, -1) for none."""
        total, columns, height = self.model().rowCount(), self.columns(), max(1, self.gridSize().height())
        top = self.verticalOffset()
        first = max(0, (top + upper) // height * columns)
        last = min(total, ((top + lower) // height + 1) * columns) - 1
        return min(first, max(0, total - 1)), last

    # where things are -----------------------------------------------------------------------------------

    def visualRect(self, index: Index) -> QRect:
        """The cell of a row, in the viewport."""
        if not index.isValid():
            return QRect()
        size = self.gridSize()
        down, along = divmod(index.row(), self.columns())
        return QRect(along * size.width(), down * size.height() - self.verticalOffset(), size.width(), size.height())

    def indexAt(self, point: QPoint) -> QModelIndex:
        """The row whose cell holds a point of the viewport."""
        if self.model() is None:  # Qt asks once more while the list goes away with its window
            return QModelIndex()
        size, columns = self.gridSize(), self.columns()
        along, down = point.x() // size.width(), (point.y() + self.verticalOffset()) // size.height()
        row = down * columns + along
        inside = 0 <= along < columns and 0 <= row < self.model().rowCount()
        return self.model().index(row, 0) if inside else QModelIndex()

    def verticalOffset(self) -> int:
        """Pixels above the viewport."""
        return self.verticalScrollBar().value()

    def visualRegionForSelection(self, selection: QItemSelection) -> QRegion:
        """The cells of chosen rows."""
        region = QRegion()
        for index in selection.indexes():
            region += self.visualRect(index)
        return region

    # moving ---------------------------------------------------------------------------------------------

    def scrollTo(self, index: Index, hint: QAbstractItemView.ScrollHint = QListView.ScrollHint.EnsureVisible) -> None:
        """Bring a row into sight."""
        cell, room, bar = self.visualRect(index), self.viewport().height(), self.verticalScrollBar()
        if not index.isValid():
            return
        if hint == QListView.ScrollHint.PositionAtCenter:
            bar.setValue(bar.value() + cell.center().y() - room // 2)
        elif cell.top() < 0 or hint == QListView.ScrollHint.PositionAtTop:
            bar.setValue(bar.value() + cell.top())
        elif cell.bottom() >= room:
            bar.setValue(bar.value() + cell.bottom() + 1 - room)

    def moveCursor(self, action: QAbstractItemView.CursorAction, modifiers: Qt.KeyboardModifier) -> QModelIndex:
        """The row that a key leads to."""
        total, columns, now = self.model().rowCount(), self.columns(), self.currentIndex()
        if not total:
            return QModelIndex()
        if not now.isValid():
            return self.model().index(0, 0)
        page = max(1, self.viewport().height() // self.gridSize().height()) * columns
        do = QAbstractItemView.CursorAction
        steps = {
            do.MoveUp: -columns,
            do.MoveDown: columns,
            do.MoveLeft: -1,
            do.MoveRight: 1,
            do.MovePrevious: -1,
            do.MoveNext: 1,
            do.MovePageUp: -page,
            do.MovePageDown: page,
            do.MoveHome: -total,
            do.MoveEnd: total,
        }
        row = now.row() + steps.get(action, 0)
        if action in (do.MoveUp, do.MoveDown) and not 0 <= row < total:
            return now  # from the first and the last line there is no way up and down
        return self.model().index(min(max(row, 0), total - 1), 0)

    def setSelection(self, rect: QRect, command: QItemSelectionModel.SelectionFlag) -> None:
        """Choose the row at a place of the viewport; there is only one at a time."""
        index = self.indexAt(rect.center() if rect.width() <= self.gridSize().width() else rect.topLeft())
        self.selectionModel().select(QItemSelection(index, index) if index.isValid() else QItemSelection(), command)

    # Qt's events ----------------------------------------------------------------------------------------

    def doItemsLayout(self) -> None:
        """Nothing to lay out: the scroll bar alone follows the number of rows."""
        QAbstractItemView.doItemsLayout(self)

    def updateGeometries(self) -> None:
        """Let the scroll bar span all rows."""
        bar, size = self.verticalScrollBar(), self.gridSize()
        total = self.model().rowCount() if self.model() else 0
        lines = -(-total // self.columns())
        bar.setSingleStep(max(1, size.height() // 3))
        bar.setPageStep(self.viewport().height())
        bar.setRange(0, max(0, lines * size.height() - self.viewport().height()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Other columns, another height."""
        QAbstractItemView.resizeEvent(self, event)

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        """Move what is painted already."""
        self.viewport().scroll(dx, dy)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the cells that are in sight."""
        area = event.region().boundingRect()
        first, last = self._rows_between(area.top(), area.bottom())
        pointed = self._pointed()
        with QPainter(self.viewport()) as painter:
            for row in range(first, last + 1):
                index = self.model().index(row, 0)
                option = self._option(index, pointed)
                if option.rect.intersects(area):
                    self.itemDelegate().paint(painter, option, index)

    def _option(self, index: QModelIndex, pointed: QModelIndex) -> QStyleOptionViewItem:
        option = QStyleOptionViewItem()
        self.initViewItemOption(option)
        option.rect = self.visualRect(index)
        if self.selectionModel().isSelected(index):
            option.state |= State.State_Selected
        if index == pointed:
            option.state |= State.State_MouseOver
        if index == self.currentIndex() and self.hasFocus():
            option.state |= State.State_HasFocus
        return option

    def _pointed(self) -> QModelIndex:
        under = self.viewport().underMouse()
        return self.indexAt(self.viewport().mapFromGlobal(QCursor.pos())) if under else QModelIndex()
