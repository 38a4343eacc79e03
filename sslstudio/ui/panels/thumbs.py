"""Preview pictures that arrive while a run works; each fades in over the one before it."""

from __future__ import annotations

from PySide6.QtCore import QEasingCurve, QRectF, Qt, QVariantAnimation, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QSizePolicy, QWidget

from sslstudio.language import tr
from sslstudio.ui.icons import icon
from sslstudio.ui.keyboard import KeyboardPlace
from sslstudio.ui.panels.live import Thumb
from sslstudio.ui.panels.parts import RADIUS
from sslstudio.ui.theme import SPACE, tone

SLOTS = 3
SIDE = 88


class Tile(KeyboardPlace, QAbstractButton):
    """One picture; a click asks for its image."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setFixedHeight(SIDE)
        self.setMinimumWidth(SIDE // 2)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(tr("Preview, nothing yet"))
        self.thumb: Thumb | None = None
        self._old = QImage()
        self._new = QImage()
        self._fade = QVariantAnimation(self)
        self._fade.setDuration(400)
        self._fade.setStartValue(0.0)
        self._fade.setEndValue(1.0)
        self._fade.setEasingCurve(QEasingCurve.Type.OutCubic)
        self._fade.valueChanged.connect(self.update)

    def draw(self, thumb: Thumb | None) -> None:
        """Show a picture; a new one fades in."""
        if thumb == self.thumb:
            return
        self.thumb = thumb
        self._old = self._new
        self._new = _square(QImage(str(thumb.file)), round(SIDE * self.devicePixelRatioF())) if thumb else QImage()
        words = (
            tr("{what} of {image}, step {step}").format(what=thumb.what, image=thumb.image, step=thumb.step)
            if thumb
            else tr("Preview, nothing yet")
        )
        self.setAccessibleName(words)
        self.setToolTip(words if thumb else "")
        self.setEnabled(thumb is not None)
        self._fade.stop()
        self._fade.start()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the old picture, the new one over it, and a rounded edge."""
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        area = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        shape = QPainterPath()
        shape.addRoundedRect(area, RADIUS, RADIUS)
        painter.setClipPath(shape)
        painter.fillPath(shape, self.palette().color(QPalette.ColorRole.AlternateBase))
        if self._new.isNull():
            side = 3 * SPACE
            place = QRectF((self.width() - side) / 2, (SIDE - side) / 2, side, side).toRect()
            icon("image", tone().disabled).paint(painter, place)
        if not self._old.isNull():
            painter.drawImage(area, self._old)
        painter.setOpacity(float(self._fade.currentValue() or 0.0) if self._fade.state() else 1.0)
        if not self._new.isNull():
            painter.drawImage(area, self._new)
        painter.setOpacity(1.0)
        painter.setClipping(False)
        lit = self.has_keyboard() or (self.underMouse() and self.isEnabled())
        painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Highlight) if lit else QColor(tone().line), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(area, RADIUS, RADIUS)


class ThumbStrip(QWidget):
    """Three pictures side by side.

    Signals:
        image_wanted: The image of the picture that was clicked.
    """

    image_wanted = Signal(str)

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE)
        self.tiles = [Tile(f"{name}.{place}") for place in range(SLOTS)]
        for tile in self.tiles:
            row.addWidget(tile, 1)
            tile.setEnabled(False)
            tile.clicked.connect(self._on_clicked)

    def draw(self, thumbs: tuple[Thumb, ...]) -> None:
        """Show the first few."""
        for place, tile in enumerate(self.tiles):
            tile.draw(thumbs[place] if place < len(thumbs) else None)

    def _on_clicked(self) -> None:
        tile = self.sender()
        if isinstance(tile, Tile) and tile.thumb is not None:
            self.image_wanted.emit(tile.thumb.image)


def _square(picture: QImage, side: int) -> QImage:
    """The middle of a picture as a square of ``side`` device pixels."""
    if picture.isNull():
        return picture
    short = min(picture.width(), picture.height())
    middle = picture.copy((picture.width() - short) // 2, (picture.height() - short) // 2, short, short)
    return middle.scaled(side, side, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation)
