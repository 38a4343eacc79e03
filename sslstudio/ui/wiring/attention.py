"""What a network looks at in the current image: the heat on the canvas, head by head, asked by hovering."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, QTimer

from sslstudio.recipes.backbones import BACKBONE_NAMES, kind_of
from sslstudio.ui.notice import Notice
from sslstudio.ui.panels.attention import no_attention
from sslstudio.ui.panels.states import AttentionState

if TYPE_CHECKING:
    from sslstudio.ui.main_window import MainWindow

UNTRAINED = "vit_tiny_patch16_224"  # shown before anything was learned, when the chosen backbone has no attention
BLOCKS = 12  # of the ViTs that are offered
RATE = 60  # milliseconds between two questions while hovering


class AttentionWiring(QObject):
    """Connects the attention sections, the action and the canvas with the inference process."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.window = window
        self.session = window.session
        self.shown = False
        self.hover = True
        self.head = 0
        self.block = 0
        self.maps: np.ndarray | None = None
        self._place: tuple[float, float] | None = None
        self._asking = QTimer(self, interval=RATE, singleShot=True)
        self._asking.timeout.connect(self.ask)
        for name in ("pretrain", "review"):
            section = window.panels[name].attention
            section.shown_chosen.connect(window.actions_["view.attention"].setChecked)
            section.head_chosen.connect(self._on_head)
            section.block_chosen.connect(self._on_block)
            section.hover_chosen.connect(self._on_hover)
        window.actions_["view.attention"].toggled.connect(self.show)
        window.canvas.query_hovered.connect(self._on_place)
        self.session.inference.attended.connect(self._on_maps)
        self.session.inference.failed.connect(self._on_failed)
        self.session.image_chosen.connect(lambda _: self.forget(ask=False))
        self.session.image_ready.connect(self.ask)
        self.session.opened.connect(lambda: self.window.actions_["view.attention"].setChecked(False))

    def state(self) -> AttentionState:
        """What the sections show."""
        _, why_not = self.encoder()
        return AttentionState(
            available=not why_not,
            why_not=why_not,
            shown=self.shown,
            heads=0 if self.maps is None else len(self.maps) - 1,
            head=self.head,
            blocks=BLOCKS,
            block=self.block,
            hover=self.hover,
            busy=self.session.inference.busy("attention"),
        )

    def encoder(self) -> tuple[str, str]:
        """The encoder to ask (folder or timm name), and why there is no attention (else empty)."""
        past = next(iter(self.window.learning.encoders()), None)
        if past is not None and past.encoder is not None:
            backbone = past.backbone
            if kind_of(backbone) == "vit":
                return str(past.encoder), ""
            return "", no_attention(BACKBONE_NAMES.get(backbone, backbone))
        chosen = self.window.drawing.chosen_backbone()
        return (chosen if kind_of(chosen) == "vit" else UNTRAINED), ""

    def show(self, wanted: bool) -> None:
        """Show the heat over the image, or take it away."""
        encoder, why_not = self.encoder()
        if wanted and not encoder:
            self.window.tell(Notice("There is nothing to show here.", why_not, about="attention"))
            self.window.actions_["view.attention"].setChecked(False)
            return
        self.shown = wanted
        self.window.canvas.set_attention_mode(wanted and self.hover)
        masks = self.window.actions_["view.masks"].isChecked()
        self.window.canvas.set_masks_visible(masks and not wanted)  # colours over heat can be read by nobody
        if wanted:
            self.ask()
        else:
            self.session.inference.forget("attention")
            self._place = None
        self._draw()

    def ask(self) -> None:
        """Ask the inference process about the current image."""
        if not self.shown or self.session.labels is None:
            return
        encoder, _ = self.encoder()
        if encoder:
            block = self.block - 1 if self.block else -1
            place = self._place if self.hover else None
            self.session.inference.attention(str(self.session.file()), encoder, block, place)

    def forget(self, *, ask: bool = True) -> None:
        """Another image or encoder: what is shown no longer holds."""
        self.maps, self._place = None, None
        self._draw()
        if ask:
            self.ask()

    def _draw(self) -> None:
        maps = self.maps if self.shown else None
        head = self.head if maps is not None and self.head < len(maps) else 0
        self.window.canvas.set_heat(None if maps is None else maps[head])
        self.window.redraw()

    def _on_place(self, x: float, y: float) -> None:
        self._place = (x, y)
        if not self._asking.isActive():
            self._asking.start()

    def _on_maps(self, image: str, maps: np.ndarray) -> None:
        if self.shown and self.session.image and image == str(self.session.file()):
            self.maps = maps
            self._draw()

    def _on_failed(self, kind: str, problem: str, advice: str) -> None:
        if kind == "attention":
            self.window.tell(Notice(problem, advice, "warning", "attention"))

    def _on_head(self, head: int) -> None:
        self.head = head
        self._draw()

    def _on_block(self, block: int) -> None:
        self.block = block
        self.ask()

    def _on_hover(self, wanted: bool) -> None:
        self.hover = wanted
        self.window.canvas.set_attention_mode(self.shown and wanted)
        if not wanted:
            self._place = None
            self.ask()
        self.window.redraw()
