"""Chooses a backbone out of all that can be used: a few that are worth trying first, then a table to search."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, QItemSelection, QModelIndex, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QFileDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QStackedWidget,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from sslstudio.errors import UserError
from sslstudio.language import later, tr
from sslstudio.recipes.catalogue import Backbone, catalogue, families, find
from sslstudio.recipes.machine import RECOMMENDED, estimate, machine
from sslstudio.runs.inspect import inspect_checkpoint, measure_machine
from sslstudio.ui import background, theme
from sslstudio.ui.dialogs.backbone_table import COLUMNS, NAME, BackboneModel, SortedBackbones
from sslstudio.ui.dialogs.frame import lay_out
from sslstudio.ui.panels.bars import SlimBar
from sslstudio.ui.panels.blocks import Notice
from sslstudio.ui.panels.buttons import Button
from sslstudio.ui.panels.fields import Combo, Line
from sslstudio.ui.panels.parts import label, question
from sslstudio.ui.panels.states import Choice
from sslstudio.ui.theme import SMALL, SPACE

SENTENCE = later(
    "The backbone is the network that learns from your images. Larger ones know more and "
    "take longer; transformers (ViT) show where they look."
)
FILES = later("Checkpoints (*.safetensors *.pth *.pt *.bin *.tar *.ckpt);;All files (*)")


class BackbonesDialog(QDialog):
    """A picker; ``resolution`` and ``images`` are of the step that memory and time are told for.

    Signals:
        chosen: A timm name and where to start from: "scratch", "timm" or the path of a checkpoint.
    """

    chosen = Signal(str, str)

    def __init__(
        self, current: str, *, gpu: bool, resolution: int = 128, images: int = 64, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("dialog.backbones")
        self._step = (resolution, images)
        self._file = ""  # a checkpoint to start from, and the backbone that it is for
        self._file_backbone = ""
        self._busy: background.Task | None = None
        self._make_controls()
        self._choose = Button("backbones.choose", tr("Choose"), "primary")
        self._from_file = Button(
            "backbones.file", tr("From a file…"), tip=tr("Start from a checkpoint on this computer")
        )
        cancel = Button("backbones.cancel", tr("Cancel"))
        body = self._body(gpu)
        column = lay_out(self, tr("Choose a backbone"), body, (self._choose, self._from_file, cancel), tr(SENTENCE))
        column.setSpacing(SPACE + SPACE // 2)
        self.resize(124 * SPACE, 88 * SPACE)
        self._wire()
        cancel.clicked.connect(self.reject)
        self._estimate()
        self._filter()
        self.show_backbone(current.split(".")[0])
        self.search.setFocus()

    # parts ---------------------------------------------------------------------------------------------

    def _make_controls(self) -> None:
        self.search = Line("backbones.search", tr("Search backbones"))
        self.search.setPlaceholderText(tr("Search: dinov3, small, apache, mobile …"))
        self.search.setClearButtonEnabled(True)
        self.family = Combo("backbones.family", tr("Family"))
        every = (Choice("", tr("All families ({catalogue})").format(catalogue=len(catalogue()))),)
        self.family.draw((*every, *(Choice(name, f"{name} ({n})") for name, n in families().items())), "")
        self.family.setMaxVisibleItems(20)
        self.weights = Combo("backbones.weights", tr("Start from"))
        self.table = _table()
        self.model = BackboneModel(tuple(catalogue().values()))
        self.shown = SortedBackbones(self)
        self.shown.setSourceModel(self.model)
        self.shown.setFilterRole(Qt.ItemDataRole.UserRole + 1)
        self.table.setModel(self.shown)
        head = self.table.horizontalHeader()
        for column, width in enumerate(COLUMNS.values()):
            head.resizeSection(column, width)
        head.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        self.table.sortByColumn(NAME, Qt.SortOrder.AscendingOrder)
        self.nothing = label("", quiet=True)
        self.nothing.setObjectName("backbones.nothing")
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.clear = Button("backbones.clear", tr("Show all backbones"))
        self.count = label("", SMALL, quiet=True, tabular=True, wrap=False)
        self.count.setObjectName("backbones.count")
        self.count.setFixedWidth(13 * SPACE)
        self.note = Notice("backbones.note")
        self.basis = label("", SMALL, quiet=True)
        self.measure = Button(
            "backbones.measure", tr("Measure this machine"), "link", tip=tr("Takes about half a minute")
        )
        self.summary = label("", bold=True, wrap=False)
        self.summary.setObjectName("backbones.summary")
        self.facts = label("", SMALL, quiet=True, lines=1)

    def _body(self, gpu: bool) -> QWidget:
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE)
        column.addLayout(self._recommended(gpu))
        column.addSpacing(SPACE // 2)
        line = QHBoxLayout()
        line.setSpacing(SPACE)
        line.addWidget(self.search, 3)
        line.addWidget(self.family, 2)
        line.addWidget(self.count)
        column.addLayout(line)
        self.pages = QStackedWidget()
        self.pages.addWidget(self.table)
        self.pages.addWidget(self._empty())
        column.addWidget(self.pages, 1)
        column.addLayout(self._details())
        column.addWidget(self.note)
        return body

    def _recommended(self, gpu: bool) -> QGridLayout:
        """Three for a processor beside three for a GPU; this machine's own come first."""
        grid = QGridLayout()
        grid.setHorizontalSpacing(4 * SPACE)
        grid.setVerticalSpacing(SPACE // 2)
        order = ("cuda", "cpu") if gpu else ("cpu", "cuda")
        for place, device in enumerate(order):
            here = tr("  ·  this computer") if place == 0 else ""
            title = question(
                tr("Good on a GPU{here}").format(here=here)
                if device == "cuda"
                else tr("Good without a GPU{here}").format(here=here)
            )
            grid.addWidget(title, 0, place)
            grid.setColumnStretch(place, 1)
            advised = [advice for advice in RECOMMENDED if advice.device == device and advice.name in catalogue()]
            for row, advice in enumerate(advised):
                grid.addWidget(self._advised(advice.name, tr(advice.reason)), row + 1, place)
        return grid

    def _advised(self, name: str, reason: str) -> QWidget:
        box = QWidget()
        column = QVBoxLayout(box)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        button = Button(f"backbones.advised.{name}", name, "link", tip=tr("Show it in the table"))
        button.clicked.connect(lambda: self._show_advised(name))
        column.addWidget(button)
        column.addWidget(label(reason, SMALL, quiet=True))
        return box

    def _empty(self) -> QWidget:
        page = QFrame()
        column = QVBoxLayout(page)
        column.addStretch(1)
        column.addWidget(self.nothing)
        line = QHBoxLayout()
        line.addStretch(1)
        line.addWidget(self.clear)
        line.addStretch(1)
        column.addLayout(line)
        column.addStretch(2)
        return page

    def _details(self) -> QVBoxLayout:
        """What is selected, where it starts from, and what the estimates stand on."""
        line = QHBoxLayout()
        line.setSpacing(2 * SPACE)
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(self.summary)
        words.addWidget(self.facts)
        line.addLayout(words, 3)
        line.addWidget(self.weights, 2)
        basis = QHBoxLayout()
        basis.setSpacing(SPACE)
        basis.addWidget(self.basis, 1, Qt.AlignmentFlag.AlignVCenter)
        basis.addWidget(self.measure, 0, Qt.AlignmentFlag.AlignVCenter)
        column = QVBoxLayout()
        column.setSpacing(SPACE // 2)
        column.addLayout(line)
        column.addLayout(basis)
        return column

    def _wire(self) -> None:
        self.search.textChanged.connect(self._filter)
        self.search.returnPressed.connect(self._on_choose)
        self.search.installEventFilter(self)
        self.family.activated.connect(self._filter)
        self.clear.clicked.connect(self._on_clear)
        self.table.selectionModel().selectionChanged.connect(self._on_selected)
        self.table.activated.connect(self._on_choose)
        self._choose.clicked.connect(self._on_choose)
        self._from_file.clicked.connect(self._ask_file)
        self.measure.clicked.connect(self._on_measure)

    # what is shown -------------------------------------------------------------------------------------

    def selected(self) -> Backbone | None:
        """The row that is chosen, if any."""
        rows = self.table.selectionModel().selectedRows()
        return self.model.backbones[self.shown.mapToSource(rows[0]).row()] if rows else None

    def show_backbone(self, name: str) -> None:
        """Select a row and bring it into view; an unknown name selects nothing."""
        place = next((i for i, row in enumerate(self.model.backbones) if row.name == name), -1)
        index = self.shown.mapFromSource(self.model.index(place, 0)) if place >= 0 else QModelIndex()
        if index.isValid():
            self.table.selectRow(index.row())
            self.table.scrollTo(index, QAbstractItemView.ScrollHint.PositionAtCenter)
        else:
            self.table.clearSelection()
        self._draw_selected()

    def _show_advised(self, name: str) -> None:
        self._on_clear()
        self.show_backbone(name)
        self.table.setFocus()

    def _filter(self) -> None:
        kept = self.selected()
        names = {row.name for row in find(self.search.text(), str(self.family.currentData() or ""))}
        self.model.keep(names)
        self.shown.setFilterFixedString("kept")
        self.pages.setCurrentIndex(0 if names else 1)
        self.nothing.setText(
            tr("No backbone matches “{text}”. A timm name can also be typed in the panel.").format(
                text=self.search.text()
            )
        )
        self.count.setText(tr("{names} shown").format(names=len(names)))
        if kept is not None and kept.name in names:
            self.show_backbone(kept.name)
        elif names:
            self.table.selectRow(0)
        self._draw_selected()

    def _estimate(self) -> None:
        """Fill the columns of memory and time for this machine."""
        here, (resolution, images) = machine(), self._step
        self.model.estimate(
            {r.name: estimate(r, here, resolution=resolution, images=images) for r in self.model.backbones}
        )
        how = (
            tr("as measured on {device}").format(device=here.device)
            if here.measured
            else tr("a guess from this computer's cores")
        )
        self.basis.setText(
            tr(
                "Memory and time are of one step with {images} images, two views of {resolution} pixels each; {how}."
            ).format(images=images, resolution=resolution, how=how)
        )

    def _draw_selected(self) -> None:
        row = self.selected()
        self._choose.setEnabled(row is not None)
        self.weights.setEnabled(row is not None)
        self.summary.setText(row.name if row else tr("Nothing is chosen"))
        self.facts.setText(_facts(row) if row else "")
        choices = [Choice("scratch", tr("From scratch"))]
        if row is not None:
            choices += [Choice(f"timm {w.tag}", _weights_words(w.tag, w.licence)) for w in row.weights]
            if self._file and row.name == self._file_backbone:
                choices.insert(0, Choice(self._file, tr("From {name}").format(name=Path(self._file).name)))
        self.weights.draw(tuple(choices), self._meant(choices, row))

    def _meant(self, choices: list[Choice], row: Backbone | None) -> str:
        """A file that was just chosen; the weights that were searched for; else scratch, which needs no network."""
        if row is None:
            return choices[0].id
        if self._file and row.name == self._file_backbone:
            return self._file
        words = self.search.text().lower().split()
        for weights in row.weights:
            if any(word in weights.tag and word not in f"{row.name} {row.family}".lower() for word in words):
                return f"timm {weights.tag}"
        return choices[0].id

    # acting --------------------------------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Arrow keys in the search line walk through the table, so that the hand stays where it is."""
        if watched is self.search and event.type() == QEvent.Type.KeyPress:
            key = event.key() if isinstance(event, QKeyEvent) else 0
            if key in (Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_PageDown, Qt.Key.Key_PageUp):
                self.table.event(event)
                return True
        return super().eventFilter(watched, event)

    def _on_selected(self, selected: QItemSelection, deselected: QItemSelection) -> None:
        del selected, deselected
        self._draw_selected()

    def _on_clear(self) -> None:
        self.search.clear()
        self.family.setCurrentIndex(0)
        self._filter()
        self.search.setFocus()

    def _on_choose(self) -> None:
        row = self.selected()
        if row is None:
            return
        start = str(self.weights.currentData())
        name = row.name
        if start.startswith("timm "):
            tag, start = start.removeprefix("timm "), "timm"
            name = f"{name}.{tag}" if tag else name
        self.chosen.emit(name, start)
        self.accept()

    def _on_measure(self) -> None:
        self._begin(tr("Measuring how fast this computer trains; about half a minute …"))
        self._busy = background.run(lambda _: measure_machine(), self._on_measured, self._on_failed)

    def _on_measured(self, found: Any) -> None:
        del found
        self._end()
        self._estimate()

    def _ask_file(self) -> None:
        dialog = QFileDialog(self, tr("Start from a checkpoint"), "", tr(FILES))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(self.inspect_file)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def inspect_file(self, file: str) -> None:
        """Look in the background what a checkpoint is, then select its backbone and tell what would be used."""
        self._begin(tr("Looking into {name} …").format(name=Path(file).name))
        row = self.selected()
        backbone = row.name if row is not None else ""

        def look(_: object) -> dict[str, Any]:
            found = inspect_checkpoint(Path(file))
            return found if found["backbone"] else inspect_checkpoint(Path(file), backbone)

        self._busy = background.run(look, self._on_inspected, self._on_failed)

    def _on_inspected(self, found: dict[str, Any]) -> None:
        self._end()
        if found["problem"] or found["backbone"] not in catalogue():
            self.note.say(
                found["problem"] or tr("“{backbone}” is not in the list.").format(backbone=found["backbone"]), "fair"
            )
            return
        self._file, self._file_backbone = found["file"], found["backbone"]
        self._on_clear()
        self.show_backbone(self._file_backbone)
        self.note.say(found["told"], "good" if not found["report"]["missing"] else "fair")

    def _on_failed(self, error: UserError) -> None:
        self._end()
        self.note.say(f"{error.problem} {error.advice}", "poor")

    def _begin(self, text: str) -> None:
        self.note.say(text, "none")
        for button in (self.measure, self._from_file):
            button.setEnabled(False)

    def _end(self) -> None:
        self._busy = None
        self.note.say("")
        for button in (self.measure, self._from_file):
            button.setEnabled(True)

    def done(self, result: int) -> None:
        """Close; what is still being looked at is dropped."""
        if self._busy is not None:
            self._busy.cancel()
        super().done(result)


def _facts(row: Backbone) -> str:
    """One line about a backbone in words."""
    kind = tr("Transformer with attention maps") if row.kind == "vit" else tr("Network with a pyramid of feature maps")
    fixed = tr("; sees every image stretched to {size} pixels").format(size=row.size) if row.fixed else ""
    weights = tr("; {weights} published weights").format(weights=len(row.weights)) if len(row.weights) > 1 else ""
    none = tr("; no published weights") if not row.weights else ""
    return f"{kind}{fixed}{weights}{none}."


def _weights_words(tag: str, licence: str) -> str:
    return tr("Published: {tag} ({licence})").format(
        tag=tag or tr("default"), licence=licence or tr("licence not stated")
    )


def _table() -> QTableView:
    table = QTableView()
    table.setObjectName("backbones.table")
    table.setAccessibleName(tr("Backbones"))
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setAlternatingRowColors(True)
    table.setShowGrid(False)
    table.setSortingEnabled(True)
    table.setWordWrap(False)
    table.setTabKeyNavigation(False)
    table.setVerticalScrollBar(SlimBar())
    table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    table.setFrameShape(QFrame.Shape.StyledPanel)
    table.verticalHeader().hide()
    table.verticalHeader().setDefaultSectionSize(3 * SPACE)
    head = table.horizontalHeader()
    head.setHighlightSections(False)
    head.setFont(theme.font(SMALL))
    head.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
    head.setMinimumSectionSize(4 * SPACE)
    return table
