"""Where the image lies in the canvas: zoom, panes, places in the image and in the widget."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QWidget

from sslstudio.ui.canvas.fade import Fade
from sslstudio.ui.canvas.pyramid import LabelPyramid
from sslstudio.ui.canvas.scene import Layers, Scene
from sslstudio.ui.canvas.strokes import Point
from sslstudio.ui.canvas.tiled import Arrivals
from sslstudio.ui.canvas.tools import View
from sslstudio.ui.canvas.viewport import Rect, Viewport, fitted, next_step, zoom_floor

_GAP = 2  # device pixels between two panes


class Board(QWidget):
    """A widget with one picture, or two beside each other, that can be zoomed and moved.

    Signals:
        view_changed: The zoom factor; 1.0 is one device pixel per image pixel.
        moved: Another part of the image is in sight, at whatever zoom.
    """

    view_changed = Signal(float)
    moved = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene = Scene()
        self._fade = Fade(self)
        self._arrivals = Arrivals(self)
        self._arrivals.arrived.connect(self._take_arrivals)
        self._prediction: LabelPyramid | None = None
        self._mode, self._prediction_visible = "over", True
        self._fitted = True
        self._pane_area = (0, 0)
        self._divider = 0.5  # share of the width, in swipe mode

    @property
    def viewport(self) -> Viewport:
        """Where the image lies within a pane, in device pixels."""
        return self._scene.view

    @property
    def zoom(self) -> float:
        """Device pixels per image pixel."""
        return self._scene.view.zoom

    def zoom_in(self) -> None:
        """One step closer, around the middle."""
        self._zoom_to(next_step(self.zoom, 1))

    def zoom_out(self) -> None:
        """One step back, around the middle."""
        self._zoom_to(next_step(self.zoom, -1))

    def zoom_actual(self) -> None:
        """One device pixel per image pixel, around the middle."""
        self._zoom_to(1.0)

    def zoom_fit(self) -> None:
        """The whole image."""
        if self._scene.image is not None:
            self.set_view(fitted(self._scene.size, self.pane_size()))
        self._fitted = True

    def zoom_at(self, zoom: float, x: float, y: float) -> None:
        """Another zoom, with what is under a device pixel of a pane kept there; never so far that all is a speck."""
        least = min(self.zoom, zoom_floor(self._scene.size, self.pane_size())) if self._scene.image else zoom
        self.set_view(self._scene.view.zoomed(max(zoom, least), x, y))

    def centre_on(self, x: float, y: float) -> None:
        """Bring a place of the image into the middle."""
        width, height = self.pane_size()
        at_x, at_y = self._scene.view.to_device(x, y)
        self.set_view(self._scene.view.moved(width / 2 - at_x, height / 2 - at_y))

    def set_view(self, view: Viewport) -> None:
        """Show the image elsewhere or at another zoom; kept in sight."""
        if self._scene.image is None:
            return
        old, view = self._scene.view, view.clamped(self._scene.size, self.pane_size())
        self._fitted = False
        if view == old:
            return
        self._scene.view = view
        self._fade.end()
        self._scene.stale_image()
        self.update()
        self.moved.emit()
        if view.zoom != old.zoom:
            self.view_changed.emit(view.zoom)

    def pane_size(self) -> tuple[int, int]:
        """Width and height of a pane in device pixels."""
        width, height = self._device_size()
        return ((width - _GAP) // 2 if self.split == "beside" else width), height

    @property
    def divide(self) -> float:
        """Where the line between two pictures stands, in widget pixels."""
        beside = (self._lefts()[-1] - _GAP / 2) / self.devicePixelRatioF()
        return self.divider if self.split == "swipe" else beside

    def image_point(self, place: QPointF) -> Point:
        """The place in the image, in its pixels, under a place in the widget."""
        ratio = self.devicePixelRatioF()
        return self._scene.view.to_image(place.x() * ratio - self.pane_left(place), place.y() * ratio)

    def widget_points(self, point: Point) -> list[QPointF]:
        """Where a place of the image is seen in the widget: once per pane that lies beside another."""
        ratio = self.devicePixelRatioF()
        x, y = self._scene.view.to_device(*point)
        return [QPointF((x + left) / ratio, y / ratio) for left in self._lefts()]

    @property
    def image_size(self) -> tuple[int, int]:
        """Width and height of the image in its pixels; (0, 0) without one."""
        return self._scene.size

    def partly_seen(self) -> bool:
        """Whether there is more of the image than is in sight."""
        width, height = self._scene.size
        return self._scene.image is not None and self.sight().seen != Rect(0, 0, width, height)

    def sight(self) -> View:
        """What of the image is in sight."""
        size, pane = self._scene.size, self.pane_size()
        seen = self._scene.view.image_rect(Rect(0, 0, *pane)).within(Rect(0, 0, *size))
        return View(seen, self.zoom / self.devicePixelRatioF())

    def contains(self, point: Point) -> bool:
        """Whether a place is on the image."""
        width, height = self._scene.size
        return 0 <= point[0] < width and 0 <= point[1] < height

    @property
    def split(self) -> str:
        """How the prediction shares the widget: "over", "beside" or "swipe"; "over" without one."""
        return self._mode if self._prediction is not None and self._prediction_visible else "over"

    @property
    def divider(self) -> float:
        """Where the swipe divider stands, in widget pixels."""
        return round(self._divider * self.width())

    def set_divider(self, x: float) -> None:
        """Move the swipe divider to a place in the widget."""
        self._divider = min(max(x / max(1, self.width()), 0.02), 0.98)
        self.update()

    def set_smooth(self, wanted: bool) -> None:
        """Whether enlarged pixels blend into each other."""
        self._scene.smooth = wanted
        self._scene.stale_image()
        self.update()

    def set_grid(self, wanted: bool) -> None:
        """Whether faint lines part pixels that are seen large and square."""
        self._scene.grid = wanted
        self._scene.stale_image()
        self.update()

    def lend(self, scene: Scene) -> Layers:
        """Let another scene show the same image in the same colours; what lies over it here."""
        mine = self._scene
        scene.image, scene.planes, scene.shades, scene.look = mine.image, mine.planes, mine.shades, mine.look
        return mine.panes[0].layers

    def snapshot(self) -> QImage | None:
        """A copy of the picture as it is; None where there is nothing to fade from."""
        if self._scene.image is None or not self._scene.panes or not self.isVisible():
            return None
        self._scene.refresh()
        return self._scene.panes[0].shown.copy()

    def draw_panes(self, painter: QPainter) -> None:
        """Copy the panes, each to its side of the line between them."""
        panes, ratio = self._scene.panes, self.devicePixelRatioF()
        painter.drawImage(0, 0, panes[0].shown)
        if self.split == "beside":
            painter.drawImage(QPointF(self._lefts()[1] / ratio, 0), panes[1].shown)
        elif self.split == "swipe":
            painter.save()
            painter.setClipRect(QRectF(self.divider, 0, self.width(), self.height()), Qt.ClipOperation.IntersectClip)
            painter.drawImage(0, 0, panes[1].shown)
            painter.restore()

    # --- inside ----------------------------------------------------------------------------------------------------

    def _zoom_to(self, zoom: float) -> None:
        width, height = self.pane_size()
        self.zoom_at(zoom, width / 2, height / 2)

    def _keep_place(self) -> None:
        """After panes changed their size: the whole image stays whole, the middle stays in the middle."""
        old, self._pane_area = self._pane_area, self.pane_size()
        if self._fitted:
            self.zoom_fit()
        elif old != self._pane_area:
            grown = ((new - before) // 2 for new, before in zip(self._pane_area, old, strict=True))
            self.set_view(self._scene.view.moved(*grown))

    def _device_size(self) -> tuple[int, int]:
        ratio = self.devicePixelRatioF()
        return math.ceil(self.width() * ratio), math.ceil(self.height() * ratio)

    def _lefts(self) -> list[int]:
        """Where panes begin, in device pixels."""
        return [0, self.pane_size()[0] + _GAP] if self.split == "beside" else [0]

    def pane_left(self, place: QPointF) -> int:
        """Where the pane under a place in the widget begins, in device pixels."""
        lefts = self._lefts()
        return lefts[-1] if place.x() * self.devicePixelRatioF() >= lefts[-1] else lefts[0]

    def _repaint(self, device: Rect) -> None:
        """Some device pixels of a pane have changed, in each pane."""
        if not device.empty:
            for left in self._lefts():
                self.update(self._widget_rect(device, left))

    def _take_arrivals(self) -> None:
        """Show what has arrived of a huge image."""
        for part in self._arrivals.take():
            self._repaint(self._scene.image_changed(part))

    def _widget_rect(self, device: Rect, left: int) -> QRect:
        ratio = self.devicePixelRatioF()
        wide = QRectF((device.left + left) / ratio, device.top / ratio, device.width / ratio, device.height / ratio)
        return wide.toAlignedRect()
