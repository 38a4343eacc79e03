"""The paint panel: the tool in the hand, classes, the whole mask, what to paint next; the tools are at the canvas."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from sslstudio.language import later, tr
from sslstudio.ui.panels.attention import AttentionSection
from sslstudio.ui.panels.blocks import Fold, Notice
from sslstudio.ui.panels.buttons import Button
from sslstudio.ui.panels.class_list import ClassList
from sslstudio.ui.panels.mask_rows import MaskRows
from sslstudio.ui.panels.panel import Panel
from sslstudio.ui.panels.parts import label, question
from sslstudio.ui.panels.running import Empty
from sslstudio.ui.panels.similar_rows import SimilarRows
from sslstudio.ui.panels.states import PaintState
from sslstudio.ui.panels.stroke_rows import StrokeRows
from sslstudio.ui.panels.tool_rows import ToolRows
from sslstudio.ui.panels.words import thousands
from sslstudio.ui.theme import SPACE


class PaintPanel(Panel):
    """Draws ``PaintState``.

    Signals:
        brush_chosen: The diameter in image pixels.
        class_chosen: The place of a class in the list; likewise the first value of the next ones.
        class_add_wanted, class_rename_wanted, class_recolour_wanted, class_remove_wanted: Change the list.
        class_lock_wanted, class_hide_wanted: A place in the list, and whether.
        option_chosen: The name of one of ``ToolOptions`` and its value.
        action_wanted: The id of an action.
        similar_answered: Similar regions are accepted, or dropped.
        similar_folder_wanted: Search the folder for them, or stop; similar_everywhere_wanted: Take them in all images.
        import_wanted, finetune_wanted, images_wanted: The button was pressed.
    """

    brush_chosen = Signal(int)
    class_chosen = Signal(int)
    class_add_wanted = Signal(str)
    class_rename_wanted = Signal(int, str)
    class_recolour_wanted = Signal(int, str)
    class_remove_wanted = Signal(int)
    class_lock_wanted = Signal(int, bool)
    class_hide_wanted = Signal(int, bool)
    option_chosen = Signal(str, object)
    action_wanted = Signal(str)
    similar_answered = Signal(bool)
    similar_folder_wanted = Signal()
    similar_everywhere_wanted = Signal()
    import_wanted = Signal()
    finetune_wanted = Signal()
    images_wanted = Signal()

    ID = "panel.paint"
    NAME = later("Paint")
    SENTENCE = later("Mark a little of all you want to tell apart. What stays unpainted is not judged.")

    def draw(self, state: PaintState) -> None:
        """Show ``state``; no other code touches these widgets."""
        self.empty.setVisible(not state.images)
        self.body.setVisible(bool(state.images))
        self.tool.draw(state.tool, state.brush, state.options)
        self.similar.setVisible(state.tool == "similar")
        self.similar.draw(state.similar, state.folder)
        self.strokes.draw(state)
        self.whole.draw(state.options)
        self.classes.draw(state.classes, state.current)
        self.attention.draw(state.attention)
        self.progress.setText(
            tr("{painted} of {images} images painted").format(
                painted=thousands(state.painted), images=thousands(state.images)
            )
        )
        ready = sum(1 for row in state.classes if row.pixels) > 1
        done = ready and all(row.pixels for row in state.classes)
        self.advice.say(state.advice, "good" if done else "none")
        self.go_on.setEnabled(ready)

    def _fill(self) -> None:
        self.empty = Empty(self._id("empty"), "images", PaintState().advice, tr("Go to images"))
        self.body = QWidget()
        self.column.addWidget(self.empty)
        self.column.addWidget(self.body)
        box = QVBoxLayout(self.body)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(SPACE)
        self.advice = Notice(self._id("advice"), lines=2)
        box.addWidget(self.advice)
        box.addSpacing(SPACE // 2)
        self.tool = ToolRows(self._id("tool"))
        box.addWidget(self.tool)
        self.similar = SimilarRows(self._id("similar"))
        self.similar.hide()  # until its tool is in the hand
        box.addWidget(self.similar)
        box.addSpacing(SPACE)
        box.addWidget(question(tr("Classes")))
        self.classes = ClassList(self._id("classes"))
        box.addWidget(self.classes)
        self.strokes = StrokeRows(self._id("strokes"))
        self.whole = MaskRows(self._id("whole"))
        self.proposing = Fold(self._id("proposing"), tr("Propose the object"))
        self.attention = AttentionSection(self._id("attention"), titled=False)
        self.proposing.body.addWidget(self.attention)
        folds = QVBoxLayout()
        folds.setSpacing(SPACE // 4)  # all of it fits into a small screen while they are folded
        for fold in (self.strokes, self.whole, self.proposing):
            folds.addWidget(fold)
        box.addLayout(folds)
        self._fill_end(box)
        self._wire()

    def _fill_end(self, box: QVBoxLayout) -> None:
        self.progress = label(tabular=True)
        self.progress.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.progress.setObjectName(self._id("progress"))
        self.go_on = Button(self._id("continue"), tr("Continue to fine-tuning"), "primary")
        self.take = Button(self._id("import"), tr("Import masks …"), "link", "import")
        row = QHBoxLayout()
        row.addWidget(self.progress, 1)
        row.addWidget(self.take)
        box.addLayout(row)
        box.addWidget(self.go_on)

    def _wire(self) -> None:
        self.empty.wanted.connect(self.images_wanted)
        self.tool.brush_chosen.connect(self.brush_chosen)
        self.similar.answered.connect(self.similar_answered)
        self.similar.folder_wanted.connect(self.similar_folder_wanted)
        self.similar.everywhere_wanted.connect(self.similar_everywhere_wanted)
        self.take.clicked.connect(self.import_wanted)
        self.go_on.clicked.connect(self.finetune_wanted)
        self.classes.chosen.connect(self.class_chosen)
        self.classes.add_wanted.connect(self.class_add_wanted)
        self.classes.rename_wanted.connect(self.class_rename_wanted)
        self.classes.recolour_wanted.connect(self.class_recolour_wanted)
        self.classes.remove_wanted.connect(self.class_remove_wanted)
        self.classes.lock_wanted.connect(self.class_lock_wanted)
        self.classes.hide_wanted.connect(self.class_hide_wanted)
        for rows in (self.tool, self.strokes, self.whole):
            rows.option_chosen.connect(self.option_chosen)
        self.whole.action_wanted.connect(self.action_wanted)
