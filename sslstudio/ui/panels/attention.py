"""The attention section, shared by Pretrain (``.attention``) and Review: what the network looks at."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from sslstudio.ui.panels.blocks import Notice
from sslstudio.ui.panels.fields import Check, Combo
from sslstudio.ui.panels.parts import label, question, quiet_number
from sslstudio.ui.panels.states import AttentionState, Choice
from sslstudio.ui.theme import SPACE


class AttentionSection(QWidget):
    """Draws an ``AttentionState``; lives as ``.attention`` in the pretrain and the review panel.

    Signals:
        shown_chosen: Whether the map is drawn over the image.
        head_chosen: 0 for the mean, else the head's number.
        block_chosen: 0 for the last block, else its number from 1.
        hover_chosen: Whether the pointer asks for its own patch.
    """

    shown_chosen = Signal(bool)
    head_chosen = Signal(int)
    block_chosen = Signal(int)
    hover_chosen = Signal(bool)

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.shown = Check(f"{name}.shown", "Show over the image", "Bright where the network looks (T)")
        self.hover = Check(f"{name}.hover", "Ask from under the pointer", "Move over the image: what belongs to this?")
        self.head = Combo(f"{name}.head", "Attention head")
        self.block = Combo(f"{name}.block", "Block")
        self.note = Notice(f"{name}.note")
        self.status = quiet_number()
        self.controls = QWidget()
        self._lay_out()
        self.shown.clicked.connect(self.shown_chosen)
        self.hover.clicked.connect(self.hover_chosen)
        self.head.activated.connect(self._on_head)
        self.block.activated.connect(self._on_block)
        self.draw(AttentionState())

    def draw(self, state: AttentionState) -> None:
        """Show ``state``; no other code touches these widgets."""
        self.controls.setVisible(state.available)
        self.note.say("" if state.available else state.why_not or NO_ATTENTION, "none")
        self.shown.setChecked(state.shown)
        self.hover.setChecked(state.hover)
        self.head.draw(_heads(state.heads), str(state.head))
        self.block.draw(_blocks(state.blocks), str(state.block))
        for widget in (self.hover, self.head, self.block):
            widget.setEnabled(state.shown)
        self.status.setText("Looking …" if state.busy else "")

    def _lay_out(self) -> None:
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(SPACE)
        outer.addWidget(question("Attention"))
        outer.addWidget(self.note)
        outer.addWidget(self.controls)
        grid = QGridLayout(self.controls)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(SPACE)
        grid.addWidget(self.shown, 0, 0)
        grid.addWidget(self.status, 0, 1)
        grid.addWidget(self.hover, 1, 0, 1, 2)
        for place, (text, combo) in enumerate((("Head", self.head), ("Block", self.block))):
            name = label(text)
            name.setBuddy(combo)
            box = QVBoxLayout()
            box.setSpacing(SPACE // 2)
            box.addWidget(name)
            box.addWidget(combo)
            grid.addLayout(box, 2, place)
            grid.setColumnStretch(place, 1)

    def _on_head(self) -> None:
        self.head_chosen.emit(int(self.head.currentData()))

    def _on_block(self) -> None:
        self.block_chosen.emit(int(self.block.currentData()))


NO_ATTENTION = "This backbone has no attention. Choose a ViT to see where it looks."


def no_attention(backbone: str) -> str:
    """What to say for a convolutional backbone, by its label: "ResNet-18 has no attention; choose a ViT"."""
    return f"{backbone} has no attention. Choose a ViT to see where it looks."


def _heads(count: int) -> tuple[Choice, ...]:
    return (Choice("0", "Mean"), *(Choice(str(head), f"Head {head}") for head in range(1, count + 1)))


def _blocks(count: int) -> tuple[Choice, ...]:
    return (Choice("0", "Last"), *(Choice(str(block), f"Block {block}") for block in range(1, count)))
