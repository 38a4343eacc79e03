"""The line at the bottom: file, size, depth, zoom; class and pixel under the pointer; whether all is saved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QSlider, QStatusBar, QWidget

from sslstudio.language import tr
from sslstudio.ui import theme
from sslstudio.ui.image_model import depth, title
from sslstudio.ui.in_hand import InHand
from sslstudio.ui.panels.words import percent

if TYPE_CHECKING:
    from sslstudio.project.index import ImageRecord

_CHANNELS = 6  # numbers of a pixel's value


class Status(QStatusBar):
    """Three quiet texts that keep their places, and how strongly the image is tinted, in sight in every step.

    Signals:
        opacity_chosen: 0 to 1.
    """

    opacity_chosen = Signal(float)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("status")
        self.setSizeGripEnabled(False)
        self.image = _text("status.image")
        self.place = _text("status.place")
        self.saved = _text("status.saved")
        self.image.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.addWidget(self.image, 1)
        self.hand = InHand()
        self.addPermanentWidget(self.place)
        self.addPermanentWidget(self.hand)
        self.addPermanentWidget(self._overlay())
        self.addPermanentWidget(self.saved)
        self.place.setMinimumWidth(34 * theme.SPACE)
        self.saved.setMinimumWidth(10 * theme.SPACE)
        self._record: ImageRecord | None = None
        self._zoom = 1.0

    def show_opacity(self, opacity: float) -> None:
        """Say how strongly masks and predictions tint the image; not while the user holds the handle."""
        if not self.opacity.isSliderDown():
            with QSignalBlocker(self.opacity):
                self.opacity.setValue(round(100 * opacity))
        self._share.setText(percent(opacity))

    def _overlay(self) -> QWidget:
        """The slider with its name and its number."""
        self.opacity = QSlider(Qt.Orientation.Horizontal)
        self.opacity.setObjectName("status.opacity")
        self.opacity.setAccessibleName(tr("Overlay opacity"))
        self.opacity.setRange(0, 100)
        self.opacity.setFixedSize(12 * theme.SPACE, 2 * theme.SPACE)  # no higher than the texts
        self.opacity.valueChanged.connect(lambda value: self.opacity_chosen.emit(value / 100))
        self._share = _text("status.opacity.share")
        self._share.setFixedWidth(self._share.fontMetrics().horizontalAdvance("100 %") + 2 * theme.SPACE)
        box = QWidget()
        box.setToolTip(tr("How strongly masks, predictions and the live overlay tint the image"))
        row = QHBoxLayout(box)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        for part in (_text("status.opacity.name", tr("Overlay")), self.opacity, self._share):
            row.addWidget(part)
        return box

    def show_image(self, record: ImageRecord | None) -> None:
        """Say which image is shown."""
        self._record = record
        self._draw()

    def show_zoom(self, zoom: float) -> None:
        """Say how large it is shown; 1.0 is one screen pixel per image pixel."""
        self._zoom = zoom
        self._draw()

    def show_place(self, text: str) -> None:
        """Say what is under the pointer."""
        self.place.setText(text)

    def show_saved(self, saved: bool) -> None:
        """Say whether everything painted is on disk."""
        self.saved.setText(tr("saved ✓") if saved else tr("not saved yet"))
        self.saved.setToolTip("")
        palette = self.saved.palette()
        palette.setColor(QPalette.ColorRole.WindowText, QColor(theme.tone().quiet if saved else theme.tone().error))
        self.saved.setPalette(palette)

    def show_reading(self, why: str) -> None:
        """Say that nothing can be changed, and why."""
        self.saved.setText(tr("for reading"))
        self.saved.setToolTip(why)

    def _draw(self) -> None:
        record = self._record
        if record is None:
            self.image.setText("")
            return
        parts = [title(record)]
        if record.width:
            parts += [f"{record.width} × {record.height}", depth(record)]
        if not record.problem:
            parts.append(f"{self._zoom * 100:.0f} %")
        self.image.setText(" · ".join(parts))
        self.image.setToolTip(title(record))


def value_words(values: Sequence[float]) -> str:
    """A pixel's value as its file holds it, a number per channel, and no more of them than there is room for."""
    shown = [str(value) if isinstance(value, int) else f"{value:.4g}" for value in values]
    return " ".join(shown[:_CHANNELS]) + (" …" if len(shown) > _CHANNELS else "")


def _text(name: str, text: str = "") -> QLabel:
    label = QLabel(text)
    label.setObjectName(name)
    label.setFont(theme.font(theme.SMALL, tabular=True))
    label.setContentsMargins(theme.SPACE, 0, theme.SPACE, 0)
    return label
