"""What strokes may change, and which pixels a brush takes; folded until asked for, its head tells what is in force."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal

from sslstudio.language import tr
from sslstudio.ui.panels.blocks import Fold
from sslstudio.ui.panels.fields import Check, Combo, SliderRow
from sslstudio.ui.panels.parts import label
from sslstudio.ui.panels.states import PaintState
from sslstudio.ui.panels.tool_rows import NAME_WIDTH
from sslstudio.ui.shortcuts import tell_keys
from sslstudio.ui.theme import SPACE
from sslstudio.ui.tool_options import EVERYTHING

_ROOM = 33 * SPACE  # pixels that the head's words may take
_BRUSHES = frozenset({"brush", "eraser"})


class StrokeRows(Fold):
    """Draws the part of ``ToolOptions`` that binds strokes.

    Signals:
        option_chosen: The name of one of ``ToolOptions`` and its value.
    """

    option_chosen = Signal(str, object)

    def __init__(self, name: str) -> None:
        super().__init__(name, tr("Stroke options"))
        self.body.setSpacing(SPACE // 2)
        self.body.addWidget(label(tr("A stroke changes"), wrap=False))
        self.only = Combo(f"{name}.only", tr("What a stroke may change"))
        tell_keys(self.only, tr("What is already painted otherwise stays. The next choice"), "paint.only")
        self.body.addWidget(self.only)
        self.square = self._check("square", tr("Square brush"), tr("For straight edges"), "paint.square")
        tip = tr("A tablet's pen draws thinner where it is pressed less")
        self.pressure = self._check("pressure", tr("Pen pressure"), tip, "paint.pressure")
        tip = tr("The brush passes over pixels that are darker or brighter")
        self.sieved = self._check("sieved", tr("Only pixels of this brightness"), tip, "paint.sieved")
        self.low = self._slider("low", tr("Darkest"))
        self.high = self._slider("high", tr("Brightest"))
        self.only.activated.connect(self._on_only)

    def draw(self, state: PaintState) -> None:
        """Show the options; no other code touches these widgets."""
        options, brush = state.options, state.tool in _BRUSHES
        self.only.draw(state.may_change, str(options.only))
        self.square.setChecked(options.square)
        self.sieved.setChecked(options.sieved)
        self.pressure.setChecked(options.pressure)
        self.low.draw(options.low)
        self.high.draw(options.high)
        for row in (self.square, self.pressure, self.sieved):
            row.setVisible(brush)
        for slider in (self.low, self.high):
            slider.setVisible(brush and options.sieved)
        self._say(state)

    def _say(self, state: PaintState) -> None:
        """Let the head tell what is in force; all of it in the tool tip where there is too little room."""
        options, brush = state.options, state.tool in _BRUSHES
        parts = []
        if options.only != EVERYTHING:
            named = options.only < len(state.classes)
            parts.append(
                tr("only {name}").format(name=state.classes[options.only].name) if named else tr("only unpainted")
            )
        parts += ["square"] if brush and options.square else []
        parts += (
            [tr("brightness {low} to {high}").format(low=options.low, high=options.high)]
            if brush and options.sieved
            else []
        )
        text = tr("Strokes: {parts}").format(parts=", ".join(parts)) if parts else tr("Stroke options")
        self.head.set_words(self.head.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, _ROOM))
        self.head.setToolTip(text if parts else "")

    def _check(self, option: str, text: str, tip: str, action: str) -> Check:
        check = Check(f"{self.objectName()}.{option}", text)
        tell_keys(check, tip, action)
        check.clicked.connect(lambda on: self.option_chosen.emit(option, on))
        self.body.addWidget(check)
        return check

    def _slider(self, option: str, text: str) -> SliderRow:
        slider = SliderRow(f"{self.objectName()}.{option}", text, 0, 255, "", narrow=NAME_WIDTH)
        slider.chosen.connect(lambda value: self.option_chosen.emit(option, value))
        self.body.addWidget(slider)
        return slider

    def _on_only(self, place: int) -> None:
        self.option_chosen.emit("only", int(self.only.itemData(place)))
