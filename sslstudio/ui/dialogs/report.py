"""The one dialog for bugs: what happened, in a form that can be sent."""

from __future__ import annotations

import logging
import platform
import sys
import traceback
from types import TracebackType

from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import QApplication, QDialog, QPlainTextEdit, QWidget

from sslstudio.errors import UserError
from sslstudio.language import tr
from sslstudio.ui import theme
from sslstudio.ui.dialogs.frame import lay_out
from sslstudio.ui.panels.buttons import Button

log = logging.getLogger(__name__)


class ReportDialog(QDialog):
    """Shows a traceback and copies it."""

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("dialog.report")
        self.details = QPlainTextEdit(text, readOnly=True)
        self.details.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.details.setAccessibleName(tr("Details of the mistake"))
        copy, close = Button("report.copy", tr("Copy report"), "primary"), Button("report.close", tr("Close"))
        close.clicked.connect(self.accept)
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.details.toPlainText()))
        sentence = tr(
            "This is a mistake in SSL Studio, not yours. What you painted is saved, and you can go "
            "on working. Please copy this report and send it to the people who make the program."
        )
        lay_out(self, tr("Something went wrong"), self.details, (copy, close), sentence)
        self.resize(84 * theme.SPACE, 54 * theme.SPACE)


def install() -> None:
    """Show every uncaught exception in one dialog at a time; all of them are logged."""
    sys.excepthook = _on_exception


def _on_exception(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        QApplication.quit()
        return
    log.critical("Uncaught", exc_info=(kind, error, trace))
    app = QApplication.instance()
    if not isinstance(app, QApplication):
        return
    if any(isinstance(widget, ReportDialog) and widget.isVisible() for widget in app.topLevelWidgets()):
        return
    where = f"{platform.platform()}, Python {platform.python_version()}"
    told = f"{error.problem} {error.advice}\n" if isinstance(error, UserError) else ""
    text = f"{told}{where}\n\n{''.join(traceback.format_exception(kind, error, trace))}"
    ReportDialog(text, app.activeWindow()).open()
