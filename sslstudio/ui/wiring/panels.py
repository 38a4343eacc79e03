"""From the session to what stepper and panels draw: states only, nothing is decided or changed here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from sslstudio.errors import UserError
from sslstudio.language import tr, tr_many
from sslstudio.recipes.finetune import FinetuneRecipe
from sslstudio.recipes.presets import likely
from sslstudio.recipes.pretrain import PretrainRecipe
from sslstudio.recipes.suggest import Reason, doubt_of, suggest, suggest_finetune, why, why_channels
from sslstudio.runs.prepare import device
from sslstudio.ui.exports import exports_of
from sslstudio.ui.panels import states
from sslstudio.ui.panels.words import image_facts, model_note, reason_alone, run_row
from sslstudio.ui.run_queue import kind_of
from sslstudio.ui.stepper import StepState

if TYPE_CHECKING:
    from sslstudio.ui.history import PastRun
    from sslstudio.ui.main_window import MainWindow
    from sslstudio.ui.panels.live import LiveRun

MINUTES = {"pretrain": 10.0, "finetune": 5.0}
_ASKED = 100  # names that are looked at to guess what kind of images these are


class PanelsWiring(QObject):
    """Draws the stepper and the open panel; what is expensive to know is kept until it changes."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.window = window
        self.session = window.session
        self._facts: tuple[str, ...] | None = None
        self._pretrain: tuple[PretrainRecipe, tuple[Reason, ...]] | None = None
        self._wishes = ("", "")  # the method and the backbone that the user chose
        self._finetune: tuple[FinetuneRecipe, str] | None = None
        self._finetune_after = ""  # the method of the run that it was suggested for
        self._pixels: dict[str, int] | None = None
        self._painted = 0
        self._problems: tuple[states.ProblemRow, ...] = ()
        self._exports: tuple[states.ExportRow, ...] = ()
        window.panels["pretrain"].wishes_changed.connect(self.take_wishes)  # type: ignore[attr-defined]
        session = self.session
        for signal in (session.opened, session.closed, session.records_changed):
            signal.connect(self.forget_records)
        for signal in (session.history_changed, session.classes_changed):
            signal.connect(self._forget_pixels)
        for signal in (session.records_changed, session.models_changed, session.classes_changed):
            signal.connect(window.redraw)
        queue = session.queue
        for signal in (session.opened, session.closed, session.models_changed, queue.history_changed, queue.ended):
            signal.connect(self._read_exports)

    def draw(self) -> None:
        """Draw what is in sight."""
        if self.session.project is None:
            return
        self._count()
        window = self.window
        window.stepper.draw(self._steps(), "pretrain" if window.step == "working" else window.step)
        make = {
            "images": self._images_state,
            "pretrain": self._pretrain_state,
            "paint": self._paint_state,
            "finetune": self._finetune_state,
            "review": self._review_state,
            "export": self._export_state,
            "working": window.working.state,
        }
        if window.panel_stack.isVisible():
            window.panels[window.step].draw(make[window.step]())  # type: ignore[attr-defined]

    def chosen_backbone(self) -> str:
        """The backbone that pretraining would use."""
        return self._suggested_pretraining()[0].backbone

    def take_wishes(self, method: str, backbone: str) -> None:
        """The user chose a method or a backbone: suggest what suits it."""
        self._wishes, self._pretrain = (method, backbone), None
        self.window.redraw()

    def forget_suggestions(self) -> None:
        """The kind of images changed: suggest anew."""
        self._pretrain, self._finetune = None, None

    def forget_records(self) -> None:
        """The list of images changed: count anew."""
        self._facts = None
        self._forget_pixels()
        self.forget_suggestions()

    # what is counted ------------------------------------------------------------------------------------

    def _forget_pixels(self) -> None:
        self._pixels = None

    def _count(self) -> None:
        if self._pixels is None and self.session.project is not None:
            self._pixels = self.session.project.class_pixels()
            self._painted = sum(1 for record in self.session.records if record.painted > 0 and not record.problem)
        if self._facts is None:
            records = self.session.records
            self._facts = image_facts(records)
            bad = [record for record in records if record.problem]
            self._problems = tuple(states.ProblemRow(r.path, reason_alone(r.path, r.problem)) for r in bad)

    def _usable(self) -> int:
        return len(self.session.records) - len(self._problems)

    def _preset(self) -> str:
        records = self.session.records
        some = records[:: max(1, len(records) // _ASKED)]
        return str(self.session.recall("preset", "")) or likely(record.path for record in some)

    def _classes(self) -> tuple[states.ClassRow, ...]:
        project = self.session.project
        pixels = self._pixels or {}
        classes = project.classes if project else ()
        options = self.window.canvas.options
        return tuple(
            states.ClassRow(one.name, one.colour, pixels.get(one.name, 0), at in options.locked, at in options.hidden)
            for at, one in enumerate(classes)
        )

    def _sizes(self, *, painted: bool = False) -> list[tuple[int, int]]:
        records = self.session.records
        return [(r.width, r.height) for r in records if r.width and not r.problem and (r.painted or not painted)]

    def _channels(self) -> list[int]:
        return [record.channels for record in self.session.records if not record.problem]

    def _suggested_pretraining(self) -> tuple[PretrainRecipe, tuple[Reason, ...]]:
        if self._pretrain is None:
            method, backbone = self._wishes
            try:
                self._pretrain = self._suggest(method, backbone)
            except UserError:  # they do not go together, which the form says beside them
                self._pretrain = self._suggest("", backbone)
        return self._pretrain

    def _suggest(self, method: str, backbone: str) -> tuple[PretrainRecipe, tuple[Reason, ...]]:
        usable, minutes = max(1, self._usable()), MINUTES["pretrain"]
        facts = (usable, self._sizes(), self._channels(), device(), minutes, self._preset())
        return suggest(*facts, backbone or None, method or None)

    def _suggested_finetuning(self) -> tuple[FinetuneRecipe, str]:
        start = next(iter(self.window.learning.encoders()), None)
        method = start.method if start else ""
        if self._finetune is None or self._finetune_after != method:
            self._finetune_after = method
            recipe, reasons = suggest_finetune(
                max(1, self._painted),
                self._sizes(painted=True),
                device(),
                MINUTES["finetune"],
                self._preset(),
                pretrained_by=method,
                channels=self._channels(),
            )
            self._finetune = recipe, why_channels(reasons)
        return self._finetune

    def _run(self, kind: str) -> LiveRun | None:
        return self.session.queue.latest(kind)

    def _past(self, kind: str) -> Sequence[PastRun]:
        return [past for past in reversed(self.session.queue.past) if kind_of(past.run.id) == kind]

    # the steps ------------------------------------------------------------------------------------------

    def _steps(self) -> dict[str, StepState]:
        usable, classes = self._usable(), self._classes()
        painted_classes = sum(1 for row in classes if row.pixels)
        encoders, models = len(self.window.learning.encoders()), len(self.session.models)
        exported = bool(self._exports)
        return {
            "images": StepState("done", tr("{usable} images can be used.").format(usable=usable))
            if usable
            else StepState("missing", tr("Open a folder with images first.")),
            "pretrain": StepState("done", tr("The network knows your images. More time may still help."))
            if encoders
            else StepState("possible" if usable else "missing", tr("Let the network learn from the images alone.")),
            "paint": StepState(
                "done", tr("{painted} painted. More different images help most.").format(painted=self._painted)
            )
            if painted_classes > 1
            else StepState("possible" if usable else "missing", tr("Paint a little of each class in a few images.")),
            "finetune": StepState(
                "done",
                tr_many(
                    "{models} model so far. Paint more and repeat.",
                    "{models} models so far. Paint more and repeat.",
                    models,
                ).format(models=models),
            )
            if models
            else StepState("possible", tr("Ready: learn from what you painted."))
            if painted_classes > 1
            else StepState("missing", tr("Paint at least a little of two classes first.")),
            "review": StepState("possible", tr("See what the model finds, and correct it."))
            if models
            else StepState("missing", tr("Fine-tune first; then there is something to review.")),
            "export": StepState("done", tr("Exported. Do it again after the next fine-tuning."))
            if exported
            else StepState("possible", tr("Take the model with you."))
            if models
            else StepState("missing", tr("Fine-tune first; then there is a model to export.")),
        }

    # the panels -----------------------------------------------------------------------------------------

    def _images_state(self) -> states.ImagesState:
        project = self.session.project
        return states.ImagesState(
            project=project is not None,
            folder=str(project.images_root) if project else "",
            count=len(self.session.records),
            facts=self._facts or (),
            problems=self._problems,
            preset=self._preset(),
            checked=self.session.checking,
            folder_missing=project is not None and not project.images_root.is_dir(),
        )

    def _pretrain_state(self) -> states.PretrainState:
        recipe, reasons = self._suggested_pretraining()
        run = self._run("pretrain")
        used = next(iter(self.window.learning.encoders()), None)
        rows = [
            run_row(
                past.summary,
                method=past.method,
                backbone=past.backbone,
                used=past is used,
                learned=past.encoder is not None,
            )
            for past in self._past("pretrain")
        ]
        return states.PretrainState(
            images=self._usable(),
            painted=sum(1 for row in self._classes() if row.pixels) > 1,
            recipe=recipe,
            reason=why(reasons),
            doubt=doubt_of(reasons),
            run=run,
            earlier=tuple(rows),
            attention=self.window.attention.state(),
        )

    def _paint_state(self) -> states.PaintState:
        canvas = self.window.canvas
        return states.PaintState(
            images=self._usable(),
            painted=self._painted,
            brush=canvas.brush,
            classes=self._classes(),
            current=canvas.current_class,
            tool=canvas.tool,
            options=canvas.options,
            similar=self.window.similar.state(),
            folder=self.window.similar_folder.state(),
            attention=self.window.attention.state(),
        )

    def _finetune_state(self) -> states.FinetuneState:
        recipe, reason = self._suggested_finetuning()
        run = self._run("finetune")
        encoders = self.window.learning.encoders()
        rows = [run_row(past.summary, backbone=past.backbone) for past in self._past("finetune")]
        choices = [
            states.Choice(past.run.id, run_row(past.summary, method=past.method, backbone=past.backbone).title)
            for past in encoders
        ]
        return states.FinetuneState(
            masks=self._painted,
            classes=self._classes(),
            runs=tuple(choices),
            encoder_run=choices[0].id if choices else "",
            recipe=recipe,
            reason=reason,
            run=run,
            earlier=tuple(rows),
        )

    def _models(self) -> tuple[states.ModelRow, ...]:
        return tuple(
            states.ModelRow(model.name, model.name, model.metrics, model_note(model.metrics))
            for model in reversed(self.session.models)
        )

    def _review_state(self) -> states.ReviewState:
        review, session = self.window.review, self.session
        current = session.current()
        return states.ReviewState(
            images=self._usable(),
            models=self._models(),
            model=review.model(),
            view=review.view,  # type: ignore[arg-type]
            opacity=self.window.painting.opacity,
            differences=review.differences,
            has_prediction=review.prediction is not None,
            has_mask=current is not None and current.painted > 0,
            busy=session.inference.busy("segment"),
            confidence=review.confidence,
            agreement=review.agreement(),
            problem=review.problem,
            predicted=sum(1 for record in session.records if record.predicted),
            run=self._run("predict"),
            attention=self.window.attention.state(),
        )

    def _export_state(self) -> states.ExportState:
        return states.ExportState(
            models=self._models(),
            model=self.window.review.model(),
            run=self._run("export"),
            results=self._exports,
        )

    def _read_exports(self) -> None:
        """Look what was exported; only when that may have changed, since it asks the disk."""
        self._exports = exports_of(self.session.queue, self.session.models)
        self.window.redraw()
