"""The fine-tune panel: from masks to a model; then curves and overlap per class."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from sslstudio.language import later, tr
from sslstudio.recipes.finetune import FinetuneRecipe
from sslstudio.recipes.settings import with_changes
from sslstudio.runs.folder import RunState
from sslstudio.ui.panels.bars import draw_share
from sslstudio.ui.panels.blocks import Fold, Notice
from sslstudio.ui.panels.buttons import Button
from sslstudio.ui.panels.fields import Combo
from sslstudio.ui.panels.form import SettingsForm
from sslstudio.ui.panels.howlong import FINETUNE_TIMES, HowLong
from sslstudio.ui.panels.live import Curve, LiveRun
from sslstudio.ui.panels.panel import Panel
from sslstudio.ui.panels.parts import label
from sslstudio.ui.panels.plots import CurvePlot
from sslstudio.ui.panels.running import Empty, RunBox, RunList
from sslstudio.ui.panels.states import Choice, ClassRow, FinetuneState
from sslstudio.ui.panels.training import Outcome, fill_question, pass_on, take_turns
from sslstudio.ui.panels.words import class_sentence, many, percent, quality_sentence
from sslstudio.ui.theme import SMALL, SPACE, TEXT, font

WEAK = 0.5  # overlap below which more time or masks are advised
SCRATCH = Choice(
    "", later("No pretraining"), later("Starts from what Advanced says: from scratch, published weights or a file")
)
ENCODER = later("Build on which pretraining?")
TERMS = later(
    "Overlap is IoU (intersection over union): shared area divided by joint area. Found is "
    "recall, right is precision. Measured on painted images that are kept aside."
)


class FinetunePanel(Panel):
    """Draws ``FinetuneState``.

    Signals:
        start_wanted: A whole ``FinetuneRecipe`` and the id of a pretraining run (or "").
        pause_wanted, resume_wanted, stop_wanted: A run's id.
        paint_wanted, review_wanted: Go to that step.
    """

    start_wanted = Signal(object, str)
    pause_wanted = Signal(str)
    resume_wanted = Signal(str)
    stop_wanted = Signal(str)
    paint_wanted = Signal()
    review_wanted = Signal()

    ID = "panel.finetune"
    NAME = later("Fine-tune")
    SENTENCE = later("From your masks the network learns to find the same things in every image.")

    def draw(self, state: FinetuneState) -> None:
        """Show ``state``; no other code touches these widgets."""
        take_turns(self, state.run, possible=bool(state.masks))
        if state.run is not None:
            self.live.draw(state.run, state.classes)
            self._draw_outcome(state.run, state.classes)
        self._draw_question(state)
        self.earlier.draw(state.earlier)

    def recipe(self) -> FinetuneRecipe | None:
        """What the form asks for; None when something does not fit, which is then shown beside it."""
        read = self.form.read()
        if not isinstance(read, FinetuneRecipe):
            return None
        return with_changes(read, {"minutes": self.how_long.minutes()})

    def _fill(self) -> None:
        self._chosen: str | None = None
        self.empty = Empty(self._id("empty"), "brush", FinetuneState().missing, tr("Go to painting"))
        self.ask = QWidget()
        self.live = FinetuneLive(self._id("live"))
        self.outcome = Outcome(self._id("outcome"))
        self.outcome.next.set_words(tr("Review the result"))
        self.bars = ClassBars(self._id("classes"))
        self.outcome.column.insertWidget(1, self.bars)
        self.earlier = RunList(self._id("earlier"), tr("Earlier runs"))
        for widget in (self.empty, self.live, self.outcome, self.ask, self.earlier):
            self.column.addWidget(widget)
        self._fill_question()
        self._wire()

    def _fill_question(self) -> None:
        self.how_long = HowLong(self._id("minutes"), FINETUNE_TIMES)
        self.run_combo = Combo(self._id("run"), tr(ENCODER))
        self.start = Button(
            self._id("start"), tr("Fine-tune"), "primary", tip=tr("Runs in the background; you can go on")
        )
        self.reason = label(size=SMALL, quiet=True)
        self.reason.setObjectName(self._id("reason"))
        self.missing = Notice(self._id("missing"))
        self.advanced = Fold(self._id("advanced"), tr("Advanced"))
        self.form = SettingsForm(self._id("set"), FinetuneRecipe, hide=("minutes",))
        self.advanced.body.addWidget(self.form)
        below = (self.start, self.reason, self.missing, self.advanced)
        fill_question(self.ask, self.how_long, tr(ENCODER), self.run_combo, below)

    def _wire(self) -> None:
        self.empty.wanted.connect(self.paint_wanted)
        self.start.clicked.connect(self._on_start)
        self.run_combo.activated.connect(self._on_run)
        pass_on(self)
        self.outcome.next_wanted.connect(self.review_wanted)

    def _draw_question(self, state: FinetuneState) -> None:
        self.how_long.suggest(state.recipe.minutes)
        self.form.suggest(state.recipe)
        known = {choice.id for choice in state.runs}
        run = self._chosen if self._chosen in known or self._chosen == "" else state.encoder_run
        self.run_combo.draw((*state.runs, SCRATCH.told()), run or "")
        self._mark_run()
        self.start.set_words(tr("Fine-tune on {masks}").format(masks=many(state.masks, "mask")))
        self.start.setEnabled(not state.missing)
        self.missing.say(state.missing)
        self.reason.setText(state.reason)
        self.reason.setVisible(bool(state.reason))

    def _draw_outcome(self, run: LiveRun, classes: tuple[ClassRow, ...]) -> None:
        good = run.state in (RunState.FINISHED, RunState.STOPPED)
        self.bars.setVisible(good)
        self.bars.draw(classes, run)
        if good:
            begin = tr("Fine-tuning is done.") if run.state is RunState.FINISHED else tr("Stopped; the model is kept.")
            words = quality_sentence(run.figures, [row.name for row in classes])
            weak = run.figures.get("miou", 1.0) < WEAK
            advice = tr("Give it more time, or paint a few more images.") if weak else ""
            self.outcome.notice.say(" ".join(filter(None, (begin, words, advice))), "fair" if weak else "good")
            self.outcome.notice.setToolTip(tr(TERMS))

    def _mark_run(self) -> None:
        """Backbone and start come from the pretraining run when there is one."""
        self.form.set_usable(("backbone", "start"), not self.run_combo.currentData())

    def _on_run(self) -> None:
        self._chosen = str(self.run_combo.currentData() or "")
        self._mark_run()

    def _on_start(self) -> None:
        recipe = self.recipe()
        if recipe is None:
            self.advanced.head.setChecked(True)
            return
        self.start_wanted.emit(recipe, str(self.run_combo.currentData() or ""))


class FinetuneLive(QWidget):
    """What is seen while it runs: phase, quality in words, overlap per class, two curves."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.box = RunBox(f"{name}.run")
        self.words = label(lines=3)
        self.words.setObjectName(f"{name}.quality")
        self.words.setToolTip(tr(TERMS))
        self.bars = ClassBars(f"{name}.classes")
        self.overlap = CurvePlot(f"{name}.miou", tr("Overlap with masks kept aside"), share=True)
        self.overlap.setToolTip(tr("Validation mIoU"))
        self.loss = CurvePlot(f"{name}.loss", tr("Loss (lower is better)"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2 * SPACE)
        for widget in (self.box, self.words, self.bars, self.overlap, self.loss):
            column.addWidget(widget)

    def draw(self, run: LiveRun, classes: tuple[ClassRow, ...]) -> None:
        """Show one run."""
        self.box.draw(run)
        words = quality_sentence(run.figures, [row.name for row in classes])
        self.words.setText(words or tr("The first measurement on masks kept aside comes soon."))
        self.bars.draw(classes, run)
        self.overlap.draw(run.curves.get("miou", Curve()))
        self.loss.draw(run.curves.get("loss", Curve()))


def _measured(name: str, figures: Mapping[str, float]) -> float:
    """A class's overlap (0 to 1), or -1 where no kept-aside image shows it: then there is nothing to overlap with."""
    judged = any(key.startswith("recall/") for key in figures)
    unseen = judged and f"recall/{name}" not in figures
    return -1.0 if unseen else figures.get(f"iou/{name}", -1.0)


class ClassBars(QWidget):
    """Overlap per class: name, bar in the class's colour, per cent."""

    ROW = 3 * SPACE

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(tr("Overlap per class"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip(tr(TERMS))
        self._rows: tuple[tuple[str, str, float], ...] = ()

    def draw(self, classes: tuple[ClassRow, ...], run: LiveRun) -> None:
        """Show the newest figures; a class that was not measured, or is not painted where it was, shows a dash."""
        rows = tuple((row.name, row.colour, _measured(row.name, run.figures)) for row in classes)
        if rows == self._rows:
            return
        self._rows = rows
        self.setFixedHeight(self.ROW * len(rows))
        sentences = (class_sentence(row.name, run.figures) for row in classes if _measured(row.name, run.figures) >= 0)
        self.setAccessibleDescription(" ".join(sentence for sentence in sentences if sentence))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw one line per class."""
        painter = QPainter(self)
        painter.setFont(font(TEXT, tabular=True))
        name_width, number_width = round(self.width() * 0.36), 44
        for place, (name, colour, share) in enumerate(self._rows):
            line = QRectF(0, place * self.ROW, self.width(), self.ROW)
            painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))
            left = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
            right = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            shown = painter.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, name_width - SPACE)
            painter.drawText(line.adjusted(0, 0, name_width - line.width(), 0), left, shown)
            painter.drawText(line, right, percent(share) if share >= 0 else "–")
            track = QRectF(name_width, line.center().y() - SPACE / 2, self.width() - name_width - number_width, SPACE)
            draw_share(painter, track, max(0.0, share), QColor(colour))
