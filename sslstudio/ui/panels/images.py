"""The images panel: what is in the folder, what kind of pictures they are, what cannot be used."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPalette
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
PRESET_CHOICES = tuple(Choice(preset.id, preset.name, preset.summary) for preset in PRESETS.values())


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
    NAME = "Images"
    SENTENCE = "Your images stay where they are; nothing is written into their folder."

    def draw(self, state: ImagesState) -> None:
        """Show ``state``; no other code touches these widgets."""
        usable = state.count - len(state.problems)
        nothing = not state.project or (state.count == 0 and not state.scanning and not state.folder_missing)
        self.empty.setVisible(nothing)
        self.empty.say(EMPTY_FOLDER if state.project else NO_PROJECT)
        self.facts.setVisible(not nothing)
        self.count.setText(many(state.count, "image"))
        self.folder.setText(state.folder)
        self.folder.setToolTip(state.folder)
        self.lines.setText(_progress_words(state) or "\n".join(state.facts))
        self.missing.say(FOLDER_MISSING if state.folder_missing else "", "poor")
        self.relocate.set_words("Find the folder …" if state.folder_missing else "The folder has moved …")
        self.preset.draw(PRESET_CHOICES, state.preset)
        self.preset_note.setText(PRESETS[state.preset].summary if state.preset in PRESETS else "")
        self.go_on.setEnabled(usable > 0 and not state.folder_missing)
        self._draw_problems(state.problems)

    def _fill(self) -> None:
        self.empty = Empty(self._id("empty"), "images", NO_PROJECT, "Open a folder of images")
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
        self.rescan = Button(self._id("rescan"), "Look for new images", "link", "refresh")
        self.relocate = Button(self._id("relocate"), "The folder has moved …", "link", "folder")
        column = QVBoxLayout()
        column.setSpacing(SPACE // 2)
        column.addWidget(self.rescan)
        column.addWidget(self.relocate)
        links.addLayout(column)
        links.addStretch(1)
        box.addLayout(links)
        box.addSpacing(SPACE)

    def _fill_question(self, box: QVBoxLayout) -> None:
        self.preset = Combo(self._id("preset"), "What kind of images are they?")
        self.preset_note = label(size=SMALL, quiet=True, lines=2)
        self.go_on = Button(self._id("continue"), "Continue to pretraining", "primary")
        box.addWidget(question("What kind of images are they?"))
        box.addWidget(self.preset)
        box.addWidget(self.preset_note)
        box.addWidget(self.go_on)
        box.addSpacing(SPACE)

    def _fill_problems(self, box: QVBoxLayout) -> None:
        self.problems = Fold(self._id("problems"), "Files that are left out", open_=True)
        self.list = QListWidget()
        self.list.setObjectName(self._id("problems.list"))
        self.list.setAccessibleName("Files that are left out, with the reason")
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setItemDelegate(TwoLines(self.list))
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
        self.problems.head.set_words(f"{many(len(rows), 'file')} left out")
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


class TwoLines(QStyledItemDelegate):
    """Draws a file's name, shortened in the middle, and the reason below it."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Two lines of text with room around them."""
        return QSize(100, 6 * SPACE)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw the two lines, and the ground where the row is chosen."""
        role = QPalette.ColorRole
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        if chosen:
            painter.fillRect(option.rect, option.palette.color(role.Highlight))
        area = option.rect.adjusted(SPACE, SPACE // 2, -SPACE, -SPACE // 2)
        upper = area.adjusted(0, 0, 0, -area.height() // 2)
        lower = area.adjusted(0, area.height() // 2, 0, 0)
        for place, text, size, quiet, cut in (
            (upper, index.data(), TEXT, role.Text, Qt.TextElideMode.ElideMiddle),
            (lower, index.data(REASON), SMALL, role.PlaceholderText, Qt.TextElideMode.ElideRight),
        ):
            painter.setFont(font(size))
            painter.setPen(option.palette.color(role.HighlightedText if chosen else quiet))
            words = painter.fontMetrics().elidedText(str(text), cut, place.width())
            painter.drawText(place, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), words)


REASON = Qt.ItemDataRole.UserRole
NO_PROJECT = "Start with a folder of your images. Hundreds are enough; masks are not needed."
EMPTY_FOLDER = "There are no images in this folder. Choose one with JPEG, PNG or TIFF files."
FOLDER_MISSING = "The folder with the images is not where it was. Masks and runs are safe in the project."


def _progress_words(state: ImagesState) -> str:
    if state.scanning:
        return "Looking through the folder …"
    if state.checked >= 0:
        return f"Checked {thousands(state.checked)} of {thousands(state.count)}"
    return ""
