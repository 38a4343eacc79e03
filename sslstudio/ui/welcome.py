"""The first page: what this is, three steps, one big button; recent projects and a sample."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import (
    QAbstractButton,
    QFrame,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from sslstudio.language import later, tr
from sslstudio.ui import icons, theme
from sslstudio.ui.keyboard import KeyboardPlace
from sslstudio.ui.notice import NoticeBar
from sslstudio.ui.panels.bars import Bar, SlimBar
from sslstudio.ui.panels.buttons import Button
from sslstudio.ui.panels.parts import question

if TYPE_CHECKING:
    from sslstudio.project.recent import Recent

STEPS = (
    (
        "images",
        later("Point at your images"),
        later("A folder is enough. They stay where they are and are never changed."),
    ),
    ("pretrain", later("Let it look at them"), later("It learns from the images alone, in the minutes you give it.")),
    (
        "brush",
        later("Paint a few, get a model"),
        later("It learns from a handful of your masks, segments the rest and exports."),
    ),
)


class Welcome(QWidget):
    """The page without a project.

    Signals:
        folder_wanted, project_wanted, sample_wanted: The user wants to choose a folder; a project; the sample.
        path_chosen: A recent project (Path).
        forget_wanted: A recent project (Path) that should leave the list.
    """

    folder_wanted = Signal()
    project_wanted = Signal()
    sample_wanted = Signal()
    path_chosen = Signal(object)
    forget_wanted = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("welcome")
        self.setAccessibleName(tr("Welcome"))
        self.notice = NoticeBar(self)
        self.notice.setObjectName("welcome.notice")
        body = QWidget()
        body.setMaximumWidth(94 * theme.SPACE)
        column = QVBoxLayout(body)
        column.setContentsMargins(3 * theme.SPACE, 3 * theme.SPACE, 3 * theme.SPACE, 3 * theme.SPACE)
        column.setSpacing(0)
        self._add_title(column)
        column.addSpacing(4 * theme.SPACE)
        column.addWidget(_Steps())
        column.addSpacing(4 * theme.SPACE)
        self._add_buttons(column)
        column.addSpacing(5 * theme.SPACE)
        self._add_recent(column)
        column.addStretch(3)
        scroll = QScrollArea(widgetResizable=True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setVerticalScrollBar(SlimBar())
        middle = QWidget()
        row = QHBoxLayout(middle)
        row.setContentsMargins(0, 0, 0, 0)
        row.addStretch(1)
        row.addWidget(body, 100)
        row.addStretch(1)
        scroll.setWidget(middle)
        page = QVBoxLayout(self)
        page.setContentsMargins(0, 0, 0, 0)
        page.setSpacing(0)
        page.addWidget(self.notice)
        page.addWidget(scroll, 1)

    def show_recent(self, projects: Sequence[Recent]) -> None:
        """List recent projects in their order."""
        while self._recent.count():
            item = self._recent.takeAt(0)
            taken = item.widget() if item else None
            if taken is not None:
                taken.deleteLater()
        self._recent_title.setVisible(bool(projects))
        for recent in projects[:5]:
            entry = _Recent(recent)
            entry.clicked.connect(lambda _=False, path=recent.path: self.path_chosen.emit(path))
            entry.forget.clicked.connect(lambda _=False, path=recent.path: self.forget_wanted.emit(path))
            self._recent.addWidget(entry)

    def show_busy(self, text: str, share: float = -1.0) -> None:
        """Say what is being opened (empty when nothing is) and how far it is, 0 to 1; negative while unknown."""
        self._busy_text.setText(text)
        self._busy_bar.setVisible(share >= 0)
        self._busy_bar.set_share(share)
        self._actions.setCurrentIndex(1 if text else 0)

    def _add_title(self, column: QVBoxLayout) -> None:
        name = QLabel("SSL Studio", alignment=Qt.AlignmentFlag.AlignHCenter)
        name.setFont(theme.font(theme.TITLE, bold=True))
        sentence = QLabel(
            tr(
                "From a folder of images to a model that marks what you look for in all of them.\nYou "
                "paint a few. No programming, and nothing leaves this computer."
            ),
            alignment=Qt.AlignmentFlag.AlignHCenter,
            wordWrap=True,
        )
        sentence.setFont(theme.font(theme.TEXT))
        mark = QLabel(alignment=Qt.AlignmentFlag.AlignHCenter)
        mark.setPixmap(icons.application_picture(7 * theme.SPACE))
        column.addStretch(2)
        column.addWidget(mark)
        column.addSpacing(2 * theme.SPACE)
        column.addWidget(name)
        column.addSpacing(theme.SPACE)
        column.addWidget(sentence)

    def _add_buttons(self, column: QVBoxLayout) -> None:
        self.open_button = Button("welcome.open", tr("Open a folder of images…"), "primary", "folder")
        self.open_button.setFixedSize(36 * theme.SPACE, 6 * theme.SPACE)
        self.sample_button = Button("welcome.sample", tr("Try the sample"), "link", "sample")
        self.project_button = Button("welcome.project", tr("Open a project…"), "link", "project")
        self.open_button.clicked.connect(self.folder_wanted)
        self.sample_button.clicked.connect(self.sample_wanted)
        self.project_button.clicked.connect(self.project_wanted)
        choose = QWidget()
        rows = QVBoxLayout(choose)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(theme.SPACE)
        rows.addWidget(self.open_button, 0, Qt.AlignmentFlag.AlignHCenter)
        hint = QLabel(tr("or drop a folder anywhere in this window"), alignment=Qt.AlignmentFlag.AlignHCenter)
        hint.setFont(theme.font(theme.SMALL))
        hint.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        rows.addWidget(hint)
        others = QHBoxLayout()
        others.addStretch(1)
        others.addWidget(self.sample_button)
        others.addSpacing(3 * theme.SPACE)
        others.addWidget(self.project_button)
        others.addStretch(1)
        rows.addLayout(others)
        self._actions = QStackedWidget()
        self._actions.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._actions.addWidget(choose)
        self._actions.addWidget(self._busy_page())
        column.addWidget(self._actions)

    def _busy_page(self) -> QWidget:
        page = QWidget()
        rows = QVBoxLayout(page)
        rows.setContentsMargins(0, theme.SPACE, 0, 0)
        rows.setSpacing(theme.SPACE)
        self._busy_text = QLabel("", alignment=Qt.AlignmentFlag.AlignHCenter)
        self._busy_text.setObjectName("welcome.busy")
        self._busy_bar = Bar("welcome.progress", tr("Progress"))
        self._busy_bar.setFixedWidth(36 * theme.SPACE)
        rows.addWidget(self._busy_text)
        rows.addWidget(self._busy_bar, 0, Qt.AlignmentFlag.AlignHCenter)
        rows.addStretch(1)
        return page

    def _add_recent(self, column: QVBoxLayout) -> None:
        self._recent_title = question(tr("Go on with"))
        self._recent_title.hide()
        column.addWidget(self._recent_title)
        column.addSpacing(theme.SPACE)
        self._recent = QVBoxLayout()
        self._recent.setSpacing(theme.SPACE // 2)
        column.addLayout(self._recent)


class _Steps(QWidget):
    """Three columns with a picture, a title and a sentence, joined by a line."""

    def __init__(self) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(3 * theme.SPACE)
        self._steps = [_Step(name, tr(title), tr(sentence)) for name, title, sentence in STEPS]
        for step in self._steps:
            row.addWidget(step, 1)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The line from the first disc to the last."""
        painter = QPainter(self)
        painter.setPen(QPen(QColor(theme.tone().edge), 1, Qt.PenStyle.DotLine))
        boxes = [step.geometry() for step in self._steps]
        height = _Step.DISC // 2
        for left, right in itertools.pairwise(boxes):
            start = left.center().x() + _Step.DISC // 2 + theme.SPACE
            painter.drawLine(start, height, right.center().x() - _Step.DISC // 2 - theme.SPACE, height)


class _Step(QWidget):
    """One of the three."""

    DISC = 56

    def __init__(self, name: str, title: str, sentence: str) -> None:
        super().__init__()
        self._name = name
        heading = QLabel(title, alignment=Qt.AlignmentFlag.AlignHCenter, wordWrap=True)
        heading.setFont(theme.font(bold=True))
        note = QLabel(sentence, alignment=Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, wordWrap=True)
        note.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, self.DISC + 2 * theme.SPACE, 0, 0)
        column.setSpacing(theme.SPACE // 2)
        column.addWidget(heading)
        column.addWidget(note)
        column.addStretch(1)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The disc with its picture."""
        tone, painter = theme.tone(), QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        disc = QRectF((self.width() - self.DISC) / 2, 0, self.DISC, self.DISC).adjusted(1, 1, -1, -1)
        painter.setPen(QPen(QColor(tone.accent), 1.5))
        painter.setBrush(QColor(tone.base))
        painter.drawEllipse(disc)
        icons.icon(self._name, tone.accent).paint(painter, disc.adjusted(14, 14, -14, -14).toRect())


class _Recent(KeyboardPlace, QAbstractButton):
    """A recent project: its name, and where it is; one that is gone can be taken off the list."""

    def __init__(self, recent: Recent) -> None:
        super().__init__()
        project, self._there = recent.path, recent.there
        self.setObjectName(f"recent.{project.stem}")
        self.setText(project.stem)
        self.setAccessibleName(tr("Open {stem}").format(stem=project.stem))
        self.setToolTip(str(project))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFixedHeight(6 * theme.SPACE)
        home = str(Path.home())
        folder = str(project.parent)
        self._where = folder.replace(home, "~", 1) if folder.startswith(home) else folder
        if not recent.there:
            self._where = tr("Not found in {where}. It was moved, or its disk is not connected.").format(
                where=self._where
            )
        self.forget = Button(f"recent.{project.stem}.forget", "", "tool", "close", tr("Take it off this list"))
        self.forget.setVisible(not recent.there)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, theme.SPACE // 2, 0)
        row.addWidget(self.forget, 0, Qt.AlignmentFlag.AlignRight)

    def sizeHint(self) -> QSize:
        """The width comes from the layout."""
        return QSize(200, 6 * theme.SPACE)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Icon, name, place."""
        tone, painter = theme.tone(), QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        hot = self.underMouse() or self.has_keyboard()
        painter.setPen(QPen(QColor(tone.accent if hot else tone.line), 1))
        painter.setBrush(QColor(tone.base))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        icons.icon("project", tone.quiet).paint(
            painter,
            self.rect().adjusted(16, 14, 0, -14).intersected(self.rect().adjusted(16, 14, 36 - self.width(), -14)),
        )
        left = self.rect().adjusted(48, 7, -16, -24)
        painter.setFont(theme.font(bold=True))
        painter.setPen(QColor(tone.text if self._there else tone.quiet))
        painter.drawText(left, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, self.text())
        painter.setFont(theme.font(theme.SMALL))
        painter.setPen(QColor(tone.quiet))
        below = self.rect().adjusted(48, 24, -16 if self._there else -56, -6)
        shown = painter.fontMetrics().elidedText(self._where, Qt.TextElideMode.ElideMiddle, below.width())
        painter.drawText(below, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)
