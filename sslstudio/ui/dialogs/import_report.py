"""What an import of masks did, or would do: what matched, what did not and why; to be read and copied."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QPlainTextEdit, QWidget

from sslstudio.language import tr, tr_many
from sslstudio.ui import theme
from sslstudio.ui.dialogs.frame import lay_out
from sslstudio.ui.panels.buttons import Button
from sslstudio.ui.panels.words import thousands

if TYPE_CHECKING:
    from sslstudio.annotations.palette_png import ImportReport


class ImportReportDialog(QDialog):
    """Shows an ImportReport in full."""

    def __init__(self, report: ImportReport, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("dialog.import_report")
        self.told = told_box("import_report.told", whole_report(report))
        copy, close = (
            Button("import_report.copy", tr("Copy report")),
            Button("import_report.close", tr("Close"), "primary"),
        )
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.told.toPlainText()))
        close.clicked.connect(self.accept)
        lay_out(self, tr("What was imported"), self.told, (close, copy), head_line(report))
        self.resize(84 * theme.SPACE, 54 * theme.SPACE)


def told_box(name: str, text: str) -> QPlainTextEdit:
    """Lines to be read, marked and copied."""
    box = QPlainTextEdit(text, readOnly=True)
    box.setObjectName(name)
    box.setAccessibleName(tr("What does not fit, and why"))
    box.setMinimumWidth(56 * theme.SPACE)
    return box


def head_line(report: ImportReport) -> str:
    """How many masks came in, and of how many images they took the place of a mask."""
    matched = len(report.matched)
    text = tr_many("Took over {matched} mask.", "Took over {matched} masks.", matched).format(
        matched=thousands(matched)
    )
    if not report.replaced:
        return text
    replaced = tr_many(
        "{count} replaced one that was there before; that can be undone image by image.",
        "{count} replaced ones that were there before; that can be undone image by image.",
        report.replaced,
    ).format(count=thousands(report.replaced))
    return f"{text} {replaced}"


def replaced_words(matched: int, painted: int) -> str:
    """What is said before an import of so many masks, of which some have an image that is painted already."""
    if not matched:
        return tr("None of its masks fits an image of this project.")
    if not painted:
        return tr("Nothing was changed yet.")
    return tr_many(
        "{count} image has a mask already, which would be replaced; that can be undone.",
        "{count} images have a mask already, which would be replaced; that can be undone.",
        painted,
    ).format(count=thousands(painted))


def report_text(report: ImportReport) -> str:
    """Everything that did not match, was refused, is left alone or was odd, a line each."""
    lines = [tr("{name}: no image has this name.").format(name=name) for name in report.unmatched]
    lines += [f"{file}: {reason}" for file, reason in report.refused]
    lines += [tr("{file} is left alone: {reason}").format(file=file, reason=reason) for file, reason in report.left]
    return "\n".join([*lines, *report.notes])


def whole_report(report: ImportReport) -> str:
    """All of it under headings: masks taken over, no image of the name, refused, left alone, notes."""
    parts = (
        (tr("Images that got a mask"), report.matched),
        (tr("Masks without an image of their name"), report.unmatched),
        (tr("Refused"), [f"{file}: {reason}" for file, reason in report.refused]),
        (tr("Left alone"), [f"{file}: {reason}" for file, reason in report.left]),
        (tr("Notes"), report.notes),
    )
    return "\n\n".join(
        "\n".join((f"{title} ({len(lines)})", *(f"  {line}" for line in lines))) for title, lines in parts if lines
    )
