"""Masks of other tools, in with a preview, out in any format, and into tables of figures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog

from sslstudio.language import later, tr
from sslstudio.ui import background
from sslstudio.ui.notice import Notice
from sslstudio.ui.panels.words import many
from sslstudio.ui.wiring.under_way import UnderWay

if TYPE_CHECKING:
    from sslstudio.annotations.bringing_in import Preview
    from sslstudio.annotations.handing_out import ExportReport
    from sslstudio.annotations.measuring import Measured
    from sslstudio.annotations.model import Uncovered
    from sslstudio.annotations.palette_png import ImportReport
    from sslstudio.errors import UserError
    from sslstudio.project.project import Project
    from sslstudio.ui.main_window import MainWindow

_FILES = later("Annotations (*.json *.geojson *.xml)")


class MasksWiring(QObject):
    """Connects the actions about masks of other tools with what does them, beside the window."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.window, self.session = window, window.session
        act = window.actions_
        act["file.import_annotations"].triggered.connect(self.ask_file)
        act["file.export_masks"].triggered.connect(self.ask_export)
        act["file.measure"].triggered.connect(self.ask_table)

    # in -------------------------------------------------------------------------------------------------

    def ask_file(self) -> None:
        """Let the user choose a file of annotations."""
        dialog = QFileDialog(self.window, tr("Choose a file of annotations"), "", tr(_FILES))
        dialog.setObjectName("dialog.annotations")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        self._open(dialog, lambda path: self.window.files.import_masks(path))

    def show_preview(self, seen: Preview) -> None:
        """Show what an import would do; it happens when the user says so."""
        from sslstudio.annotations.formats import FORMATS
        from sslstudio.ui.dialogs.import_preview import ImportPreviewDialog

        dialog = ImportPreviewDialog(seen, tr(FORMATS[seen.format].name), self.window)
        dialog.chosen.connect(lambda classes, beside: self._bring_in(seen, classes, beside or seen.asked))
        dialog.open()

    def _bring_in(self, seen: Preview, classes: dict[str, str], beside: Uncovered) -> None:
        project = self.session.project
        if project is None:
            return

        def work(task: background.Task) -> ImportReport:
            from sslstudio.annotations.bringing_in import bring_in

            return bring_in(project, seen.source, seen.format, classes, beside, _report(task))

        self.window.files.follow_import(work, self._failed)

    # out ------------------------------------------------------------------------------------------------

    def ask_export(self) -> None:
        """Ask in which format, then where to."""
        from sslstudio.ui.dialogs.export_masks import ExportMasksDialog

        project = self.session.project
        if project is None:
            return
        dialog = ExportMasksDialog(_models(project), self.window)
        dialog.chosen.connect(self._ask_where)
        dialog.open()

    def _ask_where(self, kind: str, model: str, pictures: frozenset[str]) -> None:
        dialog = QFileDialog(self.window, tr("Choose a folder for the masks"))
        dialog.setObjectName("dialog.export_folder")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        self._open(dialog, lambda path: self.export(kind, path, model, pictures))

    def export(self, kind: str, out: Path, model: str = "", pictures: frozenset[str] = frozenset()) -> None:
        """Write masks below a folder, beside the window."""
        project = self.session.project
        if project is not None:
            self.window.canvas.searches.then(lambda: self._export(project, kind, out, model, pictures))

    def _export(self, project: Project, kind: str, out: Path, model: str, pictures: frozenset[str]) -> None:
        def work(task: background.Task) -> ExportReport:
            from sslstudio.annotations.handing_out import export_masks

            return export_masks(project, kind, out, model=model, companions=pictures, progress=_report(task))

        words = tr("Masks are being written")
        tasks, done = self.session.tasks, lambda report: self._on_exported(report, out)
        task = tasks.run(work, done, self._failed, unfinished=words)
        UnderWay(self.window, task, tr("Writing masks:"), "masks").called_off(tr("Called off; nothing was written."))

    def _on_exported(self, report: ExportReport, out: Path) -> None:
        text = tr("Wrote {masks} to {name}.").format(masks=many(len(report.images), "mask"), name=out.name)
        told = list(report.notes)
        if report.refused:
            file, reason = report.refused[0]
            told.append(
                tr("{refused} could not be written, for example {file}: {reason}").format(
                    refused=len(report.refused), file=file, reason=reason
                )
            )
        weight: Literal["info", "warning"] = "warning" if report.refused else "info"
        self.window.tell(Notice(text, " ".join(told), weight, "masks", tr("Show folder"), lambda: _show(out)))

    # figures --------------------------------------------------------------------------------------------

    def ask_table(self) -> None:
        """Ask whose masks are measured, where there are predictions, and where the table goes."""
        from sslstudio.ui.dialogs.export_masks import MeasureDialog

        project = self.session.project
        if project is None:
            return
        models = _models(project)
        if not models:
            self._ask_table("")
            return
        dialog = MeasureDialog(models, self.window)
        dialog.chosen.connect(self._ask_table)
        dialog.open()

    def _ask_table(self, model: str) -> None:
        dialog = QFileDialog(self.window, tr("Write areas and counts to"), "measurements.csv", tr("Tables (*.csv)"))
        dialog.setObjectName("dialog.table")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("csv")
        self._open(dialog, lambda path: self.measure(path, model))

    def measure(self, out: Path, model: str = "") -> None:
        """Write the two tables of what was painted, or of what a model found, beside the window."""
        project = self.session.project
        if project is not None:
            self.window.canvas.searches.then(lambda: self._measure(project, out, model))

    def _measure(self, project: Project, out: Path, model: str) -> None:
        def work(task: background.Task) -> Measured:
            from sslstudio.annotations.measuring import measure

            return measure(project, out, model, _report(task))

        words = tr("Regions are being measured")
        task = self.session.tasks.run(work, self._on_measured, self._failed, unfinished=words)
        UnderWay(self.window, task, tr("Measuring:"), "masks").called_off(tr("Called off; nothing was written."))

    def _on_measured(self, done: Measured) -> None:
        text = tr("Measured {regions} in {images}.").format(
            regions=many(done.regions, "region"), images=many(done.images, "image")
        )
        known = "" if done.with_size else tr("No image knows the size of its pixels, so areas are in pixels. ")
        advice = tr("{known}Tables: {name} and {name_2}.").format(
            known=known, name=done.images_file.name, name_2=done.regions_file.name
        )
        folder = done.images_file.parent
        self.window.tell(Notice(text, advice, "info", "masks", tr("Show folder"), lambda: _show(folder)))

    # inside ---------------------------------------------------------------------------------------------

    def _open(self, dialog: QFileDialog, chosen) -> None:  # type: ignore[no-untyped-def]
        dialog.fileSelected.connect(lambda path: chosen(Path(path)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _failed(self, error: UserError) -> None:
        self.window.tell(Notice(error.problem, error.advice, "warning", "masks"))


def _models(project: Project) -> list[str]:
    """The models that predictions of the project's images are there from."""
    folder = project.path / "predictions"
    return sorted(one.name for one in folder.iterdir() if one.is_dir()) if folder.is_dir() else []


def _report(task: background.Task) -> Callable[[int, int], None]:
    """What tells a task's progress, and leaves the work where the task was called off."""
    return lambda *figures: task.report(figures)


def _show(path: Path) -> None:
    from sslstudio.ui.wiring.files import show

    show(path)
