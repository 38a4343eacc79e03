"""The rows of the backbone picker's table: what is shown, what it is sorted by."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QSortFilterProxyModel, Qt

from sslstudio.language import later, tr
from sslstudio.recipes.catalogue import Backbone
from sslstudio.recipes.machine import Estimate, memory_words, time_words

# Headings and widths in pixels.
COLUMNS = {
    later("Name"): 188,
    later("Family"): 156,
    later("Parameters"): 84,
    later("Patch"): 56,
    later("Made for"): 84,
    later("Licence of weights"): 136,
    later("Memory"): 92,
    later("Time a step"): 102,
}
NAME, FAMILY, PARAMETERS, PATCH, SIZE, LICENCE, MEMORY, TIME = range(8)
_TIPS = {
    PATCH: later("Side of a patch, or step of the coarsest feature map, in pixels: smaller is finer and slower"),
    SIZE: later("Side of the images that the published weights were made for; other sizes are allowed"),
    LICENCE: later("Of the default published weights, as their publisher states it; “–” where there are none"),
    MEMORY: later("About how much memory a training step needs here"),
    TIME: later("About how long a training step takes here"),
}
_NUMBERS = (PARAMETERS, PATCH, SIZE, MEMORY, TIME)
Index = QModelIndex | QPersistentModelIndex


class BackboneModel(QAbstractTableModel):
    """All backbones; ``keep`` says which rows a filter on the role after UserRole lets through."""

    def __init__(self, backbones: tuple[Backbone, ...]) -> None:
        super().__init__()
        self.backbones = backbones
        self._estimates: Mapping[str, Estimate] = {}
        self._kept: Collection[str] = frozenset(row.name for row in backbones)

    def keep(self, names: Collection[str]) -> None:
        """Mark these rows as wanted; the proxy filters when it is told to."""
        self._kept = frozenset(names)

    def estimate(self, found: Mapping[str, Estimate]) -> None:
        """Show what a step takes, by name."""
        self._estimates = found
        last = self.index(len(self.backbones) - 1, TIME)
        self.dataChanged.emit(self.index(0, MEMORY), last)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  (Qt's own signature)
        """One per backbone."""
        return 0 if parent.isValid() else len(self.backbones)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """As many as there are headings."""
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Headings, aligned as their columns, with tips where a word needs one."""
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return tr(list(COLUMNS)[section])
        if role == Qt.ItemDataRole.ToolTipRole:
            return tr(_TIPS.get(section, ""))
        return _alignment(section) if role == Qt.ItemDataRole.TextAlignmentRole else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Words for people; numbers for sorting (UserRole); "kept" or nothing for the filter (the role after)."""
        row, column = self.backbones[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._words(row, column)
        if role == Qt.ItemDataRole.UserRole:
            return self._order(row, column)
        if role == Qt.ItemDataRole.UserRole + 1:
            return "kept" if row.name in self._kept else ""
        if role == Qt.ItemDataRole.ToolTipRole:
            return row.name if column == NAME else row.licence if column == LICENCE else None
        return _alignment(column) if role == Qt.ItemDataRole.TextAlignmentRole else None

    def _words(self, row: Backbone, column: int) -> str:
        took = self._estimates.get(row.name)
        return {
            NAME: row.name,
            FAMILY: row.family,
            PARAMETERS: f"{row.parameters / 1e6:,.1f} M",
            PATCH: tr("{patch} px").format(patch=row.patch),
            SIZE: tr("{size} px").format(size=row.size),
            LICENCE: "–" if not row.weights else row.licence or tr("not stated"),
            MEMORY: memory_words(took.memory) if took else "",
            TIME: time_words(took.seconds) if took else "",
        }[column]

    def _order(self, row: Backbone, column: int) -> Any:
        took = self._estimates.get(row.name)
        return {
            NAME: row.name,
            FAMILY: row.family.lower(),
            PARAMETERS: row.parameters,
            PATCH: row.patch,
            SIZE: row.size,
            LICENCE: row.licence or "~",
            MEMORY: took.memory if took else 0.0,
            TIME: took.seconds if took else 0.0,
        }[column]


class SortedBackbones(QSortFilterProxyModel):
    """Sorts by the numbers behind the words; Qt compares large Python numbers only nearly."""

    def lessThan(self, left: Index, right: Index) -> bool:
        """Whether one row comes before another."""
        source = self.sourceModel()
        return bool(source.data(left, Qt.ItemDataRole.UserRole) < source.data(right, Qt.ItemDataRole.UserRole))


def _alignment(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if column in _NUMBERS else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter
