"""Similar regions in the folder: which images have more of what was pointed at, and taking it in all of them."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, QTimer

from sslstudio.errors import UserError
from sslstudio.images.limits import is_huge
from sslstudio.language import tr
from sslstudio.project.label_map import UNPAINTED
from sslstudio.project.sparse_labels import pieces_of
from sslstudio.regions.alike import Alike
from sslstudio.ui import background
from sslstudio.ui.canvas.strokes import Stroke
from sslstudio.ui.folder_search import FolderSearch
from sslstudio.ui.notice import Notice
from sslstudio.ui.panels.states import SimilarFolderState
from sslstudio.ui.panels.words import many

if TYPE_CHECKING:
    from sslstudio.project.project import Project
    from sslstudio.ui.main_window import MainWindow

CACHE = Path("cache") / "places"
_AGAIN = 250  # milliseconds after the slider rests before the list is ordered anew


class SimilarFolderWiring(QObject):
    """Connects a search of the folder with tool, list and panel."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.window, self.session, self.canvas = window, window.session, window.canvas
        self.search: FolderSearch | None = None
        self.found: list[tuple[str, float]] = []
        self.problem = ""
        self._accepting: background.Task | None = None
        self._taken: dict[str, int] = {}  # images in which it was accepted, and what their masks came to
        self._listing = QTimer(self, interval=_AGAIN, singleShot=True)
        self._listing.timeout.connect(self.list_found)
        panel = window.panels["paint"]
        panel.similar_folder_wanted.connect(self.toggle)
        panel.similar_everywhere_wanted.connect(self.change_everywhere)
        window.actions_["image.similar"].triggered.connect(self.toggle)
        window.browser.all_wanted.connect(self._on_all)
        self.canvas.options_changed.connect(self._on_options)
        self.canvas.tool_changed.connect(lambda _: self.propose())
        self.session.image_ready.connect(self.propose)
        self.session.closed.connect(self.forget)

    def state(self) -> SimilarFolderState:
        """What the panel shows."""
        search, gesture = self.search, self.window.similar.gesture()
        state = SimilarFolderState(
            can_start=gesture is not None and bool(gesture.examples) and gesture.alike is not None,
            problem=self.problem,
            accepting=self._accepting is not None,
            taken=len(self._taken),
        )
        if search is None:
            return state
        return replace(
            state,
            running=search.running,
            done=search.done,
            total=search.total,
            found=len(self.found),
            unread=len(search.problems),
        )

    # the search -----------------------------------------------------------------------------------------

    def toggle(self) -> None:
        """Begin a search for what is pointed at, or call off the one under way."""
        if self.search is not None and self.search.running:
            self.search.stop()
        else:
            self.start()

    def start(self) -> None:
        """Look through all usable images."""
        project, gesture = self.session.project, self.window.similar.gesture()
        if project is None or gesture is None or not gesture.examples:
            advice = tr("Take “Similar regions” into the hand (J), click something, then search the folder for it.")
            self.window.tell(Notice(tr("Nothing is pointed at yet."), advice, about="similar"))
            return
        self.forget()
        encoder, _, _ = self.window.similar.network()
        search = FolderSearch(self.session.file(), tuple(gesture.examples), encoder, project.path / CACHE, self)
        search.progressed.connect(self.window.redraw)
        search.ended.connect(self._on_ended)
        self.search = search
        names = [record.path for record in self.session.records if not record.problem]
        search.start((name, self.session.file(name)) for name in names)
        self.window.redraw()

    def forget(self) -> None:
        """The search is of the past."""
        search, self.search, self.found, self.problem, self._taken = self.search, None, [], "", {}
        if search is not None:
            search.ended.disconnect(self._on_ended)
            search.stop()
            search.deleteLater()
        if self._accepting is not None:
            self._accepting.cancel()  # and what was done until then is told

    def list_found(self) -> None:
        """List the images that have some, the most of it first."""
        if self.search is None:
            return
        self.found = self.search.ranked(self.canvas.options.alike / 100)
        words = tr("Alike: {images}").format(images=many(len(self.found), "image"))
        self.window.browser.show_only([image for image, _ in self.found], words)
        self.window.actions_["view.browser"].setChecked(True)
        self.window.redraw()

    def propose(self) -> None:
        """Propose at once what the search found in the image that is shown now."""
        gesture = self.window.similar.gesture()
        if self.search is None or gesture is None or gesture.examples or self.session.labels is None:
            return
        likeness = self.search.likeness(self.session.image)
        if likeness is not None:
            self.window.similar.propose(likeness)

    def _on_ended(self, why: str) -> None:
        self.problem = why
        self.list_found()

    def _on_options(self) -> None:
        if self.search is not None and not self.search.running and self.window.similar.gesture() is not None:
            self._listing.start()

    def _on_all(self) -> None:
        """All images are listed again: the search is over with."""
        self.forget()
        self.window.redraw()

    # taking it everywhere -------------------------------------------------------------------------------

    def change_everywhere(self) -> None:
        """Accept in all listed images; or take that back, while it is what was done last."""
        if self._accepting is not None or self.session.relabelling or not self.session.save_strokes():
            return
        if self._taken:
            self.take_back()
        else:
            self.accept_everywhere()

    def accept_everywhere(self) -> None:
        """Take what is proposed into the masks of all listed images, one edit in each, in the background."""
        project, search = self.session.project, self.search
        if project is None or search is None:
            return
        shown = self.session.image
        if search.likeness(shown) is not None:  # the one that is seen, as by Enter
            self.canvas.set_tool("similar")
            self.canvas.finish_gesture()
        self.canvas.lift()
        options, label = self.canvas.options, self.canvas.current_class
        jobs = [(image, found) for image, _ in self.found if (found := search.likeness(image)) is not None]
        jobs = [job for job in jobs if job[0] != shown]
        threshold, table = options.alike / 100, options.changeable()

        changed: dict[str, int] = {}
        problems: list[str] = []

        def work(task: background.Task) -> None:
            for image, likeness in jobs:
                task.report(image)  # leaves early where it is cancelled
                try:
                    if take(project, image, likeness, threshold, options.clinging, label, table):
                        changed[image] = _sum(project, image)
                except UserError as error:
                    problems.append(error.problem)

        self._begin(work, lambda _: self._on_accepted(changed, problems), lambda: self._on_called_off(changed))

    def take_back(self) -> None:
        """Undo it in all images whose masks were not changed since."""
        project, taken = self.session.project, self._taken
        if project is None:
            return
        self.canvas.searches.then(lambda: self._take_back(project, taken))

    def _take_back(self, project: Project, taken: dict[str, int]) -> None:
        undone: list[str] = []

        def work(task: background.Task) -> None:
            for image, was in taken.items():
                task.report(image)
                with project.together():  # no stroke of the window may come in between
                    if _sum(project, image) == was and project.undo(image) is not None:
                        undone.append(image)

        self._begin(
            work,
            lambda _: self._on_taken_back(undone, [image for image in taken if image not in undone]),
            lambda: self._after(set(undone), Notice(self._told_back(undone), about="similar")),
            lambda error: self._on_refused(error, undone),
        )

    def _begin(
        self,
        work: Callable[[background.Task], None],
        done: Callable[[None], None],
        called_off: Callable[[], None],
        failed: Callable[[UserError], None] | None = None,
    ) -> None:
        """Change masks of many images beside the window."""
        project = self.session.project

        def over(_: bool) -> None:
            self._accepting = None
            if task.cancelled and self.session.project is project:
                called_off()
            self.window.redraw()

        words = tr("The masks of many images are being changed")
        task = self._accepting = self.session.tasks.run(work, done, failed, unfinished=words)
        task.over.connect(over)
        self.window.redraw()

    def _on_called_off(self, changed: dict[str, int]) -> None:
        told = tr("Called off. Taken into the masks of {other_images} until then; in each, one undo takes it back.")
        self._after(set(changed), Notice(told.format(other_images=many(len(changed), "other image")), about="similar"))

    def _on_accepted(self, changed: dict[str, int], problems: list[str]) -> None:
        self._taken = changed
        told = tr("Taken into the masks of {other_images}; in each, one undo takes it back.").format(
            other_images=many(len(self._taken), "other image")
        )
        advice = (
            tr("{images} could not be changed. {problems}").format(
                images=many(len(problems), "image"), problems=problems[0]
            )
            if problems
            else ""
        )
        self._after(set(self._taken), Notice(told, advice, "warning" if problems else "info", "similar"))

    def _on_taken_back(self, undone: list[str], kept: list[str]) -> None:
        self._taken = {}
        advice = tr("{images} changed since: undo it there.").format(images=many(len(kept), "image")) if kept else ""
        self._after(
            set(undone),
            Notice(self._told_back(undone), advice, about="similar"),
        )

    def _told_back(self, undone: list[str]) -> str:
        return tr("Taken back in {images}.").format(images=many(len(undone), "image"))

    def _on_refused(self, error: UserError, undone: list[str]) -> None:
        self._taken = {image: was for image, was in self._taken.items() if image not in undone}
        self._after(set(undone), Notice(error.problem, error.advice, "warning", "similar"))

    def _after(self, changed: set[str], notice: Notice) -> None:
        """Masks were changed in the background."""
        self.session.reread_records()
        self.session.write_masks()
        if self.session.image in changed:  # the user has gone on to it meanwhile
            self.session.reload_image()
        self.window.tell(notice)
        self.window.redraw()


def take(
    project: Project,
    image: str,
    likeness: np.ndarray,
    threshold: float,
    clinging: bool,
    label: int,
    changeable: np.ndarray | None,
) -> bool:
    """Give what is at least so alike in an image a label, as one edit; whether anything changed. UserError as usual."""
    from sslstudio.images.reader import read_rgb8

    pixels = read_rgb8(project.image_file(image))
    if is_huge(*pixels.shape[:2]):
        raise _to_be_seen(image)
    region = Alike(likeness, pixels, clinging=clinging).region(threshold)
    with project.together():  # no stroke of the window may come in between
        labels = project.label_map(image).labels
        if pixels.shape[:2] != labels.shape or not isinstance(labels, np.ndarray):
            raise _to_be_seen(image)
        stroke = Stroke(labels.copy(), min(label, UNPAINTED), changeable)
        stroke.paint(*region)
        patches = stroke.patches()
        if patches is not None:
            project.add_edit(image, *patches)
    return patches is not None


def _to_be_seen(image: str) -> UserError:
    return UserError(
        tr("{image} is huge, or has another size than its mask.").format(image=image), tr("Look at that image alone.")
    )


def _sum(project: Project, image: str) -> int:
    """A number that changes with a mask."""
    labels = project.label_map(image).labels
    if isinstance(labels, np.ndarray):
        return zlib.crc32(np.ascontiguousarray(labels).data)
    return zlib.crc32(pieces_of(labels).to_bytes())
