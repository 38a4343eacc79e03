"""What this program is, its version, and where things are."""

from __future__ import annotations

import platform

import PySide6
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QLabel, QWidget

import sslstudio
from sslstudio.language import tr
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
            tr("Version {version} · Python {python_version} · Qt {version_2}").format(
                version=version, python_version=platform.python_version(), version_2=PySide6.__version__
            ),
            tr("Settings: {folder}").format(folder=state.folder()),
            *([tr("Project: {project}").format(project=project)] if project else []),
            tr("Licence: Apache 2.0. Qt and PySide6: LGPL 3. Icons: Material Design Icons, Apache 2.0."),
        ]
        body = QLabel("\n".join(lines), wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        body.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        close = Button("about.close", tr("Close"))
        close.clicked.connect(self.accept)
        sentence = tr("From a folder of unlabelled images to a segmentation model. Everything stays on this computer.")
        lay_out(self, "SSL Studio", body, (close,), sentence)
        self.setMinimumWidth(56 * theme.SPACE)
