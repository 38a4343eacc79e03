"""The bar above the canvas: what is the matter, what helps, and a button that does it."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QWidget

from sslstudio.language import tr
from sslstudio.ui import icons, theme
from sslstudio.ui.panels.buttons import Button

Weight = Literal["info", "warning", "error"]
LATER = 100  # milliseconds until it is tried again
_PLACED = (QEvent.Type.Resize, QEvent.Type.Move, QEvent.Type.Show, QEvent.Type.Hide)
INFO_STAYS = 8000  # milliseconds; problems stay until they are closed or solved


@dataclass(frozen=True)
class Notice:
    """One thing to tell; a second one with the same ``about`` replaces the first."""

    text: str
    advice: str = ""
    weight: Weight = "info"
    about: str = ""
    button: str = ""
    act: Callable[[], None] | None = None
    step: str = ""  # the step that it sends one to; going there is all that it wants


class NoticeBar(QWidget):
    """Shows one notice at a time, the newest first; hidden while there is none.

    In a layout it has its place there; laid over something it moves nothing. It neither comes nor goes while ``still``
    says that somebody has the hand there.
    """

    def __init__(self, parent: QWidget | None = None, still: Callable[[], bool] = lambda: False) -> None:
        super().__init__(parent)
        self._still = still
        self._area: QWidget | None = None
        self._corner: QWidget | None = None
        self._later = QTimer(self, interval=LATER, singleShot=True)
        self._later.timeout.connect(self._draw)
        self.setObjectName("notice")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.notices: list[Notice] = []
        self._picture = QLabel()
        self._text = QLabel(wordWrap=True, textFormat=Qt.TextFormat.RichText)
        self._text.setObjectName("notice.text")
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._more = QLabel()
        self._button = Button("notice.act")
        self._close = Button("notice.close", "", "tool", "close", tr("Close this notice"))
        self._close.setFixedSize(4 * theme.SPACE, 4 * theme.SPACE)
        row = QHBoxLayout(self)
        row.setContentsMargins(2 * theme.SPACE, theme.SPACE // 2, theme.SPACE, theme.SPACE // 2)
        row.setSpacing(theme.SPACE)
        row.addWidget(self._picture)
        row.addWidget(self._text, 1)
        for widget in (self._more, self._button, self._close):
            row.addWidget(widget)
        self._button.clicked.connect(self._on_act)
        self._close.clicked.connect(self._on_close)
        self._fading = QTimer(self, interval=INFO_STAYS, singleShot=True)
        self._fading.timeout.connect(self._on_close)
        self.setMinimumHeight(5 * theme.SPACE)
        self.hide()

    def lay_over(self, area: QWidget, corner: QWidget) -> None:
        """Lie over the upper edge of ``area``, left of what stands in its ``corner`` while that is seen.

        What is below stays where it is: an image that moved under the pointer would be painted in the wrong place.
        """
        self._area, self._corner = area, corner
        for watched in (area, corner):
            watched.installEventFilter(self)
        self._settle()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep to the edge."""
        if event.type() in _PLACED:
            self._settle()
        return False

    def tell(self, notice: Notice) -> None:
        """Show a notice; it takes the place of an older one about the same thing."""
        self.notices = [old for old in self.notices if not notice.about or old.about != notice.about]
        self.notices.append(notice)
        self._draw()

    def solved(self, about: str) -> None:
        """Take away what was said about something that is well again."""
        self._keep([old for old in self.notices if old.about != about])

    def followed(self, step: str) -> None:
        """Take away what only sent one to this step."""
        self._keep([old for old in self.notices if old.step != step])

    def overtaken(self, about: Container[str]) -> None:
        """Take away advice on where to go, and what was said about anything in ``about``: newer work has begun."""
        self._keep([old for old in self.notices if not old.step and old.about not in about])

    def clear(self) -> None:
        """Take everything away."""
        self.notices.clear()
        self._draw()

    def shown(self) -> str:
        """The text in sight, plain; empty when there is none."""
        return f"{self.notices[-1].text} {self.notices[-1].advice}".strip() if self.notices else ""

    def paintEvent(self, event: QPaintEvent) -> None:
        """The notice's ground."""
        tone = theme.tone()
        weight = self.notices[-1].weight if self.notices else "info"
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(tone.alternate if weight == "info" else tone.notice))
        painter.fillRect(0, self.height() - 1, self.width(), 1, QColor(tone.line))

    def _settle(self) -> None:
        """Be as wide as there is room, and as high as the words need."""
        area, corner, parent = self._area, self._corner, self.parentWidget()
        if area is None or corner is None or parent is None or self.isHidden():
            return
        width = area.width()
        if corner.isVisible():
            width = corner.mapTo(area, QPoint(0, 0)).x() - theme.SPACE
        place = area.mapTo(parent, QPoint(0, 0))
        high = max(self.minimumHeight(), self.heightForWidth(width))
        self.setGeometry(QRect(place, QSize(width, high)))
        self.raise_()

    def _keep(self, kept: list[Notice]) -> None:
        if len(kept) != len(self.notices):
            self.notices = kept
            self._draw()

    def _draw(self) -> None:
        self._fading.stop()
        if bool(self.notices) == self.isHidden() and self._still():
            self._later.start()
            return
        self.setVisible(bool(self.notices))
        if not self.notices:
            return
        notice, tone = self.notices[-1], theme.tone()
        colour = {"info": tone.link, "warning": tone.warning, "error": tone.error}[notice.weight]
        name = {"info": "info", "warning": "warning", "error": "alert"}[notice.weight]
        self._picture.setPixmap(icons.picture(name, 20, colour))
        self._text.setText(f"<b>{_plain(notice.text)}</b> {_plain(notice.advice)}")
        self.setAccessibleName(self.shown())
        others = len(self.notices) - 1
        self._more.setText(tr("{others} more").format(others=others) if others else "")
        self._more.setVisible(bool(others))
        self._button.set_words(notice.button)
        self._button.updateGeometry()
        self._button.setVisible(bool(notice.button))
        if notice.weight == "info" and not notice.button:
            self._fading.start()
        self._settle()
        self.update()

    def _on_act(self) -> None:
        notice = self.notices.pop()
        self._draw()
        if notice.act is not None:
            notice.act()

    def _on_close(self) -> None:
        if self.notices:
            self.notices.pop()
            self._draw()


def _plain(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("\n", "<br>")
