"""Whose masks are written or measured, in which format, and which pictures go along."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QDialog, QVBoxLayout, QWidget

from sslstudio.language import tr
from sslstudio.ui import theme
from sslstudio.ui.dialogs.frame import lay_out
from sslstudio.ui.panels.buttons import Button
from sslstudio.ui.panels.fields import Check, Combo
from sslstudio.ui.panels.parts import label
from sslstudio.ui.panels.states import Choice

PAINTED = ""  # stands for the masks that were painted, among the names of models


class ExportMasksDialog(QDialog):
    """Asks for a format, whose masks, and pictures beside them.

    Signals:
        chosen: The format's id, the model's name (empty: what was painted), and the set of pictures wanted.
    """

    chosen = Signal(str, str, object)

    def __init__(self, models: Sequence[str], parent: QWidget | None = None) -> None:
        from sslstudio.annotations.formats import FORMATS

        super().__init__(parent)
        self.setObjectName("dialog.export_masks")
        self.format = Combo("export_masks.format", tr("Format"))
        self.format.draw(tuple(Choice(one.id, tr(one.name), tr(one.note)) for one in FORMATS.values()), "palette")
        self.masks = whose_masks("export_masks.masks", models)
        self.coloured = Check("export_masks.coloured", tr("Coloured pictures beside the masks"))
        self.coloured.setChecked(True)
        self.overlay = Check("export_masks.overlay", tr("Images with their masks shining over them"))
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.SPACE)
        for text, widget in ((tr("Format"), self.format), (tr("Masks"), self.masks)):
            column.addWidget(label(text, theme.SMALL, quiet=True))
            column.addWidget(widget)
        column.addWidget(self.coloured)
        column.addWidget(self.overlay)
        column.addStretch(1)
        go, cancel = (
            Button("export_masks.go", tr("Choose folder…"), "primary"),
            Button("export_masks.cancel", tr("Cancel")),
        )
        go.clicked.connect(self.accept)
        cancel.clicked.connect(self.reject)
        self.accepted.connect(self._tell)
        lay_out(self, tr("Export masks"), body, (go, cancel), tr("For other tools, or to be imported here again."))
        self.setMinimumWidth(56 * theme.SPACE)

    def _tell(self) -> None:
        boxes = {"coloured": self.coloured, "overlay": self.overlay}
        wanted = frozenset(name for name, box in boxes.items() if box.isChecked())
        self.chosen.emit(str(self.format.currentData()), str(self.masks.currentData()), wanted)


class MeasureDialog(QDialog):
    """Asks whose masks are measured.

    Signals:
        chosen: The model's name (empty: what was painted).
    """

    chosen = Signal(str)

    def __init__(self, models: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("dialog.measure")
        self.masks = whose_masks("measure.masks", models)
        go, cancel = Button("measure.go", tr("Choose file…"), "primary"), Button("measure.cancel", tr("Cancel"))
        go.clicked.connect(self.accept)
        cancel.clicked.connect(self.reject)
        self.accepted.connect(lambda: self.chosen.emit(str(self.masks.currentData())))
        sentence = tr("Areas and counts per image and per region, as tables (CSV).")
        lay_out(self, tr("Measure masks"), self.masks, (go, cancel), sentence)
        self.setMinimumWidth(56 * theme.SPACE)


def whose_masks(name: str, models: Sequence[str]) -> Combo:
    """A choice between what was painted and the predictions of each of these models."""
    masks = Combo(name, tr("Whose masks"))
    named = (Choice(model, tr("Predictions of {name}").format(name=model)) for model in models)
    masks.draw((Choice(PAINTED, tr("What was painted")), *named), PAINTED)
    return masks
