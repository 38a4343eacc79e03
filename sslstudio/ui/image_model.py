"""The list of images behind the browser: records, filter, search; a hundred thousand rows without a stutter."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from sslstudio.images.slices import split_slice
from sslstudio.language import later, tr, tr_many

if TYPE_CHECKING:
    from sslstudio.project.index import ImageRecord

Index = QModelIndex | QPersistentModelIndex

FILTERS = {
    "all": later("All"),
    "painted": later("Painted"),
    "unpainted": later("Not painted"),
    "predicted": later("Predicted"),
    "problem": later("With a problem"),
}


class Role(IntEnum):
    """What the model gives beyond Qt's own roles."""

    RECORD = Qt.ItemDataRole.UserRole + 1


class ImageModel(QAbstractListModel):
    """Shows the records that pass filter and search, in the project's order."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._records: list[ImageRecord] = []
        self._places: dict[str, int] = {}
        self._shown: Sequence[int] = range(0)  # the places of the shown rows
        self._rows: dict[int, int] | None = None  # their rows; None while all are shown
        self._filter = "all"
        self._search = ""
        self._only: tuple[str, ...] | None = None

    # Qt's questions -------------------------------------------------------------------------------------

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """How many images pass."""
        return 0 if parent.isValid() else len(self._shown)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Name, tool tip or the whole record of a row."""
        if not index.isValid():
            return None
        record = self._records[self._shown[index.row()]]
        if role == Qt.ItemDataRole.DisplayRole:
            return caption(record)
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleDescriptionRole):
            return describe(record)
        if role == Role.RECORD:
            return record
        return None

    # ours -----------------------------------------------------------------------------------------------

    def set_records(self, records: Sequence[ImageRecord]) -> None:
        """Take over the whole list; the filter stays."""
        self.beginResetModel()
        self._records = list(records)
        self._places = {record.path: place for place, record in enumerate(self._records)}
        self._choose()
        self.endResetModel()

    def update_record(self, record: ImageRecord) -> None:
        """One image changed; it stays where it is even if the filter would no longer let it pass."""
        place = self._places.get(record.path)
        if place is None:
            return
        self._records[place] = record
        row = self._row_at(place)
        if row >= 0:
            self.dataChanged.emit(self.index(row), self.index(row))

    def set_filter(self, name: str, search: str) -> None:
        """Choose which images pass: one of ``FILTERS``, and a part of the name."""
        self._filter, self._search = name, search.strip().lower()
        self.beginResetModel()
        self._choose()
        self.endResetModel()

    def set_only(self, paths: Sequence[str] | None) -> None:
        """Let only these images pass, in this order; None lifts the limit. Filter and search hold besides."""
        self._only = None if paths is None else tuple(paths)
        self.beginResetModel()
        self._choose()
        self.endResetModel()

    def record_at(self, row: int) -> ImageRecord:
        """The record of a shown row."""
        return self._records[self._shown[row]]

    def row_of(self, path: str) -> int:
        """The shown row of an image, or -1."""
        return self._row_at(self._places.get(path, -1))

    def count(self) -> int:
        """How many images there are, shown or not."""
        return len(self._records)

    def counts(self) -> dict[str, int]:
        """How many images each filter would let pass."""
        problems = sum(1 for record in self._records if record.problem)
        painted = sum(1 for record in self._records if record.painted > 0 and not record.problem)
        predicted = sum(1 for record in self._records if record.predicted and not record.problem)
        total = len(self._records)
        return {
            "all": total,
            "painted": painted,
            "unpainted": total - problems - painted,
            "predicted": predicted,
            "problem": problems,
        }

    def _row_at(self, place: int) -> int:
        return place if self._rows is None else self._rows.get(place, -1)

    def _choose(self) -> None:
        name, text = self._filter, self._search
        if self._only is None and name == "all" and not text:
            self._shown, self._rows = range(len(self._records)), None
            return
        everything: Iterable[int] = range(len(self._records))
        if self._only is not None:
            everything = [self._places[path] for path in self._only if path in self._places]
        self._shown = [
            place
            for place in everything
            if _passes(self._records[place], name) and (not text or text in self._records[place].path.lower())
        ]
        self._rows = {place: row for row, place in enumerate(self._shown)}


def _passes(record: ImageRecord, name: str) -> bool:
    if name == "all":
        return True
    if name == "problem":
        return bool(record.problem)
    if record.problem:
        return False
    if name == "predicted":
        return record.predicted
    return (record.painted > 0) == (name == "painted")


def caption(record: ImageRecord, fitted: Callable[[str, str], str] = lambda name, place: name) -> str:
    """The name of an image's file without its folder; of a stack, which slice it is.

    ``fitted`` may shorten the name: it is given the name and what comes behind, which is never cut.
    """
    name = split_slice(record.path)[0].rsplit("/", 1)[-1]
    place = f" {record.slice}/{record.slices}" if record.slices > 1 else ""
    return fitted(name, place) + place


def title(record: ImageRecord) -> str:
    """The path of an image's file; of a stack, which slice it is."""
    file = split_slice(record.path)[0]
    return (
        tr("{file} · slice {slice} of {slices}").format(file=file, slice=record.slice, slices=record.slices)
        if record.slices > 1
        else record.path
    )


def describe(record: ImageRecord) -> str:
    """A record in words, for tool tips and screen readers."""
    lines = [title(record)]
    if record.problem:
        return "\n".join((lines[0], record.problem))
    if record.width:
        lines.append(f"{record.width} × {record.height} · {depth(record)}")
    if record.painted:
        share = record.painted * 100
        lines.append(tr("{share:.0f} % painted").format(share=share) if share >= 1 else tr("painted in a few places"))
    else:
        lines.append(tr("not painted yet"))
    if record.predicted:
        lines.append(tr("has a prediction"))
    return "\n".join(lines)


def depth(record: ImageRecord) -> str:
    """Bit depth and channels in words: “8 bit colour”."""
    bits = {"uint8": tr("8 bit"), "uint16": tr("16 bit"), "float32": tr("32 bit float")}.get(record.dtype, record.dtype)
    count = record.channels
    many = tr_many("{count} channel", "{count} channels", count).format(count=count) if count else ""
    kind = {1: tr("grey"), 3: tr("colour")}.get(count, many)
    return f"{bits} {kind}".strip()
