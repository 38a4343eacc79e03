"""What runs, always in sight at the top right; a click shows more and lets one pause or stop."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QAbstractButton,
    QFrame,
    QHBoxLayout,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from sslstudio.language import tr, within
from sslstudio.runs.folder import RunState
from sslstudio.ui import theme
from sslstudio.ui.keyboard import KeyboardPlace
from sslstudio.ui.panels.bars import Bar
from sslstudio.ui.panels.buttons import Button
from sslstudio.ui.panels.live import LiveRun
from sslstudio.ui.panels.parts import label
from sslstudio.ui.panels.words import duration


def headline(live: LiveRun, waiting: int = 0) -> str:
    """One run in a line, and how many wait: “Pretraining 62 % · 4 min · +1”."""
    parts = [f"{live.title} {live.share * 100:.0f} %"]
    if live.state is RunState.WAITING:
        parts = [live.title, tr("waits") if live.phase else tr("begins")]
    elif not live.steps and live.state is RunState.RUNNING:
        phase = live.phase or tr("getting ready")
        parts = [live.title, within(phase)]
    elif live.state is RunState.PAUSED:
        parts.append(tr("paused"))
    elif live.seconds_left >= 0:
        parts.append(duration(live.seconds_left))
    if waiting:
        parts.append(f"+{waiting}")
    return " · ".join(parts)


class Pill(KeyboardPlace, QAbstractButton):
    """The button at the top right; hidden while nothing runs.

    Signals:
        pause_wanted, resume_wanted, stop_wanted, folder_wanted, log_wanted: A run's id.
    """

    pause_wanted = Signal(str)
    resume_wanted = Signal(str)
    stop_wanted = Signal(str)
    folder_wanted = Signal(str)
    log_wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("pill")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.popover = Popover(self)
        self._share = 0.0
        self.clicked.connect(self.show_popover)
        self.hide()

    def draw(self, runs: Sequence[LiveRun]) -> None:
        """Show the runs under way, the working one first."""
        self.setVisible(bool(runs))
        if runs:
            self._share = runs[0].share
            self.setText(headline(runs[0], len(runs) - 1))
            self.setAccessibleName(tr("What runs: {text}").format(text=self.text()))
            wait = tr(" {runs} more to come.").format(runs=len(runs) - 1) if len(runs) > 1 else ""
            self.setToolTip(
                tr("{phase}.{wait} Click to pause or stop.").format(phase=runs[0].phase or runs[0].title, wait=wait)
            )
            self.update()
        self.popover.draw(runs)

    def show_popover(self) -> None:
        """Open the little window below the button."""
        self.popover.adjustSize()
        corner = self.mapToGlobal(QPoint(self.width() - self.popover.width(), self.height() + theme.SPACE // 2))
        self.popover.move(corner)
        self.popover.show()

    def sizeHint(self) -> QSize:
        """The same room whatever it says, so that nothing jumps; what is longer ends in an ellipsis."""
        usual = QFontMetrics(theme.font(tabular=True)).horizontalAdvance(tr("Fine-tuning 100 % · 2 h 10 min · +2"))
        return QSize(usual + 6 * theme.SPACE, 4 * theme.SPACE)

    def paintEvent(self, event: QPaintEvent) -> None:
        """A rounded ground, a ring that fills, the line of text."""
        tone = theme.tone()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(tone.accent if self.underMouse() or self.has_keyboard() else tone.edge), 1))
        painter.setBrush(QColor(tone.base))
        painter.drawRoundedRect(
            QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), self.height() / 2, self.height() / 2
        )
        ring = QRectF(12, (self.height() - 14) / 2, 14, 14)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(tone.line), 3))
        painter.drawEllipse(ring)
        painter.setPen(QPen(QColor(tone.accent), 3, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap))
        painter.drawArc(ring, 90 * 16, -round(self._share * 360 * 16))
        painter.setFont(theme.font(tabular=True))
        painter.setPen(QColor(tone.text))
        room = self.rect().adjusted(34, 0, -12, 0)
        words = painter.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, words)


class Popover(QFrame):
    """The little window under the pill: one row per run."""

    def __init__(self, pill: Pill) -> None:
        super().__init__(pill, Qt.WindowType.Popup)
        self.setObjectName("pill.popover")
        self.setAccessibleName(tr("What runs"))
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setFixedWidth(46 * theme.SPACE)
        self._pill = pill
        self._rows: dict[str, _Row] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(*(2 * theme.SPACE,) * 4)
        self._column.setSpacing(2 * theme.SPACE)

    def draw(self, runs: Sequence[LiveRun]) -> None:
        """Show these runs; rows stay where they are while their figures change."""
        ids = [run.id for run in runs]
        for gone in [run_id for run_id in self._rows if run_id not in ids]:
            self._rows.pop(gone).deleteLater()
        for run in runs:
            if run.id not in self._rows:
                self._rows[run.id] = _Row(self._pill, run.id)
                self._column.addWidget(self._rows[run.id])
            self._rows[run.id].draw(run)
        if not runs:
            self.hide()


class _Row(QWidget):
    """One run: what it does, how far it is, and what can be done about it."""

    def __init__(self, pill: Pill, run_id: str) -> None:
        super().__init__()
        self._paused = False
        self.title = label(bold=True, wrap=False)
        self.left = label(tabular=True, wrap=False)
        self.phase = label(size=theme.SMALL, quiet=True, lines=1)
        self.bar = Bar("pill.bar", tr("Progress"))
        self.pause = Button("pill.pause", tr("Pause"), glyph="pause", tip=tr("The run keeps its memory"))
        self.stop = Button(
            "pill.stop", tr("Stop and keep"), glyph="stop", tip=tr("What was learned so far stays usable")
        )
        self.folder = Button("pill.folder", tr("Folder"), "link", tip=tr("Open the folder of this run"))
        self.log = Button("pill.log", tr("Log"), "link", tip=tr("What the worker wrote"))
        self.pause.clicked.connect(lambda: (pill.resume_wanted if self._paused else pill.pause_wanted).emit(run_id))
        self.stop.clicked.connect(lambda: pill.stop_wanted.emit(run_id))
        self.folder.clicked.connect(lambda: pill.folder_wanted.emit(run_id))
        self.log.clicked.connect(lambda: pill.log_wanted.emit(run_id))
        top, bottom = QHBoxLayout(), QHBoxLayout()
        top.addWidget(self.title, 1)
        top.addWidget(self.left)
        bottom.setSpacing(theme.SPACE)
        for button in (self.pause, self.stop):
            bottom.addWidget(button)
        bottom.addStretch(1)
        for button in (self.folder, self.log):
            bottom.addSpacing(theme.SPACE)
            bottom.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.SPACE)
        column.addLayout(top)
        column.addWidget(self.bar)
        column.addWidget(self.phase)
        column.addLayout(bottom)

    def draw(self, run: LiveRun) -> None:
        """Show the run as it is."""
        waiting = run.state is RunState.WAITING
        self._paused = run.state is RunState.PAUSED
        self.title.setText(run.title)
        left = duration(run.seconds_left)
        self.left.setText(
            "waits"
            if waiting
            else f"{run.share * 100:.0f} %" + (tr(" · {left} left").format(left=left) if left else "")
        )
        self.bar.set_share(run.share)
        self.phase.setText(
            tr("Paused") if self._paused else run.phase or (tr("Begins in a moment") if waiting else " ")
        )
        self.pause.set_words(tr("Go on") if self._paused else tr("Pause"))
        self.pause.set_glyph("play" if self._paused else "pause")
        self.pause.setEnabled(not waiting)
        self.stop.set_words(tr("Do not start") if waiting else tr("Stop and keep"))
