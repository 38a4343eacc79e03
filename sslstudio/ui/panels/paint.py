"""The paint panel: tools, brush, classes, overlay and what to paint next."""

from __future__ import annotations

from PySide6.QtCore import Signal

from sslstudio.ui.panels.panel import Panel
from sslstudio.ui.panels.states import PaintState


class PaintPanel(Panel):
    """Draws ``PaintState``.

    Signals:
        tool_chosen: brush, eraser, polygon, fill or pan.
        brush_chosen: The diameter in image pixels.
        class_chosen: The place of a class in the list; likewise the first value of the next ones.
        class_add_wanted, class_rename_wanted, class_recolour_wanted, class_remove_wanted: Change the list.
        opacity_chosen: 0 to 1.
        masks_shown_chosen: Whether masks are drawn.
        undo_wanted, redo_wanted, import_wanted, finetune_wanted, images_wanted: The button was pressed.
    """

    tool_chosen = Signal(str)
    brush_chosen = Signal(int)
    class_chosen = Signal(int)
    class_add_wanted = Signal(str)
    class_rename_wanted = Signal(int, str)
    class_recolour_wanted = Signal(int, str)
    class_remove_wanted = Signal(int)
    opacity_chosen = Signal(float)
    masks_shown_chosen = Signal(bool)
    undo_wanted = Signal()
    redo_wanted = Signal()
    import_wanted = Signal()
    finetune_wanted = Signal()
    images_wanted = Signal()

    ID = "panel.paint"
    NAME = "Paint"

    def draw(self, state: PaintState) -> None:
        """Show ``state``; no other code touches these widgets."""
        self.state = state
