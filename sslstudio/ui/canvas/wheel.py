"""Wheel, touchpad and pinch: zooming under the pointer, moving, and the size of the tool."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QInputDevice, QNativeGestureEvent, QWheelEvent

if TYPE_CHECKING:
    from sslstudio.ui.canvas.canvas import Canvas

_ZOOM_PER_NOTCH = 1.2
_PAN_PER_NOTCH = 60  # widget pixels
_NOTCH = 120  # Qt's unit of a wheel
_SWAPPING = Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.AltModifier


class Wheel:
    """Reads them for one canvas."""

    def __init__(self, canvas: Canvas) -> None:
        self._canvas = canvas
        self._turned = 0  # what has not made a whole notch yet

    def turn(self, event: QWheelEvent) -> bool:
        """Zoom; with Shift change the tool's size; two fingers and a tilted wheel move the image."""
        canvas, turned, ratio = self._canvas, event.angleDelta(), self._canvas.devicePixelRatioF()
        delta = turned.y() or turned.x()  # some systems turn sideways with Shift or Alt
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._turned += delta
            steps = int(self._turned / _NOTCH)
            self._turned -= steps * _NOTCH
            canvas.sizing.turn(steps)
        elif self._is_touchpad(event) and not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            moved = event.pixelDelta()
            canvas.set_view(canvas.viewport.moved(moved.x() * ratio, moved.y() * ratio))
        elif not turned.y() and not event.modifiers() & _SWAPPING:
            canvas.set_view(canvas.viewport.moved(turned.x() / _NOTCH * _PAN_PER_NOTCH * ratio, 0))
        else:
            self._zoom_at(event.position(), _ZOOM_PER_NOTCH ** (delta / _NOTCH))
        return True

    def pinch(self, event: QNativeGestureEvent) -> bool:
        """Zoom at the fingers."""
        if event.gestureType() != Qt.NativeGestureType.ZoomNativeGesture:
            return False
        self._zoom_at(event.position(), max(0.2, 1 + event.value()))
        return True

    def _is_touchpad(self, event: QWheelEvent) -> bool:
        return event.device().type() == QInputDevice.DeviceType.TouchPad and not event.pixelDelta().isNull()

    def _zoom_at(self, place: QPointF, factor: float) -> None:
        """Zoom so that what is under ``place`` stays there; factors near 1 and 2 rest at exactly that."""
        canvas, ratio = self._canvas, self._canvas.devicePixelRatioF()
        zoom = canvas.zoom * factor
        for rest in (1.0, 2.0):
            zoom = rest if abs(math.log(zoom / rest)) < 0.04 and abs(math.log(canvas.zoom / rest)) > 0.04 else zoom
        left = canvas.pane_left(place)
        canvas.zoom_at(zoom, place.x() * ratio - left, place.y() * ratio)
        canvas.hand.report_place()
