"""The panel “Is it working?”: figures in plain words, whether pretraining helped, images alike, the map."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from sslstudio.language import later, tr
from sslstudio.ui.panels.blocks import Dot, Notice, Segments
from sslstudio.ui.panels.buttons import Button
from sslstudio.ui.panels.fields import Check, Combo
from sslstudio.ui.panels.intervals import IntervalPlot
from sslstudio.ui.panels.panel import Panel
from sslstudio.ui.panels.parts import label, question
from sslstudio.ui.panels.running import RunBox
from sslstudio.ui.panels.words import many
from sslstudio.ui.panels.working_state import FigureRow, WorkingState
from sslstudio.ui.shortcuts import tell_keys
from sslstudio.ui.theme import SMALL, SPACE

CHECK_TIMES = {"3": later("3 min"), "10": later("10 min"), "30": later("30 min")}


class WorkingPanel(Panel):
    """Draws ``WorkingState``.

    Signals:
        back_wanted: Go back to Pretrain.
        network_chosen: The key of a network.
        look_wanted: Let the chosen network look at all images.
        check_wanted: Find out whether it helped, within so many minutes.
        pause_wanted, resume_wanted, stop_wanted: A run's id.
        alike_wanted: List images like the current one.
        all_wanted: List all images again.
        map_chosen: Whether the map is shown.
        lasso_chosen: Whether dragging on the map selects.
        colour_chosen: What colours mean on the map.
    """

    back_wanted = Signal()
    network_chosen = Signal(str)
    look_wanted = Signal()
    check_wanted = Signal(float)
    pause_wanted = Signal(str)
    resume_wanted = Signal(str)
    stop_wanted = Signal(str)
    alike_wanted = Signal()
    all_wanted = Signal()
    map_chosen = Signal(bool)
    lasso_chosen = Signal(bool)
    colour_chosen = Signal(str)

    ID = "panel.working"
    NAME = later("Is it working?")
    SENTENCE = later("What the network has learned about your images, measured and shown.")

    def draw(self, state: WorkingState) -> None:
        """Show ``state``; no other code touches these widgets."""
        self.network.draw(state.networks, state.network)
        self.network.setEnabled(bool(state.networks))
        looking = state.look is not None and state.look.active
        self.look_run.setVisible(looking)
        if state.look is not None and looking:
            self.look_run.draw(state.look)
        self.look.setVisible(not looking)
        self.look.setEnabled(bool(state.networks) and state.images > 1)
        fresh = state.looked >= state.images
        self.look.set_words(tr("Look again") if state.looked else tr("Look at all images"))
        self.look.set_primary(not state.looked)
        self.look_note.setText(_look_note(state, fresh))
        self.figures.draw(state.rows)
        self._draw_check(state)
        known = bool(state.looked)
        self.alike.setEnabled(known and bool(state.image))
        self.alike_note.setText(state.listed or _alike_note(state))
        self.everything.setVisible(bool(state.listed))
        self.map_shown.setEnabled(known)
        self.map_shown.setChecked(state.map_shown)
        self.map_tools.setVisible(state.map_shown)
        self.mode.select("lasso" if state.lasso else "move")
        self.colour.draw(state.colours, state.colour)

    def _draw_check(self, state: WorkingState) -> None:
        running = state.check is not None and state.check.active
        self.check_run.setVisible(running)
        if state.check is not None and running:
            self.check_run.draw(state.check)
        missing = state.missing
        self.minutes.setVisible(not running and not missing)
        self.check.setVisible(not running)
        self.check.setEnabled(not missing)
        words = tr("Find out with {masks}").format(masks=many(state.masks, "mask")) if not missing else tr("Find out")
        self.check.set_words(words if not state.answer.sentence else tr("Find out once more"))
        self.check_note.setText("" if running else missing or tr(_CHECK_NOTE))
        self.check_note.setVisible((bool(self.check_note.text()) and not state.answer.sentence) or bool(missing))
        self.answer.say(state.answer.sentence, state.answer.level)
        self.spans.draw(state.answer.spans)
        self.spans.setVisible(bool(state.answer.spans))
        self.basis.setText(state.answer.basis)
        self.basis.setVisible(bool(state.answer.basis))

    def _fill(self) -> None:
        self.back = Button(self._id("back"), tr("Back to Pretrain"), "link", "previous")
        self.column.addWidget(self.back)
        self._fill_look()
        self._fill_check()
        self._fill_alike()
        self._fill_map()
        self.back.clicked.connect(self.back_wanted)
        for box in (self.look_run, self.check_run):
            box.pause_wanted.connect(self.pause_wanted)
            box.resume_wanted.connect(self.resume_wanted)
            box.stop_wanted.connect(self.stop_wanted)

    def _fill_look(self) -> None:
        self.network = Combo(self._id("network"), tr("Which network?"))
        self.look = Button(self._id("look"), tr("Look at all images"), "primary", tip=tr("Runs in the background"))
        self.look_note = label(size=SMALL, quiet=True)
        self.look_run = RunBox(self._id("look_run"))
        self.figures = FigureList(self._id("figures"))
        box = self._section(tr("Which network?"))
        for widget in (self.network, self.look, self.look_note, self.look_run, self.figures):
            box.addWidget(widget)
        self.network.activated.connect(lambda: self.network_chosen.emit(str(self.network.currentData())))
        self.look.clicked.connect(self.look_wanted)

    def _fill_check(self) -> None:
        self.minutes = Segments(
            self._id("minutes"),
            tr("How long may the check take?"),
            {key: tr(text) for key, text in CHECK_TIMES.items()},
        )
        self.minutes.select("10")
        self.check = Button(
            self._id("check"), tr("Find out"), tip=tr("Trains on some of your masks and tests on the others")
        )
        self.check_note = label(size=SMALL, quiet=True)
        self.check_run = RunBox(self._id("check_run"))
        self.answer = Notice(self._id("answer"))
        self.spans = IntervalPlot(self._id("spans"))
        self.basis = label(size=SMALL, quiet=True)
        box = self._section(tr("Did pretraining help?"))
        for widget in (
            self.answer,
            self.spans,
            self.basis,
            self.minutes,
            self.check,
            self.check_note,
            self.check_run,
        ):
            box.addWidget(widget)
        self.check.clicked.connect(lambda: self.check_wanted.emit(float(self.minutes.selected() or 10)))

    def _fill_alike(self) -> None:
        self.alike = Button(
            self._id("alike"), tr("Images like this one"), glyph="images", tip=tr("List the most alike first")
        )
        self.alike_note = label(size=SMALL, quiet=True)
        self.everything = Button(self._id("everything"), tr("List all images again"), "link")
        box = self._section(tr("What looks alike to it?"))
        for widget in (self.alike, self.alike_note, self.everything):
            box.addWidget(widget)
        self.alike.clicked.connect(self.alike_wanted)
        self.everything.clicked.connect(self.all_wanted)

    def _fill_map(self) -> None:
        self.map_shown = Check(self._id("map"), tr("Show the map of the folder"))
        tell_keys(self.map_shown, tr("In place of the image"), "view.map")
        self.map_tools = QWidget()
        tools = QVBoxLayout(self.map_tools)
        tools.setContentsMargins(0, 0, 0, 0)
        tools.setSpacing(SPACE)
        self.mode = Segments(
            self._id("mode"), tr("Dragging on the map"), {"move": tr("Move"), "lasso": tr("Select")}, columns=2
        )
        self.colour = Combo(self._id("colour"), tr("What colours mean"))
        tools.addWidget(label(tr("Dragging"), wrap=False))
        tools.addWidget(self.mode)
        tools.addWidget(label(tr("Colours show"), wrap=False))
        tools.addWidget(self.colour)
        note = tr("Each point is an image; alike ones lie close together. Wheel: zoom. Click: go to the image.")
        tools.addWidget(label(note, SMALL, quiet=True))
        box = self._section(tr("Map of the folder"))
        box.addWidget(self.map_shown)
        box.addWidget(self.map_tools)
        self.map_shown.clicked.connect(self.map_chosen)
        self.mode.chosen.connect(lambda mode: self.lasso_chosen.emit(mode == "lasso"))
        self.colour.activated.connect(lambda: self.colour_chosen.emit(str(self.colour.currentData())))

    def _section(self, title: str) -> QVBoxLayout:
        box = QVBoxLayout()
        box.setSpacing(SPACE)
        box.addWidget(question(title))
        self.column.addLayout(box)
        return box


_CHECK_NOTE = later(
    "The same decoder learns from your masks, once from random weights and once after "
    "pretraining, and is tested on masks that it did not see."
)


def _look_note(state: WorkingState, fresh: bool) -> str:
    if not state.networks:
        return tr("Pretrain first; then there is something to measure.")
    if not state.looked:
        return tr("The network has not looked at your {images} yet. It takes a minute or so.").format(
            images=many(state.images, "image")
        )
    if not fresh:
        return tr("{images} came since it looked.").format(images=many(state.images - state.looked, "image"))
    return tr("Measured on {images}.").format(images=many(state.looked, "image"))


def _alike_note(state: WorkingState) -> str:
    return (
        tr("They are listed at the left, the most alike first.") if state.looked else tr("The network must look first.")
    )


class FigureList(QWidget):
    """Figures below each other: title and value, and what it means; rebuilt only when they changed."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self._rows: tuple[FigureRow, ...] = ()
        self._lines: list[QWidget] = []
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(SPACE)
        self.hide()

    def draw(self, rows: tuple[FigureRow, ...]) -> None:
        """Show the rows; hidden while there are none."""
        self.setVisible(bool(rows))
        if rows == self._rows:
            return
        self._rows = rows
        for line in self._lines:
            self._box.removeWidget(line)
            line.deleteLater()
        self._lines = [_figure(row) for row in rows]
        for line in self._lines:
            self._box.addWidget(line)


def _figure(row: FigureRow) -> QWidget:
    made = QWidget()
    column = QVBoxLayout(made)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(2)
    head = QHBoxLayout()
    head.setSpacing(SPACE // 2)
    if row.level != "none":
        dot = Dot()
        dot.set_level(row.level)
        head.addWidget(dot)
    head.addWidget(label(row.title, bold=True, wrap=False))
    head.addStretch(1)
    long = len(row.value) > 18
    if not long:
        head.addWidget(label(row.value, tabular=True, wrap=False))
    column.addLayout(head)
    if long:
        column.addWidget(label(row.value, tabular=True))
    column.addWidget(label(row.sentence, SMALL, quiet=True))
    return made
