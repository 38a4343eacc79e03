"""Looks through a folder for what is alike to examples: image after image, by a process of its own. No widgets."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, Signal, Slot

if TYPE_CHECKING:
    from sslstudio.queries.client import InferenceClient
    from sslstudio.queries.messages import Answer, Example

_LOST = 3  # crashes in a row after which it is given up
_SCALE = 127.0


class FolderSearch(QObject):
    """One search: who asks what, what was found so far; features are kept in ``cache`` for the next one.

    Signals:
        progressed: An image was looked at.
        ended: All were, or it was called off; the sentence says why it was given up, else it is empty.
    """

    progressed = Signal()
    ended = Signal(str)
    _answered = Signal(object)

    def __init__(
        self, source: Path, examples: tuple[Example, ...], encoder: str, cache: Path, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.source, self.examples, self.encoder, self.cache = source, examples, encoder, cache
        self.total = self.done = 0
        self.problems: dict[str, str] = {}
        self._maps: dict[str, np.ndarray] = {}  # (h, w) int8, a few kilobytes for each image
        self._waiting: list[tuple[str, Path]] = []
        self._asked: tuple[int, str] = (-1, "")
        self._crashes = 0
        self._client: InferenceClient | None = None
        self._answered.connect(self._on_answer)

    @property
    def running(self) -> bool:
        """Whether it looks at images now."""
        return self._client is not None

    def start(self, images: Iterable[tuple[str, Path]]) -> None:
        """Look at these images, names and files, in their order."""
        from sslstudio.queries.client import InferenceClient

        self._waiting = list(images)[::-1]
        self.total = len(self._waiting)
        self._client = InferenceClient(self._answered.emit)
        self._ask()

    def stop(self, why: str = "") -> None:
        """Look at no more; what was found stays."""
        client, self._client = self._client, None
        self._waiting.clear()
        if client is not None:
            from threading import Thread

            Thread(target=client.close, name="search ends", daemon=True).start()  # which may take two seconds
            self.ended.emit(why)

    def likeness(self, image: str) -> np.ndarray | None:
        """How alike the places of an image are, (h, w) float32; None where it was not looked at."""
        kept = self._maps.get(image)
        return None if kept is None else kept.astype(np.float32) / _SCALE

    def ranked(self, threshold: float) -> list[tuple[str, float]]:
        """Images that have some that is at least so alike, with the share (0 to 1), the largest share first."""
        level = threshold * _SCALE
        shares = [(image, float((kept >= level).mean())) for image, kept in self._maps.items()]
        return sorted(((image, share) for image, share in shares if share > 0), key=lambda row: (-row[1], row[0]))

    def _ask(self) -> None:
        from sslstudio.queries.messages import SimilarQuery

        if self._client is None:
            return
        if not self._waiting:
            self.stop()
            return
        image, file = self._waiting.pop()
        query = SimilarQuery(str(file), self.encoder, self.examples, str(self.source), str(self.cache))
        self._asked = self._client.ask(query), image

    @Slot(object)
    def _on_answer(self, answer: Answer) -> None:
        number, image = self._asked
        if self._client is None or answer.number != number:
            return
        self.done += 1
        if answer.kind == "problem":
            self.problems[image] = answer.problem
            self._crashes = self._crashes + 1 if answer.crashed else 0
        else:
            self._maps[image] = np.round(answer.arrays["likeness"] * _SCALE).clip(-_SCALE, _SCALE).astype(np.int8)
            self._crashes = 0
        self.progressed.emit()
        if self._crashes >= _LOST:
            self.stop(f"{answer.problem} {answer.advice}")
        else:
            self._ask()
