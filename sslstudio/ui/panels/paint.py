"""The paint panel: brush, classes, overlay and what to paint next; the tools are at the canvas."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from sslstudio.ui.actions import BY_ID
from sslstudio.ui.panels.blocks import Notice
from sslstudio.ui.panels.buttons import Button
from sslstudio.ui.panels.class_list import ClassList
from sslstudio.ui.panels.fields import Check, Combo, SliderRow
from sslstudio.ui.panels.mask_rows import MaskRows
from sslstudio.ui.panels.panel import Panel
from sslstudio.ui.panels.parts import label, question
from sslstudio.ui.panels.running import Empty
from sslstudio.ui.panels.states import PaintState
from sslstudio.ui.panels.tool_rows import ToolRows
from sslstudio.ui.panels.words import thousands
from sslstudio.ui.theme import SPACE

LARGEST_BRUSH = 400


class PaintPanel(Panel):
    """Draws ``PaintState``.

    Signals:
        brush_chosen: The diameter in image pixels.
        class_chosen: The place of a class in the list; likewise the first value of the next ones.
        class_add_wanted, class_rename_wanted, class_recolour_wanted, class_remove_wanted: Change the list.
        opacity_chosen: 0 to 1.
        class_lock_wanted, class_hide_wanted: A place in the list, and whether.
        option_chosen: The name of one of ``ToolOptions`` and its value.
        action_wanted: The id of an action.
        masks_shown_chosen: Whether masks are drawn.
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
    opacity_chosen = Signal(float)
    masks_shown_chosen = Signal(bool)
    import_wanted = Signal()
    finetune_wanted = Signal()
    images_wanted = Signal()

    ID = "panel.paint"
    NAME = "Paint"
    SENTENCE = "Mark a little of everything you want to tell apart. What you leave unpainted is not judged."

    def draw(self, state: PaintState) -> None:
        """Show ``state``; no other code touches these widgets."""
        self.empty.setVisible(not state.images)
        self.body.setVisible(bool(state.images))
        self.brush.draw(state.brush)
        self.tool.draw(state.tool, state.options)
        self.whole.draw(state.options)
        self.only.draw(state.may_change, str(state.options.only))
        self.opacity.draw(round(100 * state.opacity))
        self.masks.setChecked(state.masks_shown)
        self.classes.draw(state.classes, state.current)
        self.progress.setText(f"{thousands(state.painted)} of {thousands(state.images)} images painted")
        ready = sum(1 for row in state.classes if row.pixels) > 1
        done = ready and all(row.pixels for row in state.classes)
        self.advice.say(state.advice, "good" if done else "none")
        self.go_on.setEnabled(ready)

    def _fill(self) -> None:
        self.empty = Empty(self._id("empty"), "images", PaintState().advice, "Go to images")
        self.body = QWidget()
        self.column.addWidget(self.empty)
        self.column.addWidget(self.body)
        box = QVBoxLayout(self.body)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(SPACE)
        self.advice = Notice(self._id("advice"), lines=2)
        box.addWidget(self.advice)
        self.brush = SliderRow(self._id("brush_size"), "Brush size", 1, LARGEST_BRUSH, "px")
        self.brush.slider.setToolTip("Also [ and ], or Shift and the wheel")
        box.addWidget(self.brush)
        self.tool = ToolRows(self._id("tool"))
        box.addWidget(self.tool)
        box.addWidget(label("A stroke changes", wrap=False))
        self.only = Combo(self._id("only"), "What a stroke may change")
        self.only.setToolTip(f"What is already painted otherwise stays ({BY_ID['paint.only'].shortcut} for the next)")
        box.addWidget(self.only)
        box.addSpacing(SPACE)
        box.addWidget(question("Classes"))
        self.classes = ClassList(self._id("classes"))
        box.addWidget(self.classes)
        box.addSpacing(SPACE)
        self.whole = MaskRows(self._id("whole"))
        box.addWidget(self.whole)
        box.addSpacing(SPACE)
        self._fill_overlay(box)
        self._fill_end(box)
        self._wire()

    def _fill_overlay(self, box: QVBoxLayout) -> None:
        self.opacity = SliderRow(self._id("opacity"), "Mask opacity", 0, 100, "%")
        tip = f"Hide them to see the image ({BY_ID['view.masks'].shortcut})"
        self.masks = Check(self._id("masks_shown"), "Show masks", tip)
        box.addWidget(self.opacity)
        box.addWidget(self.masks)
        box.addSpacing(SPACE)

    def _fill_end(self, box: QVBoxLayout) -> None:
        self.progress = label(tabular=True)
        self.progress.setObjectName(self._id("progress"))
        self.go_on = Button(self._id("continue"), "Continue to fine-tuning", "primary")
        self.take = Button(self._id("import"), "Import masks …", "link", "import")
        for widget in (self.progress, self.go_on, self.take):
            box.addWidget(widget)

    def _wire(self) -> None:
        self.empty.wanted.connect(self.images_wanted)
        self.brush.chosen.connect(self.brush_chosen)
        self.opacity.chosen.connect(self._on_opacity)
        self.masks.clicked.connect(self.masks_shown_chosen)
        self.take.clicked.connect(self.import_wanted)
        self.go_on.clicked.connect(self.finetune_wanted)
        self.classes.chosen.connect(self.class_chosen)
        self.classes.add_wanted.connect(self.class_add_wanted)
        self.classes.rename_wanted.connect(self.class_rename_wanted)
        self.classes.recolour_wanted.connect(self.class_recolour_wanted)
        self.classes.remove_wanted.connect(self.class_remove_wanted)

        self.classes.lock_wanted.connect(self.class_lock_wanted)
        self.classes.hide_wanted.connect(self.class_hide_wanted)
        self.tool.option_chosen.connect(self.option_chosen)
        self.whole.option_chosen.connect(self.option_chosen)
        self.whole.action_wanted.connect(self.action_wanted)
        self.only.activated.connect(self._on_only)

    def _on_only(self, place: int) -> None:
        self.option_chosen.emit("only", int(self.only.itemData(place)))

    def _on_opacity(self, value: int) -> None:
        self.opacity_chosen.emit(value / 100)
