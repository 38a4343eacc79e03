"""What belongs to the tool “similar regions” beside its threshold: which network is asked, what is proposed."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from sslstudio.language import later, tr
from sslstudio.ui.panels.bars import Bar
from sslstudio.ui.panels.blocks import Notice
from sslstudio.ui.panels.buttons import Button
from sslstudio.ui.panels.parts import label
from sslstudio.ui.panels.states import SimilarFolderState, SimilarState
from sslstudio.ui.panels.words import many, percent, thousands
from sslstudio.ui.shortcuts import tell_keys
from sslstudio.ui.theme import SMALL, SPACE

FIND = later("Find in the folder")


class SimilarRows(QWidget):
    """Draws a ``SimilarState``.

    Signals:
        answered: The proposal is accepted, or dropped.
        folder_wanted: Search the folder for more of it, or stop.
        everywhere_wanted: Take it into the masks of all images that were found; once more: take it back there.
    """

    answered = Signal(bool)
    folder_wanted = Signal()
    everywhere_wanted = Signal()

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE // 2)
        self.hint = label(size=SMALL, quiet=True)
        self.eyes = label(size=SMALL, quiet=True)
        self.note = Notice(f"{name}.note", lines=2)
        self.accept = Button(f"{name}.accept", tr("Accept"), glyph="check", tip=tr("Enter on the image does the same"))
        self.drop = Button(f"{name}.drop", tr("Drop"), glyph="close", tip=tr("Esc on the image does the same"))
        row = QHBoxLayout()
        row.addWidget(self.accept, 2)
        row.addWidget(self.drop, 1)
        for widget in (self.hint, self.eyes, self.note):
            column.addWidget(widget)
        column.addLayout(row)
        self.folder = Button(f"{name}.folder", tr(FIND), glyph="images")
        tell_keys(self.folder, tr("Which images have more of it"), "image.similar")
        self.bar = Bar(f"{name}.bar", tr("How much of the folder was looked at"))
        self.found = label(size=SMALL, quiet=True)
        self.everywhere = Button(
            f"{name}.everywhere", tr("Accept in all"), tip=tr("One undo in each image takes it back")
        )
        for part in (self.folder, self.bar, self.found, self.everywhere):
            column.addWidget(part)
        self.folder.clicked.connect(self.folder_wanted)
        self.everywhere.clicked.connect(self.everywhere_wanted)
        self.accept.clicked.connect(lambda: self.answered.emit(True))
        self.drop.clicked.connect(lambda: self.answered.emit(False))

    def draw(self, state: SimilarState, folder: SimilarFolderState) -> None:
        """Show ``state``; no other code touches these widgets."""
        self.hint.setText(how_used(state))
        self.eyes.setText(whose_eyes(state))
        self.note.say(state.problem, "poor")
        self.accept.set_words(
            tr("Accept as {class_name}").format(class_name=state.class_name) if state.class_name else tr("Accept")
        )
        self.accept.setEnabled(state.proposed and bool(state.class_name))
        self.drop.setEnabled(state.begun)
        self.folder.set_words(tr("Stop the search") if folder.running else tr(FIND))
        self.folder.setEnabled(folder.can_start or folder.running)
        self.bar.setVisible(folder.running)
        self.bar.set_share(folder.done / max(1, folder.total))
        self.found.setVisible(bool(how_far(folder)))
        self.found.setText(how_far(folder))
        self.everywhere.setVisible(folder.found > 0 and not folder.running)
        self.everywhere.setEnabled(not folder.accepting and bool(state.class_name))
        self.everywhere.set_words(everywhere(folder, state.class_name))


def how_used(state: SimilarState) -> str:
    """How the tool is used, or how much it proposes."""
    if state.busy:
        return tr("Looking …")
    if state.begun and state.share >= 0:
        share = percent(state.share) if state.share >= 0.01 or not state.share else tr("Less than 1\u202f%")
        of = (
            tr("{share} of what was in view when you began; this image is huge.").format(share=share)
            if state.in_view
            else tr("{share} of the image.").format(share=share)
        )
        return of + " " + tr("Click more of what you want; right click, or Alt, on what not.")
    return tr("Click something, or drag a box in it: all that is alike is shown. Enter takes it, Esc drops it.")


def whose_eyes(state: SimilarState) -> str:
    """Which network looks; in honest words where it has learned nothing."""
    if not state.trained:
        return tr(
            "By {network}, which has learned nothing yet: it goes by colour and texture. Pretrain for more."
        ).format(network=state.network)
    return tr("By {network}.").format(network=state.network) if state.network else ""


def everywhere(state: SimilarFolderState, class_name: str) -> str:
    """What the button for all images does."""
    if state.accepting:
        return tr("Changing the masks …")
    if state.taken:
        return tr("Take it back in {other_images}").format(other_images=many(state.taken, "other image"))
    return tr("Accept as {class_name} in {listed_images}").format(
        class_name=class_name, listed_images=many(state.found, "listed image")
    )


def how_far(state: SimilarFolderState) -> str:
    """How far a search of the folder is, or what it found."""
    if state.problem or not state.total:
        return state.problem
    if state.running:
        return tr("Looked at {done} of {total} images …").format(
            done=thousands(state.done), total=thousands(state.total)
        )
    looked = "" if state.done == state.total else tr(" of the {done} looked at").format(done=thousands(state.done))
    unread = tr(" {images} could not be read.").format(images=many(state.unread, "image")) if state.unread else ""
    return tr("{images}{looked} with some of it: at the left, the most first.{unread}").format(
        images=many(state.found, "image"), looked=looked, unread=unread
    )
