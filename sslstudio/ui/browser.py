"""The image list at the left: thumbnails, filter, search, badges."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import (
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QColor, QFontMetrics, QImage, QPainter, QPainterPath, QPalette, QPen, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from sslstudio.language import tr, tr_many, within
from sslstudio.ui import icons, theme
from sslstudio.ui.grid import Grid
from sslstudio.ui.image_model import FILTERS, ImageModel, Role, caption
from sslstudio.ui.panels.bars import SlimBar
from sslstudio.ui.panels.buttons import Button
from sslstudio.ui.panels.fields import Combo, Line
from sslstudio.ui.thumbnails import Thumbnails, Wish

if TYPE_CHECKING:
    from sslstudio.project.index import ImageRecord

CAPTION = 20  # pixels below each thumbnail
NARROWEST = 88  # of a thumbnail's cell


class Browser(QWidget):
    """Shows the project's images and says which one is chosen.

    Signals:
        chosen: The path of the image that the user (or a key) went to.
        all_wanted: All images are to be listed again, after ``show_only``.
    """

    chosen = Signal(str)
    all_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("browser")
        self.setAccessibleName(tr("Image list"))
        self.model = ImageModel(self)
        self.thumbnails = Thumbnails(self)
        self._file_of: Callable[[str], Path] = Path
        self._current = ""
        self._build()
        self._settle = QTimer(self, interval=30, singleShot=True)
        self._settle.timeout.connect(self._want_visible)
        self._searching = QTimer(self, interval=150, singleShot=True)
        self._searching.timeout.connect(self._apply_filter)
        self._counting = QTimer(self, interval=300, singleShot=True)  # counting a hundred thousand takes 20 ms
        self._counting.timeout.connect(self._show_counts)
        self._wire()

    def _build(self) -> None:
        self.heading = QLabel(tr("No images"))
        self.heading.setFont(theme.font(bold=True))
        self.filter = Combo("browser.filter", tr("Which images are listed"))
        self.filter.setMinimumWidth(15 * theme.SPACE)
        for name, label in FILTERS.items():
            self.filter.addItem(tr(label), name)
        self.search = Line("browser.search", tr("Search images by name"))
        self.search.setPlaceholderText(tr("Search by name"))
        self.search.setClearButtonEnabled(True)
        self.search.addAction(icons.icon("search"), QLineEdit.ActionPosition.LeadingPosition)
        self.only = Button("browser.only", "", "segment", "close", tr("List all images again"))
        self.only.setCheckable(True)
        self.only.hide()
        self.view = _Grid(self.thumbnails, self)
        self.view.setModel(self.model)
        self.empty = QLabel(alignment=Qt.AlignmentFlag.AlignCenter, wordWrap=True)
        self.empty.hide()
        self.empty.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self.empty.setContentsMargins(*(2 * theme.SPACE,) * 4)
        top = QHBoxLayout()
        top.addWidget(self.heading, 1)
        top.addWidget(self.filter)
        head = QVBoxLayout()
        head.setContentsMargins(theme.SPACE, theme.SPACE, theme.SPACE, 0)
        head.setSpacing(theme.SPACE)
        head.addLayout(top)
        head.addWidget(self.search)
        head.addWidget(self.only)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.SPACE)
        column.addLayout(head)
        column.addWidget(self.view, 1)
        column.addWidget(self.empty, 1)

    def _wire(self) -> None:
        self.filter.currentIndexChanged.connect(self._apply_filter)
        self.only.clicked.connect(self.all_wanted)
        self.search.textChanged.connect(lambda: self._searching.start())
        self.search.returnPressed.connect(self._apply_filter)
        self.thumbnails.ready.connect(self._on_thumbnail)
        self.view.verticalScrollBar().valueChanged.connect(self._settle_soon)
        self.view.resized.connect(self._settle_soon)
        self.view.selectionModel().currentChanged.connect(self._on_current)

    # what the window asks -----------------------------------------------------------------------------

    def open(self, cache: Path, file_of: Callable[[str], Path]) -> None:
        """Begin with a project's thumbnails; ``file_of`` finds the file of an image."""
        self.thumbnails.open(cache)
        self._file_of = file_of
        self._current = ""
        self.filter.setCurrentIndex(0)
        self.search.clear()

    def show_only(self, paths: Sequence[str] | None, words: str = "") -> None:
        """List only these images, in this order, under some words; None lists all again."""
        self.model.set_only(paths)
        self.only.setVisible(paths is not None)
        self.only.setChecked(True)
        self.only.set_words(self.only.fontMetrics().elidedText(words, Qt.TextElideMode.ElideMiddle, 17 * theme.SPACE))
        self.only.setToolTip(tr("{words}. Click to list all images again").format(words=words))
        self._mark_current(scroll=True)
        self._show_empty()
        self._settle_soon()

    def close_project(self) -> None:
        """Forget the project."""
        self.show_only(None)
        self.thumbnails.close()
        self.set_records(())

    def set_records(self, records: Sequence[ImageRecord]) -> None:
        """Show these images; the place in the list stays, or follows the current image if that was in sight."""
        place, seen = self.view.verticalScrollBar().value(), self._in_sight()
        self.model.set_records(records)
        self._show_counts()
        self._mark_current(scroll=False)
        self.view.verticalScrollBar().setValue(place)
        if seen and not self._in_sight():  # slices were put in order
            self._mark_current(scroll=True)
        self._settle_soon()

    def _in_sight(self) -> bool:
        first, last = self.view.visible_rows()
        return first <= self.model.row_of(self._current) <= last

    def update_record(self, record: ImageRecord) -> None:
        """One image changed."""
        self.model.update_record(record)
        self._counting.start()

    def show_current(self, path: str) -> None:
        """Mark the current image and bring it into sight."""
        self._current = path
        self._mark_current(scroll=True)

    def go(self, steps: int, *, wanted: Callable[[ImageRecord], bool] = lambda record: True) -> None:
        """Go on (or back) to the next listed image that is wanted."""
        row = self.model.row_of(self._current)
        rows = range(row + 1, self.model.rowCount()) if steps > 0 else range(row - 1, -1, -1)
        for candidate in rows:
            record = self.model.record_at(candidate)
            if wanted(record):
                self.chosen.emit(record.path)
                return

    def neighbours(self, path: str) -> list[str]:
        """The listed images after and before this one, the likeliest next first."""
        row = self.model.row_of(path)
        rows = [at for at in (row + 1, row - 1, row + 2) if row >= 0 and 0 <= at < self.model.rowCount()]
        return [self.model.record_at(at).path for at in rows]

    def before(self) -> str:
        """The listed image before the current one; empty for none."""
        row = self.model.row_of(self._current)
        return self.model.record_at(row - 1).path if row > 0 else ""

    # inside -------------------------------------------------------------------------------------------

    def _apply_filter(self) -> None:
        self.model.set_filter(self.filter.currentData(), self.search.text())
        self._mark_current(scroll=True)
        self._show_empty()
        self._settle_soon()

    def _show_counts(self) -> None:
        counts = self.model.counts()
        total = counts["all"]
        self.heading.setText(
            tr_many("{total:,} image", "{total:,} images", total).format(total=total).replace(",", "\u202f")
        )
        for at, (name, label) in enumerate(FILTERS.items()):
            self.filter.setItemText(at, tr(label) if name == "all" else f"{tr(label)} ({counts[name]})")
        self._show_empty()

    def _show_empty(self) -> None:
        nothing = self.model.rowCount() == 0
        self.view.setVisible(not nothing)
        self.empty.setVisible(nothing)
        if nothing and self.search.text():
            self.empty.setText(tr("No name contains “{text}”.").format(text=self.search.text()))
        elif nothing:
            name = self.filter.currentData()
            self.empty.setText(
                tr("No images here yet.")
                if name == "all"
                else tr("No image is “{filters}” at the moment.").format(filters=within(tr(FILTERS[name])))
            )

    def _mark_current(self, *, scroll: bool) -> None:
        row = self.model.row_of(self._current)
        choice = self.view.selectionModel()
        choice.blockSignals(True)
        if row >= 0:
            index = self.model.index(row)
            choice.setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
            if scroll:
                self.view.scrollTo(index)
        else:
            choice.clear()
        choice.blockSignals(False)
        self.view.viewport().update()

    def _on_current(self, index: QModelIndex, _before: QModelIndex) -> None:
        if index.isValid():
            path = self.model.record_at(index.row()).path
            if path != self._current:
                self.chosen.emit(path)

    def _on_thumbnail(self, path: str) -> None:
        row = self.model.row_of(path)
        if row >= 0:
            self.view.update(self.model.index(row))

    def _settle_soon(self) -> None:
        if not self._settle.isActive():  # begun anew with each turn of the wheel, it would wait for the hand to rest
            self._settle.start()

    def _want_visible(self) -> None:
        first, last = self.view.visible_rows()
        page = max(1, last - first + 1)
        total = self.model.rowCount()
        rows = [*range(first, min(total, last + 1)), *range(last + 1, min(total, last + 1 + page))]
        rows += range(max(0, first - page), first)
        self.thumbnails.want([self._wish(self.model.record_at(row)) for row in rows])

    def _wish(self, record: ImageRecord) -> Wish:
        return Wish(record.path, self._file_of(record.path), record.size, record.mtime_ns)


class _Grid(Grid):
    """A grid of thumbnails whose cells fill the width."""

    resized = Signal()

    def __init__(self, thumbnails: Thumbnails, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("browser.images")
        self.setAccessibleName(tr("Images"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollBar(SlimBar(self))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)  # its coming would move the grid
        self.setSelectionMode(QListView.SelectionMode.SingleSelection)
        self.setMouseTracking(True)
        self.viewport().setBackgroundRole(QPalette.ColorRole.Window)
        self.setItemDelegate(_Cell(thumbnails, self))
        self.setGridSize(QSize(NARROWEST, NARROWEST + CAPTION))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """As many columns as fit, all of the same width."""
        room = self.viewport().width() - 1
        columns = max(1, room // NARROWEST)
        side = room // columns
        self.setGridSize(QSize(side, side - theme.SPACE + CAPTION))
        super().resizeEvent(event)
        self.resized.emit()


class _Cell(QStyledItemDelegate):
    """Draws a thumbnail, its badge and its name."""

    def __init__(self, thumbnails: Thumbnails, parent: QListView) -> None:
        super().__init__(parent)
        self._thumbnails = thumbnails
        self._list = parent

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """The grid's cell."""
        return self._list.gridSize()

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Draw one cell; a file that cannot be read shows a crossed-out picture."""
        record: ImageRecord = index.data(Role.RECORD)
        tone = theme.tone()
        cell = option.rect.adjusted(theme.SPACE // 2, theme.SPACE // 2, -theme.SPACE // 2, 0)
        frame = QRect(cell.left(), cell.top(), cell.width(), cell.width())
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        self._draw_picture(painter, frame, record, tone)
        if chosen or option.state & QStyle.StateFlag.State_MouseOver:
            colour = QColor(tone.accent if chosen else tone.edge)
            painter.setPen(QPen(colour, 3 if chosen else 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(frame).adjusted(1, 1, -1, -1), 4, 4)
        _draw_badge(painter, frame, record, tone)
        painter.setFont(theme.font(theme.SMALL, bold=chosen))
        painter.setPen(QColor(tone.text if chosen else tone.quiet))
        name = QRect(cell.left(), frame.bottom() + 2, cell.width(), CAPTION - 6)
        shown = fitting_caption(record, QFontMetrics(painter.font()), name.width())
        painter.drawText(name, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignVCenter, shown)
        painter.restore()

    def _draw_picture(self, painter: QPainter, frame: QRect, record: ImageRecord, tone: theme.Tone) -> None:
        outline = QPainterPath()
        outline.addRoundedRect(QRectF(frame), 4, 4)
        painter.fillPath(outline, QColor(tone.alternate))
        image = None if record.problem else self._thumbnails.get(record.path)
        if image is not None and not image.isNull():
            painter.setClipPath(outline)
            painter.drawImage(frame, image, _cover(image, frame.size()))
            painter.setClipping(False)
        else:
            unreadable = record.problem or self._thumbnails.known(record.path)
            side = 24
            at = QRect(frame.center().x() - side // 2, frame.center().y() - side // 2, side, side)
            icons.icon("image_off" if unreadable else "image", tone.disabled).paint(painter, at)


def fitting_caption(record: ImageRecord, metrics: QFontMetrics, room: int) -> str:
    """An image's caption in ``room`` pixels: a long name loses its middle, and never which slice it is."""

    def fitted(name: str, place: str) -> str:
        return metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, room - metrics.horizontalAdvance(place))

    return caption(record, fitted)


def _cover(image: QImage, size: QSize) -> QRect:
    """The middle part of ``image`` that has the shape of ``size``."""
    width = min(image.width(), image.height() * size.width() // max(1, size.height()))
    height = min(image.height(), image.width() * size.height() // max(1, size.width()))
    return QRect((image.width() - width) // 2, (image.height() - height) // 2, width, height)


def _draw_badge(painter: QPainter, frame: QRect, record: ImageRecord, tone: theme.Tone) -> None:
    """Painted: a filled dot; predicted: a ring; a problem: an exclamation mark."""
    if not (record.problem or record.painted > 0 or record.predicted):
        return
    spot = QRectF(frame.right() - 20, frame.top() + 4, 16, 16)
    colour = "#b3261e" if record.problem else tone.accent if record.painted > 0 else "#333333"
    painter.setPen(QPen(QColor("#ffffff"), 1.5))
    painter.setBrush(QColor(colour))
    painter.drawEllipse(spot)
    if record.problem:
        painter.setFont(theme.font(theme.SMALL, bold=True))
        painter.drawText(spot, Qt.AlignmentFlag.AlignCenter, "!")
        return
    painter.setBrush(QColor(tone.on_accent) if record.painted > 0 else Qt.BrushStyle.NoBrush)
    painter.setPen(Qt.PenStyle.NoPen if record.painted > 0 else QPen(QColor("#ffffff"), 1.5))
    painter.drawEllipse(spot.adjusted(4.5, 4.5, -4.5, -4.5))
