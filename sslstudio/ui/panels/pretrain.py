"""The pretrain panel: how long, what for, start; then curves, health and attention previews."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from sslstudio.language import decimal, later, tr
from sslstudio.recipes.backbones import BACKBONE_NAMES
from sslstudio.recipes.methods import METHODS
from sslstudio.recipes.presets import PRESETS
from sslstudio.recipes.pretrain import PretrainRecipe
from sslstudio.recipes.settings import with_changes
from sslstudio.ui.panels.attention import AttentionSection
from sslstudio.ui.panels.blocks import Dot, Fold, Notice
from sslstudio.ui.panels.buttons import Button
from sslstudio.ui.panels.fields import Combo
from sslstudio.ui.panels.form import SettingsForm
from sslstudio.ui.panels.howlong import PRETRAIN_TIMES, HowLong
from sslstudio.ui.panels.images import preset_choices
from sslstudio.ui.panels.live import Curve, LiveRun
from sslstudio.ui.panels.panel import Panel
from sslstudio.ui.panels.parts import label, question, quiet_number
from sslstudio.ui.panels.plots import CurvePlot
from sslstudio.ui.panels.running import Empty, RunBox, RunList
from sslstudio.ui.panels.states import PretrainState
from sslstudio.ui.panels.thumbs import ThumbStrip
from sslstudio.ui.panels.training import Outcome, fill_question, pass_on, take_turns
from sslstudio.ui.panels.words import health, percent
from sslstudio.ui.theme import SMALL, SPACE

KIND = later("What kind of images are they?")
EARLY = 0.1  # share of a run before which features are not judged


class PretrainPanel(Panel):
    """Draws ``PretrainState``; the attention section is ``attention``.

    Signals:
        start_wanted: A whole ``PretrainRecipe``.
        pause_wanted, resume_wanted, stop_wanted, use_wanted: A run's id.
        preset_chosen: The preset's id.
        image_wanted: The image of a preview that was clicked.
        images_wanted, paint_wanted, finetune_wanted: Go to that step.
        working_wanted: Go to “Is it working?”.
        wishes_changed: The method and the backbone that the user chose, each empty while it is the suggested one.
        backbone_wanted: Choose a backbone out of all; its name now, the view's size and the batch.
    """

    start_wanted = Signal(object)
    pause_wanted = Signal(str)
    resume_wanted = Signal(str)
    stop_wanted = Signal(str)
    use_wanted = Signal(str)
    preset_chosen = Signal(str)
    image_wanted = Signal(str)
    images_wanted = Signal()
    paint_wanted = Signal()
    finetune_wanted = Signal()
    working_wanted = Signal()
    wishes_changed = Signal(str, str)
    backbone_wanted = Signal(str, int, int)

    ID = "panel.pretrain"
    NAME = later("Pretrain")
    SENTENCE = later("The network learns what your images are made of, by itself and without masks.")

    def draw(self, state: PretrainState) -> None:
        """Show ``state``; no other code touches these widgets."""
        self._draw_next(state)
        take_turns(self, state.run, possible=bool(state.images))
        self._draw_question(state)
        if state.run is not None:
            self.live.draw(state.run)
        self.earlier.draw(state.earlier)
        self.working.setVisible(bool(state.earlier))
        self.attention.setVisible(bool(state.images))
        self.attention.draw(state.attention)

    def recipe(self) -> PretrainRecipe | None:
        """What the form asks for; None when something does not fit, which is then shown beside it."""
        read = self.form.read()
        if not isinstance(read, PretrainRecipe):
            return None
        return with_changes(read, {"minutes": self.how_long.minutes(), "preset": self.preset.currentData()})

    def take_backbone(self, name: str, start: str) -> None:
        """Set the backbone and where it starts from, as if the user had typed them."""
        self.form.rows["backbone"].put(name)
        self.form.rows["start"].put(start)
        self.form.rows["backbone"].control.setFocus()

    def _fill(self) -> None:
        self._reason, self._doubt, self._painted = "", "", False
        self._suggested = ("", "")
        self._wishes = ("", "")
        self.empty = Empty(self._id("empty"), "images", tr("Pretraining needs images first."), tr("Go to images"))
        self.ask = QWidget()
        self.live = PretrainLive(self._id("live"))
        self.outcome = Outcome(self._id("outcome"))
        self.earlier = RunList(self._id("earlier"), tr("Earlier runs"), choosable=True)
        self.attention = AttentionSection(self._id("attention"))
        self.working = Button(self._id("working"), tr("Is it working?"), "plain", "check_circle")
        self.working.setToolTip(tr("What the network knows about your images, in figures and on a map"))
        for widget in (self.empty, self.live, self.outcome, self.ask, self.working, self.attention, self.earlier):
            self.column.addWidget(widget)
        self._fill_question()
        self._wire()

    def _fill_question(self) -> None:
        self.how_long = HowLong(self._id("minutes"), PRETRAIN_TIMES)
        self.preset = Combo(self._id("preset"), tr(KIND))
        self.reason = label(size=SMALL, quiet=True, lines=2)
        self.reason.setObjectName(self._id("reason"))
        self.misfit, self.doubt = Notice(self._id("misfit")), Notice(self._id("doubt"))
        self.start = Button(self._id("start"), tr("Start pretraining"), "primary", tip=tr("Runs in the background"))
        self.advanced = Fold(self._id("advanced"), tr("Advanced"))
        self.form = SettingsForm(self._id("set"), PretrainRecipe, hide=("minutes", "preset"))
        self.advanced.body.addWidget(self.form)
        self.choose = Button(
            self._id("backbone.choose"), tr("Choose…"), tip=tr("All backbones, with memory and time here")
        )
        self.form.rows["backbone"].add_beside(self.choose)
        below = (self.start, self.reason, self.misfit, self.doubt, self.advanced)
        fill_question(self.ask, self.how_long, tr(KIND), self.preset, below)

    def _wire(self) -> None:
        self.empty.wanted.connect(self.images_wanted)
        self.start.clicked.connect(self._on_start)
        self.preset.activated.connect(self._on_preset)
        self.choose.clicked.connect(self._on_choose)
        self.form.changed.connect(self._on_user_changed)
        pass_on(self)
        self.live.thumbs.image_wanted.connect(self.image_wanted)
        self.outcome.next_wanted.connect(self._on_next)
        self.working.clicked.connect(self.working_wanted)
        self.earlier.use_wanted.connect(self.use_wanted)

    def _draw_next(self, state: PretrainState) -> None:
        self._painted = state.painted
        self.outcome.next.set_words(tr("Continue to fine-tuning") if state.painted else tr("Continue to painting"))

    def _on_next(self) -> None:
        (self.finetune_wanted if self._painted else self.paint_wanted).emit()

    def _draw_question(self, state: PretrainState) -> None:
        self.how_long.suggest(state.recipe.minutes)
        self.preset.draw(preset_choices(), state.recipe.preset)
        self.preset.setToolTip(tr(PRESETS[state.recipe.preset].summary))
        self.form.suggest(state.recipe)
        self._reason, self._doubt = state.reason, state.doubt
        self._suggested = (state.recipe.method.id, state.recipe.backbone)
        self.start.set_words(tr("Pretrain once more") if state.earlier else tr("Start pretraining"))
        self._on_form_changed()

    def _on_user_changed(self) -> None:
        """What was suggested beside a method or a backbone does not suit another one: ask for it anew."""
        wishes = self.form.wishes()
        if wishes != self._wishes:
            self._wishes = wishes
            self.wishes_changed.emit(*wishes)
        self._on_form_changed()

    def _on_form_changed(self) -> None:
        """Say beside the button what will happen; the method's misfit must be seen before the start."""
        values = self.form.values()
        net = BACKBONE_NAMES.get(values["backbone"], values["backbone"])
        what = tr("{name} on {net}.").format(name=METHODS[values["method"]["id"]].name, net=net)
        misfit = self.form.misfit()
        self.misfit.say(misfit if self.advanced.content.isHidden() else "", "fair")
        as_suggested = (values["method"]["id"], values["backbone"]) == self._suggested
        self.reason.setText(f"{what} {self._reason}".strip() if as_suggested else what)
        self.doubt.say(self._doubt if as_suggested and not misfit else "", "fair")
        self.start.setEnabled(not misfit)

    def _on_start(self) -> None:
        recipe = self.recipe()
        if recipe is None:
            self.advanced.head.setChecked(True)
            return
        self.start_wanted.emit(recipe)

    def _on_choose(self) -> None:
        values = self.form.values()
        self.backbone_wanted.emit(str(values["backbone"]), int(values["resolution"]), int(values["batch_size"]))

    def _on_preset(self) -> None:
        self.preset_chosen.emit(str(self.preset.currentData()))


class PretrainLive(QWidget):
    """What is seen while it runs: progress, health, curve, speed, attention previews."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.box = RunBox(f"{name}.run")
        self.plot = CurvePlot(f"{name}.loss", tr("Loss (lower is better)"))
        self.health = HealthBox(f"{name}.health")
        self.speed, self.wait, self.variety = quiet_number("–"), quiet_number("–"), quiet_number("–")
        self.teacher, self.teacher_name = quiet_number("–"), label(tr("Teacher undecided"), SMALL, quiet=True)
        self.thumbs = ThumbStrip(f"{name}.previews")
        self.thumbs_note = label(size=SMALL, quiet=True, lines=1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2 * SPACE)
        for widget in (self.box, self.health, self.plot):
            column.addWidget(widget)
        figures = QGridLayout()
        figures.setVerticalSpacing(SPACE // 2)
        for place, (text, value, tip) in enumerate(
            (
                (tr("Images per second"), self.speed, tr("How many images the network sees per second")),
                (tr("Waiting for data"), self.wait, tr("Share of the time in which the processor waits for images")),
                (
                    tr("Variety of the answers"),
                    self.variety,
                    tr("0: the same for every image; near 1: all ways are used"),
                ),
                (tr("Teacher undecided"), self.teacher, tr("Near 0 or 100 % for long, the teacher has collapsed")),
            )
        ):
            title = self.teacher_name if value is self.teacher else label(text, SMALL, quiet=True)
            figures.addWidget(_with_tip(title, tip), place, 0)
            figures.addWidget(_with_tip(value, tip), place, 1)
            value.setAlignment(value.alignment().AlignRight)
        column.addLayout(figures)
        pictures = QVBoxLayout()
        pictures.setSpacing(SPACE // 2)
        for part in (question(tr("What it looks at")), self.thumbs, self.thumbs_note):
            pictures.addWidget(part)
        column.addLayout(pictures)

    def draw(self, run: LiveRun) -> None:
        """Show one run."""
        self.box.draw(run)
        self.plot.draw(run.curves.get("loss", Curve()))
        self.health.draw(run)
        speed, wait = run.figures.get("images_per_second"), run.figures.get("data_wait")
        self.speed.setText("–" if speed is None else f"{speed:.0f}")
        self.wait.setText("–" if wait is None else percent(wait))
        variety, entropy = run.figures.get("feature_spread"), run.figures.get("teacher_entropy")
        self.variety.setText("–" if variety is None else decimal(variety, 2))
        self.teacher.setText("–" if entropy is None else percent(entropy))
        for part in (self.teacher, self.teacher_name):
            part.setVisible(entropy is not None)
        self.thumbs.draw(tuple(thumb for thumb in run.thumbs if thumb.what == "attention") or run.thumbs)
        step = max((thumb.step for thumb in run.thumbs), default=0)
        self.thumbs_note.setText(
            tr("As of step {step}").format(step=step) if run.thumbs else tr("Pictures arrive every few seconds.")
        )


class HealthBox(QWidget):
    """How well the features spread: a coloured word, the figure, what it means."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.dot = Dot()
        self.word = label(bold=True)
        self.word.setObjectName(f"{name}.word")
        self.figure = quiet_number()
        self.figure.setObjectName(f"{name}.figure")
        self.meaning = label(size=SMALL, quiet=True, lines=2)
        head = QHBoxLayout()
        head.setSpacing(SPACE // 2)
        head.addWidget(self.dot)
        head.addWidget(self.word)
        head.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(head)
        column.addWidget(self.figure)
        column.addWidget(self.meaning)
        self.setToolTip(tr("Effective rank of the features: needs no labels, and falls when the network collapses"))

    def draw(self, run: LiveRun) -> None:
        """Show the newest figure."""
        found = health(run.figures, early=run.share < EARLY, steps=run.step)
        self.dot.set_level(found.level)
        self.word.setText(found.word)
        self.figure.setText(found.figure[:1].upper() + found.figure[1:])
        self.meaning.setText(found.meaning)


def _with_tip(widget: QLabel, tip: str) -> QLabel:
    widget.setToolTip(tip)
    return widget
