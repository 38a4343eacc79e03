"""The tool in the hand: its name, its options, how it is used; those of other tools are out of sight."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from sslstudio.language import later, tr
from sslstudio.ui.actions import BY_ID
from sslstudio.ui.panels.fields import Check, SliderRow
from sslstudio.ui.panels.parts import label, question
from sslstudio.ui.shortcuts import tell_keys
from sslstudio.ui.theme import SMALL, SPACE
from sslstudio.ui.tool_options import ToolOptions

LARGEST_BRUSH = 400
NAME_WIDTH = 9 * SPACE
_ROOM = 7 * SPACE  # pixels: as high as the options of any tool, so that nothing below them jumps
_BRUSHES = ("brush", "eraser")
_HINTS = {
    "brush": later(
        "To erase, hold the eraser’s key, or Alt (where the desktop lets it through). Size: Shift and the wheel."
    ),
    "eraser": later("Makes it unpainted, which is not judged. For “nothing is here”, paint the background."),
    "lasso": later("Draw around something to paint what is within. Hold Alt to cut it out."),
    "polygon": later(
        "Click corner after corner, or drag. A click on the first corner, or Enter, fills. Corners can be dragged."
    ),
    "livewire": later(
        "Click along an edge: the line clings to it. A click on the start, or Enter, fills; Backspace goes one back."
    ),
    "superpixels": later("Click a patch, or drag across several. Hold Alt to erase."),
    "box": later("Drag a box around an object: it is painted, its surroundings are not. Esc stops the search."),
    "fill": later("Click into an area to give all of it the current class. Hold Alt to erase it."),
    "select": later("Drag a rectangle: changes to the whole mask then act only within. Esc takes it away."),
    "pan": later("Drag the image. With any other tool, hold Space."),
}


class ToolRows(QWidget):
    """Draws a tool's name, the size of a brush, and ``ToolOptions``.

    Signals:
        brush_chosen: The diameter in image pixels.
        option_chosen: The name of an option and its value.
    """

    brush_chosen = Signal(int)
    option_chosen = Signal(str, object)

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self._tools: dict[str, tuple[str, ...]] = {}  # which tools an option belongs to
        self.rows: dict[str, Check | SliderRow] = {}
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(SPACE // 2)
        self.title = question("")
        outer.addWidget(self.title)
        room = QWidget()
        room.setFixedHeight(_ROOM)
        outer.addWidget(room)
        self._box = QVBoxLayout(room)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(SPACE // 2)
        self._fill()
        self.hint = label(size=SMALL, quiet=True)
        self._box.addWidget(self.hint)
        self._box.addStretch(1)

    def draw(self, tool: str, brush: int, options: ToolOptions) -> None:
        """Show a tool; no other code touches these widgets."""
        self.title.setText(BY_ID[f"paint.{tool}"].told)
        self.brush.draw(brush)
        for option, row in self.rows.items():
            if option != "brush":
                value = getattr(options, option)
                row.setChecked(value) if isinstance(row, Check) else row.draw(value)
            row.setVisible(tool in self._tools[option])
        self.hint.setText(tr(_HINTS.get(tool, "")))
        self.hint.setVisible(tool in _HINTS)

    def _fill(self) -> None:
        self.brush = self._add_slider("brush", tr("Size"), 1, LARGEST_BRUSH, "px", _BRUSHES)
        self.brush.slider.setAccessibleName(tr("Brush size"))
        self.brush.chosen.connect(self.brush_chosen)
        tell_keys(self.brush.slider, tr("Also Shift and the wheel"), "paint.smaller", "paint.larger")
        tolerance = self._add_slider("tolerance", tr("Tolerance"), 0, 255, "", ("wand",))
        tolerance.slider.setToolTip(tr("Or drag on the image: right for more, left for less"))
        self._add_check("contiguous", tr("Only one piece"), tr("Or all that is alike"), ("wand",), "paint.contiguous")
        alike = self._add_slider("alike", tr("Alike"), 0, 100, "%", ("similar",))
        tell_keys(alike.slider, tr("Also Shift and the wheel"), "paint.smaller", "paint.larger")
        self._add_check(
            "clinging", tr("Edges follow the image"), tr("Else they are as soft as the features"), ("similar",)
        )
        self._add_slider("patch", tr("Patches"), 6, 100, "px", ("superpixels",))

    def _add_check(self, option: str, text: str, tip: str, tools: tuple[str, ...], action: str = "") -> None:
        check = Check(f"{self.objectName()}.{option}", text, tip)
        if action:
            tell_keys(check, tip, action)
        check.clicked.connect(lambda on: self.option_chosen.emit(option, on))
        self._add(option, check, tools)

    def _add_slider(self, option: str, text: str, low: int, high: int, unit: str, tools: tuple[str, ...]) -> SliderRow:
        slider = SliderRow(f"{self.objectName()}.{option}", text, low, high, unit, narrow=NAME_WIDTH)
        if option != "brush":
            slider.chosen.connect(lambda value: self.option_chosen.emit(option, value))
        self._add(option, slider, tools)
        return slider

    def _add(self, option: str, row: Check | SliderRow, tools: tuple[str, ...]) -> None:
        self.rows[option], self._tools[option] = row, tools
        self._box.addWidget(row)
