"""The images panel: what is in the folder, what kind of pictures they are, what cannot be used."""

from __future__ import annotations

from PySide6.QtCore import Signal

from sslstudio.ui.panels.panel import Panel
from sslstudio.ui.panels.states import ImagesState


class ImagesPanel(Panel):
    """Draws ``ImagesState``.

    Signals:
        open_wanted, rescan_wanted, relocate_wanted: Choose a folder; look again; say where the folder is now.
        preset_chosen: The preset's id.
        image_wanted: The path of a file in the list of problems.
        continue_wanted: Go on to pretraining.
    """

    open_wanted = Signal()
    rescan_wanted = Signal()
    relocate_wanted = Signal()
    preset_chosen = Signal(str)
    image_wanted = Signal(str)
    continue_wanted = Signal()

    ID = "panel.images"
    NAME = "Images"

    def draw(self, state: ImagesState) -> None:
        """Show ``state``; no other code touches these widgets."""
        self.state = state
