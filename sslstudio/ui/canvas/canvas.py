"""The widget that shows one image with its mask and lets people paint (public face; the inside follows)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

if TYPE_CHECKING:
    from sslstudio.project.classes import LabelClass
    from sslstudio.project.label_map import LabelMap, Patch


class Canvas(QWidget):
    """Shows an image under its mask."""

    stroke_finished = Signal(object, object)
    cursor_moved = Signal(int, int, object)
    view_changed = Signal(float)
    tool_changed = Signal(str)
    brush_changed = Signal(int)
    class_changed = Signal(int)
    query_hovered = Signal(float, float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("canvas")
        self._rgb8: np.ndarray | None = None
        self._message = ""
        self.tool, self.brush, self.current_class, self.zoom = "brush", 20, 0, 1.0

    def show_image(self, rgb8: np.ndarray | None, labels: LabelMap | None, key: str = "") -> None:
        """Show an (H, W, 3) uint8 image and its mask; None for neither."""
        self._rgb8 = rgb8
        self.update()

    def set_message(self, text: str) -> None:
        """The quiet text in place of an image."""
        self._message = text
        self.update()

    def set_classes(self, classes: Sequence[LabelClass]) -> None: ...
    def set_tool(self, tool: str) -> None: ...
    def set_brush(self, diameter: int) -> None: ...
    def brush_bigger(self) -> None: ...
    def brush_smaller(self) -> None: ...
    def set_current_class(self, index: int) -> None: ...
    def set_overlay_opacity(self, opacity: float) -> None: ...
    def set_masks_visible(self, visible: bool) -> None: ...
    def set_background_hatch(self, wanted: bool) -> None: ...
    def set_pen_pressure(self, wanted: bool) -> None: ...
    def apply_patch(self, patch: Patch) -> None: ...
    def set_prediction(self, labels: np.ndarray | None, mode: str = "over") -> None: ...
    def set_prediction_visible(self, visible: bool) -> None: ...
    def set_heat(self, heat: np.ndarray | None) -> None: ...
    def set_attention_mode(self, wanted: bool) -> None: ...
    def set_live_overlay(self, labels: np.ndarray | None) -> None: ...
    def finish_stroke(self) -> None: ...
    def zoom_in(self) -> None: ...
    def zoom_out(self) -> None: ...
    def zoom_fit(self) -> None: ...
    def zoom_actual(self) -> None: ...

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the image, scaled into the widget."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(0x78, 0x78, 0x78))
        if self._rgb8 is None:
            painter.drawText(self.rect(), 0x84, self._message)
            return
        height, width = self._rgb8.shape[:2]
        image = QImage(self._rgb8.data, width, height, 3 * width, QImage.Format.Format_RGB888)
        painter.drawImage(self.rect(), image)
