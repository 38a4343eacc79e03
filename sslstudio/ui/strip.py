"""The narrow columns of tools and switches at the left of the canvas."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QAction, QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QGridLayout, QToolButton, QVBoxLayout, QWidget

from sslstudio.language import tr
from sslstudio.ui import icons, theme
from sslstudio.ui.actions import BY_ID
from sslstudio.ui.canvas import pen
from sslstudio.ui.keyboard import KeyboardPlace

TOOLS = tuple(f"paint.{tool}" for tool in pen.TOOLS)
GROUPS = (
    TOOLS,
    ("edit.undo", "edit.redo"),
    ("view.fit", "view.actual"),
    ("view.masks", "view.prediction", "view.attention", "view.look"),
)
SIDE = 34  # pixels of a button
COLUMNS = 2


class Strip(QWidget):
    """One button per action; the tool in the hand is filled with the accent colour, switches are tinted."""

    def __init__(self, actions: Mapping[str, QAction]) -> None:
        super().__init__()
        self.setObjectName("strip")
        self.setAccessibleName(tr("Tools"))
        self.setFixedWidth(COLUMNS * SIDE + 2 + theme.SPACE)
        column = QVBoxLayout(self)
        column.setContentsMargins(*(theme.SPACE // 2,) * 4)
        column.setSpacing(2)
        for number, group in enumerate(GROUPS):
            if number:
                line = QFrame(frameShape=QFrame.Shape.NoFrame)
                line.setFixedHeight(1)
                line.setAutoFillBackground(True)
                line.setBackgroundRole(line.palette().ColorRole.Mid)
                column.addSpacing(theme.SPACE // 2)
                column.addWidget(line)
                column.addSpacing(theme.SPACE // 2)
            grid = QGridLayout()
            grid.setSpacing(2)
            for at, name in enumerate(group):
                grid.addWidget(_Button(name, actions[name]), at // COLUMNS, at % COLUMNS)
            grid.setColumnStretch(COLUMNS, 1)
            column.addLayout(grid)
        column.addStretch(1)


class _Button(KeyboardPlace, QToolButton):
    """Draws its action's icon flat."""

    def __init__(self, name: str, action: QAction) -> None:
        super().__init__()
        self.setDefaultAction(action)
        self.setObjectName(f"strip.{name}")
        self.setAccessibleName(action.text())
        self.setFixedSize(SIDE, SIDE)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._tool = name in TOOLS
        self._glyph = BY_ID[name].icon

    def sizeHint(self) -> QSize:
        """A square."""
        return QSize(SIDE, SIDE)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Ground, outline of the keyboard's place, icon."""
        tone, painter = theme.tone(), QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ground, ink = "", tone.text
        if not self.isEnabled():
            ink = tone.disabled
        elif self.isChecked():
            ground, ink = (tone.accent, tone.on_accent) if self._tool else (tone.alternate, tone.link)
        elif self.underMouse():
            ground = tone.alternate
        painter.setPen(QPen(QColor(tone.link), 2) if self.has_keyboard() else Qt.PenStyle.NoPen)
        painter.setBrush(QColor(ground) if ground else Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 5, 5)
        glyph = "eye_off" if self._glyph == "eye" and not self.isChecked() else self._glyph
        edge = (SIDE - 20) // 2
        icons.icon(glyph, ink).paint(painter, self.rect().adjusted(edge, edge, -edge, -edge))
