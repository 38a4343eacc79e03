"""Questions about one image to the inference process; answers come back as signals in the window's thread."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal, Slot

if TYPE_CHECKING:
    from sslstudio.queries.messages import Example


class Inference(QObject):
    """Wraps ``queries.client``; the newest question of a kind wins, late answers are dropped.

    Signals:
        segmented: (image path, labels (H, W) uint8, confidence (H, W) uint8).
        attended: (image path, maps (heads + 1, h, w) float32, mean first, mass of the same shape).
        coloured: (image path, colours (h, w, 3) uint8).
        likened: (image path, likeness (h, w) float32, -1 to 1).
        failed: (kind, problem, advice) in words for the user.
        busy_changed: (kind, whether an answer is awaited).
    """

    segmented = Signal(str, object, object)
    attended = Signal(str, object, object)
    coloured = Signal(str, object)
    likened = Signal(str, object)
    failed = Signal(str, str, str)
    busy_changed = Signal(str, bool)
    _answered = Signal(object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._client: Any = None
        self._awaited: dict[str, tuple[int, str]] = {}  # kind -> number of the newest question, its image
        self._answered.connect(self._on_answered)

    def segment(self, image: str, model: str) -> None:
        """Ask for the segmentation of an image file by the model in a folder."""
        from sslstudio.queries.messages import SegmentQuery

        self._ask("segment", SegmentQuery(image=image, model=model), image)

    def attention(
        self, image: str, encoder: str, block: int, query: tuple[float, float] | None, *, colours: bool = False
    ) -> None:
        """Ask where an encoder looks (``query`` in image pixels), or for its features as ``colours``."""
        from sslstudio.queries.messages import AttentionQuery

        asked = AttentionQuery(image=image, encoder=encoder, block=block, query=query, colours=colours)
        self._ask("attention", asked, image)

    def similar(
        self,
        image: str,
        encoder: str,
        examples: tuple[Example, ...],
        source: str = "",
        cache: str = "",
        part: tuple[int, int, int, int] | None = None,
    ) -> None:
        """Ask how alike the places of an image, or a ``part``, are to examples in it, or in the image ``source``."""
        from sslstudio.queries.messages import SimilarQuery

        self._ask("similar", SimilarQuery(image, encoder, examples, source, cache, part), image)

    def forget(self, kind: str) -> None:
        """An answer of this kind is no longer wanted."""
        if self._awaited.pop(kind, None) is not None:
            self.busy_changed.emit(kind, False)

    def busy(self, kind: str) -> bool:
        """Whether an answer of this kind is awaited."""
        return kind in self._awaited

    def close(self) -> None:
        """End the process, if one was ever started."""
        self._awaited.clear()
        if self._client is not None:
            # It gives the process two seconds to leave, which the window need not wait for.
            threading.Thread(target=self._client.close, name="inference ends", daemon=True).start()
            self._client = None

    def _ask(self, kind: str, query: object, image: str) -> None:
        if self._client is None:
            from sslstudio.queries.client import InferenceClient

            self._client = client = InferenceClient(lambda answer: self._answered.emit(client, answer))
        was_busy = kind in self._awaited
        self._awaited[kind] = (self._client.ask(query), image)
        if not was_busy:
            self.busy_changed.emit(kind, True)

    @Slot(object, object)
    def _on_answered(self, client: Any, answer: Any) -> None:
        if client is not self._client:
            return  # of the project before: its numbers begin anew with each process
        kind = next((kind for kind, (number, _) in self._awaited.items() if number == answer.number), "")
        if not kind:
            return
        _, image = self._awaited.pop(kind)
        self.busy_changed.emit(kind, False)
        if answer.kind == "problem":
            self.failed.emit(kind, answer.problem, answer.advice)
        elif kind == "segment":
            self.segmented.emit(image, answer.arrays["labels"], answer.arrays["confidence"])
        elif kind == "similar":
            self.likened.emit(image, answer.arrays["likeness"])
        elif "colours" in answer.arrays:
            self.coloured.emit(image, answer.arrays["colours"])
        else:
            self.attended.emit(image, answer.arrays["maps"], answer.arrays["mass"])
