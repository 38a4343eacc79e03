"""What this program is, its version, and where things are."""

from __future__ import annotations

import platform

import PySide6
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QLabel, QWidget

import sslstudio
from sslstudio.ui import state, theme
from sslstudio.ui.dialogs.frame import lay_out
from sslstudio.ui.panels.buttons import Button


class AboutDialog(QDialog):
    """Version, licences, folders; the text can be selected for a report."""

    def __init__(self, parent: QWidget | None = None, project: str = "") -> None:
        super().__init__(parent)
        self.setObjectName("dialog.about")
        version = getattr(sslstudio, "__version__", "0.1.0")
        lines = [
            f"Version {version} · Python {platform.python_version()} · Qt {PySide6.__version__}",
            f"Settings: {state.folder()}",
            *([f"Project: {project}"] if project else []),
            "Licence: Apache 2.0. Qt and PySide6: LGPL 3. Icons: Material Design Icons, Apache 2.0.",
        ]
        body = QLabel("\n".join(lines), wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        body.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        close = Button("about.close", "Close")
        close.clicked.connect(self.accept)
        sentence = "From a folder of unlabelled images to a segmentation model. Everything stays on this computer."
        lay_out(self, "SSL Studio", body, (close,), sentence)
        self.setMinimumWidth(56 * theme.SPACE)
