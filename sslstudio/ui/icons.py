"""Icons by name, drawn sharp at any size and in the colours of the palette.

Glyphs of Material Design Icons, out of the one font file that qtawesome brings; loading that file takes 5 ms
where importing qtawesome takes 140 ms and loads a dozen fonts.
"""

from __future__ import annotations

import importlib.util
import logging
from functools import cache
from pathlib import Path

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QIcon, QIconEngine, QPainter, QPalette, QPixmap

log = logging.getLogger(__name__)

GLYPHS: dict[str, int] = {
    "about": 0xF02FD,
    "actual": 0xF03A6,
    "alert": 0xF05D6,
    "attention": 0xF04FE,
    "box": 0xF019F,
    "brush": 0xF00E3,
    "check": 0xF012C,
    "contrast": 0xF0196,
    "check_circle": 0xF05E0,
    "classes": 0xF0E0C,
    "close": 0xF0156,
    "copy": 0xF018F,
    "eraser": 0xF01FE,
    "export": 0xF0207,
    "eye": 0xF06D0,
    "eye_off": 0xF06D1,
    "fill": 0xF0266,
    "finetune": 0xF1180,
    "fit": 0xF0EF6,
    "folder": 0xF0DCF,
    "image": 0xF0976,
    "image_off": 0xF11D1,
    "images": 0xF02EF,
    "import": 0xF02FA,
    "info": 0xF02FD,
    "keyboard": 0xF097B,
    "lasso": 0xF0F03,
    "live": 0xF0003,
    "livewire": 0xF0347,
    "locked": 0xF0341,
    "log": 0xF09EE,
    "map": 0xF034D,
    "minus": 0xF0374,
    "more": 0xF01D8,
    "next": 0xF0142,
    "open": 0xF0054,
    "pan": 0xF182D,
    "panel": 0xF10AB,
    "pause": 0xF03E4,
    "play": 0xF040A,
    "plus": 0xF0415,
    "polygon": 0xF0560,
    "predict": 0xF0068,
    "prediction": 0xF09FE,
    "pretrain": 0xF09D1,
    "previous": 0xF0141,
    "project": 0xF0814,
    "redo": 0xF044E,
    "refresh": 0xF0450,
    "running": 0xF0996,
    "sample": 0xF0654,
    "search": 0xF0349,
    "segment": 0xF0068,
    "select": 0xF0489,
    "sidebar": 0xF10AA,
    "similar": 0xF0EC9,
    "stop": 0xF04DB,
    "superpixels": 0xF10F2,
    "swap": 0xF04E1,
    "tip": 0xF06E9,
    "undo": 0xF054C,
    "unlocked": 0xF0FC7,
    "wand": 0xF1844,
    "warning": 0xF002A,
    "zoom_in": 0xF06ED,
    "zoom_out": 0xF06EC,
}


@cache
def _family() -> str:
    spec = importlib.util.find_spec("qtawesome")
    if spec is None or spec.origin is None:
        return ""
    for file in sorted((Path(spec.origin).parent / "fonts").glob("materialdesignicons6*.ttf")):
        number = QFontDatabase.addApplicationFont(str(file))
        families = QFontDatabase.applicationFontFamilies(number)
        if families:
            return families[0]
    log.warning("The icons' font was not found; buttons show their words only.")
    return ""


class _GlyphEngine(QIconEngine):
    """Draws one glyph; the colour follows the palette unless it is given."""

    def __init__(self, glyph: str, colour: str | None) -> None:
        super().__init__()
        self._glyph = glyph
        self._colour = colour

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        """Draw the glyph centred in ``rect``."""
        palette = QGuiApplication.palette()
        group = QPalette.ColorGroup.Disabled if mode == QIcon.Mode.Disabled else QPalette.ColorGroup.Active
        role = QPalette.ColorRole.HighlightedText if mode == QIcon.Mode.Selected else QPalette.ColorRole.WindowText
        colour = palette.color(group, role)
        if self._colour and mode != QIcon.Mode.Disabled:
            colour = QColor(self._colour)
        font = QFont(_family())
        font.setPixelSize(max(1, min(rect.width(), rect.height())))
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
        painter.setFont(font)
        painter.setPen(colour)
        painter.drawText(QRectF(rect), Qt.AlignmentFlag.AlignCenter, self._glyph)
        painter.restore()

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        """A transparent picture of the glyph; ``size`` is in device pixels."""
        picture = QPixmap(size)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        self.paint(painter, QRect(QPoint(0, 0), size), mode, state)
        painter.end()
        return picture

    def clone(self) -> QIconEngine:
        """A copy, as Qt asks for one."""
        return _GlyphEngine(self._glyph, self._colour)


def icon(name: str, colour: str | None = None) -> QIcon:
    """The icon of this name, or an empty one; ``colour`` overrides the palette's text colour."""
    code = GLYPHS.get(name)
    return QIcon(_GlyphEngine(chr(code), colour)) if code and _family() else QIcon()


def picture(name: str, side: int, colour: str) -> QPixmap:
    """One icon as a picture of ``side`` points, sharp on this screen; for empty states."""
    ratio = QGuiApplication.primaryScreen().devicePixelRatio() if QGuiApplication.primaryScreen() else 1.0
    result = icon(name, colour).pixmap(QSize(side, side), ratio)
    result.setDevicePixelRatio(ratio)
    return result


def application_icon() -> QIcon:
    """The program's own icon: an image whose parts are found."""
    made = QIcon()
    for side in (16, 32, 64, 128):
        made.addPixmap(_drawn(side))
    return made


def application_picture(side: int) -> QPixmap:
    """The program's icon at ``side`` points, sharp on this screen."""
    ratio = QGuiApplication.primaryScreen().devicePixelRatio() if QGuiApplication.primaryScreen() else 1.0
    made = _drawn(round(side * ratio))
    made.setDevicePixelRatio(ratio)
    return made


def _drawn(side: int) -> QPixmap:
    picture = QPixmap(side, side)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    unit = side / 16
    painter.setBrush(QColor("#2f62c9"))
    painter.drawRoundedRect(QRectF(0.5 * unit, 0.5 * unit, 15 * unit, 15 * unit), 3 * unit, 3 * unit)
    painter.setBrush(QColor("#e69f00"))
    painter.drawEllipse(QRectF(3 * unit, 6 * unit, 6.5 * unit, 6.5 * unit))
    painter.setBrush(QColor("#ffffff"))
    painter.drawEllipse(QRectF(8.5 * unit, 3 * unit, 4.5 * unit, 4.5 * unit))
    painter.end()
    return picture
