"""Whether a painted class should go, with all that was painted with it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QDialog, QWidget

from sslstudio.language import tr, tr_many
from sslstudio.ui import theme
from sslstudio.ui.dialogs.frame import lay_out
from sslstudio.ui.panels.buttons import Button
from sslstudio.ui.panels.words import many


class RemovingDialog(QDialog):
    """Says what would become unpainted, and asks."""

    def __init__(
        self, name: str, pixels: int, images: int, remove: Callable[[], None], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("dialog.removing")
        keep = Button("removing.keep", tr("Keep it"), "primary")
        go = Button("removing.remove", tr("Remove and unpaint"))
        keep.clicked.connect(self.reject)
        go.clicked.connect(self.accept)
        self.accepted.connect(remove)
        sentence = tr("{loss} This cannot be undone. Everything else that is painted stays.").format(
            loss=loss(name, pixels, images)
        )
        lay_out(self, tr("Remove the class “{name}”?").format(name=name), None, (keep, go), sentence)
        self.setFixedWidth(max(56 * theme.SPACE, self.minimumSizeHint().width()))


def loss(name: str, pixels: int, images: int) -> str:
    """What is lost with a class."""
    sentence = tr_many(
        "{pixels} of “{name}” in {images} becomes unpainted.",
        "{pixels} of “{name}” in {images} become unpainted.",
        pixels,
    )
    return sentence.format(pixels=many(pixels, "pixel"), name=name, images=many(images, "image"))
