"""The whole image, small, in a corner of the canvas while only a part of it is in sight."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRect, QRectF, Qt, QTimer
from PySide6.QtGui import QColor, QEnterEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QWidget

from sslstudio.language import tr
from sslstudio.ui.canvas.scene import Scene
from sslstudio.ui.canvas.viewport import NOTHING, Rect, Viewport

if TYPE_CHECKING:
    from sslstudio.ui.canvas.canvas import Canvas

SIDE = 168  # widget pixels of the longer side
_MARGIN = 12
_LATER = 150  # milliseconds in which dabs of the brush become one repaint
_ARRIVING = 500  # and in which parts of a huge image do that are being read
_DARK, _LIGHT = QColor(0, 0, 0, 170), QColor(255, 255, 255)
_FRAME = QColor(0x8A, 0x8A, 0x8A)  # tells it from the image, black or white


class Minimap(QWidget):
    """Shows where the view lies; a click or a drag moves it. In sight only where it tells something."""

    def __init__(self, canvas: Canvas) -> None:
        super().__init__(canvas)
        self.setObjectName("canvas.minimap")
        self.setAccessibleName(tr("Minimap"))
        self.setToolTip(tr("Where you are in the image; click or drag to go elsewhere"))
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAttribute(Qt.WidgetAttribute.WA_NoMousePropagation)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.wanted = False
        self._canvas = canvas
        self._scene = Scene()
        self._changed = NOTHING
        self._kept_off = QRect()
        self._later = QTimer(self, interval=_LATER, singleShot=True)
        self._later.timeout.connect(self._take_changes)
        self._later_still = QTimer(self, interval=_ARRIVING, singleShot=True)
        self._later_still.timeout.connect(self.redraw)
        canvas.moved.connect(self.settle)
        self.hide()

    def set_wanted(self, wanted: bool) -> None:
        """Whether it appears at all."""
        self.wanted = wanted
        self.settle()

    def keep_off(self, area: QRect) -> None:
        """Something else lies here on the canvas: stand beside it."""
        if area != self._kept_off:
            self._kept_off = area
            self.settle()

    def redraw(self) -> None:
        """Image, mask or colours changed as a whole."""
        self._scene.stale_image()
        self._changed = NOTHING
        self.settle()

    def image_changed(self) -> None:
        """More is known of a huge image; shown a little later."""
        if self.isVisible() and not self._later_still.isActive():
            self._later_still.start()

    def mend(self, rect: Rect) -> None:
        """A rectangle of the mask changed; shown a little later, since the pen has precedence."""
        self._changed = self._changed.joined(rect)
        if self.isVisible() and not self._later.isActive():
            self._later.start()

    def settle(self) -> None:
        """Appear, go, or show that the view has moved."""
        needed = self.wanted and self._canvas.partly_seen()
        if needed:
            width, height = self._canvas.image_size
            scale = SIDE / max(width, height)
            wide, high = max(24, round(width * scale)), max(24, round(height * scale))
            place = QRect(0, 0, wide, high)
            place.moveBottomRight(self._canvas.rect().adjusted(0, 0, -_MARGIN, -_MARGIN).bottomRight())
            if place.intersects(self._kept_off):
                place.moveRight(self._kept_off.left() - _MARGIN)
            self.setGeometry(place)
        self.setVisible(needed)
        self.update()

    def make_way(self, pointer: QPointF | None) -> None:
        """Let a stroke pass that comes near; None: it is over."""
        near = pointer is not None and self.geometry().adjusted(-24, -24, 24, 24).contains(pointer.toPoint())
        if pointer is None:
            self.settle()
        elif near and self.isVisible():
            self.hide()

    def seen(self) -> QRectF:
        """The frame around what is in sight, in its own pixels."""
        box, ratio = self._canvas.sight().seen, self._scale()
        frame = QRectF(box.left * ratio, box.top * ratio, box.width * ratio, box.height * ratio)
        return frame.intersected(QRectF(self.rect()))

    def paintEvent(self, event: QPaintEvent) -> None:
        """The image with what lies over it, and the frame."""
        self._draw_scene()
        painter = QPainter(self)
        painter.drawImage(0, 0, self._scene.panes[0].shown)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(_FRAME)
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        frame = self.seen().adjusted(1, 1, -1, -1)
        for pen in (QPen(_DARK, 3), QPen(_LIGHT, 1.5)):
            painter.setPen(pen)
            painter.drawRect(frame)

    def enterEvent(self, event: QEnterEvent) -> None:
        """The pointer is not on the image any more."""
        self._canvas.point_nowhere()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go there."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._go(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Go along."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._go(event.position())

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom as the canvas does, around the middle."""
        self._canvas.zoom_in() if event.angleDelta().y() > 0 else self._canvas.zoom_out()

    def _go(self, place: QPointF) -> None:
        scale = self._scale()
        self._canvas.centre_on(place.x() / scale, place.y() / scale)

    def _scale(self) -> float:
        """Its pixels per image pixel."""
        return self.width() / max(1, self._canvas.image_size[0])

    def _take_changes(self) -> None:
        self._scene.changed(self._changed)
        self._changed = NOTHING
        self.update()

    def _draw_scene(self) -> None:
        ratio, scene = self.devicePixelRatioF(), self._scene
        layers = self._canvas.lend(scene)
        scene.view = Viewport(self._scale() * ratio)
        size = round(self.width() * ratio), round(self.height() * ratio)
        if not scene.panes or (scene.panes[0].layers, scene.panes[0].pixels.shape[1::-1]) != (layers, size):
            scene.stale_image()
            scene.arrange([layers], *size)
        scene.panes[0].shown.setDevicePixelRatio(ratio)
        scene.refresh()
