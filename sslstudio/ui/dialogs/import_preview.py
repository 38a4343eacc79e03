"""What an import of annotations would do, before it does it: classes, images, what does not fit, an example."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from sslstudio.language import tr
from sslstudio.project.masks import UNPAINTED
from sslstudio.ui import theme
from sslstudio.ui.dialogs.frame import lay_out, scrolled
from sslstudio.ui.dialogs.import_report import replaced_words, report_text, told_box
from sslstudio.ui.dialogs.mask_values import NEW, Example
from sslstudio.ui.panels.buttons import Button
from sslstudio.ui.panels.fields import Combo
from sslstudio.ui.panels.parts import label, question
from sslstudio.ui.panels.states import Choice
from sslstudio.ui.panels.words import many

if TYPE_CHECKING:
    from sslstudio.annotations.bringing_in import ClassRow, Preview

LEFT_OUT = "unpainted"  # as the command line calls it, too
_ROWS = 8  # classes that there is room for without scrolling


class ImportPreviewDialog(QDialog):
    """Shows a Preview, in which it can be changed what classes become; nothing was changed in the project yet.

    Signals:
        chosen: The import is wanted, with {class of the file: class of the project, or "unpainted"} for what is to
            become something else than was proposed, and what is not covered by shapes, or "" for as proposed.
    """

    chosen = Signal(object, str)

    def __init__(self, seen: Preview, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("dialog.import_preview")
        self._seen = seen
        self.combos: list[Combo] = []
        count = len(seen.report.matched)
        self.take = Button("import_preview.take", tr("Import {masks}").format(masks=many(count, "mask")), "primary")
        cancel = Button("import_preview.cancel", tr("Cancel"))
        self.take.setEnabled(count > 0)
        self.take.clicked.connect(self.accept)
        cancel.clicked.connect(self.reject)
        self.accepted.connect(lambda: self.chosen.emit(self.mapping(), self.beside()))
        sentence = tr("{name} is {name_2}. {replaced}").format(
            name=seen.source.name, name_2=name, replaced=replaced_words(count, seen.painted)
        )
        lay_out(self, tr("Import these masks?"), self._body(), (self.take, cancel), sentence)
        self._show()

    def mapping(self) -> dict[str, str]:
        """What the classes of the file become that were changed."""
        pairs = ((one, str(combo.currentData())) for one, combo in zip(self._seen.classes, self.combos, strict=True))
        return {one.name: one.name if meant == NEW else meant for one, meant in pairs if meant != _proposed(one)}

    def beside(self) -> str:
        """What pixels become that no shape covers, where it was changed."""
        meant = str(self.uncovered.currentData())
        return "" if meant == self._seen.uncovered else meant

    def _body(self) -> QWidget:
        body, left, right = QWidget(), QVBoxLayout(), QVBoxLayout()
        row = QHBoxLayout(body)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4 * theme.SPACE)
        left.setSpacing(theme.SPACE)
        left.addWidget(question(tr("What its classes become")))
        left.addWidget(scrolled(self._rows(), len(self._seen.classes) > _ROWS), 1)
        left.addLayout(self._beside())
        told = report_text(self._seen.report)
        if told:
            left.addWidget(question(tr("What does not fit")))
            self.told = told_box("import_preview.told", told)
            left.addWidget(self.told, 1)
        left.addStretch(0)
        row.addLayout(left, 1)
        self.example = Example(self._seen.example, self._seen.drawn, self._seen.picture)
        if self._seen.drawn is not None:
            right.addWidget(question(tr("What comes out")))
            right.addWidget(self.example)
            right.addWidget(label(self._seen.example, theme.SMALL, quiet=True))
            right.addStretch(1)
            row.addLayout(right)
        return body

    def _rows(self) -> QWidget:
        body = QWidget()
        grid = QGridLayout(body)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(2 * theme.SPACE)
        grid.setVerticalSpacing(theme.SPACE // 2)
        grid.setColumnStretch(0, 1)
        for place, one in enumerate(self._seen.classes):
            combo = Combo(f"import_preview.class.{place}", tr("What {title} means").format(title=one.name))
            combo.draw(self._choices(one), _proposed(one))
            combo.setMinimumWidth(24 * theme.SPACE)
            combo.activated.connect(self._show)
            words = tr("{name} · in {images}").format(name=one.name, images=many(one.images, "image"))
            grid.addWidget(label(words, wrap=False), place, 0)
            grid.addWidget(combo, place, 1)
            self.combos.append(combo)
        grid.setRowStretch(len(self._seen.classes), 1)
        return body

    def _choices(self, one: ClassRow) -> tuple[Choice, ...]:
        """The classes of the project as they would be, a new one of this name, nothing at all."""
        new = {row.becomes for row in self._seen.classes if row.new}
        names = [found.name for found in self._seen.project_classes]
        known = (Choice(name, tr("New class “{name}”").format(name=name) if name in new else name) for name in names)
        own = () if one.name in names else (Choice(NEW, tr("New class “{name}”").format(name=one.name)),)
        return (*known, *own, Choice(LEFT_OUT, tr("Leave out"), tr("Its pixels stay unpainted")))

    def _beside(self) -> QHBoxLayout:
        self.uncovered = Combo("import_preview.uncovered", tr("What no shape covers becomes"))
        ground = Choice("background", tr("background"), tr("Where no shape lies, there is nothing of interest"))
        nothing = Choice(LEFT_OUT, tr("unpainted"), tr("Nothing is said about these pixels"))
        self.uncovered.draw((ground, nothing), self._seen.uncovered)
        self.uncovered.setMinimumWidth(24 * theme.SPACE)
        self.uncovered.activated.connect(self._show)
        row = QHBoxLayout()
        row.addWidget(label(tr("What no shape covers becomes"), wrap=False), 1)
        row.addWidget(self.uncovered)
        return row

    def _show(self) -> None:
        """Colour the example by what is chosen."""
        from sslstudio.project.background import is_background
        from sslstudio.project.classes import LabelClass, default_colour

        classes = list(self._seen.project_classes)
        places = {one.name: place for place, one in enumerate(classes)}
        table: dict[int, int] = {}
        for at, (one, combo) in enumerate(zip(self._seen.classes, self.combos, strict=True)):
            meant = str(combo.currentData())
            if meant == NEW:
                places[one.name] = len(classes)
                classes.append(LabelClass(one.name, default_colour(len(classes))))
            table[at] = UNPAINTED if meant == LEFT_OUT else places[one.name if meant == NEW else meant]
        if str(self.uncovered.currentData()) == "background":
            table[UNPAINTED] = next((at for at, one in enumerate(classes) if is_background(one.name)), 0)
        self.example.show_as(table, classes)


def _proposed(one: ClassRow) -> str:
    return one.becomes or LEFT_OUT
