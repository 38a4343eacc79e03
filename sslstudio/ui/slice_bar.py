"""The bar below the canvas while a stack is open: which slice is shown, which are painted; a drag goes elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSlider, QStyle, QStyleOptionSlider, QWidget

from sslstudio.language import tr
from sslstudio.ui import theme
from sslstudio.ui.actions import BY_ID
from sslstudio.ui.panels.buttons import Button
from sslstudio.ui.shortcuts import tell_keys

_MARK = 3  # pixels that tell a painted slice


@dataclass(frozen=True)
class SliceState:
    """Slice ``number`` (from 1) of ``count`` is shown; ``painted`` are the numbers of those that are."""

    number: int = 1
    count: int = 1
    painted: frozenset[int] = frozenset()
    fillable: bool = False  # whether something lies between painted slices here
    why_not: str = ""


class SliceBar(QWidget):
    """Draws a ``SliceState``; in sight only for a stack.

    Signals:
        chosen: The number of the slice to go to.
        action_wanted: The id of an action.
    """

    chosen = Signal(int)
    action_wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("slices")
        self.setAccessibleName(tr("Slices"))
        self.previous = Button("slices.previous", "", "tool", "previous", tr("Previous slice"))
        self.next = Button("slices.next", "", "tool", "next", tr("Next slice"))
        tell_keys(self.previous, tr("Previous slice"), "image.slice_previous")
        tell_keys(self.next, tr("Next slice"), "image.slice_next")
        self.slider = _Slider()
        self.words = QLabel()
        self.words.setObjectName("slices.words")
        self.words.setFont(theme.font(theme.SMALL, tabular=True))
        self.fill = Button("slices.interpolate", tr("Fill between"), "link")
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.SPACE, 0, theme.SPACE, 0)
        row.setSpacing(theme.SPACE)
        for part in (self.previous, self.slider, self.next, self.words, self.fill):
            row.addWidget(part, 1 if part is self.slider else 0)
        self.previous.clicked.connect(lambda: self.action_wanted.emit("image.slice_previous"))
        self.next.clicked.connect(lambda: self.action_wanted.emit("image.slice_next"))
        self.fill.clicked.connect(lambda: self.action_wanted.emit("paint.interpolate"))
        self.slider.valueChanged.connect(self.chosen)
        self.hide()

    def draw(self, state: SliceState) -> None:
        """Show a state; no other code touches these widgets."""
        self.setVisible(state.count > 1)
        with QSignalBlocker(self.slider):
            self.slider.setRange(1, max(1, state.count))
            self.slider.setValue(state.number)
        self.slider.mark(state.painted)
        self.previous.setEnabled(state.number > 1)
        self.next.setEnabled(state.number < state.count)
        self.fill.setEnabled(state.fillable)
        tell_keys(self.fill, f"{BY_ID['paint.interpolate'].tip}. {state.why_not}".strip(), "paint.interpolate")
        widest = self.words.fontMetrics().horizontalAdvance(_words(state.count, state.count, state.count))
        self.words.setMinimumWidth(widest)
        self.words.setText(_words(state.number, state.count, len(state.painted)))


class _Slider(QSlider):
    """A slider with a mark for each slice that is painted."""

    def __init__(self) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setObjectName("slices.slider")
        self.setAccessibleName(tr("Slice"))
        self.setToolTip(tr("The slices of this stack; marks show which are painted"))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the keys to the canvas
        self.setMinimumHeight(3 * theme.SPACE)
        self._painted: frozenset[int] = frozenset()

    def mark(self, painted: frozenset[int]) -> None:
        """Show which slices are painted."""
        if painted != self._painted:
            self._painted = painted
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Marks, and the slider over them."""
        option = QStyleOptionSlider()
        self.initStyleOption(option)
        handle = self.style().subControlRect(
            QStyle.ComplexControl.CC_Slider, option, QStyle.SubControl.SC_SliderHandle, self
        )
        room, last = self.width() - handle.width(), max(1, self.maximum() - 1)
        painter = QPainter(self)
        places = {handle.width() // 2 + round(room * (number - 1) / last) for number in self._painted}
        for place in places:
            painter.fillRect(place - _MARK // 2, self.height() - 5, _MARK, 5, QColor(theme.tone().accent))
        painter.end()
        super().paintEvent(event)


def _words(number: int, count: int, painted: int) -> str:
    done = tr("{painted} painted").format(painted=painted) if painted else tr("none painted")
    return tr("Slice {number} of {count} · {done}").format(number=number, count=count, done=done)
