"""Opening, closing, importing: everything that begins with a path, and what can go wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QDialog, QFileDialog

from sslstudio.errors import UserError
from sslstudio.language import tr
from sslstudio.ui import background, opening
from sslstudio.ui.actions import ACTIONS
from sslstudio.ui.dialogs.import_report import head_line
from sslstudio.ui.notice import Notice, Weight
from sslstudio.ui.panels.words import thousands
from sslstudio.ui.shortcuts import tip_of
from sslstudio.ui.wiring.leaving import may_leave
from sslstudio.ui.wiring.under_way import UnderWay

if TYPE_CHECKING:
    from sslstudio.annotations.bringing_in import Preview
    from sslstudio.annotations.palette_png import ImportReport
    from sslstudio.annotations.survey import Survey
    from sslstudio.project.classes import LabelClass
    from sslstudio.ui.main_window import MainWindow

_SAMPLE = "sample"
FEW_MASKS = 200  # read in a moment; of more it is told now and then how many


class FilesWiring(QObject):
    """Connects welcome page, File menu and drops with the session."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.window = window
        self.session = window.session
        self._closing = False
        self._opening: set[Hashable] = set()  # what is being opened, wanted or not
        self._wanted: Hashable = None  # what was asked for last
        self._slow = QTimer(self, interval=300, singleShot=True)
        self._slow.timeout.connect(self._show_busy)
        self._busy, self._share = "", -1.0
        self._wire()
        QTimer.singleShot(0, self.show_recent)

    def _wire(self) -> None:
        window, act = self.window, self.window.actions_
        for signal in (window.welcome.folder_wanted, act["file.open_folder"].triggered):
            signal.connect(self.ask_folder)
        for signal in (window.welcome.project_wanted, act["file.open_project"].triggered):
            signal.connect(self.ask_project)
        for signal in (window.welcome.sample_wanted, act["file.open_sample"].triggered):
            signal.connect(self.open_sample)
        window.welcome.path_chosen.connect(self.open)
        window.welcome.forget_wanted.connect(self._forget_recent)
        act["file.close_project"].triggered.connect(self.close_project)
        act["file.refresh"].triggered.connect(self.session.refresh)
        act["file.show_folder"].triggered.connect(self.show_project_folder)
        act["file.import_masks"].triggered.connect(self.ask_masks)
        act["file.quit"].triggered.connect(window.close)
        act["help.about"].triggered.connect(self.show_about)
        self.session.opened.connect(self._on_opened)
        self.session.closed.connect(self._on_closed)
        self.session.checked.connect(self._on_checked)
        self.session.failed.connect(self._on_failed)
        self.session.mended.connect(self._tell_mended)
        self.session.solved.connect(lambda about: self.window.notice.solved(about))

    # opening --------------------------------------------------------------------------------------------

    def open(self, path: Path) -> None:
        """Open a folder of images or a project, in the background."""
        self._begin(
            opening.place_of(path),
            tr("Opening {name} …").format(name=path.name),
            lambda done, failed: opening.open_path(path, done, failed),
            lambda error: self._on_refused(error, path),
        )

    def open_reading(self, path: Path, why: UserError) -> None:
        """Open a project for reading that somebody else has open, in the background."""
        self._begin(
            (opening.place_of(path), "reading"),
            tr("Opening {name} …").format(name=path.name),
            lambda done, failed: opening.open_reading(path, why, done, failed),
            lambda error: self._on_refused(error, path),
        )

    def open_sample(self) -> None:
        """Open the sample project; its images are made the first time."""
        self._begin(
            _SAMPLE,
            tr("Making the sample images …"),
            lambda done, failed: opening.open_sample(done, failed, self._on_sample_made),
            lambda error: self._on_refused(error, Path()),
        )

    def ask_folder(self) -> None:
        """Let the user choose a folder of images."""
        self._ask(tr("Choose a folder of images"), self.open)

    def ask_project(self) -> None:
        """Let the user choose a project folder."""
        self._ask(tr("Choose a project (its folder ends in .sslproj)"), self.open)

    def ask_moved(self, project: Path | None = None) -> None:
        """Let the user say where a project's images are now."""
        moved = project or (self.session.project.path if self.session.project else None)
        if moved is None:
            return

        def chosen(images: Path) -> None:
            self._begin(
                (moved, images),
                tr("Looking for the images …"),
                lambda done, failed: opening.open_moved(moved, images, done, failed),
                lambda error: self._on_refused(error, moved, moved=True),
                closed=moved,
            )

        self._ask(tr("Choose the folder where the images are now"), chosen)

    def close_project(self) -> None:
        """Back to the welcome page; what runs goes on."""
        if may_leave(self.window, self.close_project, self.session.close):
            self.session.close()

    def show_project_folder(self) -> None:
        """Open the project's folder in the system's file manager."""
        if self.session.project is not None:
            show(self.session.project.path)

    def show_recent(self) -> None:
        """List recent projects on the welcome page."""
        from sslstudio.project.recent import recent_projects

        self.window.welcome.show_recent(recent_projects())

    def _forget_recent(self, project: Path) -> None:
        from sslstudio.project.recent import forget

        forget(project)
        self.show_recent()

    def may_close(self) -> bool:
        """Whether the window may close now; asks about runs first."""
        if self._closing:
            return True
        if not may_leave(self.window, self._close_again, self._close):
            return False
        live = self.session.queue.live()
        if not live:
            return True
        from sslstudio.ui.dialogs.closing import ClosingDialog

        ClosingDialog(live[0].title, self._close, self._stop_and_close, self.window).open()
        return False

    # inside ---------------------------------------------------------------------------------------------

    def _ask(self, title: str, chosen: Callable[[Path], None]) -> None:
        dialog = QFileDialog(self.window, title)
        dialog.setObjectName("dialog.folder")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(lambda path: chosen(Path(path)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _begin(
        self,
        wish: Hashable,
        text: str,
        start: Callable[[opening.Done, opening.Failed], background.Task],
        refused: opening.Failed,
        *,
        closed: Path | None = None,
    ) -> None:
        """Open what is meant by ``wish``, a project above all: the newest wish wins, the same one is begun once.

        The project at ``closed`` must not be open meanwhile.
        """

        def begin() -> None:
            self._begin(wish, text, start, refused, closed=closed)

        def anyway() -> None:
            self.session.close()
            begin()

        def done(opened: opening.Opened) -> None:
            if wish == self._wanted:
                self._end()
                if may_leave(self.window, begin, anyway):
                    self.session.take(opened.project, opened.records)
                    return
            opening.give_up(opened)

        def failed(error: UserError) -> None:
            if wish == self._wanted:
                refused(error)

        if not may_leave(self.window, begin, anyway):
            return
        if closed is not None and self.session.project is not None and self.session.project.path == closed:
            self.session.close()
        self.window.welcome.notice.clear()
        self._busy, self._share = text, -1.0
        self._slow.start()
        self._wanted = wish
        if wish not in self._opening:
            self._opening.add(wish)
            start(done, failed).over.connect(lambda _: self._opening.discard(wish))

    def let_go(self) -> None:
        """What is being opened is not wanted any more."""
        self._slow.stop()
        self._wanted = None

    def _show_busy(self) -> None:
        if self.session.project is None:
            self.window.welcome.show_busy(self._busy, self._share)
        else:
            self.window.tell(Notice(self._busy, about="opening"))

    def _on_sample_made(self, figures: tuple[int, int]) -> None:
        if self._wanted != _SAMPLE:
            return
        self._busy = tr("Making sample image {figures} of {figures_2} …").format(
            figures=figures[0], figures_2=figures[1]
        )
        self._share = figures[0] / max(1, figures[1])
        if not self._slow.isActive():
            self._show_busy()

    def _end(self) -> None:
        self.let_go()
        self.window.welcome.show_busy("")
        self.window.notice.solved("opening")

    def _on_refused(self, error: UserError, path: Path, *, moved: bool = False) -> None:
        from sslstudio.project.lock import ProjectTaken
        from sslstudio.project.places import ImagesMoved

        self._end()
        if isinstance(error, ImagesMoved) or moved:
            project = error.project if isinstance(error, ImagesMoved) else path
            notice = Notice(
                error.problem, error.advice, "warning", "opening", tr("Choose folder…"), lambda: self.ask_moved(project)
            )
        elif isinstance(error, ProjectTaken) and self._is_open(path):
            name = opening.place_of(path).stem
            notice = Notice(tr("{name} is open already.").format(name=name), about="opening")
        elif isinstance(error, ProjectTaken):
            notice = Notice(
                error.problem,
                error.advice,
                "warning",
                "opening",
                tr("Open for reading"),
                lambda: self.open_reading(path, error),
            )
        else:
            notice = Notice(error.problem, error.advice, "warning", "opening")
        self.window.tell(notice)

    def _is_open(self, path: Path) -> bool:
        project = self.session.project
        return project is not None and not project.reading and project.path == opening.place_of(path)

    def _on_opened(self) -> None:
        project = self.session.project
        assert project is not None
        window = self.window
        window.notice.clear()
        reading = project.reading
        window.setWindowTitle(
            (tr("{name} – for reading – SSL Studio") if reading else tr("{name} – SSL Studio")).format(
                name=project.name
            )
        )
        window.browser.open(project.path / "cache", project.image_file)
        window.browser.set_records(self.session.records)
        for sentence in self.session.take_notices():
            self._tell_mended(sentence)
        window.show_page(project=True)
        window.status.show_saved(True)
        if reading:
            window.status.show_reading(reading)
        self._lock_up(reading)
        window.go_to_step(str(self.session.recall("step", "images")))

    def _lock_up(self, reading: str) -> None:
        """Disable what would change the project where it was opened for reading, with the reason; or enable it."""
        window = self.window
        window.canvas.set_paintable(not reading)
        window.actions_["paint.pan" if reading else "paint.brush"].setChecked(True)
        for name in ("pretrain", "paint", "finetune", "working"):
            window.panels[name].setEnabled(not reading)
        for row in ACTIONS:
            if row.changes:
                action = window.actions_[row.id]
                tip = tip_of(row, action)
                action.setToolTip(tr("{tip}. Not now: {reading}").format(tip=tip, reading=reading) if reading else tip)
        window.refresh_actions()

    def _on_closed(self) -> None:
        window = self.window
        for dialog in window.findChildren(QDialog):
            if dialog.isVisible():
                dialog.reject()  # what it asks is about that project
        window.setWindowTitle("SSL Studio")
        window.browser.close_project()
        window.canvas.show_image(None, None)
        window.notice.clear()
        window.pill.draw(())
        window.show_page(project=False)
        self.show_recent()

    def _on_checked(self, number: int) -> None:
        self.window.redraw()
        if number >= 0:
            return
        bad = [record for record in self.session.records if record.problem]
        if not bad:
            self.window.notice.solved("problems")
            return
        count, total = len(bad), len(self.session.records)
        if count == total:
            text, advice = tr("None of these images can be read."), bad[0].problem
        else:
            text = (
                tr("{count} of {total} files cannot be used and are left out.").format(count=count, total=total)
                if count > 1
                else bad[0].problem
            )
            advice = tr("Their tool tips say why.") if count > 1 else tr("It is left out.")
        self.window.tell(Notice(text, advice, "warning", "problems", tr("Show them"), self._show_problems))

    def _show_problems(self) -> None:
        browser = self.window.browser
        browser.filter.setCurrentIndex(browser.filter.findData("problem"))
        self.window.actions_["view.browser"].setChecked(True)

    def _on_failed(self, about: str, error: UserError) -> None:
        advice = error.advice
        if about == "saving":
            advice = (
                tr("{advice} Your strokes are kept in the window and saved as soon as it works again.")
                .format(advice=advice)
                .strip()
            )
        self.window.tell(Notice(error.problem, advice, "error" if about == "saving" else "warning", about))

    def ask_masks(self) -> None:
        """Let the user choose a folder of masks and take them over."""
        self._ask(tr("Choose the folder with masks"), self.import_masks)

    def import_masks(self, source: Path) -> None:
        """Take over the masks in a folder or file; shows first what would come of it."""
        project = self.session.project
        if project is None or project.reading:
            return

        def work(task: background.Task) -> Survey | Preview:
            from sslstudio.annotations.bringing_in import look

            return look(project, source, lambda *figures: task.report(figures))

        def done(found: Survey | Preview) -> None:
            from sslstudio.annotations.survey import Survey

            self.window.notice.solved("import")
            if isinstance(found, Survey):
                self._ask_values(found)
            else:
                self.window.masks.show_preview(found)

        failed = partial(self._on_failed, "import")
        self.session.tasks.run(work, done, failed, progressed=self._on_surveyed)

    def _on_surveyed(self, figures: tuple[int, int]) -> None:
        done, total = figures
        if total > FEW_MASKS and done % FEW_MASKS == 0:
            self.window.tell(
                Notice(
                    tr("Looked at {done} of {total} masks …").format(done=thousands(done), total=thousands(total)),
                    about="import",
                )
            )

    def _ask_values(self, found: Survey) -> None:
        from sslstudio.ui.dialogs.mask_values import MaskValuesDialog

        dialog = MaskValuesDialog(found, self.window)
        dialog.chosen.connect(lambda mapping, classes: self._take_masks(found.source, mapping, classes))
        dialog.open()

    def _take_masks(
        self, source: Path, values: dict[int, int] | None = None, classes: tuple[LabelClass, ...] | None = None
    ) -> None:
        project = self.session.project
        if project is None:
            return

        def work(task: background.Task) -> ImportReport:
            from sslstudio.annotations.palette_png import import_masks

            return import_masks(project, source, values, classes, lambda *figures: task.report(figures))

        self.follow_import(work, partial(self._on_failed, "import"))

    def follow_import(self, work: Callable[[background.Task], ImportReport], failed: opening.Failed) -> None:
        """Import in the background and tell how far that is; called off, it leaves the masks that are whole."""
        if self.session.relabelling:  # the values in it are of the classes as they were
            problem = tr("A class is being taken out of all masks") + "."
            self.window.tell(Notice(problem, tr("Import once that is over."), "warning", "import"))
            return

        def refused(error: UserError) -> None:
            self._reread()  # what was taken over before is whole
            failed(error)

        unfinished = tr("Masks are being taken over")
        task = self.session.tasks.run(work, self._on_imported, refused, unfinished=unfinished)
        words = tr("Called off. What was taken over before is whole, and can be undone image by image.")
        UnderWay(self.window, task, tr("Taking over masks:"), "import").called_off(words, self._reread)

    def _on_imported(self, report: ImportReport) -> None:
        self._reread()
        unmatched, refused, details = len(report.unmatched), len(report.refused), []
        if unmatched:
            details.append(tr("{unmatched} had no image of the same name.").format(unmatched=unmatched))
        if refused:
            file, reason = report.refused[0]
            details.append(
                tr("{refused} could not be used, for example {name}: {reason}").format(
                    refused=refused, name=Path(file).name, reason=reason
                )
            )
        if report.left:
            details.append(tr("{left} were left alone.").format(left=len(report.left)))
        if report.notes:
            details.append(report.notes[0] if len(report.notes) == 1 else tr("There are notes."))
        weight: Weight = "warning" if refused or not report.matched else "info"
        self.window.tell(
            Notice(head_line(report), " ".join(details), weight, "import", tr("Details…"), lambda: self._report(report))
        )

    def _report(self, report: ImportReport) -> None:
        from sslstudio.ui.dialogs.import_report import ImportReportDialog

        ImportReportDialog(report, self.window).open()

    def _reread(self) -> None:
        self.session.reread_records()
        self.session.reload_image()
        self.session.classes_changed.emit()

    def _tell_mended(self, sentence: str) -> None:
        self.window.tell(Notice(sentence, weight="warning"))

    def _close(self) -> None:
        self._closing = True
        self.window.close()

    def _close_again(self) -> None:
        self.window.close()

    def _stop_and_close(self) -> None:
        self.session.queue.stop_all()
        self._close()

    def show_about(self) -> None:
        """Version and folders."""
        from sslstudio.ui.dialogs.about import AboutDialog

        project = self.session.project
        AboutDialog(self.window, str(project.path) if project else "").open()


def show(path: Path) -> None:
    """Open a folder or a text file in the system's own program."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))
