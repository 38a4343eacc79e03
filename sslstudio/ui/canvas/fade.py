"""A picture that fades away over the one that takes its place."""

from __future__ import annotations

from PySide6.QtCore import QObject, QVariantAnimation, Signal
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QWidget

_MS = 200


class Fade(QObject):
    """Repaints its widget while it lasts; nothing is drawn when there is nothing to fade from.

    Signals:
        finished: The picture before is gone.
    """

    finished = Signal()

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)  # Qt keeps the two together; a reference would keep the widget alive for ever
        self._before: QImage | None = None
        self._share = QVariantAnimation(self, startValue=1.0, endValue=0.0, duration=_MS)
        self._share.valueChanged.connect(self._repaint)
        self._share.finished.connect(self._on_finished)

    def begin(self, before: QImage | None) -> None:
        """Let the picture as it was before fade away; one that fades already is dropped."""
        self._share.stop()
        self._before = before
        if before is not None:
            self._share.start()

    def end(self) -> None:
        """Show at once what comes after."""
        self._share.stop()
        self._before = None
        self._repaint()

    def draw(self, painter: QPainter) -> None:
        """Draw what is left of the picture before."""
        if self._before is not None:
            painter.setOpacity(self._share.currentValue() or 0.0)
            painter.drawImage(0, 0, self._before)
            painter.setOpacity(1.0)

    def _on_finished(self) -> None:
        self.end()
        self.finished.emit()

    def _repaint(self) -> None:
        widget = self.parent()
        if isinstance(widget, QWidget):
            widget.update()
