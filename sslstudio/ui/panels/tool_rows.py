"""The options of the tool in the hand; those of other tools are out of sight."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from sslstudio.ui.actions import BY_ID
from sslstudio.ui.panels.fields import Check, SliderRow
from sslstudio.ui.theme import SPACE
from sslstudio.ui.tool_options import ToolOptions

_BRUSHES = frozenset({"brush", "eraser"})
_WAND = frozenset({"wand"})


class ToolRows(QWidget):
    """Draws a tool's name and ``ToolOptions``.

    Signals:
        option_chosen: The name of an option and its value.
    """

    option_chosen = Signal(str, object)

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self._tools: dict[str, frozenset[str]] = {}  # which tools an option belongs to
        self.rows: dict[str, Check | SliderRow] = {}
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(SPACE // 2)
        self._add_check("square", "Square brush", _BRUSHES, "paint.square")
        self._add_check("sieved", "Only pixels of some brightness", _BRUSHES, "paint.sieved")
        self._add_slider("low", "Darkest", 0, 255, "", _BRUSHES)
        self._add_slider("high", "Brightest", 0, 255, "", _BRUSHES)
        self._add_slider("tolerance", "Tolerance", 0, 255, "", _WAND)
        self._add_check("contiguous", "Only one piece", _WAND, "paint.contiguous")

        self._add_slider("patch", "Size of patches", 6, 100, "px", frozenset({"superpixels"}))

    def draw(self, tool: str, options: ToolOptions) -> None:
        """Show the options of a tool; no other code touches these widgets."""
        for option, row in self.rows.items():
            value = getattr(options, option)
            row.setChecked(value) if isinstance(row, Check) else row.draw(value)
            row.setVisible(tool in self._tools[option] and (options.sieved or option not in ("low", "high")))
        self.setVisible(any(tool in tools for tools in self._tools.values()))

    def _add_check(self, option: str, text: str, tools: frozenset[str], action: str) -> None:
        row = BY_ID[action]
        check = Check(f"{self.objectName()}.{option}", text, f"{row.tip} ({row.shortcut})")
        check.clicked.connect(lambda on: self.option_chosen.emit(option, on))
        self._add(option, check, tools)

    def _add_slider(self, option: str, text: str, low: int, high: int, unit: str, tools: frozenset[str]) -> None:
        slider = SliderRow(f"{self.objectName()}.{option}", text, low, high, unit)
        slider.chosen.connect(lambda value: self.option_chosen.emit(option, value))
        self._add(option, slider, tools)

    def _add(self, option: str, row: Check | SliderRow, tools: frozenset[str]) -> None:
        self.rows[option], self._tools[option] = row, tools
        self._box.addWidget(row)
