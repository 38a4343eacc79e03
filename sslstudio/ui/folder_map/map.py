"""The widget of the map: drag to move, wheel to zoom, Shift-drag (or the lasso) to select, click to go to an image."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from sslstudio.language import tr
from sslstudio.ui import theme
from sslstudio.ui.folder_map.drawing import CELL, OUTLINE_UP_TO, inside, spread_out, stamp

MARGIN, PICK = 40, 8.0  # pixels
THUMBNAIL = 44
CLOSEST = 400.0  # times the whole map


@dataclass(frozen=True, eq=False)
class MapState:
    """What is on the map: places (N, 2) 0 to 1, a colour ``0xffRRGGBB`` (N,) and words (N,) per image, a legend."""

    images: tuple[str, ...] = ()
    points: np.ndarray = field(default_factory=lambda: np.zeros((0, 2), np.float32))
    colours: np.ndarray = field(default_factory=lambda: np.zeros(0, np.uint32))
    words: tuple[str, ...] = ()
    legend: tuple[tuple[str, str], ...] = ()  # (colour “#rrggbb”, name)
    title: str = ""


class FolderMap(QWidget):
    """Draws a ``MapState``.

    Signals:
        image_wanted: The image whose point was clicked.
        selected: The images (list) within the lasso; empty when the selection was taken back.
        thumbnails_wanted: Images (list) whose thumbnails are in sight.
    """

    image_wanted = Signal(str)
    selected = Signal(object)
    thumbnails_wanted = Signal(object)

    def __init__(self, picture_of: Callable[[str], QImage | None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("map")
        self.setAccessibleName(tr("Map of the folder"))
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._picture_of = picture_of
        self._state = MapState()
        self._order = np.zeros(0, np.intp)  # a fixed shuffle: which points get a thumbnail first
        self._current = -1
        self.chosen = np.zeros(0, bool)
        self.lasso_wanted = False
        self._zoom, self._centre = 1.0, np.array([0.5, 0.5])
        self._pressed: QPointF | None = None
        self._moved = False
        self._loop: list[QPointF] = []
        self._hover = -1
        self._settle = QTimer(self, interval=80, singleShot=True)
        self._settle.timeout.connect(self._want_thumbnails)

    # what the window asks -----------------------------------------------------------------------------

    def draw(self, state: MapState) -> None:
        """Show other points or colours; the view stays while the images are the same."""
        if state.images != self._state.images:
            self._zoom, self._centre = 1.0, np.array([0.5, 0.5])
            self.chosen = np.zeros(len(state.images), bool)
            self._order = np.random.default_rng(0).permutation(len(state.images))
            self._current = self._hover = -1
        self._state = state
        self.setAccessibleDescription(
            tr("{images} images. {title}").format(images=len(state.images), title=state.title)
        )
        self._refresh()

    def show_current(self, image: str) -> None:
        """Mark the current image."""
        images = self._state.images
        self._current = images.index(image) if image in images else -1
        self.update()

    def set_lasso(self, wanted: bool) -> None:
        """Whether dragging selects instead of moving the map."""
        self.lasso_wanted = wanted
        self.setCursor(Qt.CursorShape.CrossCursor if wanted else Qt.CursorShape.ArrowCursor)

    def clear_selection(self) -> None:
        """Select nothing."""
        if self.chosen.any():
            self.chosen[:] = False
            self.selected.emit([])
            self.update()

    def fit(self) -> None:
        """Show the whole map."""
        self._zoom, self._centre = 1.0, np.array([0.5, 0.5])
        self._refresh()

    def zoom_by(self, factor: float, at: QPointF | None = None) -> None:
        """Come closer by a factor; the place under ``at`` stays where it is."""
        place = at or QPointF(self.width() / 2, self.height() / 2)
        before = self.to_map(place)
        self._zoom = min(max(self._zoom * factor, 0.8), CLOSEST)
        self._centre = self._centre + before - self.to_map(place)
        self._refresh()

    def pan(self, x: float, y: float) -> None:
        """Move the map by widget pixels."""
        self._centre = self._centre - np.array([x, y]) / self.scale
        self._refresh()

    @property
    def scale(self) -> float:
        """Widget pixels per unit of the map."""
        return max(1.0, min(self.width(), self.height()) - 2 * MARGIN) * self._zoom

    def to_map(self, place: QPointF) -> np.ndarray:
        """The place on the map (2,) under a place in the widget."""
        offset = np.array([place.x() - self.width() / 2, place.y() - self.height() / 2])
        return self._centre + offset / self.scale

    def to_widget(self, points: np.ndarray) -> np.ndarray:
        """Where (n, 2) places of the map are seen, in widget pixels."""
        return (points - self._centre) * self.scale + np.array([self.width() / 2, self.height() / 2])

    def sizeHint(self) -> QSize:
        """Large, as the canvas whose place it takes."""
        return QSize(800, 600)

    # drawing ------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Points, thumbnails, selection, lasso, legend."""
        painter = QPainter(self)
        tone = theme.tone()
        if not len(self._state.points):
            painter.fillRect(self.rect(), QColor(tone.base))
            painter.setPen(QColor(tone.quiet))
            painter.setFont(theme.font())
            words = tr("The map appears once the network has looked at the folder.")
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, words)
            return
        ratio = self.devicePixelRatioF()
        picture, seen = self._points(ratio, tone)
        height, width = picture.shape
        image = QImage(picture.data, width, height, 4 * width, QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(ratio)
        painter.drawImage(0, 0, image)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        self._draw_thumbnails(painter, seen, tone)
        self._draw_marks(painter, tone)
        self._draw_legend(painter, tone)

    def _points(self, ratio: float, tone: theme.Tone) -> tuple[np.ndarray, np.ndarray]:
        """The picture of all points (h, w) uint32 and the indices of those in sight."""
        width, height = round(self.width() * ratio), round(self.height() * ratio)
        picture = np.full((height, width), QColor(tone.base).rgb(), np.uint32)
        places = self.to_widget(self._state.points)
        seen = np.flatnonzero(
            (places[:, 0] > -9)
            & (places[:, 0] < self.width() + 9)
            & (places[:, 1] > -9)
            & (places[:, 1] < self.height() + 9)
        )
        x, y = (np.round(places[seen, at] * ratio).astype(np.intp) for at in (0, 1))
        colours = self._state.colours[seen]
        if self.chosen.any():
            colours = np.where(self.chosen[seen], colours, _faded(colours, QColor(tone.base).rgb()))
        radius = ratio * (4.0 if len(seen) < 2000 else 3.0 if len(seen) < OUTLINE_UP_TO else 2.0)
        if len(seen) <= OUTLINE_UP_TO:
            stamp(picture, x, y, np.full(len(x), QColor(tone.base).rgb(), np.uint32), radius + ratio)
        stamp(picture, x, y, colours, radius)
        return picture, seen

    def thumbnails_in_sight(self) -> list[int]:
        """Numbers of the images whose thumbnails are shown, well apart."""
        places = self.to_widget(self._state.points[self._order])
        seen = (places > -THUMBNAIL).all(axis=1) & (places[:, 0] < self.width() + THUMBNAIL)
        seen &= places[:, 1] < self.height() + THUMBNAIL
        return spread_out(self._state.points, self._order[seen], self.scale, CELL).tolist()

    def _draw_thumbnails(self, painter: QPainter, seen: np.ndarray, tone: theme.Tone) -> None:
        for number in self.thumbnails_in_sight():
            picture = self._picture_of(self._state.images[number])
            if picture is None or picture.isNull():
                continue
            x, y = self.to_widget(self._state.points[number][None])[0]
            frame = QRectF(x - THUMBNAIL / 2, y - THUMBNAIL / 2, THUMBNAIL, THUMBNAIL)
            side = min(picture.width(), picture.height())
            source = QRectF((picture.width() - side) / 2, (picture.height() - side) / 2, side, side)
            painter.setOpacity(0.25 if self.chosen.any() and not self.chosen[number] else 1.0)
            painter.drawImage(frame, picture, source)
            painter.setPen(QPen(QColor.fromRgb(int(self._state.colours[number])), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(frame)
        painter.setOpacity(1.0)

    def _draw_marks(self, painter: QPainter, tone: theme.Tone) -> None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for number, colour, reach in ((self._hover, tone.edge, 8.0), (self._current, tone.accent, 10.0)):
            if number >= 0:
                x, y = self.to_widget(self._state.points[number][None])[0]
                painter.setPen(QPen(QColor(tone.base), 5))
                painter.drawEllipse(QPointF(x, y), reach, reach)
                painter.setPen(QPen(QColor(colour), 3))
                painter.drawEllipse(QPointF(x, y), reach, reach)
        if len(self._loop) > 1:
            ground = QColor(tone.accent)
            ground.setAlphaF(0.15)
            painter.setBrush(ground)
            painter.setPen(QPen(QColor(tone.accent), 1.5, Qt.PenStyle.DashLine))
            painter.drawPolygon(QPolygonF(self._loop))

    def _draw_legend(self, painter: QPainter, tone: theme.Tone) -> None:
        """What the colours mean, on a quiet ground at the lower left."""
        rows = self._state.legend[:12]
        if not rows:
            return
        painter.setFont(theme.font(theme.SMALL))
        metrics = painter.fontMetrics()
        line = 2 * theme.SPACE
        wide = min(200, max(metrics.horizontalAdvance(name) for _, name in rows)) + 4 * theme.SPACE
        area = QRectF(
            theme.SPACE, self.height() - theme.SPACE * 2 - line * len(rows), wide, line * len(rows) + theme.SPACE
        )
        ground = QColor(tone.window)
        ground.setAlphaF(0.88)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ground)
        painter.drawRoundedRect(area, 5, 5)
        for place, (colour, name) in enumerate(rows):
            top = area.top() + theme.SPACE / 2 + place * line
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colour))
            painter.drawEllipse(QPointF(area.left() + 12, top + line / 2), 4.5, 4.5)
            painter.setPen(QColor(tone.text))
            box = QRectF(area.left() + 24, top, wide - 28, line)
            words = metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, int(box.width()))
            painter.drawText(box, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), words)

    def _refresh(self) -> None:
        self.update()
        self._settle.start()

    def _want_thumbnails(self) -> None:
        if len(self._state.points) and self.isVisible():
            self.thumbnails_wanted.emit([self._state.images[number] for number in self.thumbnails_in_sight()])

    # the hand -----------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin to move the map, or a lasso."""
        if event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            self._pressed, self._moved = event.position(), False
            shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            left = event.button() == Qt.MouseButton.LeftButton
            self._loop = [event.position()] if left and shift != self.lasso_wanted else []

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move the map, draw the lasso, or name what is under the pointer."""
        if self._pressed is None:
            self._name_under(event)
            return
        step = event.position() - self._pressed
        if not self._moved and step.manhattanLength() < 4:
            return
        self._moved = True
        if self._loop:
            self._loop.append(event.position())
            self.update()
        else:
            self._pressed = event.position()
            self.pan(step.x(), step.y())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Select what the lasso holds, or go to the image that was clicked."""
        if self._pressed is None:
            return
        loop, self._loop, self._pressed = self._loop, [], None
        if self._moved and len(loop) > 2:
            self._select(loop)
        elif not self._moved:
            number = self.at(event.position())
            if number >= 0:
                self.image_wanted.emit(self._state.images[number])
            else:
                self.clear_selection()
        self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom around the pointer."""
        self.zoom_by(1.2 ** (event.angleDelta().y() / 120), event.position())
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows move, + and - zoom, 0 shows all, Esc selects nothing."""
        step = 6.0 * theme.SPACE
        moves = {
            Qt.Key.Key_Left: (step, 0),
            Qt.Key.Key_Right: (-step, 0),
            Qt.Key.Key_Up: (0, step),
            Qt.Key.Key_Down: (0, -step),
        }
        key = Qt.Key(event.key())
        if key in moves:
            self.pan(*moves[key])
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Minus):
            self.zoom_by(1 / 1.4 if key == Qt.Key.Key_Minus else 1.4)
        elif key == Qt.Key.Key_Escape:
            self.clear_selection()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Other thumbnails may be in sight."""
        self._settle.start()

    def at(self, place: QPointF) -> int:
        """The number of the nearest point within reach of a place in the widget, or -1."""
        if not len(self._state.points):
            return -1
        places = self.to_widget(self._state.points)
        far = np.hypot(places[:, 0] - place.x(), places[:, 1] - place.y())
        best = int(far.argmin())
        return best if far[best] <= PICK else self._thumbnail_at(place)

    def _thumbnail_at(self, place: QPointF) -> int:
        here = np.array([place.x(), place.y()])
        for number in reversed(self.thumbnails_in_sight()):
            middle = self.to_widget(self._state.points[number][None])[0]
            if np.abs(here - middle).max() <= THUMBNAIL / 2 and self._picture_of(self._state.images[number]):
                return number
        return -1

    def _select(self, loop: Sequence[QPointF]) -> None:
        polygon = np.array([[place.x(), place.y()] for place in loop])
        self.chosen = inside(polygon, self.to_widget(self._state.points))
        self.selected.emit([self._state.images[number] for number in np.flatnonzero(self.chosen)])

    def _name_under(self, event: QMouseEvent) -> None:
        number = self.at(event.position())
        if number == self._hover:
            return
        self._hover = number
        words = self._state.words[number] if 0 <= number < len(self._state.words) else ""
        text = f"{self._state.images[number]}\n{words}".strip() if number >= 0 else ""
        QToolTip.showText(event.globalPosition().toPoint(), text, self)
        self.update()


def _faded(colours: np.ndarray, ground: int) -> np.ndarray:
    """Colours (n,) uint32 brought most of the way to the ground."""
    found = np.full(len(colours), 0xFF000000, np.uint32)
    for shift in (0, 8, 16):
        own, other = (colours >> shift) & 0xFF, (ground >> shift) & 0xFF
        found |= ((own * np.uint32(56) + np.uint32(other * 200)) >> 8) << np.uint32(shift)
    return found
