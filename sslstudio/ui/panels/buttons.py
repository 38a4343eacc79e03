"""The flat button that all panels and dialogs use, in five kinds."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QEvent, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QEnterEvent, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QPushButton, QSizePolicy

from sslstudio.ui.icons import icon
from sslstudio.ui.keyboard import KeyboardPlace
from sslstudio.ui.panels.parts import ICON, RADIUS
from sslstudio.ui.theme import SPACE, TEXT, font

Kind = Literal["primary", "plain", "segment", "link", "tool"]
HEIGHTS: dict[Kind, int] = {"primary": 40, "plain": 32, "segment": 32, "link": 24, "tool": 40}


class Button(KeyboardPlace, QPushButton):
    """A flat button: ``primary`` (the one big one), ``plain``, ``segment``, ``link`` or ``tool``."""

    def __init__(self, name: str, text: str = "", kind: Kind = "plain", glyph: str = "", tip: str = "") -> None:
        super().__init__(text)
        self.kind = kind
        self.setObjectName(name)
        self.setFont(font(TEXT, bold=kind == "primary"))
        self.setFixedHeight(HEIGHTS[kind])
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAutoDefault(False)
        self._glyph = glyph
        self._turn = 0
        self._quiet = False
        if kind == "tool":
            self.setFixedWidth(HEIGHTS["tool"])
        if kind == "link":
            self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        if tip:
            self.setToolTip(tip)
        if text or tip:
            self.setAccessibleName(text or tip)

    def set_words(self, text: str) -> None:
        """Change the text and what screen readers say."""
        if text != self.text():
            self.setText(text)
            self.setAccessibleName(text)

    def set_primary(self, primary: bool) -> None:
        """Be the one big button, or one of the others; the height stays."""
        kind: Kind = "primary" if primary else "plain"
        if kind != self.kind:
            self.kind = kind
            self.setFont(font(TEXT, bold=primary))
            self.update()

    def set_quiet(self, quiet: bool) -> None:
        """A link that many rows have in common does not ask for attention until the pointer is on it."""
        self._quiet = quiet
        self.update()

    def set_glyph(self, glyph: str, turn: int = 0) -> None:
        """Change the icon; ``turn`` in degrees."""
        self._glyph, self._turn = glyph, turn
        self.update()

    def sizeHint(self) -> QSize:
        """Text with room around it."""
        margin = {"link": 0, "segment": SPACE // 2, "tool": 0}.get(self.kind, SPACE)
        width = self.fontMetrics().horizontalAdvance(self.text()) + 2 * margin
        width += ICON + (SPACE // 2 if self.text() else 0) if self._glyph else 0
        return QSize(HEIGHTS["tool"] if self.kind == "tool" else width, HEIGHTS[self.kind])

    def minimumSizeHint(self) -> QSize:
        """As small as the text allows."""
        return self.sizeHint()

    def enterEvent(self, event: QEnterEvent) -> None:
        """Show that it can be pressed."""
        self.update()
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        """Show it at rest again."""
        self.update()
        super().leaveEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw ground, outline, icon and text."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        fill, edge, ink = self._colours()
        area = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setBrush(fill or Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(edge, 1) if edge else Qt.PenStyle.NoPen)
        if self.kind != "link":
            painter.drawRoundedRect(area, RADIUS, RADIUS)
        if self.has_keyboard():
            self._draw_focus(painter, area, ink)
        self._draw_words(painter, area, ink)

    def _colours(self) -> tuple[QColor | None, QColor | None, QColor]:
        palette, role = self.palette(), QPalette.ColorRole
        enabled, hover = self.isEnabled(), self.underMouse() and self.isEnabled()
        if self.kind == "link":
            quiet = self._quiet and not hover and not self.has_keyboard()
            link = palette.color(role.PlaceholderText if quiet else role.Link if enabled else role.ButtonText)
            return None, None, link.lighter(115) if hover else link
        if self.kind == "primary" or self.isChecked():
            accent = palette.color(role.Highlight)
            if self.isDown():
                accent = accent.darker(115)
            elif hover:
                accent = accent.lighter(108)
            return accent, None, palette.color(role.HighlightedText)
        ground = palette.color(role.Button)
        if self.isDown() or hover:
            ground = palette.color(role.Mid if self.isDown() else role.Midlight)
        if self.kind == "tool" and not hover:
            return None, None, palette.color(role.ButtonText)
        edge = palette.color(role.Dark if enabled else role.Mid)
        edge.setAlphaF(0.9 if hover else 0.7)
        return ground, edge, palette.color(role.ButtonText)

    def _draw_focus(self, painter: QPainter, area: QRectF, ink: QColor) -> None:
        painter.save()
        painter.setBrush(Qt.BrushStyle.NoBrush)
        accented = self.kind == "primary" or self.isChecked()
        painter.setPen(QPen(ink if accented else self.palette().color(QPalette.ColorRole.Highlight), 2))
        inset = 3 if accented else 1
        painter.drawRoundedRect(area.adjusted(inset, inset, -inset, -inset), RADIUS - 1, RADIUS - 1)
        painter.restore()

    def _draw_words(self, painter: QPainter, area: QRectF, ink: QColor) -> None:
        painter.setPen(ink)
        painter.setFont(self.font())
        text = self.text()
        left = area
        if self._glyph:
            wide = ICON + (SPACE // 2 + self.fontMetrics().horizontalAdvance(text) if text else 0)
            start = area.left() if self.kind == "link" else area.left() + (area.width() - wide) / 2
            top = area.top() + (area.height() - ICON) / 2
            painter.save()
            painter.translate(round(start) + ICON / 2, round(top) + ICON / 2)
            painter.rotate(self._turn)
            icon(self._glyph, ink.name()).paint(painter, QRect(-ICON // 2, -ICON // 2, ICON, ICON))
            painter.restore()
            left = QRectF(start + ICON + SPACE // 2, area.top(), area.right() - start - ICON, area.height())
        if not text:
            return
        centred = Qt.AlignmentFlag.AlignVCenter | (
            Qt.AlignmentFlag.AlignLeft if self._glyph or self.kind == "link" else Qt.AlignmentFlag.AlignHCenter
        )
        painter.drawText(left, int(centred), text)
