"""Which channels are shown, and in what colours."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QColorDialog, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from sslstudio.language import later, tr, within
from sslstudio.ui.panels.class_list import Swatch
from sslstudio.ui.panels.fields import Check, Combo
from sslstudio.ui.panels.parts import label
from sslstudio.ui.panels.states import Choice
from sslstudio.ui.theme import SPACE
from sslstudio.ui.view.state import ViewState

COLUMNS = 2
_PARTS = (later("Red"), later("Green"), later("Blue"))


class ChannelRows(QWidget):
    """A box and a colour per channel; with more than three, also what gives red, green and blue.

    Signals:
        shown_chosen: The place of a channel, and whether it is shown.
        colour_chosen: The place of a channel and its colour as ``#rrggbb``.
        bands_chosen: The places of the channels for red, green and blue.
    """

    shown_chosen = Signal(int, bool)
    colour_chosen = Signal(int, str)
    bands_chosen = Signal(int, int, int)

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.checks: list[Check] = []
        self.swatches: list[Swatch] = []
        self.bands: list[Combo] = []
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE // 2)
        self._parts = self._band_row()
        column.addWidget(self._parts)
        self._cells = QWidget()
        column.addWidget(self._cells)
        self._names: tuple[str, ...] = ()

    def draw(self, state: ViewState) -> None:
        """Show a state; no other code touches these widgets."""
        if state.names != self._names:
            self._fill(state.names)
        self.setVisible(len(state.channels) > 1)
        self._parts.setVisible(len(state.channels) > 3)
        for check, swatch, channel in zip(self.checks, self.swatches, state.channels, strict=True):
            check.setChecked(channel.shown)
            swatch.colour = channel.colour
            swatch.update()
        choices = tuple(Choice(str(at), str(at + 1), name) for at, name in enumerate(state.names))
        for combo, at in zip(self.bands, state.bands, strict=True):
            combo.draw(choices, str(at))

    def _band_row(self) -> QWidget:
        row = QWidget()
        box = QHBoxLayout(row)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(SPACE // 2)
        for part in _PARTS:
            combo = Combo(
                f"{self.objectName()}.{part.lower()}", tr("Channel shown as {part}").format(part=within(tr(part)))
            )
            combo.setToolTip(tr("The channel that is shown as {part}").format(part=within(tr(part))))
            combo.setMinimumContentsLength(2)
            combo.activated.connect(self._on_bands)
            cell = QVBoxLayout()
            cell.setSpacing(2)
            cell.addWidget(label(tr(part), wrap=False))
            cell.addWidget(combo)
            box.addLayout(cell, 1)
            self.bands.append(combo)
        return row

    def _fill(self, names: tuple[str, ...]) -> None:
        """Build the boxes anew: this image has other channels."""
        self._names = names
        self.checks, self.swatches = [], []
        old, self._cells = self._cells, QWidget()
        grid = QGridLayout(self._cells)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(SPACE)
        grid.setVerticalSpacing(0)
        for at, text in enumerate(names):
            grid.addLayout(self._cell(at, text), at // COLUMNS, at % COLUMNS)
        for place in range(COLUMNS):
            grid.setColumnStretch(place, 1)
        layout = self.layout()
        assert layout is not None
        layout.replaceWidget(old, self._cells)
        old.deleteLater()

    def _cell(self, at: int, text: str) -> QHBoxLayout:
        check = Check(f"{self.objectName()}.{at + 1}", text, tr("Whether this channel is shown"))
        check.clicked.connect(lambda on: self.shown_chosen.emit(at, on))
        swatch = Swatch(f"{self.objectName()}.{at + 1}.colour", "#ffffff", text)
        swatch.clicked.connect(lambda: self._on_swatch(at))
        self.checks.append(check)
        self.swatches.append(swatch)
        row = QHBoxLayout()
        row.setSpacing(SPACE // 2)
        row.addWidget(swatch)
        row.addWidget(check, 1)
        return row

    def _on_swatch(self, at: int) -> None:
        dialog = QColorDialog(QColor(self.swatches[at].colour), self.window())
        dialog.setObjectName("view.channels.chooser")
        dialog.setWindowTitle(tr("Colour of {names}").format(names=self._names[at]))
        dialog.colorSelected.connect(lambda colour: self.colour_chosen.emit(at, colour.name()))
        dialog.open()

    def _on_bands(self) -> None:
        chosen = [int(combo.currentData() if combo.currentData() is not None else -1) for combo in self.bands]
        if any(at < 0 for at in chosen):  # what was not red, green and blue before becomes so now
            chosen = [at if at >= 0 else min(place, len(self._names) - 1) for place, at in enumerate(chosen)]
        self.bands_chosen.emit(*chosen)
