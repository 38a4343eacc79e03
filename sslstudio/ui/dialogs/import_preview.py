"""What an import of annotations would do, before it does it: classes, images, what does not fit, an example."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QDialog, QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from sslstudio.language import tr, tr_many
from sslstudio.ui import theme
from sslstudio.ui.dialogs.frame import lay_out
from sslstudio.ui.dialogs.mask_values import Example
from sslstudio.ui.panels.buttons import Button
from sslstudio.ui.panels.parts import label, question
from sslstudio.ui.panels.words import many, thousands

if TYPE_CHECKING:
    from sslstudio.annotations.bringing_in import ClassRow, Preview
    from sslstudio.annotations.palette_png import ImportReport

SHOWN = 12  # classes that are listed one by one


class ImportPreviewDialog(QDialog):
    """Shows a Preview; nothing was changed yet.

    Signals:
        chosen: The import is wanted as it is shown.
    """

    chosen = Signal()

    def __init__(self, seen: Preview, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("dialog.import_preview")
        count = len(seen.report.matched)
        self.take = Button("import_preview.take", tr("Import {masks}").format(masks=many(count, "mask")), "primary")
        cancel = Button("import_preview.cancel", tr("Cancel"))
        self.take.setEnabled(count > 0)
        self.take.clicked.connect(self.accept)
        cancel.clicked.connect(self.reject)
        self.accepted.connect(self.chosen)
        sentence = tr("{name} is {name_2}. {replaced}").format(
            name=seen.source.name, name_2=name, replaced=_replaced(seen)
        )
        lay_out(self, tr("Import these masks?"), self._body(seen), (self.take, cancel), sentence)

    def _body(self, seen: Preview) -> QWidget:
        body, left, right = QWidget(), QVBoxLayout(), QVBoxLayout()
        row = QHBoxLayout(body)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4 * theme.SPACE)
        left.setSpacing(theme.SPACE)
        left.addWidget(question(tr("Classes")))
        for one in seen.classes[:SHOWN]:
            left.addWidget(label(_class_words(one), wrap=False))
        if len(seen.classes) > SHOWN:
            left.addWidget(label(tr("and {classes} more").format(classes=len(seen.classes) - SHOWN), quiet=True))
        left.addWidget(
            label(
                tr("What no shape covers becomes {uncovered}.").format(uncovered=tr(seen.uncovered)),
                theme.SMALL,
                quiet=True,
            )
        )
        told = report_text(seen.report)
        if told:
            left.addWidget(question(tr("What does not fit")))
            self.told = QPlainTextEdit(told, readOnly=True)
            self.told.setObjectName("import_preview.told")
            self.told.setAccessibleName(tr("What does not fit, and why"))
            self.told.setMinimumWidth(56 * theme.SPACE)
            left.addWidget(self.told, 1)
        left.addStretch(0)
        row.addLayout(left, 1)
        if seen.labels is not None:
            right.addWidget(question(tr("What comes out")))
            example = Example(seen)
            example.show_as({number: number for number in range(256)}, seen.project_classes)
            right.addWidget(example)
            right.addWidget(label(seen.example, theme.SMALL, quiet=True))
            right.addStretch(1)
            row.addLayout(right)
        return body


def _replaced(seen: Preview) -> str:
    if not seen.report.matched:
        return tr("None of its masks fits an image of this project.")
    if not seen.painted:
        return tr("Nothing was changed yet.")
    return tr_many(
        "{count} image has a mask already, which would be replaced; that can be undone.",
        "{count} images have a mask already, which would be replaced; that can be undone.",
        seen.painted,
    ).format(count=thousands(seen.painted))


def _class_words(one: ClassRow) -> str:
    becomes = (
        tr("unpainted")
        if not one.becomes
        else tr("the new class {becomes}").format(becomes=one.becomes)
        if one.new
        else one.becomes
    )
    same = one.becomes == one.name and not one.new
    arrow = "" if same else f" → {becomes}"
    return tr("{name}{arrow} · in {images}").format(name=one.name, arrow=arrow, images=many(one.images, "image"))


def report_text(report: ImportReport) -> str:
    """Everything that did not match, was refused, is left alone or was odd, a line each."""
    lines = [tr("{name}: no image has this name.").format(name=name) for name in report.unmatched]
    lines += [f"{file}: {reason}" for file, reason in report.refused]
    lines += [tr("{file} is left alone: {reason}").format(file=file, reason=reason) for file, reason in report.left]
    return "\n".join([*lines, *report.notes])
