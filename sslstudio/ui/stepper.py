"""The six steps at the top: where one is, what is done, what is possible, what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QEnterEvent, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QSizePolicy, QWidget

from sslstudio.language import later, tr
from sslstudio.ui import icons, theme
from sslstudio.ui.keyboard import KeyboardPlace
from sslstudio.ui.shortcuts import tell_keys

StepName = Literal["images", "pretrain", "paint", "finetune", "review", "export"]
Standing = Literal["done", "possible", "missing"]

STEPS: dict[str, str] = {
    "images": later("Images"),
    "pretrain": later("Pretrain"),
    "paint": later("Paint"),
    "finetune": later("Fine-tune"),
    "review": later("Review"),
    "export": later("Export"),
}
DISC = 20  # pixels, of the number before a step's name


@dataclass(frozen=True)
class StepState:
    """How a step stands, with the sentence of its tool tip."""

    standing: Standing = "possible"
    sentence: str = ""


class Stepper(QWidget):
    """The row of steps; any of them can be clicked at any time.

    Signals:
        chosen: The step's id.
    """

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("stepper")
        self.setAccessibleName(tr("Steps"))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        self.buttons: dict[str, StepButton] = {}
        for number, (step, name) in enumerate(STEPS.items(), 1):
            if number > 1:
                row.addWidget(_Link())
            button = StepButton(step, tr(name), number)
            button.clicked.connect(lambda _=False, step=step: self.chosen.emit(step))
            self.buttons[step] = button
            row.addWidget(button)

    def draw(self, states: dict[str, StepState], current: str) -> None:
        """Show how each step stands and which one is open."""
        for step, button in self.buttons.items():
            button.draw(states.get(step, StepState()), step == current)


class StepButton(KeyboardPlace, QAbstractButton):
    """One step: a disc with its number (or a tick), and its name."""

    def __init__(self, step: str, name: str, number: int) -> None:
        super().__init__()
        self.setObjectName(f"step.{step}")
        self.setText(name)
        self.setAccessibleName(name)
        self.setCheckable(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._number, self._action = number, f"go.{step}"
        self.state = StepState()

    def draw(self, state: StepState, current: bool) -> None:
        """Show ``state``."""
        self.state = state
        self.setChecked(current)
        tell_keys(self, state.sentence, self._action)
        words = {"done": tr("done"), "possible": tr("possible"), "missing": tr("something is missing")}[state.standing]
        self.setAccessibleDescription(f"{words}. {state.sentence}")
        self.update()

    def nextCheckState(self) -> None:
        """A click is only a wish; ``draw`` decides what is checked."""

    def sizeHint(self) -> QSize:
        """Room for the bold name, so that nothing moves when a step is chosen."""
        width = QFontMetrics(theme.font(bold=True)).horizontalAdvance(self.text())
        return QSize(DISC + width + 2 * theme.SPACE + 4, 5 * theme.SPACE)

    def enterEvent(self, event: QEnterEvent) -> None:
        """The ground under the pointer shows."""
        self.update()
        super().enterEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Disc, tick or number, name, and a line under the open step."""
        tone = theme.tone()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        keyboard = self.has_keyboard()
        if self.underMouse() or keyboard:
            painter.setPen(QPen(QColor(tone.link), 2) if keyboard else Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tone.alternate))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 5, -1, -5), 4, 4)
        self._draw_disc(painter, tone)
        missing = self.state.standing == "missing" and not self.isChecked()
        painter.setFont(theme.font(bold=self.isChecked()))
        painter.setPen(QColor(tone.quiet if missing else tone.text))
        room = self.rect().adjusted(DISC + 2 * theme.SPACE - 2, 0, 0, 0)
        painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, self.text())
        if self.isChecked():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tone.accent))
            painter.drawRect(QRectF(theme.SPACE, self.height() - 2, self.width() - 2 * theme.SPACE, 2))

    def _draw_disc(self, painter: QPainter, tone: theme.Tone) -> None:
        spot = QRectF(theme.SPACE - 1, (self.height() - DISC) / 2, DISC, DISC).adjusted(1, 1, -1, -1)
        done, current = self.state.standing == "done", self.isChecked()
        filled = done or current
        edge = tone.edge if self.state.standing == "missing" else tone.accent
        painter.setPen(Qt.PenStyle.NoPen if filled else QPen(QColor(edge), 1.5))
        painter.setBrush(QColor(tone.accent) if filled else Qt.BrushStyle.NoBrush)
        painter.drawEllipse(spot)
        if done:
            icons.icon("check", tone.on_accent).paint(painter, spot.adjusted(2, 2, -2, -2).toRect())
            return
        painter.setFont(theme.font(theme.SMALL, bold=True))
        painter.setPen(QColor(tone.on_accent if filled else tone.quiet))
        painter.drawText(spot, Qt.AlignmentFlag.AlignCenter, str(self._number))


class _Link(QWidget):
    """The short line between two steps."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedSize(2 * theme.SPACE, 5 * theme.SPACE)

    def paintEvent(self, event: QPaintEvent) -> None:
        """A hairline in the middle."""
        painter = QPainter(self)
        painter.setPen(QPen(QColor(theme.tone().edge), 1))
        painter.drawLine(2, self.height() // 2, self.width() - 2, self.height() // 2)
