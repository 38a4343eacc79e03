"""Words in the panels, and the measures that their controls share."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QLabel, QSizePolicy

from sslstudio.ui.panels.states import Level
from sslstudio.ui.theme import SMALL, TEXT, font, tone

RADIUS = 5
ICON = 20


class Words(QLabel):
    """A label whose wrapped text takes exactly the height that it needs at its width, no more."""

    def sizeHint(self) -> QSize:
        """Narrow enough for any panel; the height for that width."""
        if not self.wordWrap():
            return super().sizeHint()
        width = min(super().sizeHint().width(), 240)
        return QSize(width, max(self.minimumHeight(), self.heightForWidth(width)))

    def minimumSizeHint(self) -> QSize:
        """One line; the layout asks for the height at the real width."""
        if not self.wordWrap():
            return super().minimumSizeHint()
        return QSize(40, max(self.minimumHeight(), self.fontMetrics().lineSpacing()))


def label(
    text: str = "",
    size: int = TEXT,
    *,
    quiet: bool = False,
    bold: bool = False,
    lines: int = 0,
    tabular: bool = False,
    wrap: bool = True,
) -> QLabel:
    """A wrapping text label; ``quiet`` for what matters less, ``lines`` keeps room so that nothing jumps."""
    made = Words(text)
    made.setWordWrap(wrap)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setFont(font(size, bold=bold, tabular=tabular))
    made.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
    policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
    policy.setHeightForWidth(wrap)
    made.setSizePolicy(policy)
    if quiet:
        made.setForegroundRole(QPalette.ColorRole.PlaceholderText)
    if lines:
        made.setMinimumHeight(made.fontMetrics().lineSpacing() * lines + 2)
    return made


def question(text: str) -> QLabel:
    """The heading of a part of a panel."""
    return label(text, bold=True, wrap=False)


def level_colour(level: Level) -> str:
    """The colour that goes with a level in the tone shown now."""
    now = tone()
    return {"good": now.good, "fair": now.warning, "poor": now.error, "none": now.quiet}[level]


def quiet_number(text: str = "") -> QLabel:
    """A small note with figures of equal width."""
    return label(text, SMALL, quiet=True, tabular=True, wrap=False)
