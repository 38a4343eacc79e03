"""The pen of a tablet: how hard it is pressed, and with which end."""

from __future__ import annotations

from PySide6.QtCore import QEvent
from PySide6.QtGui import QPointingDevice, QTabletEvent

from sslstudio.ui.canvas.steps import BRUSH_MIN

_THINNEST = 0.2  # share of the brush that it draws with when it hardly touches


class Stylus:
    """What is known of the pen; a mouse is like a pen that is not there."""

    def __init__(self) -> None:
        self.erases, self.down = False, False
        self._share = 1.0

    def read(self, event: QTabletEvent) -> None:
        """Note pressure and which end is down; one that only hovers shows the whole brush."""
        self.down = event.type() != QEvent.Type.TabletRelease and bool(event.buttons())
        self._share = _THINNEST + (1 - _THINNEST) * event.pressure() if self.down else 1.0
        self.erases = event.pointerType() == QPointingDevice.PointerType.Eraser

    def put_away(self) -> None:
        """It has gone out of reach: its other end erases no more, and the mouse has no pressure."""
        self.erases, self.down, self._share = False, False, 1.0

    def width(self, diameter: int) -> int:
        """How broad it draws with a brush of this diameter, in the same unit."""
        return max(BRUSH_MIN, round(diameter * self._share))
