"""What pretraining, fine-tuning, predicting and exporting show alike: progress, pause, stop; earlier runs."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from sslstudio.language import tr
from sslstudio.runs.folder import RunState
from sslstudio.ui.icons import picture
from sslstudio.ui.panels.bars import Bar
from sslstudio.ui.panels.blocks import Dot, Fold, Notice
from sslstudio.ui.panels.buttons import Button
from sslstudio.ui.panels.live import LiveRun
from sslstudio.ui.panels.parts import label, quiet_number
from sslstudio.ui.panels.states import RunRow
from sslstudio.ui.panels.words import duration, percent
from sslstudio.ui.theme import SMALL, SPACE, tone

MOST_ROWS = 5


class RunBox(QWidget):
    """Progress of one run with its buttons.

    Signals:
        pause_wanted, resume_wanted, stop_wanted: The run's id.
    """

    pause_wanted = Signal(str)
    resume_wanted = Signal(str)
    stop_wanted = Signal(str)

    def __init__(self, name: str, *, pausable: bool = True) -> None:
        super().__init__()
        self.setObjectName(name)
        self._run: LiveRun | None = None
        self._pausable = pausable
        self.phase = label(bold=True)
        self.phase.setObjectName(f"{name}.phase")
        self.bar = Bar(f"{name}.bar", tr("Progress"))
        self.share = quiet_number()
        self.left = quiet_number()
        self.left.setObjectName(f"{name}.left")
        self.left.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.pause = Button(f"{name}.pause", tr("Pause"), glyph="pause", tip=tr("Holds still and keeps its memory"))
        self.resume = Button(f"{name}.resume", tr("Resume"), glyph="play", tip=tr("Goes on where it was"))
        self.stop = Button(
            f"{name}.stop", tr("Stop and keep"), glyph="stop", tip=tr("What was learned so far stays usable")
        )
        self.notice = Notice(f"{name}.notice")
        self._lay_out()
        self.pause.clicked.connect(self._on_pause)
        self.resume.clicked.connect(self._on_resume)
        self.stop.clicked.connect(self._on_stop)

    def draw(self, run: LiveRun) -> None:
        """Show where the run is."""
        self._run = run
        self.phase.setText(tr("Paused") if run.state is RunState.PAUSED else run.phase or tr("Starting up"))
        self.bar.set_share(run.share)
        self.share.setText(percent(run.share))
        self.left.setText(_left_words(run))
        self.stop.set_words(tr("Do not start") if run.state is RunState.WAITING else tr("Stop and keep"))
        self.pause.setVisible(self._pausable and run.state is not RunState.PAUSED)
        self.pause.setEnabled(run.state is RunState.RUNNING)
        self.resume.setVisible(self._pausable and run.state is RunState.PAUSED)
        self.notice.say(" ".join(part for part in (run.warning, run.advice) if part))

    def _lay_out(self) -> None:
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(SPACE)
        figures = QHBoxLayout()
        figures.addWidget(self.share)
        figures.addWidget(self.left, 1)
        buttons = QHBoxLayout()
        buttons.setSpacing(SPACE)
        for button in (self.pause, self.resume, self.stop):
            buttons.addWidget(button, 1)
        box.addWidget(self.phase)
        box.addWidget(self.bar)
        box.addLayout(figures)
        box.addLayout(buttons)
        box.addWidget(self.notice)

    def _on_pause(self) -> None:
        if self._run is not None:
            self.pause_wanted.emit(self._run.id)

    def _on_resume(self) -> None:
        if self._run is not None:
            self.resume_wanted.emit(self._run.id)

    def _on_stop(self) -> None:
        if self._run is not None:
            self.stop_wanted.emit(self._run.id)


def _left_words(run: LiveRun) -> str:
    if run.state is RunState.RUNNING and run.share >= 1:
        return tr("finishing")
    if run.state is RunState.RUNNING and run.seconds_left >= 0:
        return tr("{seconds_left} left").format(seconds_left=duration(run.seconds_left))
    return tr("working out how long") if run.state is RunState.RUNNING else ""


class RunLine(QWidget):
    """One earlier run: when and what, how it ended, whether it is used next.

    Signals:
        use_wanted, resume_wanted: The run's id.
    """

    use_wanted = Signal(str)
    resume_wanted = Signal(str)

    def __init__(self, name: str, row: RunRow, *, choosable: bool) -> None:
        super().__init__()
        self._row = row
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, SPACE // 2, 0, SPACE // 2)
        outer.setSpacing(2)
        outer.addWidget(label(row.title))
        outer.addLayout(self._figures(row))
        self.use = Button(f"{name}.use", tr("Use next"), "link", tip=tr("Fine-tune from this run"))
        self.use.setAccessibleName(tr("Use the run {title} next").format(title=row.title))
        self.resume = Button(f"{name}.resume", tr("Resume"), "link", "play", row.resuming)
        self.resume.setAccessibleName(tr("Resume the run {title}").format(title=row.title))
        self.used = label(tr("Used next"), SMALL, bold=True, wrap=False)
        line = QHBoxLayout()
        line.setSpacing(2 * SPACE)
        for widget, shown in (
            (self.used, choosable and row.used),
            (self.use, choosable and row.usable and not row.used),
            (self.resume, row.resumable),
        ):
            line.addWidget(widget)
            widget.setVisible(shown)
        line.addStretch(1)
        outer.addLayout(line)
        self.use.clicked.connect(self._on_use)
        self.resume.clicked.connect(self._on_resume)

    @staticmethod
    def _figures(row: RunRow) -> QHBoxLayout:
        line = QHBoxLayout()
        line.setSpacing(SPACE // 2)
        if row.note:
            dot = Dot()
            dot.set_level(row.level)
            line.addWidget(dot)
        words = " · ".join(part for part in (row.note, _short(row.minutes), row.state) if part)
        told = quiet_number(words)
        told.setWordWrap(True)  # in no language may it make the panel wider
        line.addWidget(told, 1)
        return line

    def _on_use(self) -> None:
        self.use_wanted.emit(self._row.id)

    def _on_resume(self) -> None:
        self.resume_wanted.emit(self._row.id)


def _short(minutes: float) -> str:
    return tr("{minutes:.1f} min").format(minutes=minutes) if minutes < 9.5 else duration(60 * minutes)


class RunList(Fold):
    """The earlier runs, newest first; rebuilt only when they changed.

    Signals:
        use_wanted, resume_wanted: A run's id.
    """

    use_wanted = Signal(str)
    resume_wanted = Signal(str)

    def __init__(self, name: str, title: str, *, choosable: bool = False) -> None:
        super().__init__(name, title, open_=True)
        self._choosable = choosable
        self._rows: tuple[RunRow, ...] = ()
        self._lines: list[RunLine] = []
        self.body.setSpacing(SPACE // 2)
        self.hide()

    def draw(self, rows: tuple[RunRow, ...]) -> None:
        """Show the rows; hidden while there are none."""
        self.setVisible(bool(rows))
        if rows == self._rows:
            return
        self._rows = rows
        for line in self._lines:
            self.body.removeWidget(line)
            line.deleteLater()
        self._lines = []
        for place, row in enumerate(rows[:MOST_ROWS]):
            line = RunLine(f"{self.objectName()}.{place}", row, choosable=self._choosable)
            line.use_wanted.connect(self.use_wanted)
            line.resume_wanted.connect(self.resume_wanted)
            self.body.addWidget(line)
            self._lines.append(line)


class Empty(QWidget):
    """An empty state: a small picture, a sentence, one button.

    Signals:
        wanted: The button was pressed.
    """

    wanted = Signal()

    def __init__(self, name: str, glyph: str, text: str, button: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self._glyph = glyph
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 12 * SPACE, 0, SPACE)
        box.setSpacing(2 * SPACE)
        self.words = label(text)
        self.words.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        self.button = Button(f"{name}.button", button, "primary")
        box.addWidget(self.words)
        box.addWidget(self.button)
        self.button.clicked.connect(self.wanted)

    def say(self, text: str) -> None:
        """Change the sentence."""
        self.words.setText(text)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the picture on a soft disc."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.palette().color(QPalette.ColorRole.AlternateBase))
        side = 9 * SPACE
        disc = QRectF((self.width() - side) / 2, SPACE, side, side)
        painter.drawEllipse(disc)
        glyph = 4 * SPACE
        place = QRectF(disc.center().x() - glyph / 2, disc.center().y() - glyph / 2, glyph, glyph)
        painter.drawPixmap(place.toRect(), picture(self._glyph, glyph, QColor(tone().quiet).name()))
