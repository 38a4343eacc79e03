"""Similar regions: asks the network what is alike to what was pointed at, and shows it as a proposal over the image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
from PySide6.QtCore import QObject

from sslstudio.images.limits import BOUND
from sslstudio.language import tr
from sslstudio.project.label_map import UNPAINTED
from sslstudio.project.sparse_labels import SparseLabels
from sslstudio.queries.messages import Example
from sslstudio.recipes.backbones import BACKBONE_NAMES
from sslstudio.regions.alike import Alike
from sslstudio.ui import background
from sslstudio.ui.canvas.tools.similar import Similar
from sslstudio.ui.panels.states import SimilarState
from sslstudio.ui.proposals import changes_of

if TYPE_CHECKING:
    from sslstudio.regions.rect import Rect
    from sslstudio.ui.main_window import MainWindow

PREVIEW = 1536  # pixels of the longer side at which a proposal is shown


class SimilarWiring(QObject):
    """Connects the tool “similar regions” with the inference process and the panel."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.window, self.session, self.canvas = window, window.session, window.canvas
        self.problem = ""
        self.share = -1.0  # of the image that is proposed; negative where nothing is
        self._part: Rect | None = None  # of a huge image, what is looked through
        self._small: tuple[object, np.ndarray] | None = None  # the likeness as it is previewed, and of what
        self._wire()

    def _wire(self) -> None:
        canvas, session, panel = self.canvas, self.session, self.window.panels["paint"]
        canvas.offers.alike_wanted.connect(self._on_wanted)
        for signal in (canvas.options_changed, canvas.class_changed, canvas.stroke_finished, session.patched):
            signal.connect(lambda *_: self.draw())
        canvas.tool_changed.connect(lambda _: self._say(""))
        session.image_chosen.connect(lambda _: self._say(""))
        session.inference.likened.connect(self._on_likened)
        session.inference.failed.connect(self._on_failed)
        session.inference.busy_changed.connect(lambda kind, busy: self.window.redraw() if kind == "similar" else None)
        panel.similar_answered.connect(self.answer)

    def state(self) -> SimilarState:
        """What the panel shows."""
        gesture = self.gesture()
        _, network, trained = self.network()
        project, at = self.session.project, self.canvas.current_class
        classes = project.classes if project else ()
        return SimilarState(
            network=network,
            trained=trained,
            begun=gesture is not None and gesture.busy,
            busy=self.session.inference.busy("similar"),
            share=self.share,
            in_view=self._part is not None,
            class_name=classes[at].name if at < len(classes) else "",
            problem=self.problem,
        )

    def network(self) -> tuple[str, str, bool]:
        """The network to ask (folder or timm name), its name in words, and whether it has learned anything here."""
        past = next(iter(self.window.learning.encoders()), None)
        if past is not None and past.encoder is not None:
            return (
                str(past.encoder),
                tr("{backbone}, pretrained here").format(backbone=BACKBONE_NAMES.get(past.backbone, past.backbone)),
                True,
            )
        folder = self.window.review.folder()
        if folder is not None:
            return str(folder), tr("model {model}").format(model=self.window.review.model()), True
        chosen = self.window.drawing.chosen_backbone()
        return chosen, BACKBONE_NAMES.get(chosen, chosen), False

    def gesture(self) -> Similar | None:
        """The tool, while it is in the hand."""
        return self.canvas.gesture if isinstance(self.canvas.gesture, Similar) else None

    def answer(self, accepted: bool) -> None:
        """Take what is proposed into the mask, or drop it."""
        if accepted:
            self.canvas.finish_gesture()
        else:
            self.canvas.cancel_stroke()

    def propose(self, likeness: np.ndarray) -> None:
        """Propose by a map (h, w) of how alike the places of the current image are."""
        gesture, image = self.gesture(), self.canvas.pen.image
        if gesture is None or image is None:
            return
        part = self._part
        if not self.canvas.pen.huge:
            self._keep(gesture, Alike(likeness, image))
        elif part is not None:

            def done(pixels: np.ndarray) -> None:
                if self._part is part and self.gesture() is gesture:
                    gesture.corner = part.left, part.top
                    self._keep(gesture, Alike(likeness, pixels))

            background.run(lambda task: part.of(image), done)  # its tiles may have to be read

    def _keep(self, gesture: Similar, alike: Alike) -> None:
        gesture.alike, gesture.caption = alike, ""
        self.draw()

    def draw(self) -> None:
        """Show what would change in the mask, with the threshold, the class and the limits of now."""
        gesture, labels = self.gesture(), self.canvas.pen.labels
        if gesture is None or gesture.alike is None or labels is None:
            return
        options, label = self.canvas.options, self.canvas.current_class
        inside = self._previewed(gesture.alike) >= options.alike / 100
        self.share = float(inside.mean())
        if isinstance(labels, np.ndarray):
            self.canvas.offers.show(changes_of(inside, labels, label, options.changeable()))
        elif self._part is not None:
            changes = changes_of(inside, self._part.of(labels), label, options.changeable())
            self.canvas.offers.show(_laid_in(changes, self._part, labels.shape))
        self.window.redraw()

    def _previewed(self, alike: Alike) -> np.ndarray:
        alike.clinging = self.canvas.options.clinging
        key = (alike, alike.clinging)
        if self._small is None or self._small[0] != key:
            self._small = key, alike.small(PREVIEW)
        return self._small[1]

    def _on_wanted(self, examples: tuple[Example, ...]) -> None:
        if not examples:
            self.session.inference.forget("similar")
            self.share, self._small, self._part = -1.0, None, None
            self.canvas.offers.show(None)
            self._say("")
        elif self.canvas.pen.huge:
            self._ask_of_part(examples)
        elif self.session.labels is not None:
            self._say("")
            self.session.inference.similar(str(self.session.file()), self.network()[0], examples)

    def _ask_of_part(self, examples: tuple[Example, ...]) -> None:
        """Of a huge image, look through what was in view when the first example was pointed at."""
        part = self._part = self._part or self.canvas.sight().seen
        if part.width * part.height > BOUND * BOUND:
            self.canvas.cancel_stroke()
            self._say(
                tr("This image is huge, so similar regions are looked for in what is in view, and that is too large.")
                + " "
                + tr("Zoom in to {bound:,} × {bound:,} pixels at most.").format(bound=BOUND)
            )
            return
        inside = tuple(moved for one in examples if (moved := _within(one, part)) is not None)
        self._say("")
        box = (part.left, part.top, part.right, part.bottom)
        self.session.inference.similar(str(self.session.file()), self.network()[0], inside, part=box)

    def _on_likened(self, image: str, likeness: np.ndarray) -> None:
        gesture = self.gesture()
        if gesture is not None and gesture.examples and self.session.image and image == str(self.session.file()):
            self.propose(likeness)

    def _on_failed(self, kind: str, problem: str, advice: str) -> None:
        if kind == "similar":
            self.canvas.cancel_stroke()
            self._say(f"{problem} {advice}".strip())

    def _say(self, problem: str) -> None:
        self.problem = problem
        self.window.redraw()


def _within(example: Example, part: Rect) -> Example | None:
    """An example counted from the corner of a part, None where it lies outside of it."""
    left, top = max(example.left, part.left), max(example.top, part.top)
    right, bottom = min(example.right, part.right), min(example.bottom, part.bottom)
    if left > right or top > bottom:
        return None
    return Example(left - part.left, top - part.top, right - part.left, bottom - part.top, example.wanted)


def _laid_in(changes: np.ndarray, part: Rect, shape: tuple[int, int]) -> SparseLabels:
    """What is proposed (h, w) in a part of a huge image, as labels of the whole."""
    labels = SparseLabels(*shape, UNPAINTED)
    large = cv2.resize(changes, (part.width, part.height), interpolation=cv2.INTER_NEAREST)
    labels[part.top : part.bottom, part.left : part.right] = large
    return labels
