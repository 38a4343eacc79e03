"""The card at the upper right of the canvas: window, gamma, channels, how pixels and masks are drawn."""

from __future__ import annotations

import math

from PySide6.QtCore import QEvent, QObject, QRect, Qt, Signal
from PySide6.QtGui import QColor, QEnterEvent, QHideEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from sslstudio.images.look import GAMMA_MAX
from sslstudio.language import decimal, later, tr
from sslstudio.ui import theme
from sslstudio.ui.canvas import Canvas
from sslstudio.ui.panels.buttons import Button
from sslstudio.ui.panels.fields import Check, Combo, Number, SliderRow
from sslstudio.ui.panels.parts import label, question
from sslstudio.ui.panels.states import Choice
from sslstudio.ui.shortcuts import tell_keys
from sslstudio.ui.theme import SMALL, SPACE
from sslstudio.ui.view.channels import ChannelRows
from sslstudio.ui.view.histogram import HistogramView
from sslstudio.ui.view.state import ALL, ViewState

WIDTH = 35 * SPACE
_MARGIN = 12
_EMPTY = later("Nothing to look at yet. Choose an image, then set here how bright it is shown.")
_PROMISE = later("Only what you see changes. Files, masks, training and exports stay as they are.")
_CONTRASTS = {
    "file": (later("As the file says"), later("The window that the file brings along")),
    "stored": (later("As stored"), later("8-bit values as they are")),
    "each": (
        later("Automatic, each image"),
        later("From each image's own darkest and brightest, leaving out one in a thousand"),
    ),
    "folder": (
        later("Automatic, whole folder"),
        later("One window for all, from a look at images of the folder: compare them"),
    ),
    "hand": (later("By hand"), later("As the handles stand")),
}
SWITCHES = {
    "view.smooth": (
        later("Smooth pixels"),
        later("Blend enlarged pixels into each other; else each is seen as a square"),
    ),
    "view.outline": (later("Outlines only"), later("Masks and predictions are not filled")),
    "view.grid": (later("Pixel grid"), later("Faint lines between pixels, from eight times enlarged on")),
    "view.minimap": (later("Minimap"), later("The whole image in a corner, while only a part of it is in sight")),
    "view.scale_bar": (later("Scale bar"), later("Where the file knows how large a pixel is")),
}
_NAME = 7 * SPACE


class GammaRow(SliderRow):
    """A slider on which 1 is in the middle and halves are as far from it as doubles; the number is the gamma."""

    STEPS = 100

    def __init__(self, name: str) -> None:
        super().__init__(name, tr("Gamma"), -self.STEPS, self.STEPS, "", narrow=_NAME)
        self.number.setFixedWidth(5 * SPACE)
        self._on_number(0)

    def gamma(self) -> float:
        """What the slider says."""
        return _gamma(self.slider.value())

    def draw_gamma(self, gamma: float) -> None:
        """Show a gamma without telling anybody."""
        self.draw(round(self.STEPS * math.log(gamma) / math.log(GAMMA_MAX)))

    def _on_number(self, value: int) -> None:
        self.number.setText(decimal(_gamma(value), 2))


class ViewCard(QWidget):
    """Draws ``ViewState`` over the canvas; emits wishes, decides nothing.

    Signals:
        window_chosen: The values that become black and full colour.
        gamma_chosen: From 0.2 to 5.
        contrast_chosen: One of ``look.CONTRASTS``.
        target_chosen: The channel whose histogram is wanted; ``ALL`` for all.
        only_chosen: Whether the settings are this image's alone.
        shown_chosen, colour_chosen, bands_chosen: See ``ChannelRows``.
        action_wanted: The id of an action.
        closed: It is to go.
    """

    window_chosen = Signal(float, float)
    gamma_chosen = Signal(float)
    contrast_chosen = Signal(str)
    target_chosen = Signal(int)
    only_chosen = Signal(bool)
    shown_chosen = Signal(int, bool)
    colour_chosen = Signal(int, str)
    bands_chosen = Signal(int, int, int)
    action_wanted = Signal(str)
    closed = Signal()

    def __init__(self, canvas: Canvas) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self.setObjectName("view")
        self.setAccessibleName(tr("View"))
        self.setAttribute(Qt.WidgetAttribute.WA_NoMousePropagation)
        self.setCursor(Qt.CursorShape.ArrowCursor)
        self.setAutoFillBackground(True)
        self.setFixedWidth(WIDTH)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(SPACE, SPACE // 2, 2, SPACE)
        outer.setSpacing(SPACE // 2)
        outer.addLayout(self._head())
        self.empty = label(tr(_EMPTY), quiet=True)
        outer.addWidget(self.empty)
        self.body = QWidget()
        self._scroll = QScrollArea(widgetResizable=True)
        self._scroll.setObjectName("view.scroll")
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setWidget(self.body)
        outer.addWidget(self._scroll, 1)
        self._fill(QVBoxLayout(self.body))
        self._wire()
        canvas.installEventFilter(self)
        self.hide()

    def draw(self, state: ViewState) -> None:
        """Show a state; no other code touches these widgets."""
        there = bool(state.channels)
        self.empty.setVisible(not there)
        self._scroll.setVisible(there)
        for button in (self.auto, self.reset):
            button.setEnabled(there)
        if there:
            self._draw_contrast(state)
            self.channels.draw(state)
            self._draw_rest(state)
        self._settle()

    def _draw_contrast(self, state: ViewState) -> None:
        self.histogram.draw(state)
        choices = (
            Choice(str(ALL), tr("All channels")),
            *(Choice(str(at), name) for at, name in enumerate(state.names)),
        )
        self.target.setVisible(len(state.channels) > 1)
        self.target.draw(choices, str(state.target))
        digits = 0 if state.whole else max(1, 3 - math.floor(math.log10(max(1e-9, abs(state.high - state.low)))))
        for field, value in ((self.low, state.low), (self.high, state.high)):
            if not field.hasFocus() or self.histogram.underMouse():
                field.blockSignals(True)
                field.setDecimals(min(12, digits))
                field.setSingleStep(max(10.0**-digits, abs(state.high - state.low) / 50))
                field.setValue(value)
                field.blockSignals(False)
        self.gamma.draw_gamma(state.gamma)
        possible = {"file": state.told_window, "stored": state.eight_bit}
        kinds = tuple(Choice(kind, *words) for kind, words in _CONTRASTS.items() if possible.get(kind, True))
        self.contrast.draw(kinds, state.contrast)
        self.only.setChecked(state.only)
        self.told.setText(state.told)

    def _draw_rest(self, state: ViewState) -> None:
        for name, check in self.switches.items():
            check.setChecked(state.switches.get(name, False))
        self.switches["view.scale_bar"].setEnabled(state.scaled)

    # parts ----------------------------------------------------------------------------------------------

    def _head(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, SPACE, 0)
        row.setSpacing(SPACE)
        title = question(tr("View"))
        title.setToolTip(tr(_PROMISE))
        self.auto = Button("view.auto", tr("Auto"), "link")
        self.reset = Button("view.reset", tr("Reset"), "link")
        self.close_ = Button("view.close", "", "link", "close")
        self.close_.setAccessibleName(tr("Close"))
        self.close_.set_quiet(True)
        tell_keys(
            self.auto, tr("Find window by itself in each image. {promise}").format(promise=tr(_PROMISE)), "view.auto"
        )
        tell_keys(self.reset, tr("Contrast, gamma and colours as at first"), "view.reset")
        tell_keys(self.close_, tr("Close; settings stay"), "view.look")
        row.addWidget(title, 1)
        for button in (self.auto, self.reset, self.close_):
            row.addWidget(button)
        return row

    def _fill(self, box: QVBoxLayout) -> None:
        box.setContentsMargins(0, 0, SPACE, 0)
        box.setSpacing(SPACE // 2)
        self.target = Combo("view.target", tr("Channel of the histogram"))
        self.histogram = HistogramView("view.histogram")
        box.addWidget(self.target)
        box.addWidget(self.histogram)
        box.addLayout(self._named(tr("Window"), *self._fields()))
        self.gamma = GammaRow("view.gamma")
        self.gamma.slider.setToolTip(tr("Below 1 brightens what is dark, above 1 darkens it"))
        box.addWidget(self.gamma)
        self.contrast = Combo("view.contrast", tr("Contrast"))
        box.addLayout(self._named(tr("Contrast"), self.contrast))
        self.only = Check("view.only", tr("For this image only"), tr("Other images keep what they have"))
        box.addWidget(self.only)
        self.told = label(size=SMALL, quiet=True, wrap=False)
        self.told.setObjectName("view.told")
        self.channels = ChannelRows("view.channels")
        box.addWidget(self.channels)
        box.addLayout(self._checks())
        box.addWidget(self.told)

    def _named(self, text: str, *fields: QWidget) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(SPACE)
        words = label(text, wrap=False)
        words.setFixedWidth(_NAME)
        words.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(words)
        for field in fields:
            row.addWidget(field, 1)
        return row

    def _fields(self) -> tuple[Number, Number]:
        self.low, self.high = Number("view.low", tr("Black at")), Number("view.high", tr("Full at"))
        for field, tip in (
            (self.low, tr("What is at most this is black")),
            (self.high, tr("What is at least this is brightest")),
        ):
            field.setRange(-1e12, 1e12)
            field.setToolTip(tip)
            field.setButtonSymbols(Number.ButtonSymbols.NoButtons)
            field.setMinimumWidth(8 * SPACE)
        return self.low, self.high

    def _checks(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(SPACE)
        grid.setVerticalSpacing(0)
        self.switches: dict[str, Check] = {}
        for at, (name, (text, tip)) in enumerate(SWITCHES.items()):
            check = Check(f"{name}.check", tr(text))
            tell_keys(check, tr(tip), name)
            grid.addWidget(check, at // 2, at % 2)
            grid.setColumnStretch(at % 2, 1)
            self.switches[name] = check
        return grid

    def _wire(self) -> None:
        self.close_.clicked.connect(self.closed)
        self.auto.clicked.connect(lambda: self.action_wanted.emit("view.auto"))
        self.reset.clicked.connect(lambda: self.action_wanted.emit("view.reset"))
        self.histogram.auto_wanted.connect(lambda: self.action_wanted.emit("view.auto"))
        self.histogram.window_chosen.connect(self.window_chosen)
        for field in (self.low, self.high):
            field.valueChanged.connect(lambda _: self.window_chosen.emit(self.low.value(), self.high.value()))
        self.gamma.chosen.connect(lambda _: self.gamma_chosen.emit(self.gamma.gamma()))
        self.contrast.activated.connect(lambda _: self.contrast_chosen.emit(str(self.contrast.currentData())))
        self.target.activated.connect(lambda _: self.target_chosen.emit(int(self.target.currentData())))
        self.only.clicked.connect(self.only_chosen)
        self.channels.shown_chosen.connect(self.shown_chosen)
        self.channels.colour_chosen.connect(self.colour_chosen)
        self.channels.bands_chosen.connect(self.bands_chosen)
        for name, check in self.switches.items():
            check.clicked.connect(lambda _=False, name=name: self.action_wanted.emit(name))

    # Qt's events ----------------------------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep to the canvas's corner."""
        if event.type() == QEvent.Type.Resize:
            self._settle()
        return False

    def hideEvent(self, event: QHideEvent) -> None:
        """Leave the corner to others."""
        self._canvas.minimap.keep_off(QRect())

    def enterEvent(self, event: QEnterEvent) -> None:
        """The pointer is not on the image any more."""
        self._canvas.point_nowhere()

    def paintEvent(self, event: QPaintEvent) -> None:
        """A frame, since image and card may be of one colour."""
        painter = QPainter(self)
        painter.setPen(QPen(QColor(theme.tone().edge), 1))
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    def _settle(self) -> None:
        """As high as it needs to be and the canvas allows."""
        head = 24 + 2 * SPACE + 4
        needed = self.body.sizeHint().height() if self._scroll.isVisibleTo(self) else self.empty.sizeHint().height()
        high = min(head + needed + 4, self._canvas.height() - 2 * _MARGIN)
        self.setGeometry(self._canvas.width() - WIDTH - _MARGIN, _MARGIN, WIDTH, high)
        if self.isVisibleTo(self._canvas):
            self._canvas.minimap.keep_off(self.geometry())


def _gamma(step: int) -> float:
    return float(GAMMA_MAX ** (step / GammaRow.STEPS))
