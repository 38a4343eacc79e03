"""What the panels of pretraining and fine-tuning share: parts that take turns, wishes passed on, how a run ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from PySide6.QtCore import Signal, SignalInstance
from PySide6.QtWidgets import QVBoxLayout, QWidget

from sslstudio.language import tr
from sslstudio.runs.folder import RunState
from sslstudio.runs.naming import resuming
from sslstudio.ui.panels.blocks import Notice
from sslstudio.ui.panels.buttons import Button
from sslstudio.ui.panels.fields import Combo
from sslstudio.ui.panels.howlong import HowLong
from sslstudio.ui.panels.live import LiveRun
from sslstudio.ui.panels.parts import question
from sslstudio.ui.panels.running import Empty, RunList
from sslstudio.ui.panels.words import health
from sslstudio.ui.theme import SPACE


class Training(Protocol):
    """A panel with these parts and signals; ``live`` has a ``RunBox`` called ``box``."""

    empty: Empty
    ask: QWidget
    live: Any
    outcome: Outcome
    start: Button
    earlier: RunList
    pause_wanted: SignalInstance
    resume_wanted: SignalInstance
    stop_wanted: SignalInstance


def take_turns(panel: Training, run: LiveRun | None, *, possible: bool) -> bool:
    """Show what runs, or else the question and how the last run ended; whether something runs.

    Where it is not ``possible`` to begin, the empty state says why in place of the question.
    """
    running = run is not None and run.active
    panel.empty.setVisible(not possible and not running)
    panel.ask.setVisible(possible and not running)
    panel.live.setVisible(running)
    panel.outcome.draw(None if running else run)
    panel.start.set_primary(not panel.outcome.leads())
    return running


def pass_on(panel: Training) -> None:
    """What is wanted of a run is wanted of the panel."""
    panel.live.box.pause_wanted.connect(panel.pause_wanted)
    panel.live.box.stop_wanted.connect(panel.stop_wanted)
    for part in (panel.live.box, panel.outcome, panel.earlier):
        part.resume_wanted.connect(panel.resume_wanted)


def fill_question(ask: QWidget, how_long: HowLong, title: str, combo: Combo, rest: Sequence[QWidget]) -> None:
    """Lay out the question: how long, then one choice under its ``title``, then the button and what belongs to it."""
    box = QVBoxLayout(ask)
    box.setContentsMargins(0, 0, 0, 0)
    box.setSpacing(SPACE)
    box.addWidget(how_long)
    box.addSpacing(SPACE)
    box.addWidget(question(title))
    box.addWidget(combo)
    box.addSpacing(SPACE)
    for widget in rest:
        box.addWidget(widget)


class Outcome(QWidget):
    """How the last run ended, in plain words, and the next step.

    Signals:
        resume_wanted: The run's id.
        next_wanted: Go on to the next step.
    """

    resume_wanted = Signal(str)
    next_wanted = Signal()

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self._run: LiveRun | None = None
        self.notice = Notice(f"{name}.notice")
        self.resume = Button(f"{name}.resume", tr("Resume"), "primary")
        self.next = Button(f"{name}.next", tr("Continue to painting"), "primary")
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(SPACE)
        for widget in (self.notice, self.resume, self.next):
            self.column.addWidget(widget)
        self.resume.clicked.connect(self._on_resume)
        self.next.clicked.connect(self.next_wanted)
        self.hide()

    def draw(self, run: LiveRun | None) -> None:
        """Show how a run ended; hidden for None and for runs that go on."""
        self._run = run
        ended = run is not None and not run.active
        self.setVisible(ended)
        if run is None or not ended:
            return
        good = run.state in (RunState.FINISHED, RunState.STOPPED)
        narrow = good and health(run.figures, steps=run.step).level in ("fair", "poor")
        self.notice.say(outcome_words(run), "good" if good and not narrow else "fair")
        self.resume.setVisible(run.state is RunState.INTERRUPTED)
        self.next.setVisible(good)

    def leads(self) -> bool:
        """Whether its button is the one big button: going on, or resuming."""
        return not self.isHidden() and not (self.next.isHidden() and self.resume.isHidden())

    def _on_resume(self) -> None:
        if self._run is not None:
            self.resume_wanted.emit(self._run.id)


def outcome_words(run: LiveRun) -> str:
    """How a pretraining run ended; one of fine-tuning breaks off in the same words."""
    if run.state is RunState.INTERRUPTED:
        return tr("The run was interrupted. Resuming {resuming}.").format(resuming=resuming("pretrain", run.checkpoint))
    if run.state is RunState.FAILED:
        return " ".join(part for part in (run.warning, run.advice) if part) or tr(
            "The run could not go on; see its log."
        )
    found = health(run.figures, steps=run.step)
    begin = tr("Pretraining is done.") if run.state is RunState.FINISHED else tr("Stopped; what was learned is kept.")
    if found.level == "none":
        return begin
    meaning = "" if found.level == "good" else found.meaning
    return f"{begin} {found.word}: {found.figure}. {meaning}".strip()
