"""Runs: starting them from the panels, what the pill offers, what is told when one ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from sslstudio.errors import UserError
from sslstudio.language import later, tr
from sslstudio.runs.folder import RunFolder, RunState, find_run
from sslstudio.runs.naming import resuming
from sslstudio.ui import background
from sslstudio.ui.notice import Notice
from sslstudio.ui.run_queue import TITLES, kind_of
from sslstudio.ui.wiring.files import show

if TYPE_CHECKING:
    from pathlib import Path

    from sslstudio.project.project import Project
    from sslstudio.runs.request import Request
    from sslstudio.ui.history import PastRun
    from sslstudio.ui.main_window import MainWindow
    from sslstudio.ui.panels.live import LiveRun

NEXT = {
    "pretrain": (
        later("Pretraining is done."),
        later("Paint a few images next, then fine-tune."),
        later("Go to Paint"),
        "paint",
    ),
    "pretrain painted": (
        later("Pretraining is done."),
        later("Now fine-tune on what you have painted."),
        later("Fine-tune"),
        "finetune",
    ),
    "finetune": (
        later("The model is ready."),
        later("Look at what it finds in images that you did not paint."),
        later("Review"),
        "review",
    ),
    "predict": (
        later("All images are segmented."),
        later("The list shows a ring on each; step through them."),
        later("Review"),
        "review",
    ),
    "evaluate-features": (
        later("The network has looked at all images."),
        later("See what it knows."),
        later("Show"),
        "working",
    ),
    "did-it-help": (later("The check is done."), later("See whether pretraining helped."), later("Show"), "working"),
    "export": (
        later("The model is exported."),
        later("The files and the check are listed at the right."),
        later("Show"),
        "export",
    ),
}


class LearningWiring(QObject):
    """Connects the panels' wishes and the pill with the queue of runs."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.window = window
        self.session = window.session
        self.queue = window.session.queue
        self.encoder_run = ""  # the pretraining run that the user chose; empty means the newest
        self.preparing: set[str] = set()
        self._wire_queue()
        self._wire_panels()
        self._wire_actions()

    def _wire_queue(self) -> None:
        queue, window = self.queue, self.window
        queue.changed.connect(self._on_changed)
        queue.ended.connect(self._on_ended)
        queue.history_changed.connect(window.redraw)
        queue.found_broken.connect(self._on_broken)
        queue.failed.connect(lambda error: window.tell(Notice(error.problem, error.advice, "error", "run")))
        window.pill.pause_wanted.connect(queue.pause)
        window.pill.resume_wanted.connect(queue.go_on)
        window.pill.stop_wanted.connect(queue.stop)
        window.pill.folder_wanted.connect(lambda run_id: show(self._run(run_id).path))
        window.pill.log_wanted.connect(lambda run_id: show(self._run(run_id).log))

    def _wire_panels(self) -> None:
        panels, go = self.window.panels, self.window.go_to_step
        for name in ("pretrain", "finetune"):
            panels[name].pause_wanted.connect(self.queue.pause)
            panels[name].resume_wanted.connect(self.resume)
        for name in ("pretrain", "finetune", "review", "export"):
            panels[name].stop_wanted.connect(self.queue.stop)
        panels["images"].open_wanted.connect(self.window.files.ask_folder)
        panels["images"].rescan_wanted.connect(self.session.refresh)
        panels["images"].relocate_wanted.connect(lambda: self.window.files.ask_moved())
        panels["images"].image_wanted.connect(self.window.painting.go_to)
        panels["images"].continue_wanted.connect(lambda: go("pretrain"))
        for name in ("images", "pretrain"):
            panels[name].preset_chosen.connect(self.choose_preset)
        panels["pretrain"].start_wanted.connect(self.start_pretraining)
        panels["pretrain"].backbone_wanted.connect(self.choose_backbone)
        panels["pretrain"].use_wanted.connect(self.use_run)
        panels["pretrain"].image_wanted.connect(self.window.painting.go_to)
        panels["pretrain"].images_wanted.connect(lambda: go("images"))
        panels["pretrain"].paint_wanted.connect(lambda: go("paint"))
        panels["pretrain"].finetune_wanted.connect(lambda: go("finetune"))
        panels["finetune"].start_wanted.connect(self.start_finetuning)
        panels["finetune"].paint_wanted.connect(lambda: go("paint"))
        panels["finetune"].review_wanted.connect(lambda: go("review"))
        panels["review"].predict_all_wanted.connect(self.start_predicting)
        panels["export"].export_wanted.connect(self.start_exporting)
        panels["export"].finetune_wanted.connect(lambda: go("finetune"))
        panels["export"].open_folder_wanted.connect(self._show_result)

    def _wire_actions(self) -> None:
        act = self.window.actions_
        act["learn.pretrain"].triggered.connect(lambda: self._press("pretrain", "start"))
        act["learn.finetune"].triggered.connect(lambda: self._press("finetune", "start"))
        act["learn.predict"].triggered.connect(self.start_predicting)
        act["learn.export"].triggered.connect(lambda: self.window.go_to_step("export"))
        act["run.pause"].triggered.connect(self._toggle_pause)
        act["run.stop"].triggered.connect(self._stop_first)
        act["run.details"].triggered.connect(self._show_details)

    # starting -------------------------------------------------------------------------------------------

    def start_pretraining(self, recipe: object) -> None:
        """Pretrain on all usable images."""

        def request(project: Project) -> Request:
            from sslstudio.runs.prepare import pretrain_request

            return pretrain_request(project, recipe)  # type: ignore[arg-type]

        self.start("pretrain", request)

    def start_finetuning(self, recipe: object, encoder_run: str) -> None:
        """Fine-tune on all painted images; what is on the canvas is saved first."""
        self.window.canvas.searches.then(lambda: self._start_finetuning(recipe, encoder_run))

    def _start_finetuning(self, recipe: object, encoder_run: str) -> None:
        image = self.session.image

        def request(project: Project) -> Request:
            from sslstudio.runs.prepare import finetune_request

            made = finetune_request(project, recipe, encoder_run)  # type: ignore[arg-type]
            return made.model_copy(update={"preview": image}) if image else made

        self.start("finetune", request)

    def start_predicting(self) -> None:
        """Segment all images of the project with the chosen model."""
        model = self.window.review.model()

        def request(project: Project) -> Request:
            from sslstudio.runs.prepare import predict_request

            return predict_request(project, model, None, None)

        self.start("predict", request)

    def start_exporting(self, kind: str) -> None:
        """Export the chosen model into its own folder."""
        model = self.window.review.model()

        def request(project: Project) -> Request:
            from sslstudio.runs.prepare import export_request

            return export_request(project, model, kind, None)  # type: ignore[arg-type]

        self.start("export", request)

    def resume(self, run_id: str) -> None:
        """Go on with a paused run, or with one that was stopped or broke off."""
        if any(live.id == run_id and live.state is not RunState.WAITING for live in self.queue.live()):
            self.queue.go_on(run_id)
        else:
            self.window.notice.solved(run_id)
            self._submit(self._run(run_id), resume=True)

    def choose_backbone(self, current: str, resolution: int, images: int) -> None:
        """Let the user pick a backbone out of all that can be used."""
        from sslstudio.runs.prepare import device
        from sslstudio.ui.dialogs.backbones import BackbonesDialog

        gpu = device() == "cuda"
        dialog = BackbonesDialog(current, gpu=gpu, resolution=resolution, images=images, parent=self.window)
        dialog.chosen.connect(self.window.panels["pretrain"].take_backbone)
        dialog.open()

    def choose_preset(self, preset: str) -> None:
        """Remember what kind of images these are; suggestions follow."""
        self.session.remember("preset", preset)
        self.window.drawing.forget_suggestions()
        self.window.redraw()

    def use_run(self, run_id: str) -> None:
        """Build on this pretraining run from now on."""
        self.encoder_run = run_id
        self.window.attention.forget()
        self.window.redraw()

    def encoders(self) -> list[PastRun]:
        """Pretraining runs that left an encoder, newest first, the chosen one before all."""
        found = [past for past in reversed(self.queue.past) if past.encoder is not None]
        return sorted(found, key=lambda past: past.run.id != self.encoder_run)

    def start(self, kind: str, make: Callable[[Project], Request]) -> None:
        """Prepare a run of a kind in the background and submit it."""
        project = self.session.project
        if project is None or kind in self.preparing:
            return
        self.preparing.add(kind)

        def work(task: background.Task) -> RunFolder:
            request = make(project)
            name = getattr(request, "model", "") or ""
            return RunFolder.create(project.path, request, name)

        def done(run: RunFolder) -> None:
            self.window.notice.solved("start")
            self._submit(run)

        def failed(error: UserError) -> None:
            self.window.tell(Notice(error.problem, error.advice, "warning", "start"))

        task = self.session.tasks.run(work, done, failed, unfinished=tr("A run is being prepared"))
        task.over.connect(lambda _: self.preparing.discard(kind))

    def _submit(self, run: RunFolder, *, resume: bool = False) -> None:
        """Start a run; advice after earlier ones, and what went wrong in those of its kind, is overtaken now."""
        bar, kind = self.window.notice, kind_of(run.id)
        bar.overtaken({notice.about for notice in bar.notices if kind_of(notice.about) == kind})
        self.queue.submit(run, resume=resume)

    def _press(self, step: str, button: str) -> None:
        """Go to a step and press its big button, if it can be pressed."""
        self.window.go_to_step(step)
        widget = getattr(self.window.panels[step], button, None)
        if widget is not None and widget.isVisible() and widget.isEnabled():
            widget.click()

    # while it runs --------------------------------------------------------------------------------------

    def _on_changed(self) -> None:
        live = self.queue.live()
        self.window.pill.draw(live)
        for name in ("run.pause", "run.stop", "run.details"):
            self.window.actions_[name].setEnabled(bool(live))
        self.window.redraw()

    def _toggle_pause(self) -> None:
        live = self.queue.live()
        if live:
            paused = live[0].state is RunState.PAUSED
            (self.queue.go_on if paused else self.queue.pause)(live[0].id)

    def _stop_first(self) -> None:
        live = self.queue.live()
        if live:
            self.queue.stop(live[0].id)

    def _show_details(self) -> None:
        if self.queue.live():
            self.window.pill.show_popover()

    def _on_ended(self, live: LiveRun) -> None:
        kind, title = kind_of(live.id), live.title or tr("The run")
        self._take_over(kind, live)
        if live.state is RunState.FAILED:
            act = (tr("Show log"), lambda: show(self._run(live.id).log))
            self.window.tell(
                Notice(
                    live.warning or tr("{title} could not go on.").format(title=title),
                    live.advice,
                    "error",
                    live.id,
                    *act,
                )
            )
        elif live.state is RunState.INTERRUPTED and not live.device and not live.phase:
            act = (tr("Show log"), lambda: show(self._run(live.id).log))
            self.window.tell(
                Notice(
                    tr("{title} ended before it began.").format(title=title),
                    tr("Its log says why."),
                    "error",
                    live.id,
                    *act,
                )
            )
        elif live.state is RunState.INTERRUPTED:
            self._tell_broken(live.id, title, live.checkpoint)
        elif live.state is RunState.STOPPED:
            self.window.tell(
                Notice(
                    tr("{title} was stopped.").format(title=title),
                    tr("What was learned so far is kept."),
                    about=live.id,
                )
            )
        elif kind in NEXT:
            self.window.tell(self._advice(kind))

    def _advice(self, kind: str) -> Notice:
        """What to do after a run that came to its end; only told where that is done already or something runs on."""
        *words, step = NEXT["pretrain painted" if kind == "pretrain" and self._is_painted() else kind]
        text, advice, button = (tr(one) for one in words)
        if self.queue.live() or step == self.window.step:
            return Notice(text, "" if self.queue.live() else advice, "info", kind)
        return Notice(text, advice, "info", kind, button, lambda: self.window.go_to_step(step), step)

    def _is_painted(self) -> bool:
        """Whether fine-tuning could begin: two classes are painted."""
        project = self.session.project
        return project is not None and sum(1 for count in project.class_pixels().values() if count) > 1

    def _take_over(self, kind: str, live: LiveRun) -> None:
        """Show what a run has left."""
        if kind == "finetune":
            self.session.reread_models()
            self.window.review.take_finished(live)
        elif kind == "predict":
            self.session.note_predictions()

    def _on_broken(self, broken: tuple[PastRun, ...]) -> None:
        for past in broken[-3:]:
            begun = past.summary.state is not RunState.WAITING
            title = tr(TITLES.get(kind_of(past.run.id), later("A run")))
            self._tell_broken(past.run.id, title, past.summary.checkpoint, begun=begun)

    def _tell_broken(self, run_id: str, title: str, checkpoint: int, *, begun: bool = True) -> None:
        text = (
            tr("{title} broke off before its end.").format(title=title)
            if begun
            else tr("{title} was waiting and never began.").format(title=title)
        )
        advice = (
            tr("Resuming {resuming}.").format(resuming=resuming(kind_of(run_id), checkpoint))
            if begun
            else tr("It can begin now.")
        )
        button = tr("Resume") if begun else tr("Start")
        self.window.tell(Notice(text, advice, "warning", run_id, button, lambda: self.resume(run_id)))

    def _run(self, run_id: str) -> RunFolder:
        project = self.session.project
        assert project is not None
        return find_run(project.path, run_id)

    def _show_result(self, path: str | Path) -> None:
        from pathlib import Path as _Path

        place = _Path(path)
        show(place if place.is_dir() else place.parent)
