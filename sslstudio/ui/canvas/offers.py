"""What is proposed for the mask: shown over it, fainter than paint, and answered by Enter or Esc."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, Signal

from sslstudio.ui.canvas.pyramid import LabelPyramid

if TYPE_CHECKING:
    from sslstudio.project.label_map import Labels
    from sslstudio.ui.canvas.canvas import Canvas


class Offers(QObject):
    """The proposal on a canvas.

    Signals:
        alike_wanted: The tool asks for what is alike to examples; an empty tuple when it no longer does.
        answered: Enter (True) or Esc was pressed over a proposal that is no tool's own.
    """

    alike_wanted = Signal(object)
    answered = Signal(bool)

    def __init__(self, canvas: Canvas) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self.pyramid: LabelPyramid | None = None
        self.open = False  # whether Enter and Esc answer it
        self.moment = 0  # when it was shown, or asked for, last

    @property
    def labels(self) -> np.ndarray | None:
        """What is proposed now."""
        return None if self.pyramid is None else self.pyramid.base[:, :]

    def show(self, labels: Labels | None, *, answerable: bool = False) -> None:
        """Propose labels (h, w) uint8 of any size, 255 for nothing, or no longer (None); of huge images all, by tiles.

        ``answerable``: Enter and Esc answer it while no tool has begun anything.
        """
        self.open = answerable and labels is not None
        if labels is not None or self.pyramid is not None:
            if self.pyramid is None:
                self.moment = self._canvas.taking_back.order.next()
            self.pyramid = None if labels is None else LabelPyramid(labels)
            self._canvas.rearrange()
            self._canvas.outlines.look()

    def forget(self) -> None:
        """Another image: nothing is proposed, and the canvas is drawn anew anyway."""
        self.pyramid, self.open = None, False

    def hear_gesture(self) -> None:
        """Look for what the tool wants to have looked for, and pass on what it asks."""
        gesture = self._canvas.gesture
        if gesture is None:
            return
        search, gesture.search = gesture.search, None
        if search is not None:
            self._canvas.searches.start(search)
        question, gesture.question = gesture.question, None
        if question:
            self.moment = self._canvas.taking_back.order.next()
        if question is not None:
            self.alike_wanted.emit(question)
