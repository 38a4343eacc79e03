"""The images panel: what is in the folder, what kind of pictures they are, what cannot be used."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPalette
from PySide6.QtWidgets import (
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from sslstudio.language import later, tr
from sslstudio.recipes.presets import PRESETS
from sslstudio.ui.panels.blocks import Fold, Notice
from sslstudio.ui.panels.buttons import Button
from sslstudio.ui.panels.fields import Combo
from sslstudio.ui.panels.panel import Panel
from sslstudio.ui.panels.parts import label, question
from sslstudio.ui.panels.running import Empty
from sslstudio.ui.panels.states import Choice, ImagesState, ProblemRow
from sslstudio.ui.panels.words import many, thousands
from sslstudio.ui.theme import SMALL, SPACE, TEXT, font

Index = QModelIndex | QPersistentModelIndex


def preset_choices() -> tuple[Choice, ...]:
    """The kinds of images that one can choose from."""
    return tuple(Choice(preset.id, tr(preset.name), tr(preset.summary)) for preset in PRESETS.values())


class ImagesPanel(Panel):
    """Draws ``ImagesState``.

    Signals:
        open_wanted, rescan_wanted, relocate_wanted: Choose a folder; look again; say where the folder is now.
        preset_chosen: The preset's id.
        image_wanted: The path of a file in the list of problems.
        continue_wanted: Go on to pretraining.
    """

    open_wanted = Signal()
    rescan_wanted = Signal()
    relocate_wanted = Signal()
    preset_chosen = Signal(str)
    image_wanted = Signal(str)
    continue_wanted = Signal()

    ID = "panel.images"
    NAME = later("Images")
    SENTENCE = later("Your images stay where they are; nothing is written into their folder.")

    def draw(self, state: ImagesState) -> None:
        """Show ``state``; no other code touches these widgets."""
        usable = state.count - len(state.problems)
        nothing = not state.project or (state.count == 0 and not state.scanning and not state.folder_missing)
        self.empty.setVisible(nothing)
        self.empty.say(tr(EMPTY_FOLDER if state.project else NO_PROJECT))
        self.facts.setVisible(not nothing)
        self.count.setText(many(state.count, "image"))
        self.folder.setText(state.folder)
        self.folder.setToolTip(state.folder)
        self.lines.setText(_progress_words(state) or "\n".join(state.facts))
        self.missing.say(tr(FOLDER_MISSING) if state.folder_missing else "", "poor")
        self.relocate.set_words(tr("Find the folder …") if state.folder_missing else tr("The folder has moved …"))
        self.preset.draw(preset_choices(), state.preset)
        self.preset_note.setText(tr(PRESETS[state.preset].summary) if state.preset in PRESETS else "")
        self.go_on.setEnabled(usable > 0 and not state.folder_missing)
        self._draw_problems(state.problems)

    def _fill(self) -> None:
        self.empty = Empty(self._id("empty"), "images", tr(NO_PROJECT), tr("Open a folder of images"))
        self.facts = QWidget()
        self.column.addWidget(self.empty)
        self.column.addWidget(self.facts)
        box = QVBoxLayout(self.facts)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(SPACE)
        self._fill_facts(box)
        self._fill_question(box)
        self._fill_problems(box)
        self.empty.wanted.connect(self.open_wanted)
        self.preset.activated.connect(self._on_preset)
        self.go_on.clicked.connect(self.continue_wanted)
        self.rescan.clicked.connect(self.rescan_wanted)
        self.relocate.clicked.connect(self.relocate_wanted)

    def _fill_facts(self, box: QVBoxLayout) -> None:
        self.missing = Notice(self._id("missing"))
        self.count = question("")
        self.folder = label(size=SMALL, quiet=True, lines=1)
        self.lines = label(lines=3)
        self.lines.setObjectName(self._id("facts"))
        for widget in (self.missing, self.count, self.folder, self.lines):
            box.addWidget(widget)
        links = QHBoxLayout()
        self.rescan = Button(self._id("rescan"), tr("Look for new images"), "link", "refresh")
        self.relocate = Button(self._id("relocate"), tr("The folder has moved …"), "link", "folder")
        column = QVBoxLayout()
        column.setSpacing(SPACE // 2)
        column.addWidget(self.rescan)
        column.addWidget(self.relocate)
        links.addLayout(column)
        links.addStretch(1)
        box.addLayout(links)
        box.addSpacing(SPACE)

    def _fill_question(self, box: QVBoxLayout) -> None:
        self.preset = Combo(self._id("preset"), tr("What kind of images are they?"))
        self.preset_note = label(size=SMALL, quiet=True, lines=2)
        self.go_on = Button(self._id("continue"), tr("Continue to pretraining"), "primary")
        box.addWidget(question(tr("What kind of images are they?")))
        box.addWidget(self.preset)
        box.addWidget(self.preset_note)
        box.addWidget(self.go_on)
        box.addSpacing(SPACE)

    def _fill_problems(self, box: QVBoxLayout) -> None:
        self.problems = Fold(self._id("problems"), tr("Files that are left out"), open_=True)
        self.list = QListWidget()
        self.list.setObjectName(self._id("problems.list"))
        self.list.setAccessibleName(tr("Files that are left out, with the reason"))
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setItemDelegate(NameAndReason(self.list))
        self.list.setResizeMode(QListWidget.ResizeMode.Adjust)  # another width wraps otherwise
        self.list.setWordWrap(True)
        self.list.setFixedHeight(20 * SPACE)
        self.problems.body.addWidget(self.list)
        box.addWidget(self.problems)
        self._rows: tuple[ProblemRow, ...] = ()
        self.list.itemActivated.connect(self._on_problem)

    def _draw_problems(self, rows: tuple[ProblemRow, ...]) -> None:
        self.problems.setVisible(bool(rows))
        if rows == self._rows:
            return
        self._rows = rows
        self.problems.head.set_words(tr("{files} left out").format(files=many(len(rows), "file")))
        self.list.clear()
        for row in rows:
            item = QListWidgetItem(row.file)
            item.setData(REASON, row.reason)
            item.setToolTip(f"{row.file}: {row.reason}")
            self.list.addItem(item)

    def _on_preset(self) -> None:
        self.preset_chosen.emit(str(self.preset.currentData()))

    def _on_problem(self, item: QListWidgetItem) -> None:
        self.image_wanted.emit(item.text())


class NameAndReason(QStyledItemDelegate):
    """Draws a file's name, shortened in the middle, and the whole reason below it, wrapped."""

    def __init__(self, view: QListWidget) -> None:
        super().__init__(view)
        self._view = view

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """The name and as many lines as the reason takes in the list's width."""
        width = self._view.viewport().width() - 2 * SPACE
        room = QFontMetrics(font(SMALL)).boundingRect(0, 0, width, 0, WRAPPED, str(index.data(REASON)))
        return QSize(100, QFontMetrics(font(TEXT)).height() + room.height() + SPACE)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw the two lines, and the ground where the row is chosen."""
        role = QPalette.ColorRole
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        if chosen:
            painter.fillRect(option.rect, option.palette.color(role.Highlight))
        area = option.rect.adjusted(SPACE, SPACE // 2, -SPACE, -SPACE // 2)
        painter.setFont(font(TEXT))
        painter.setPen(option.palette.color(role.HighlightedText if chosen else role.Text))
        name = painter.fontMetrics().elidedText(str(index.data()), Qt.TextElideMode.ElideMiddle, area.width())
        painter.drawText(area, int(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft), name)
        below = area.adjusted(0, painter.fontMetrics().height(), 0, 0)
        painter.setFont(font(SMALL))
        painter.setPen(option.palette.color(role.HighlightedText if chosen else role.PlaceholderText))
        painter.drawText(below, WRAPPED, str(index.data(REASON)))


WRAPPED = int(Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
REASON = Qt.ItemDataRole.UserRole
NO_PROJECT = later("Start with a folder of your images. Hundreds are enough; masks are not needed.")
EMPTY_FOLDER = later("There are no images in this folder. Choose one with JPEG, PNG or TIFF files.")
FOLDER_MISSING = later("The folder with the images is not where it was. Masks and runs are safe in the project.")


def _progress_words(state: ImagesState) -> str:
    if state.scanning:
        return tr("Looking through the folder …")
    if state.checked >= 0:
        return tr("Checked {checked} of {count}").format(checked=thousands(state.checked), count=thousands(state.count))
    return ""
