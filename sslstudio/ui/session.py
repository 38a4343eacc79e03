"""What the window works on: the project, the current image with its mask, undo, models, runs. No widgets."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, Signal

from sslstudio.errors import UserError
from sslstudio.language import tr
from sslstudio.runs.folder import RunFolder
from sslstudio.ui import background
from sslstudio.ui.inference import Inference
from sslstudio.ui.kept_values import KeptValues
from sslstudio.ui.label_reader import LabelReader
from sslstudio.ui.loader import Loader
from sslstudio.ui.mask_writer import MaskWriter
from sslstudio.ui.pending_strokes import PendingStrokes
from sslstudio.ui.project_tasks import ProjectTasks
from sslstudio.ui.records import Records
from sslstudio.ui.run_queue import RunQueue

if TYPE_CHECKING:
    from sslstudio.images.picture import Picture
    from sslstudio.project.classes import LabelClass
    from sslstudio.project.index import ImageRecord
    from sslstudio.project.label_map import LabelMap, Labels, Patch
    from sslstudio.project.project import Project
    from sslstudio.runs.prepare import ModelInfo

log = logging.getLogger(__name__)


class Session(QObject):
    """Owns the open project and everything that is shown of it.

    Signals:
        opened, closed: A project was opened; it was closed.
        records_changed: The list of images was read anew.
        record_changed: One ImageRecord changed.
        checked: How many files the check in the background has looked at; -1 when it is over.
        classes_changed, models_changed, history_changed: Read the new state from here.
        image_chosen: The path of the current image; its pixels follow.
        labels_arriving: Those of the image are there, or read anew: lift the pen.
        image_ready: ``picture`` and ``labels`` belong to ``image`` now.
        image_failed: The UserError that says why the current image cannot be shown.
        patched: A Patch that was put on the current mask by undo, redo or an accepted prediction.
        saving_changed: Whether everything painted is on disk.
        failed: (about, UserError); solved: about. For the notice bar.
        mended: A sentence about a mask that was damaged or lost, and what was saved of it.
    """

    opened = Signal()
    closed = Signal()
    records_changed = Signal()
    record_changed = Signal(object)
    checked = Signal(int)
    classes_changed = Signal()
    models_changed = Signal()
    history_changed = Signal()
    image_chosen = Signal(str)
    labels_arriving = Signal()
    image_ready = Signal()
    image_failed = Signal(object)
    patched = Signal(object)
    saving_changed = Signal(bool)
    failed = Signal(str, object)
    solved = Signal(str)
    mended = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.project: Project | None = None
        self.tried = False  # whether the user went to an image that cannot be shown
        self.models: list[ModelInfo] = []
        self.image = ""
        self.picture: Picture | None = None
        self.labels: LabelMap | None = None
        self.queue = RunQueue(self)
        self.queue.ended.connect(lambda live: self._note_damage(RunFolder(live.folder)))
        self.inference = Inference(self)
        self.checking = -1
        self.relabelling = False  # while a class is taken away from all masks
        self._records = Records()
        self.strokes = PendingStrokes(self)
        self.strokes.written.connect(self._on_strokes_written)
        self.strokes.refused.connect(self._on_strokes_refused)
        self.strokes.outdated.connect(self._on_outdated)
        self.tasks = ProjectTasks()
        self._masks = MaskWriter(self.tasks, self)
        self._masks.written.connect(lambda: self.solved.emit("masks"))
        self._masks.failed.connect(lambda error: self.failed.emit("masks", error))
        self._loader = Loader(self)
        self._loader.loaded.connect(self._on_picture)
        self._loader.failed.connect(self._on_unreadable)
        self.reader = LabelReader(self)
        self.reader.arriving.connect(self.labels_arriving)
        self.reader.arrived.connect(self._on_labels)
        self.reader.failed.connect(self._on_no_labels)
        self._values = KeptValues(self)

    @property
    def pixels(self) -> np.ndarray | None:
        """The current image as networks see it in three channels, (H, W, 3) uint8."""
        return self.picture.rgb8 if self.picture else None

    @property
    def records(self) -> list[ImageRecord]:
        """The images as they were read last."""
        return self._records.all

    @property
    def reading(self) -> str:
        """Why nothing may be changed in the open project; empty where it may."""
        return self.project.reading if self.project else ""

    # the project --------------------------------------------------------------------------------------

    def take(self, project: Project, records: Sequence[ImageRecord]) -> None:
        """Work on this project from now on; the one before it is closed."""
        self.close()
        self.project = self.strokes.project = self._values.project = self._masks.project = project
        self._loader.cache = project.path / "cache"
        self._records.take(records)
        self._read_models()
        self.opened.emit()
        self.queue.adopt(project.path)
        self._check_files()
        last = str(self.recall("last_image", ""))
        usable = next((record.path for record in self.records if not record.problem), "")
        self.go_to(last if last in self._records else usable)

    def close(self) -> None:
        """Save what is pending and let go of the project; runs go on."""
        if self.project is None:
            return
        self._values.let_go()
        project, self.project = self.project, None
        self.tasks.close()
        self._masks.let_go()
        self.reader.drop()
        self.queue.close()
        self.inference.close()
        self._loader.close()
        try:
            with contextlib.closing(project):  # which writes the masks
                self.strokes.let_go()
        except UserError as error:  # what is in the edit log becomes a mask next time
            log.warning("On closing: %s", error)
        self._records.take(())
        self.models = []
        self.image, self.picture, self.labels, self.checking = "", None, None, -1
        self.relabelling = False
        self.closed.emit()

    def refresh(self) -> None:
        """Read the images' folder once more, in the background."""
        project = self.project
        if project is None or project.reading:
            return

        def work(task: background.Task) -> tuple[object, list[ImageRecord]]:
            report = project.refresh()
            return report, project.images()

        def done(result: tuple[object, list[ImageRecord]]) -> None:
            self._records.take(result[1], project)
            self.records_changed.emit()
            self._check_files()

        self._run(work, done, "refresh")

    def record(self, path: str) -> ImageRecord | None:
        """What is known about an image."""
        return self._records.get(path)

    def beside(self, path: str, by: int) -> ImageRecord | None:
        """What is known about the image so many places behind this one."""
        return self._records.beside(path, by)

    def current(self) -> ImageRecord | None:
        """What is known about the current image."""
        return self.record(self.image)

    def reread_records(self) -> None:
        """Read the index anew: after an import or a run that left predictions."""
        project = self.project
        if project is None:
            return

        def done(records: list[ImageRecord]) -> None:
            self._records.take(records, project)
            self.records_changed.emit()

        self._run(lambda task: project.images(), done, "records")

    def note_predictions(self) -> None:
        """A run has left predictions: look which images have some."""
        if self.project is not None:
            self.project.note_predictions()
            self.reread_records()

    def _note_damage(self, run: RunFolder) -> None:
        """A run is over: files that it could not read are listed with the reason from now on."""
        project = self.project
        if project is None:
            return

        def work(task: background.Task) -> int:
            from sslstudio.runs.damage import note_damage

            return note_damage(project, run)

        self._run(work, lambda count: self._on_damage(count), "check")

    def _on_damage(self, count: int) -> None:
        if count:
            self.reread_records()

    def reread_models(self) -> None:
        """Look for models that a run has left."""
        self._read_models()
        self.models_changed.emit()

    def set_classes(self, classes: Sequence[LabelClass]) -> None:
        """Change names, colours and number of the classes; raises UserError."""
        if self.project is not None:
            self.project.set_classes(tuple(classes))
            self.classes_changed.emit()

    def remove_classes(self, places: Sequence[int], left: Sequence[LabelClass] = ()) -> None:
        """Take classes away, in the background, and name those that are ``left``, if given.

        Nothing is shown meanwhile that could be painted on: all masks change.
        """
        project, unfinished = self.project, self.tasks.unfinished()
        if project is None or project.reading or self.relabelling or not self.save_strokes():
            return
        if unfinished is not None:  # which may write labels of the classes as they were
            self.failed.emit("classes", UserError(f"{unfinished[1]}.", tr("Wait for that, then remove the class.")))
            return
        self.relabelling = True
        self.picture = self.labels = None
        self.history_changed.emit()

        def work(task: background.Task) -> None:
            from sslstudio.runs.classes import remove_class

            for at in sorted(places, reverse=True):
                remove_class(project, at)
            if left:
                project.set_classes(tuple(left))

        def done(_: object) -> None:
            self._end_relabelling()
            self.solved.emit("classes")

        def failed(error: UserError) -> None:
            self._end_relabelling()
            self.failed.emit("classes", error)

        self.tasks.run(work, done, failed, unfinished=tr("A class is being taken out of all masks"))

    def _end_relabelling(self) -> None:
        self.relabelling = False
        self.classes_changed.emit()
        self._masks.write_soon()
        self.reread_records()
        self.reload_image()

    def remember(self, key: str, value: object) -> None:
        """Keep a small value in the project, which is written a little later."""
        self._values.put(key, value)

    def recall(self, key: str, default: object) -> object:
        """A small value kept in the project."""
        return self._values.get(key, default)

    # the current image --------------------------------------------------------------------------------

    def go_to(self, path: str, ahead: Sequence[str] = ()) -> None:
        """Make an image the current one; its pixels are read in the background, then those of ``ahead``."""
        project = self.project
        record = self.record(path)
        if project is None or record is None or path == self.image:
            return
        if self.image:
            self.write_masks()
        self.reader.drop()
        self.image, self.picture, self.labels = path, None, None
        self.inference.forget("segment")
        self.inference.forget("attention")
        self.inference.forget("similar")
        self.image_chosen.emit(path)
        self.history_changed.emit()
        self.queue.show(path)
        self.remember("last_image", path)
        self.tried = bool(record.problem)
        if record.problem:
            self.image_failed.emit(UserError(record.problem))
            return
        near = [self._load_key(other) for other in ahead if (r := self.record(other)) and not r.problem]
        self._loader.show(*self._load_key(path), ahead=near)

    def reload_image(self) -> None:
        """Read pixels and mask of the current image anew, after a change from outside."""
        path, self.image = self.image, ""
        self.go_to(path)

    def file(self, path: str = "") -> Path:
        """The file of an image, of the current one if empty."""
        assert self.project is not None
        return self.project.image_file(path or self.image)

    def _load_key(self, path: str) -> tuple[str, Path, int]:
        record = self.record(path)
        return path, self.file(path), record.mtime_ns if record else 0

    def _on_picture(self, path: str, picture: Picture) -> None:
        if self.project is not None and path == self.image:
            self.reader.read(self.project, path, picture)

    def _on_labels(self, path: str, picture: Picture, labels: LabelMap, edit: int) -> None:
        for sentence in self.take_notices():
            self.mended.emit(sentence)
        if path == self.image and not self.relabelling:
            self.strokes.show(path, labels, edit)
            self.picture, self.labels = picture, labels
            picture.shown()
            self.image_ready.emit()
            self.history_changed.emit()

    def _on_no_labels(self, path: str, error: UserError) -> None:
        for sentence in self.take_notices():
            self.mended.emit(sentence)
        if path == self.image:
            self.image_failed.emit(error)

    def _on_outdated(self, path: str) -> None:
        if path == self.image and self.labels is not None:  # else they are being read
            self.reload_image()

    def _on_unreadable(self, path: str, error: UserError) -> None:
        if path == self.image:
            self.image_failed.emit(error)
        project = self.project
        if project is not None:  # its header was well, or nobody would have tried
            self._run(lambda task: project.look_closely([path]), self._on_damage, "check")

    # painting -----------------------------------------------------------------------------------------

    def add_stroke(
        self, before: Patch, after: Patch, path: str = "", written: Callable[[int], None] | None = None
    ) -> None:
        """A stroke is finished, on the current image if not told: it is on disk on return, or kept and tried again.

        ``written`` is called with the number of the edit that it became, once it is on disk.
        """
        if path or self.image:
            self.strokes.add(path or self.image, before, after, written)

    def undo(self) -> None:
        """Take back the last stroke on the current image."""
        self._step("undo")

    def redo(self) -> None:
        """Put it back."""
        self._step("redo")

    def can_undo(self) -> bool:
        """Whether there is a stroke to take back."""
        return self._may_step() and self.project.can_undo(self.image)  # type: ignore[union-attr]

    def can_redo(self) -> bool:
        """Whether there is a stroke to put back."""
        return self._may_step() and self.project.can_redo(self.image)  # type: ignore[union-attr]

    def _may_step(self) -> bool:
        return self.project is not None and self.labels is not None and not self.reading

    def accept_prediction(self, labels: Labels) -> None:
        """Make (H, W) uint8 ``labels`` the mask of the current image; can be undone."""
        from sslstudio.project.label_map import as_labels, whole_patch

        if self.project is None or self.labels is None:
            return
        if self.reading:
            self.failed.emit("accept", UserError(self.reading, tr("The project is open for reading.")))
            return
        if labels.shape != self.labels.labels.shape:
            error = UserError(tr("The prediction has another size than the image."), tr("Segment the image once more."))
            self.failed.emit("accept", error)
            return
        labels = np.ascontiguousarray(labels, np.uint8).copy() if isinstance(labels, np.ndarray) else labels
        labels = as_labels(labels)
        if not self.save_strokes():
            return
        try:
            self.project.set_mask(self.image, labels)
            self.strokes.note(self.image)
        except UserError as error:
            self.failed.emit("accept", error)
            return
        patch = whole_patch(labels)
        self.labels.put(patch)
        self.patched.emit(patch)
        self.after_edit(self.image)

    def write_masks(self) -> None:
        """Write pending masks as PNG, in the background."""
        self._masks.write()

    def take_notices(self) -> list[str]:
        """What the project has to tell since the last time."""
        notices = self.project.notices if self.project else []
        told, notices[:] = list(notices), []
        return told

    def all_saved(self) -> bool:
        """Whether everything painted is on disk."""
        return self.strokes.all_written()

    def save_strokes(self) -> bool:
        """Write strokes that wait, oldest first; False when the disk refuses."""
        return self.strokes.save()

    def _on_strokes_written(self, paths: set[str]) -> None:
        if self.all_saved():
            self.solved.emit("saving")
            self.saving_changed.emit(True)
        for path in paths:
            self.after_edit(path)

    def _on_strokes_refused(self, error: UserError) -> None:
        self.failed.emit("saving", error)
        self.saving_changed.emit(False)

    def after_edit(self, path: str) -> None:
        """A mask changed: it is written soon, and its record is read anew."""
        self._masks.write_soon()
        if self.project is not None and path in self._records:
            record = self.project.image(path)
            self._records.edited(record)
            self.record_changed.emit(record)
        self.history_changed.emit()

    def _step(self, way: str) -> None:
        if self.project is None or self.labels is None or not self.save_strokes():
            return
        try:
            if not self.strokes.is_shown(self.image):  # the newest edit is one that nobody has seen yet
                self.reload_image()
                return
            patch = getattr(self.project, way)(self.image)
            self.strokes.note(self.image)
        except UserError as error:
            self.failed.emit("saving", error)
            return
        if patch is not None:
            self.labels.put(patch)
            self.patched.emit(patch)
            self.after_edit(self.image)

    # inside -------------------------------------------------------------------------------------------

    def _read_models(self) -> None:
        from sslstudio.runs.prepare import models_of

        self.models = models_of(self.project.path) if self.project else []

    def _check_files(self) -> None:
        """Look into files not looked into yet; problems show up in the list while it goes on."""
        project = self.project
        if project is None or self.checking >= 0:
            return
        self.checking = 0

        def work(task: background.Task) -> list[ImageRecord] | None:
            if project.reading or not project.unchecked():
                return None  # as most times: a hundred thousand records need not be read twice
            project.check_files(lambda *figures: task.report(figures[0] if figures else 0))
            return project.images()

        def done(records: list[ImageRecord] | None) -> None:
            self.checking = -1
            if records is not None:
                self._records.take(records, project)
                self.records_changed.emit()
            self.checked.emit(-1)

        def failed(error: UserError) -> None:
            self.checking = -1
            self.failed.emit("check", error)
            self.checked.emit(-1)

        def progressed(number: int) -> None:
            self.checking = int(number)
            self.checked.emit(self.checking)

        self.tasks.run(work, done, failed, progressed=progressed)

    def _run(self, work: Callable[[background.Task], object], done: Callable[..., None], about: str) -> None:
        self.tasks.run(work, done, lambda error: self.failed.emit(about, error))
