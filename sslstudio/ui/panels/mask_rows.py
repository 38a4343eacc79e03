"""Changes to the whole mask of the current class, or to what of it is selected."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout

from sslstudio.ui.actions import BY_ID
from sslstudio.ui.panels.blocks import Fold
from sslstudio.ui.panels.buttons import Button
from sslstudio.ui.panels.fields import SliderRow
from sslstudio.ui.theme import SPACE
from sslstudio.ui.tool_options import ToolOptions

_BUTTONS = ("grow", "shrink", "smooth", "specks", "holes", "copy")
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
        super().__init__(name, "Change the whole mask")
        self.amount = SliderRow(f"{name}.amount", "By how much", 1, LARGEST_AMOUNT, "px")
        self.amount.slider.setToolTip("How far grow, shrink and smooth reach")
        self.speck = SliderRow(f"{name}.speck", "Specks are smaller than", 2, LARGEST_SPECK, "px")
        self.amount.chosen.connect(lambda value: self.option_chosen.emit("amount", value))
        self.speck.chosen.connect(lambda value: self.option_chosen.emit("speck", value))
        self.body.addWidget(self.amount)
        self.body.addWidget(self.speck)
        grid = QGridLayout()
        grid.setSpacing(SPACE)
        for at, action in enumerate(_BUTTONS):
            grid.addWidget(self._button(f"paint.{action}"), at // 2, at % 2)
        self.body.addLayout(grid)

    def draw(self, options: ToolOptions) -> None:
        """Show the options; no other code touches these widgets."""
        self.amount.draw(options.amount)
        self.speck.draw(options.speck)

    def _button(self, action: str) -> Button:
        row = BY_ID[action]
        button = Button(f"{self.objectName()}.{action.removeprefix('paint.')}", row.text)
        button.setToolTip(f"{row.tip} ({row.shortcut})")
        button.clicked.connect(lambda: self.action_wanted.emit(action))
        return button
