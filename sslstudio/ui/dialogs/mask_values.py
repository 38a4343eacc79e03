"""What the pixel values of imported masks mean: a row per value, and an example of what comes out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QRectF, QSize, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from sslstudio.language import later, tr
from sslstudio.project.classes import LabelClass, default_colour
from sslstudio.project.masks import UNPAINTED
from sslstudio.ui import theme
from sslstudio.ui.dialogs.frame import lay_out
from sslstudio.ui.panels.buttons import Button
from sslstudio.ui.panels.fields import Combo
from sslstudio.ui.panels.parts import label, question
from sslstudio.ui.panels.states import Choice
from sslstudio.ui.panels.words import many

if TYPE_CHECKING:
    from sslstudio.annotations.bringing_in import Preview
    from sslstudio.annotations.survey import FoundValue, Survey

NEW = "new"
NEW_CLASS = Choice(NEW, later("A new class"), later("Its name can be changed afterwards"))
NOT_PAINTED = Choice(str(UNPAINTED), later("Unpainted"), later("Nothing is said about these pixels"))
STRENGTH = {True: 0.25, False: 0.6}  # how strongly the background and other classes tint the example
SIDE = 320  # pixels of the example


class MaskValuesDialog(QDialog):
    """Asks what each value means, beginning with a guess.

    Signals:
        chosen: The mapping {value: label} and the tuple of LabelClass that it speaks of.
    """

    chosen = Signal(object, object)

    def __init__(self, found: Survey, classes: Sequence[LabelClass], parent: QWidget | None = None) -> None:
        from sslstudio.annotations.survey import first_guess, groups

        super().__init__(parent)
        self.setObjectName("dialog.mask_values")
        self._classes = tuple(classes)
        self._groups = groups([one.value for one in found.values], objects=found.objects)
        values = [one.value for one in found.values]
        guess = first_guess(values, len(self._classes), objects=found.objects)
        self.combos: list[Combo] = []
        by_value = {one.value: one for one in found.values}
        rows = QGridLayout()
        rows.setHorizontalSpacing(2 * theme.SPACE)
        rows.setVerticalSpacing(theme.SPACE)
        for place, group in enumerate(self._groups):
            self._add_row(rows, place, [by_value[value] for value in group], guess[group[0]])
        self.example = Example(found)
        lay_out(self, tr("What do the values mean?"), self._body(rows, found), self._buttons(found), _sentence(found))
        self._show()

    def mapping(self) -> tuple[dict[int, int], tuple[LabelClass, ...]]:
        """What each value becomes, and the classes, new ones at the end."""
        classes, mapping = list(self._classes), {}
        for group, combo in zip(self._groups, self.combos, strict=True):
            meant = str(combo.currentData())
            if meant == NEW:
                classes.append(LabelClass(_new_name(classes), default_colour(len(classes))))
            target = len(classes) - 1 if meant == NEW else int(meant)
            mapping.update(dict.fromkeys(group, target))
        return mapping, tuple(classes)

    def _add_row(self, rows: QGridLayout, place: int, found: Sequence[FoundValue], guess: int) -> None:
        title, note = _row_words(found)
        combo = Combo(f"mask_values.class.{place}", tr("What {title} means").format(title=title))
        named = tuple(Choice(str(number), one.name) for number, one in enumerate(self._classes))
        combo.draw((*named, NEW_CLASS.told(), NOT_PAINTED.told()), NEW if guess < 0 else str(guess))
        combo.setMinimumWidth(22 * theme.SPACE)
        combo.activated.connect(self._show)
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(label(title, wrap=False))
        words.addWidget(label(note, theme.SMALL, quiet=True, wrap=False, tabular=True))
        rows.addWidget(Grey(found[len(found) // 2].value), place, 0)
        rows.addLayout(words, place, 1)
        rows.addWidget(combo, place, 2)
        rows.setRowStretch(place + 1, 0)
        self.combos.append(combo)

    def _body(self, rows: QGridLayout, found: Survey) -> QWidget:
        body = QWidget()
        sides = QHBoxLayout(body)
        sides.setContentsMargins(0, 0, 0, 0)
        sides.setSpacing(4 * theme.SPACE)
        left, right = QVBoxLayout(), QVBoxLayout()
        left.addLayout(rows)
        left.addStretch(1)
        right.setSpacing(theme.SPACE)
        right.addWidget(question(tr("What comes out")))
        right.addWidget(self.example)
        name = label(found.example, theme.SMALL, quiet=True)
        name.setMaximumWidth(self.example.width())
        right.addWidget(name)
        right.addStretch(1)
        sides.addLayout(left, 1)
        sides.addLayout(right)
        return body

    def _buttons(self, found: Survey) -> tuple[Button, Button]:
        take = Button("mask_values.take", tr("Import {masks}").format(masks=many(found.masks, "mask")), "primary")
        cancel = Button("mask_values.cancel", tr("Cancel"))
        take.clicked.connect(self.accept)
        cancel.clicked.connect(self.reject)
        self.accepted.connect(lambda: self.chosen.emit(*self.mapping()))
        return take, cancel

    def _show(self) -> None:
        self.example.show_as(*self.mapping())


class Grey(QWidget):
    """A value as it looks in the file."""

    def __init__(self, value: int) -> None:
        super().__init__()
        self._value = value
        self.setFixedSize(24, 24)

    def paintEvent(self, event: QPaintEvent) -> None:
        """A square of that grey with an outline."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(theme.tone().edge), 1))
        painter.setBrush(QColor(self._value, self._value, self._value))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 3, 3)


class Example(QWidget):
    """One mask over its image, in the colours that it would get."""

    def __init__(self, found: Survey | Preview) -> None:
        super().__init__()
        self.setObjectName("mask_values.example")
        self.setAccessibleName(tr("What the mask {example} would look like").format(example=found.example))
        self._labels = found.labels if found.labels is not None else np.zeros((1, 1), np.uint8)
        grey = np.full((*self._labels.shape, 3), 128, np.uint8)
        self._picture = grey if found.picture is None else found.picture
        self._shown = QImage()
        height, width = self._labels.shape
        scale = SIDE / max(height, width)
        self.setFixedSize(max(1, round(width * scale)), max(1, round(height * scale)))

    def sizeHint(self) -> QSize:
        """As large as the example is drawn."""
        return self.size()

    def show_as(self, mapping: dict[int, int], classes: Sequence[LabelClass]) -> None:
        """Colour the mask by what its values mean."""
        table = np.full(256, UNPAINTED, np.uint8)
        for value, meant in mapping.items():
            table[value] = meant
        colours, strength = np.zeros((256, 3), np.float32), np.zeros((256, 1), np.float32)
        for place, one in enumerate(classes):
            colour = QColor(one.colour)
            colours[place] = colour.red(), colour.green(), colour.blue()
            strength[place] = STRENGTH[place == 0]
        labels = table[self._labels]
        mixed = self._picture * (1 - strength[labels]) + colours[labels] * strength[labels]
        pixels = np.ascontiguousarray(mixed.astype(np.uint8))
        height, width = labels.shape
        self._shown = QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The picture, as large as there is room."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(self.rect(), self._shown)


def _sentence(found: Survey) -> str:
    values = {one.value for one in found.values}
    if values == {0, UNPAINTED}:
        return tr("These masks are black and white. Usually white is what one looks for; say so, or correct it.")
    if found.objects:
        return tr("Each value is one area, so these are likely numbers of single objects. Say what they are.")
    return tr("These masks hold values that are no numbers of this project's classes. Say what each of them means.")


def _row_words(found: Sequence[FoundValue]) -> tuple[str, str]:
    """What a row is called, and how much of the masks it is."""
    share = sum(one.share for one in found)
    percent = tr("less than 1\u202f%") if 0 < share < 0.01 else f"{share:.0%}".replace("%", "\u202f%")
    if len(found) > 1:
        return tr("{found} other values").format(found=len(found)), tr(
            "{value} to {value_2} · {percent} of all pixels"
        ).format(value=found[0].value, value_2=found[-1].value, percent=percent)
    return tr("Value {value}").format(value=found[0].value), tr("in {files} · {percent} of all pixels").format(
        files=many(found[0].files, "file"), percent=percent
    )


def _new_name(classes: Sequence[LabelClass]) -> str:
    taken = {one.name for one in classes}
    return next(name for number in range(len(classes), 512) if (name := f"class {number}") not in taken)
