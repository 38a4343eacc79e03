"""Names and colours of the classes, and how many there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import (
    QColorDialog,
    QDialog,
    QHBoxLayout,
    QLabel,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from sslstudio.language import tr
from sslstudio.ui import icons, theme
from sslstudio.ui.dialogs.frame import lay_out
from sslstudio.ui.dialogs.removing import loss
from sslstudio.ui.panels.buttons import Button
from sslstudio.ui.panels.fields import Line
from sslstudio.ui.panels.parts import label

if TYPE_CHECKING:
    from sslstudio.project.classes import LabelClass


class ClassesDialog(QDialog):
    """Edits a copy of the list; ``painted`` holds the painted pixels and images of each class.

    Signals:
        classes_chosen: The new tuple of LabelClass, and the places in the old one of those that go.
    """

    classes_chosen = Signal(object, object)

    def __init__(
        self, classes: Sequence[LabelClass], painted: Sequence[tuple[int, int]], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("dialog.classes")
        self._old = tuple(classes)
        self._painted = tuple(painted)
        self._rows: list[_Row] = []
        body = QWidget()
        self._column = QVBoxLayout(body)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(theme.SPACE // 2)
        self.add_button = Button("classes.add", tr("Add class"), "link", "plus")
        self.add_button.clicked.connect(lambda: self._add("", _next_colour(len(self._rows))).name.setFocus())
        self._column.addWidget(self.add_button, 0, Qt.AlignmentFlag.AlignLeft)
        self._column.addStretch(1)
        self.note = QLabel("", wordWrap=True)
        self.note.setObjectName("classes.note")
        self._done = Button("classes.done", tr("Keep"), "primary")
        cancel = Button("classes.cancel", tr("Cancel"))
        self._done.clicked.connect(self.accept)
        cancel.clicked.connect(self.reject)
        for place, entry in enumerate(classes):
            self._add(entry.name, entry.colour, place)
        sentence = tr("The first is usually the background. The digit before a name is its key while painting.")
        lay_out(self, tr("Classes"), body, (self._done, cancel), sentence).insertWidget(3, self.note)
        self.accepted.connect(lambda: self.classes_chosen.emit(self.classes(), self.removed()))
        self.setMinimumWidth(52 * theme.SPACE)
        self._check()

    def classes(self) -> tuple[LabelClass, ...]:
        """The list as it is in the dialog now."""
        from sslstudio.project.classes import LabelClass

        return tuple(LabelClass(row.name.text().strip(), row.colour) for row in self._rows)

    def removed(self) -> tuple[int, ...]:
        """The places in the old list of those that were taken away."""
        kept = {row.place for row in self._rows}
        return tuple(place for place in range(len(self._old)) if place not in kept)

    def _add(self, name: str, colour: str, place: int = -1) -> _Row:
        row = _Row(len(self._rows) + 1, name, colour, place)
        row.name.textChanged.connect(self._check)
        row.remove.clicked.connect(lambda: self._remove(row))
        self._column.insertWidget(len(self._rows), row)
        self._rows.append(row)
        self._check()
        return row

    def _remove(self, row: _Row) -> None:
        self._rows.remove(row)
        row.hide()
        row.deleteLater()
        self._check()

    def _check(self) -> None:
        names = [row.name.text().strip() for row in self._rows]
        problem = ""
        if not all(names):
            problem = tr("Every class needs a name.")
        elif len(set(names)) < len(names):
            problem = tr("Two classes have the same name.")
        for at, row in enumerate(self._rows):
            row.number.setText(str(at + 1) if at < 9 else "")
            row.remove.setEnabled(len(self._rows) > 1)
            row.remove.setToolTip(tr("Take this class away"))
        lost = [loss(self._old[at].name, *self._painted[at]) for at in self.removed() if self._painted[at][1]]
        warning = " ".join((*lost, tr("This cannot be undone."))) if lost else ""
        self.note.setText(problem or warning)
        self._done.set_words(tr("Apply and unpaint") if lost else tr("Keep"))
        self._done.setEnabled(not problem)


class _Row(QWidget):
    """One class: key, colour, name, and a way out."""

    def __init__(self, number: int, name: str, colour: str, place: int) -> None:
        super().__init__()
        self.colour, self.place = colour, place
        self.number = label(str(number), tabular=True, wrap=False)
        self.number.setFixedWidth(2 * theme.SPACE)
        self.swatch = QToolButton(autoRaise=True)
        self.swatch.setToolTip(tr("Choose another colour"))
        self.swatch.setAccessibleName(tr("Colour of {name}").format(name=name or tr("the new class")))
        self.swatch.clicked.connect(self._choose_colour)
        self.name = Line(f"classes.name.{number}", tr("Name of class {number}").format(number=number))
        self.name.setPlaceholderText(tr("Name, such as nucleus"))
        self.name.setMaxLength(60)
        self.name.setText(name)
        self.remove = QToolButton(autoRaise=True)
        self.remove.setIcon(icons.icon("close"))
        self.remove.setAccessibleName(tr("Take away class {number}").format(number=number))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.SPACE)
        for widget, stretch in ((self.number, 0), (self.swatch, 0), (self.name, 1), (self.remove, 0)):
            row.addWidget(widget, stretch)
        self._show_colour()

    def _choose_colour(self) -> None:
        chooser = QColorDialog(QColor(self.colour), self)
        chooser.colorSelected.connect(self._on_colour)
        chooser.finished.connect(chooser.deleteLater)
        chooser.open()

    def _on_colour(self, colour: QColor) -> None:
        self.colour = colour.name()
        self._show_colour()

    def _show_colour(self) -> None:
        picture = QPixmap(20, 20)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(QColor(self.colour))
        painter.setPen(QColor(theme.tone().edge))
        painter.drawRoundedRect(1, 1, 17, 17, 4, 4)
        painter.end()
        self.swatch.setIcon(QIcon(picture))


def _next_colour(place: int) -> str:
    from sslstudio.project.classes import default_colour

    return default_colour(place)
