"""What groups or tells: choices side by side, a part that folds, a notice, a coloured dot."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QButtonGroup, QGridLayout, QVBoxLayout, QWidget

from sslstudio.language import tr
from sslstudio.ui.icons import icon
from sslstudio.ui.panels.buttons import Button
from sslstudio.ui.panels.parts import ICON, RADIUS, label, level_colour
from sslstudio.ui.panels.states import Level
from sslstudio.ui.theme import SPACE


class Segments(QWidget):
    """A few choices side by side, one chosen; ``columns`` per row.

    Signals:
        chosen: The id of the choice that was pressed.
    """

    chosen = Signal(str)

    def __init__(self, name: str, title: str, options: Mapping[str, str], columns: int = 3) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(title)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(SPACE // 2)
        self._group = QButtonGroup(self)
        self.buttons: dict[str, Button] = {}
        for place, (key, text) in enumerate(options.items()):
            button = Button(f"{name}.{key}", text, "segment")
            button.setCheckable(True)
            button.setAccessibleName(f"{title} {text}")
            self._group.addButton(button)
            self.buttons[key] = button
            grid.addWidget(button, place // columns, place % columns)
        for column in range(columns):
            grid.setColumnStretch(column, 1)
        self.grid = grid
        self._group.buttonClicked.connect(self._on_clicked)

    def select(self, key: str) -> None:
        """Mark a choice; an unknown one marks none."""
        self._group.setExclusive(False)
        for known, button in self.buttons.items():
            button.setChecked(known == key)
        self._group.setExclusive(key in self.buttons)

    def selected(self) -> str:
        """The id of the marked choice, or nothing."""
        return next((key for key, button in self.buttons.items() if button.isChecked()), "")

    def _on_clicked(self, button: Button) -> None:
        key = next(key for key, known in self.buttons.items() if known is button)
        self.select(key)
        self.chosen.emit(key)


class Fold(QWidget):
    """A part that is folded until asked for; ``body`` takes its widgets."""

    def __init__(self, name: str, title: str, *, open_: bool = False) -> None:
        super().__init__()
        self.setObjectName(name)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(SPACE // 2)
        self.head = Button(f"{name}.head", title, "link", "next")
        self.head.setCheckable(True)
        self.content = QWidget()
        self.body = QVBoxLayout(self.content)
        self.body.setContentsMargins(0, SPACE // 2, 0, SPACE // 2)
        self.body.setSpacing(SPACE)
        outer.addWidget(self.head)
        outer.addWidget(self.content)
        self.head.toggled.connect(self._on_toggled)
        self.head.setChecked(open_)
        self._on_toggled(open_)

    def _on_toggled(self, shown: bool) -> None:
        self.content.setVisible(shown)
        self.head.set_glyph("next", 90 if shown else 0)
        self.head.setAccessibleDescription(tr("unfolded") if shown else tr("folded"))


class Notice(QWidget):
    """One or two sentences on a tinted ground with a small icon; hidden while there is nothing to say."""

    GLYPHS: Mapping[Level, str] = {"good": "check_circle", "fair": "warning", "poor": "alert", "none": "info"}

    def __init__(self, name: str, lines: int = 0) -> None:
        super().__init__()
        self.setObjectName(name)
        self._level: Level = "none"
        box = QVBoxLayout(self)
        box.setContentsMargins(SPACE + ICON + SPACE, SPACE, SPACE, SPACE)
        self._words = label(lines=lines)
        self._words.setObjectName(f"{name}.text")
        self._words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        box.addWidget(self._words)
        self.hide()

    def say(self, text: str, level: Level = "fair") -> None:
        """Show the sentences, or nothing for an empty text."""
        self._level = level
        if text != self._words.text():
            self._words.setText(text)
        self.setVisible(bool(text))
        self.update()

    def text(self) -> str:
        """What it says now."""
        return self._words.text()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw ground and icon."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colour = QColor(level_colour(self._level))
        ground = QColor(colour)
        ground.setAlphaF(0.12)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ground)
        painter.drawRoundedRect(QRectF(self.rect()), RADIUS, RADIUS)
        place = QRectF(SPACE, SPACE - 1, ICON, ICON).toRect()
        icon(self.GLYPHS[self._level], colour.name()).paint(painter, place)


class Dot(QWidget):
    """A small disc in the colour of a level, beside the word that says the same."""

    def __init__(self) -> None:
        super().__init__()
        self._level: Level = "none"
        self.setFixedSize(12, 18)

    def set_level(self, level: Level) -> None:
        """Take the colour of a level."""
        self._level = level
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the disc."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(level_colour(self._level)))
        painter.drawEllipse(QPointF(5, self.height() / 2), 4, 4)
