"""Changes to the whole mask of the current class, or to what of it is selected."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout

from sslstudio.language import tr
from sslstudio.ui.actions import BY_ID
from sslstudio.ui.panels.blocks import Fold
from sslstudio.ui.panels.buttons import Button
from sslstudio.ui.panels.fields import SliderRow
from sslstudio.ui.panels.parts import label
from sslstudio.ui.shortcuts import tell_keys
from sslstudio.ui.theme import SMALL, SPACE
from sslstudio.ui.tool_options import ToolOptions

_BUTTONS = ("grow", "shrink", "smooth", "specks", "holes", "copy")
_NAME_WIDTH = 11 * SPACE
LARGEST_AMOUNT, LARGEST_SPECK = 50, 1000  # pixels


class MaskRows(Fold):
    """Folded until asked for.

    Signals:
        option_chosen: The name of one of ``ToolOptions`` and its value.
        action_wanted: The id of an action.
    """

    option_chosen = Signal(str, object)
    action_wanted = Signal(str)

    def __init__(self, name: str) -> None:
        super().__init__(name, tr("Change the whole mask"))
        self.body.setSpacing(SPACE // 2)
        self.body.addWidget(label(tr("On the current class, everywhere or in the selection."), SMALL, quiet=True))
        self.amount = SliderRow(f"{name}.amount", tr("Reach"), 1, LARGEST_AMOUNT, "px", narrow=_NAME_WIDTH)
        self.amount.slider.setToolTip(tr("How far grow, shrink and smooth reach"))
        self.speck = SliderRow(f"{name}.speck", tr("Specks below"), 2, LARGEST_SPECK, "px", narrow=_NAME_WIDTH)
        self.speck.slider.setToolTip(tr("Pieces with fewer pixels are specks"))
        self.amount.chosen.connect(lambda value: self.option_chosen.emit("amount", value))
        self.speck.chosen.connect(lambda value: self.option_chosen.emit("speck", value))
        self.body.addWidget(self.amount)
        self.body.addWidget(self.speck)
        grid = QGridLayout()
        grid.setSpacing(SPACE // 2)
        for at, action in enumerate(_BUTTONS):
            grid.addWidget(self._button(f"paint.{action}"), at // 2, at % 2)
        self.body.addLayout(grid)

    def draw(self, options: ToolOptions) -> None:
        """Show the options; no other code touches these widgets."""
        self.amount.draw(options.amount)
        self.speck.draw(options.speck)

    def _button(self, action: str) -> Button:
        row = BY_ID[action]
        button = Button(f"{self.objectName()}.{action.removeprefix('paint.')}", row.told)
        tell_keys(button, row.told_tip, action)
        button.clicked.connect(lambda: self.action_wanted.emit(action))
        return button
