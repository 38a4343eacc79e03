"""The review panel: the model's answer over or beside the image, and how to keep it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from sslstudio.language import later, tr
from sslstudio.ui.panels.attention import AttentionSection
from sslstudio.ui.panels.blocks import Notice, Segments
from sslstudio.ui.panels.buttons import Button
from sslstudio.ui.panels.fields import Check, Combo, SliderRow
from sslstudio.ui.panels.panel import Panel
from sslstudio.ui.panels.parts import label, question
from sslstudio.ui.panels.running import Empty, RunBox
from sslstudio.ui.panels.states import Choice, Level, ModelRow, ReviewState
from sslstudio.ui.panels.words import many, model_note, percent, thousands
from sslstudio.ui.shortcuts import tell_keys
from sslstudio.ui.theme import SMALL, SPACE

NO_MODEL = later("There is no model yet. Fine-tune on a few masks, then look at the result here.")
VIEWS = {"over": later("Over"), "beside": later("Beside"), "swipe": later("Swipe")}


class ReviewPanel(Panel):
    """Draws ``ReviewState``; the attention section is ``attention``.

    Signals:
        model_chosen: A model's name.
        view_chosen: over, beside or swipe.
        opacity_chosen: 0 to 1.
        differences_chosen: Whether differences to the own mask are marked.
        accept_wanted: Keep the prediction as the mask; True: and go to the next image.
        predict_all_wanted, stop_wanted: Predict every image; the id of the run to stop.
        finetune_wanted, export_wanted: Go to that step.
    """

    model_chosen = Signal(str)
    view_chosen = Signal(str)
    opacity_chosen = Signal(float)
    differences_chosen = Signal(bool)
    accept_wanted = Signal(bool)
    predict_all_wanted = Signal()
    stop_wanted = Signal(str)
    finetune_wanted = Signal()
    export_wanted = Signal()

    ID = "panel.review"
    NAME = later("Review")
    SENTENCE = later("Look at what the model finds. Keep what is right, correct what is not, then fine-tune again.")

    def draw(self, state: ReviewState) -> None:
        """Show ``state``; no other code touches these widgets."""
        self.empty.setVisible(not state.models)
        self.body.setVisible(bool(state.models))
        self.model.draw(model_choices(state.models), state.model)
        self.view.select(state.view)
        self.opacity.draw(round(100 * state.opacity))
        self.differences.setChecked(state.differences)
        self.differences.setEnabled(state.has_mask and state.has_prediction)
        for button in (self.accept_next, self.accept):
            button.setEnabled(state.has_prediction and not state.busy)
        words, level = confidence_words(state)
        self.confidence.say(words, level)
        self._draw_all(state)
        self.attention.draw(state.attention)

    def _fill(self) -> None:
        self.empty = Empty(self._id("empty"), "finetune", tr(NO_MODEL), tr("Go to fine-tuning"))
        self.body = QWidget()
        self.column.addWidget(self.empty)
        self.column.addWidget(self.body)
        box = QVBoxLayout(self.body)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(SPACE)
        self._fill_view(box)
        self._fill_accept(box)
        self._fill_all(box)
        self.attention = AttentionSection(self._id("attention"))
        box.addWidget(self.attention)
        self._wire()

    def _fill_view(self, box: QVBoxLayout) -> None:
        self.model = Combo(self._id("model"), tr("Which model?"))
        self.view = Segments(
            self._id("view"), tr("Show the prediction"), {key: tr(text) for key, text in VIEWS.items()}
        )
        self.opacity = SliderRow(self._id("opacity"), tr("Overlay"), 0, 100, "%")
        self.differences = Check(self._id("differences"), tr("Mark where it differs from my mask"))
        tell_keys(self.view, tr("The next of them"), "view.compare")
        tell_keys(self.differences, tr("Stripes where mask and prediction say different things"), "view.differences")
        box.addWidget(question(tr("Which model?")))
        box.addWidget(self.model)
        box.addSpacing(SPACE)
        box.addWidget(question(tr("Prediction and image")))
        for widget in (self.view, self.opacity, self.differences):
            box.addWidget(widget)

    def _fill_accept(self, box: QVBoxLayout) -> None:
        self.confidence = Notice(self._id("confidence"))
        self.confidence.setToolTip(tr("Mean of the largest class probability over all pixels"))
        self.accept_next = Button(
            self._id("accept_next"),
            tr("Accept and go to the next"),
            "primary",
            tip=tr("Becomes the mask; can be undone"),
        )
        self.accept = Button(self._id("accept"), tr("Accept as mask"))
        tell_keys(self.accept, tr("Stay on this image and correct it"), "paint.accept")
        for widget in (self.confidence, self.accept_next, self.accept):
            box.addWidget(widget)
        box.addSpacing(SPACE)

    def _fill_all(self, box: QVBoxLayout) -> None:
        self.all = Button(self._id("predict_all"), tr("Predict all images"), glyph="predict")
        self.all_note = label(size=SMALL, quiet=True, lines=1, tabular=True)
        self.run = RunBox(self._id("run"), pausable=False)
        self.export = Button(self._id("export"), tr("Continue to export"), "link", "open")
        box.addWidget(question(tr("All images")))
        for widget in (self.all, self.run, self.all_note, self.export):
            box.addWidget(widget)
        box.addSpacing(SPACE)

    def _wire(self) -> None:
        self.empty.wanted.connect(self.finetune_wanted)
        self.model.activated.connect(self._on_model)
        self.view.chosen.connect(self.view_chosen)
        self.opacity.chosen.connect(self._on_opacity)
        self.differences.clicked.connect(self.differences_chosen)
        self.accept.clicked.connect(self._on_accept)
        self.accept_next.clicked.connect(self._on_accept_next)
        self.all.clicked.connect(self.predict_all_wanted)
        self.run.stop_wanted.connect(self.stop_wanted)
        self.export.clicked.connect(self.export_wanted)

    def _draw_all(self, state: ReviewState) -> None:
        running = state.run is not None and state.run.active
        self.run.setVisible(running)
        self.all.setVisible(not running)
        if state.run is not None:
            self.run.draw(state.run)
        self.all.set_words(
            tr("Predict all {images}").format(images=many(state.images, "image"))
            if state.images > 1
            else tr("Predict all images")
        )
        self.all_note.setText(
            tr("{predicted} of {images} predicted so far").format(
                predicted=thousands(state.predicted), images=thousands(state.images)
            )
        )

    def _on_model(self) -> None:
        self.model_chosen.emit(str(self.model.currentData()))

    def _on_opacity(self, value: int) -> None:
        self.opacity_chosen.emit(value / 100)

    def _on_accept(self) -> None:
        self.accept_wanted.emit(False)

    def _on_accept_next(self) -> None:
        self.accept_wanted.emit(True)


def model_choices(models: tuple[ModelRow, ...]) -> tuple[Choice, ...]:
    """Models for a combo, each with its quality."""
    return tuple(Choice(m.name, f"{m.label or m.name} · {model_note(m.metrics)}", m.created) for m in models)


def confidence_words(state: ReviewState) -> tuple[str, Level]:
    """What to think of this prediction, in one or two sentences."""
    if state.problem:
        return state.problem, "fair"
    if state.busy and not state.has_prediction:
        return tr("Looking at this image …"), "none"
    if not state.has_prediction:
        return tr("Choose an image to see what the model finds in it."), "none"
    if state.agreement >= 0:
        level: Level = "good" if state.agreement >= 0.9 else "fair"
        return tr("Agrees with your mask on {agreement} of the painted pixels.").format(
            agreement=percent(state.agreement)
        ), level
    if state.confidence < 0:
        return tr("This is what the model finds. Look closely at edges and small things."), "none"
    if state.confidence >= 0.9:
        return tr("The model is sure of most of this image ({confidence}).").format(
            confidence=percent(state.confidence)
        ), "good"
    return tr("The model is unsure here ({confidence}). Correcting this image would help.").format(
        confidence=percent(state.confidence)
    ), "fair"
