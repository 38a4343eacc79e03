"""The attention explorer of Pretrain, Paint and Review (``.attention``): what the network looks at, now and before."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from sslstudio.language import later, tr
from sslstudio.ui.panels.blocks import Notice, Segments
from sslstudio.ui.panels.buttons import Button
from sslstudio.ui.panels.fields import Check, Combo, SliderRow
from sslstudio.ui.panels.parts import label, question, quiet_number
from sslstudio.ui.panels.states import AttentionState, Choice
from sslstudio.ui.shortcuts import tell_keys
from sslstudio.ui.theme import SMALL, SPACE

FIRST_PROPOSAL = 60  # per cent of the attention, as in the DINO paper


class AttentionSection(QWidget):
    """Draws an ``AttentionState``; lives as ``.attention`` in the panels of these steps.

    Signals:
        shown_chosen: Whether the map is drawn over the image.
        colours_chosen: Whether features are shown as colours, in place of attention.
        head_chosen: 0 for the mean, else the head's number.
        block_chosen: 0 for the last block, else its number from 1.
        hover_chosen: Whether the pointer asks for its own patch.
        moment_chosen: A place in the moments that were kept of the training; their number means now.
        proposal_chosen: Per cent of the attention that is proposed as the object; 0 for none.
        accept_wanted: Make the proposal a part of the mask.
    """

    shown_chosen = Signal(bool)
    colours_chosen = Signal(bool)
    head_chosen = Signal(int)
    block_chosen = Signal(int)
    hover_chosen = Signal(bool)
    moment_chosen = Signal(int)
    proposal_chosen = Signal(int)
    accept_wanted = Signal()

    def __init__(self, name: str, *, titled: bool = True) -> None:
        super().__init__()
        self.setObjectName(name)
        self._titled = titled
        self.shown = Check(f"{name}.shown", tr("Show over the image"))
        tell_keys(self.shown, tr("Bright where the network looks"), "view.attention")
        what = {"attention": tr("Where it looks"), "colours": tr("What is alike")}
        self.what = Segments(f"{name}.what", tr("What is shown"), what, columns=2)
        self.hover = Check(
            f"{name}.hover", tr("Ask from under the pointer"), tr("Move over the image: what belongs to this?")
        )
        self.head = Combo(f"{name}.head", tr("Attention head"))
        self.block = Combo(f"{name}.block", tr("Block"))
        self.note = Notice(f"{name}.note")
        self.untrained = Notice(f"{name}.untrained")
        self.status = quiet_number()
        self.controls, self.details, self.past = QWidget(), QWidget(), QWidget()
        self.time = SliderRow(f"{name}.time", tr("While it trained"), 0, 1, "")
        self.when = label(size=SMALL, quiet=True, lines=1)
        self.propose = Check(
            f"{name}.propose", tr("Propose the object"), tr("Outline what holds most of the attention")
        )
        self.share = SliderRow(f"{name}.share", tr("Share of the attention"), 5, 95, "%")
        self.accept = Button(f"{name}.accept", tr("Accept into the mask"), glyph="check", tip=tr("Can be undone"))
        self._lay_out()
        self._wire()
        self.draw(AttentionState())

    def draw(self, state: AttentionState) -> None:
        """Show ``state``; no other code touches these widgets."""
        self.controls.setVisible(state.available)
        self.note.say(state.why_not or ("" if state.available else tr(NO_ATTENTION)), "none")
        self.untrained.say(tr(UNTRAINED) if state.shown and state.untrained else "", "fair")
        self.shown.setChecked(state.shown)
        self.what.select("colours" if state.colours else "attention")
        self.what.setEnabled(state.shown)
        self.what.buttons["attention"].setEnabled(state.shown and state.can_attend)
        self.what.buttons["attention"].setToolTip("" if state.can_attend else tr(NO_ATTENTION))
        attends = state.shown and not state.colours
        self.hover.setChecked(state.hover)
        self.head.draw(_heads(state.heads), str(state.head))
        self.block.draw(_blocks(state.blocks), str(state.block))
        self.details.setVisible(attends)
        self.status.setText(tr("Looking …") if state.busy else "")
        self._draw_past(state)
        self.propose.setChecked(state.proposed > 0)
        self.share.setVisible(attends and state.proposed > 0)
        self.share.draw(state.proposed or FIRST_PROPOSAL)
        self.accept.setVisible(attends and state.proposed > 0)
        self.accept.set_words(
            tr("Accept as {proposed_class}").format(proposed_class=state.proposed_class)
            if state.proposed_class
            else tr("Accept into the mask")
        )
        self.accept.setEnabled(bool(state.proposed_class))

    def _draw_past(self, state: AttentionState) -> None:
        self.past.setVisible(state.shown and bool(state.moments))
        self.time.slider.setRange(0, len(state.moments))
        self.time.draw(state.moment)
        self.time.number.setText(tr("now") if state.moment >= len(state.moments) else tr("then"))
        self.when.setText((*state.moments, tr("As it is now"))[min(state.moment, len(state.moments))])

    def _lay_out(self) -> None:
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(SPACE)
        if self._titled:
            outer.addWidget(question(tr("Attention")))
        outer.addWidget(self.note)
        outer.addWidget(self.controls)
        column = QVBoxLayout(self.controls)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE)
        head = QGridLayout()
        head.addWidget(self.shown, 0, 0)
        head.addWidget(self.status, 0, 1)
        column.addLayout(head)
        for widget in (self.untrained, self.what, self.past, self.details):
            column.addWidget(widget)
        past = QVBoxLayout(self.past)
        past.setContentsMargins(0, 0, 0, 0)
        past.setSpacing(0)
        past.addWidget(self.time)
        past.addWidget(self.when)
        self._lay_out_details()

    def _lay_out_details(self) -> None:
        grid = QGridLayout(self.details)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(SPACE)
        grid.addWidget(self.hover, 0, 0, 1, 2)
        for place, (text, combo) in enumerate(((tr("Head"), self.head), (tr("Block"), self.block))):
            name = label(text)
            name.setBuddy(combo)
            box = QVBoxLayout()
            box.setSpacing(SPACE // 2)
            box.addWidget(name)
            box.addWidget(combo)
            grid.addLayout(box, 1, place)
            grid.setColumnStretch(place, 1)
        for row, widget in enumerate((self.propose, self.share, self.accept), start=2):
            grid.addWidget(widget, row, 0, 1, 2)

    def _wire(self) -> None:
        self.shown.clicked.connect(self.shown_chosen)
        self.what.chosen.connect(lambda what: self.colours_chosen.emit(what == "colours"))
        self.hover.clicked.connect(self.hover_chosen)
        self.head.activated.connect(lambda: self.head_chosen.emit(int(self.head.currentData())))
        self.block.activated.connect(lambda: self.block_chosen.emit(int(self.block.currentData())))
        self.time.chosen.connect(self.moment_chosen)
        self.propose.clicked.connect(lambda on: self.proposal_chosen.emit(self.share.slider.value() if on else 0))
        self.share.chosen.connect(self.proposal_chosen)
        self.accept.clicked.connect(self.accept_wanted)


UNTRAINED = later("This network has learned nothing yet: where it looks says little about your images. Pretrain first.")
NO_ATTENTION = later("This backbone has no attention. Choose a ViT to see where it looks.")


def no_attention(backbone: str) -> str:
    """What to say for a convolutional backbone, by its label: "ResNet-18 has no attention; choose a ViT"."""
    return tr("{backbone} has no attention. Choose a ViT to see where it looks.").format(backbone=backbone)


def _heads(count: int) -> tuple[Choice, ...]:
    return (
        Choice("0", tr("Mean")),
        *(Choice(str(head), tr("Head {head}").format(head=head)) for head in range(1, count + 1)),
    )


def _blocks(count: int) -> tuple[Choice, ...]:
    return (
        Choice("0", tr("Last")),
        *(Choice(str(block), tr("Block {block}").format(block=block)) for block in range(1, count)),
    )
