"""The line at the bottom: file, size, depth, zoom; class and pixel under the pointer; whether all is saved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QLabel, QSizePolicy, QStatusBar

from sslstudio.ui import theme
from sslstudio.ui.image_model import depth

if TYPE_CHECKING:
    from sslstudio.project.index import ImageRecord


class Status(QStatusBar):
    """Three quiet texts that keep their places."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("status")
        self.setSizeGripEnabled(False)
        self.image = _text("status.image")
        self.place = _text("status.place")
        self.saved = _text("status.saved")
        self.image.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.addWidget(self.image, 1)
        self.addPermanentWidget(self.place)
        self.addPermanentWidget(self.saved)
        self.place.setMinimumWidth(34 * theme.SPACE)
        self.saved.setMinimumWidth(10 * theme.SPACE)
        self._record: ImageRecord | None = None
        self._zoom = 1.0

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
        self.saved.setText("saved ✓" if saved else "not saved yet")
        palette = self.saved.palette()
        palette.setColor(QPalette.ColorRole.WindowText, QColor(theme.tone().quiet if saved else theme.tone().error))
        self.saved.setPalette(palette)

    def _draw(self) -> None:
        record = self._record
        if record is None:
            self.image.setText("")
            return
        parts = [record.path]
        if record.width:
            parts += [f"{record.width} × {record.height}", depth(record)]
        if not record.problem:
            parts.append(f"{self._zoom * 100:.0f} %")
        self.image.setText(" · ".join(parts))
        self.image.setToolTip(record.path)


def _text(name: str) -> QLabel:
    label = QLabel("")
    label.setObjectName(name)
    label.setFont(theme.font(theme.SMALL, tabular=True))
    label.setContentsMargins(theme.SPACE, 0, theme.SPACE, 0)
    return label
