"""What a model finds in the current image: asked live, read from a finished run, or shown while it learns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject

from sslstudio.project.sparse_labels import TILE
from sslstudio.ui import background
from sslstudio.ui.canvas.canvas import PREDICTION_MODES
from sslstudio.ui.run_queue import kind_of

if TYPE_CHECKING:
    from pathlib import Path

    from sslstudio.project.label_map import Labels
    from sslstudio.ui.main_window import MainWindow
    from sslstudio.ui.panels.live import LiveRun

UNPAINTED = 255


class ReviewWiring(QObject):
    """Connects the review panel, the canvas's prediction and the inference process."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.window = window
        self.session = window.session
        self.canvas = window.canvas
        self.chosen_model = ""
        self.view = "over"
        self.opacity = 0.45
        self.differences = False
        self.prediction: Labels | None = None
        self.confidence = -1.0
        self.problem = ""
        self.shown_live = self.shown_finished = 0
        self._finished_in = ""  # the step in which fine-tuning ended and its model's view of the image stays
        self._live_file: tuple[str, int] = ("", -1)
        self._wire()

    def _wire(self) -> None:
        window, session = self.window, self.session
        panel = window.panels["review"]
        panel.model_chosen.connect(self.choose_model)
        panel.view_chosen.connect(self._on_view)
        panel.opacity_chosen.connect(self._on_opacity)
        panel.differences_chosen.connect(lambda _: window.actions_["view.differences"].trigger())
        panel.accept_wanted.connect(self.accept)
        panel.finetune_wanted.connect(lambda: window.go_to_step("finetune"))
        panel.export_wanted.connect(lambda: window.go_to_step("export"))
        window.panels["export"].model_chosen.connect(self.choose_model)
        act = window.actions_
        act["view.prediction"].setChecked(True)
        act["view.prediction"].toggled.connect(self._on_shown)
        act["view.live"].setChecked(True)
        act["view.live"].toggled.connect(self._on_live_shown)
        act["view.differences"].toggled.connect(self._on_differences)
        act["view.compare"].triggered.connect(lambda: self.compare_otherwise())
        act["paint.accept"].triggered.connect(lambda: self.accept(False))
        act["learn.segment"].triggered.connect(self.segment)
        session.image_chosen.connect(self._on_image_chosen)
        session.image_ready.connect(self._on_image_ready)
        session.inference.segmented.connect(self._on_segmented)
        session.inference.failed.connect(self._on_failed)
        session.inference.busy_changed.connect(lambda kind, busy: window.redraw())
        session.queue.updated.connect(self._on_run)
        session.opened.connect(self._on_opened)

    # models ---------------------------------------------------------------------------------------------

    def model(self) -> str:
        """The name of the model in use: the chosen one, or the newest; empty when there is none."""
        names = [model.name for model in self.session.models]
        return self.chosen_model if self.chosen_model in names else names[-1] if names else ""

    def choose_model(self, name: str) -> None:
        """Use this model from now on."""
        self.chosen_model = name
        self._forget()
        self.on_step()

    def take_finished(self, live: LiveRun) -> None:
        """Fine-tuning is over: use its model, and let its view of the image take the place of the live overlay."""
        self.chosen_model = ""
        self._forget()
        self._live_file = ("", -1)
        left_one = str(live.result.get("model", "")) in [model.name for model in self.session.models]
        self._finished_in = self.window.step if left_one and self.window.step != "review" else ""
        if not self._finished_in:
            self.canvas.set_live_overlay(None)
        self.on_step()

    def folder(self) -> Path | None:
        """The folder of the model in use."""
        name = self.model()
        return next((model.folder for model in self.session.models if model.name == name), None)

    # predictions ----------------------------------------------------------------------------------------

    def on_step(self) -> None:
        """Show a prediction in Review, and elsewhere only what the user asked for or fine-tuning has just left."""
        if self._finished_in != self.window.step:
            self._finished_in = ""
        if self.window.step == "review" or not (self._finished_in or self._is_tuning()):
            self.canvas.set_live_overlay(None)
        if self.window.step == "review":
            if self.prediction is None:
                self.ask()
            else:
                self.draw_prediction()
        else:
            self.canvas.set_prediction(None)
            self._show_finished()

    def segment(self) -> None:
        """Ask the model about the current image, and show the answer."""
        if self.window.step != "review":
            self.window.go_to_step("review")
        self.window.actions_["view.prediction"].setChecked(True)
        self.ask(fresh=True)

    def ask(self, *, fresh: bool = False) -> None:
        """Get the prediction of the current image: the stored one if there is, else a live answer."""
        folder, project = self.folder(), self.session.project
        if folder is None or project is None or self.session.labels is None:
            return
        self.problem = ""
        image, model = self.session.image, self.model()
        stored = project.prediction_file(model, image)
        if fresh or not stored.is_file():
            self.session.inference.segment(str(self.session.file()), str(folder))
            self.window.redraw()
            return

        def work(task: background.Task) -> Labels:
            from sslstudio.project.label_map import LabelMap
            from sslstudio.project.masks import read_noted
            from sslstudio.ui.canvas.pyramid import prepared

            labels, table = read_noted(stored)[0], project.places_of(model)
            if isinstance(labels, np.ndarray):
                return labels
            return prepared(LabelMap(labels.mapped(table))).labels

        def done(labels: Labels) -> None:
            if self.session.image == image and self.model() == model:
                self._take(labels, -1.0)

        self.session.tasks.run(work, done, lambda error: self.ask(fresh=True))

    def accept(self, go_on: bool) -> None:
        """Make the prediction the mask; then go to the next image if wanted."""
        self.canvas.searches.then(lambda: self._accept(go_on))

    def _accept(self, go_on: bool) -> None:
        if self.prediction is None:
            return
        self.session.accept_prediction(self.prediction)
        if go_on:
            self.window.browser.go(1, wanted=lambda record: not record.problem)

    def agreement(self) -> float:
        """Share of the painted pixels on which the prediction agrees; negative when nothing is painted."""
        if self.prediction is None or self.session.labels is None:
            return -1.0
        labels = self.session.labels.labels
        if not isinstance(labels, np.ndarray) or not isinstance(self.prediction, np.ndarray):
            return _agreement_by_tiles(self.prediction, labels)
        painted = labels != UNPAINTED
        count = int(painted.sum())
        if not count or self.prediction.shape != labels.shape:
            return -1.0
        return float((self.prediction[painted] == labels[painted]).sum()) / count

    def draw_prediction(self) -> None:
        """Put the prediction on the canvas."""
        if self.prediction is None or not self.window.actions_["view.prediction"].isChecked():
            self.canvas.set_prediction(None)
            return
        self.canvas.set_prediction(self.prediction, self.view)

    def _take(self, labels: Labels, confidence: float) -> None:
        project = self.session.project
        assert project is not None
        plain = isinstance(labels, np.ndarray)  # others were brought in line beside the window
        self.prediction = project.places_of(self.model())[labels] if plain else labels  # type: ignore[index]
        self.confidence = confidence
        if self.window.step == "review":
            self.draw_prediction()
        else:
            self._show_finished()
        self.window.redraw()

    def _forget(self) -> None:
        self.prediction, self.confidence, self.problem = None, -1.0, ""
        self.session.inference.forget("segment")  # of another model, or image
        self.canvas.set_prediction(None)

    def _on_segmented(self, image: str, labels: np.ndarray, confidence: np.ndarray) -> None:
        if self.session.image and image == str(self.session.file()):
            self._take(labels, float(confidence.mean()) / 255)

    def _on_failed(self, kind: str, problem: str, advice: str) -> None:
        if kind == "segment":
            self.problem = f"{problem} {advice}".strip()
            if self._finished_in:
                self.canvas.set_live_overlay(None)  # what is left there was not the finished model's
            self.window.redraw()

    def _on_opened(self) -> None:
        self.chosen_model = self._finished_in = ""
        self._forget()

    def _on_image_chosen(self, path: str) -> None:
        self._forget()
        self._live_file = ("", -1)

    def _on_image_ready(self) -> None:
        self.on_step()
        live = self.session.queue.latest("finetune")
        if live is not None and live.active:
            self._on_run(live)

    def compare_otherwise(self) -> None:
        """Go on to the next way to show the prediction."""
        order = PREDICTION_MODES
        self._on_view(order[(order.index(self.view) + 1) % len(order)])

    def _on_view(self, view: str) -> None:
        self.view = view
        self.draw_prediction()
        self.window.redraw()

    def _on_opacity(self, opacity: float) -> None:
        self.opacity = opacity
        self.window.painting.set_opacity(opacity)

    def _on_differences(self, wanted: bool) -> None:
        self.differences = wanted
        self.canvas.set_differences(wanted)
        self.window.redraw()

    def _on_shown(self, wanted: bool) -> None:
        if wanted and self.prediction is None:
            self.ask()
        self.draw_prediction()

    # while it fine-tunes --------------------------------------------------------------------------------

    def _on_run(self, live: LiveRun) -> None:
        if kind_of(live.id) != "finetune" or not self.window.actions_["view.live"].isChecked():
            return
        self._finished_in = ""
        newest = [thumb for thumb in live.thumbs if thumb.what == "overlay" and thumb.image == self.session.image]
        if not newest or self.session.labels is None:
            return
        key = (str(newest[-1].file), newest[-1].step)
        if key == self._live_file:
            return
        self._live_file = key
        image, file = self.session.image, newest[-1].file

        def work(task: background.Task) -> np.ndarray:
            from sslstudio.project.masks import read_mask

            return read_mask(file)

        def done(labels: np.ndarray) -> None:
            if self.session.image == image and self.window.step != "review" and self._fits(live.id):
                self.canvas.set_live_overlay(labels)
                self.shown_live += 1

        self.session.tasks.run(work, done, lambda error: None)  # replaced while it was read; the next one comes soon

    def _fits(self, run_id: str) -> bool:
        return any(live.id == run_id and live.active for live in self.session.queue.live())

    def _is_tuning(self) -> bool:
        return any(kind_of(live.id) == "finetune" for live in self.session.queue.live())

    def _show_finished(self) -> None:
        """After fine-tuning, until the user goes on to another step: what the finished model finds."""
        if not self._finished_in or not self.window.actions_["view.live"].isChecked():
            return
        if self.prediction is None:
            self.ask()
        else:
            self.canvas.set_live_overlay(self.prediction)
            self.shown_finished += 1

    def _on_live_shown(self, wanted: bool) -> None:
        self._live_file = ("", -1)
        live = self.session.queue.latest("finetune")
        if not wanted:
            self.canvas.set_live_overlay(None)
        elif live is not None and live.active:
            self._on_run(live)
        else:
            self._show_finished()


def _agreement_by_tiles(prediction: Labels, labels: Labels) -> float:
    """Share of the painted pixels of a huge mask on which the prediction agrees; negative where none is painted."""
    if prediction.shape != labels.shape or isinstance(labels, np.ndarray):
        return -1.0
    same = count = 0
    for place in labels.places():
        if labels.plain(place) != UNPAINTED:
            mine = labels.tile(place)
            top, left = place[0] * TILE, place[1] * TILE
            there = prediction[top : top + mine.shape[0], left : left + mine.shape[1]]
            painted = mine != UNPAINTED
            count += int(painted.sum())
            same += int((painted & (mine == there)).sum())
    return same / count if count else -1.0
