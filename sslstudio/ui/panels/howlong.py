"""How long may a run take: the first question of every training step."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from sslstudio.language import later, tr
from sslstudio.ui.panels.blocks import Segments
from sslstudio.ui.panels.fields import Number
from sslstudio.ui.panels.parts import question
from sslstudio.ui.theme import SPACE

PRETRAIN_TIMES: Mapping[str, str] = {
    "2": later("2 min"),
    "10": later("10 min"),
    "30": later("30 min"),
    "120": later("2 hours"),
    "480": later("Overnight"),
}
FINETUNE_TIMES: Mapping[str, str] = {
    "1": later("1 min"),
    "5": later("5 min"),
    "15": later("15 min"),
    "60": later("1 hour"),
    "480": later("Overnight"),
}


class HowLong(QWidget):
    """Minutes: a few usual answers, and a field for any other.

    Signals:
        changed: The user chose another time.
    """

    changed = Signal()

    def __init__(self, name: str, times: Mapping[str, str]) -> None:
        super().__init__()
        self.setObjectName(name)
        self._touched = False
        self.segments = Segments(
            f"{name}.choice", tr("How long may it take?"), {key: tr(text) for key, text in times.items()}, columns=3
        )
        self.exact = Number(f"{name}.exact", tr("Minutes"))
        self.exact.setRange(0.02, 10080)
        self.exact.setDecimals(2)
        self.exact.setSuffix(" min")
        self.exact.setToolTip(tr("Any other time; 8 hours are 480 minutes; the schedule is fitted to this time"))
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(SPACE)
        box.addWidget(question(tr("How long may it take?")))
        box.addWidget(self.segments)
        self.segments.grid.addWidget(self.exact, 1, 2)
        self.segments.chosen.connect(self._on_chosen)
        self.exact.valueChanged.connect(self._on_exact)

    def suggest(self, minutes: float) -> None:
        """Show a suggestion, unless the user has already answered."""
        if not self._touched:
            self._show(minutes)

    def minutes(self) -> float:
        """The answer."""
        return self.exact.value()

    def put(self, minutes: float) -> None:
        """Answer as if the user had."""
        self._show(minutes)
        self._touched = True
        self.changed.emit()

    def _show(self, minutes: float) -> None:
        self.exact.blockSignals(True)
        self.exact.setValue(minutes)
        self.exact.blockSignals(False)
        self.segments.select(f"{minutes:g}")

    def _on_chosen(self, minutes: str) -> None:
        self.put(float(minutes))

    def _on_exact(self, minutes: float) -> None:
        self.put(minutes)
