"""What a network looks at in the current image: heat or colours on the canvas, over its training, and as a proposal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
from PySide6.QtCore import QObject, QTimer

from sslstudio.language import tr
from sslstudio.recipes.backbones import BACKBONE_NAMES, kind_of
from sslstudio.regions.rect import Rect
from sslstudio.ui import background
from sslstudio.ui.notice import Notice
from sslstudio.ui.panels.attention import FIRST_PROPOSAL, no_attention
from sslstudio.ui.panels.attention import UNTRAINED as NOTHING_LEARNED
from sslstudio.ui.panels.states import AttentionState
from sslstudio.ui.panels.words import percent
from sslstudio.ui.proposals import changes_of

if TYPE_CHECKING:
    from pathlib import Path

    from sslstudio.runs.folder import RunFolder
    from sslstudio.runs.snapshots import Moment
    from sslstudio.ui.main_window import MainWindow

UNTRAINED = "vit_tiny_patch16_224"  # shown before anything was learned, when the chosen backbone has no attention
BLOCKS = 12  # of the ViTs that are offered
SECTIONS = ("pretrain", "paint", "review")  # the steps that show it in their panel
RATE = 60  # milliseconds between two questions while hovering


class AttentionWiring(QObject):
    """Connects the attention sections, the action and the canvas with the inference process."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.window = window
        self.session = window.session
        self.shown = False
        self.colours = False
        self.hover = True
        self.head = 0
        self.block = 0
        self.proposed = 0
        self.maps: np.ndarray | None = None
        self.mass: np.ndarray | None = None
        self.painting: np.ndarray | None = None  # features as colours, (h, w, 3) uint8
        self.moments: tuple[Moment, ...] = ()
        self.moment: int | None = None  # None: the present
        self._moments_of: tuple[str, int] = ("", -1)
        self._proposing = False
        self._place: tuple[float, float] | None = None
        self._asking = QTimer(self, interval=RATE, singleShot=True)
        self._asking.timeout.connect(self.ask)
        self._wire()

    def _wire(self) -> None:
        window, session = self.window, self.session
        for name in SECTIONS:
            section = window.panels[name].attention
            section.shown_chosen.connect(window.actions_["view.attention"].setChecked)
            section.colours_chosen.connect(self._on_colours)
            section.head_chosen.connect(self._on_head)
            section.block_chosen.connect(self._on_block)
            section.hover_chosen.connect(self._on_hover)
            section.moment_chosen.connect(self._on_moment)
            section.proposal_chosen.connect(self._on_proposal)
            section.accept_wanted.connect(self.accept)
        window.actions_["view.attention"].toggled.connect(self.show)
        window.actions_["paint.propose"].triggered.connect(self.propose)
        window.canvas.query_hovered.connect(self._on_place)
        window.canvas.class_changed.connect(lambda _: self._draw())
        window.canvas.options_changed.connect(lambda _: self._draw_proposal())
        window.canvas.offers.answered.connect(self._on_answered)
        session.inference.attended.connect(self._on_maps)
        session.inference.coloured.connect(self._on_painting)
        session.inference.failed.connect(self._on_failed)
        session.image_chosen.connect(lambda _: self.forget(ask=False))
        session.image_ready.connect(self.ask)
        session.opened.connect(self._on_opened)
        session.queue.history_changed.connect(self._read_moments)
        session.queue.updated.connect(lambda _: self._read_moments())

    def state(self) -> AttentionState:
        """What the sections show."""
        _, why_not = self.encoder()
        return AttentionState(
            why_not=why_not,
            can_attend=not why_not,
            shown=self.shown,
            colours=self.colours or bool(why_not),
            heads=0 if self.maps is None else len(self.maps) - 1,
            head=self.head,
            blocks=BLOCKS,
            block=self.block,
            hover=self.hover,
            busy=self.session.inference.busy("attention"),
            moments=tuple(
                tr("After step {step}, at {share} of its training").format(step=one.step, share=percent(one.share))
                for one in self.moments
            ),
            moment=len(self.moments) if self.moment is None else self.moment,
            proposed=self.proposed,
            proposed_class=self._class_name(),
            untrained=self._untrained(),
        )

    def encoder(self) -> tuple[str, str]:
        """The encoder to ask (folder or timm name), and why there is no attention (else empty)."""
        past = next(iter(self.window.learning.encoders()), None)
        if past is not None and past.encoder is not None:
            folder = past.encoder if self.moment is None else self.moments[self.moment].folder
            backbone = past.backbone
            return str(folder), "" if kind_of(backbone) == "vit" else self._only_colours(backbone)
        chosen = self.window.drawing.chosen_backbone()
        return (chosen if kind_of(chosen) == "vit" else UNTRAINED), ""

    def show(self, wanted: bool) -> None:
        """Show heat or colours over the image, or take them away."""
        self.shown = wanted
        self._read_moments()
        self.window.canvas.set_attention_mode(wanted and self.hover and not self._asks_colours())
        self._show_masks()
        if wanted:
            self.ask()
            if self._untrained() and self.window.step not in SECTIONS:  # else it stands in the panel
                self.window.tell(Notice(tr(NOTHING_LEARNED), about="attention"))
        else:
            self.session.inference.forget("attention")
            self._place = None
        self._draw()

    def propose(self, wanted: bool) -> None:
        """Propose what holds most of the attention, as a tool of painting; or no longer."""
        self.proposed = FIRST_PROPOSAL if wanted else 0
        if wanted:
            self.colours = False
            self.window.panels["paint"].proposing.head.setChecked(True)
        self.window.actions_["view.attention"].setChecked(wanted)
        self._draw()

    def ask(self) -> None:
        """Ask the inference process about the current image."""
        if not self.shown or self.session.labels is None:
            return
        encoder, _ = self.encoder()
        block = self.block - 1 if self.block else -1
        place = self._place if self.hover else None
        file, colours = str(self.session.file()), self._asks_colours()
        self.session.inference.attention(file, encoder, block, None if colours else place, colours=colours)

    def forget(self, *, ask: bool = True) -> None:
        """Another image or encoder: what is shown no longer holds."""
        self.maps, self.mass, self.painting, self._place = None, None, None, None
        self._read_moments()
        self._draw()
        if ask:
            self.ask()

    def proposal(self) -> np.ndarray | None:
        """Where the proposal lies, (H, W) booleans of the current image's size; None where nothing is proposed."""
        labels = self.session.labels
        if not (self.shown and self.proposed) or self.mass is None or labels is None or self._asks_colours():
            return None
        if not isinstance(labels.labels, np.ndarray):
            return None  # a proposal is as large as the image
        held = self.mass[self.head if self.head < len(self.mass) else 0]
        height, width = labels.labels.shape
        large = cv2.resize(held, (width, height), interpolation=cv2.INTER_LINEAR)
        return large <= self.proposed / 100

    def accept(self) -> None:
        """Make the proposal a part of the mask, in the class that is painted now; can be undone."""
        self.window.canvas.searches.then(self._accept)

    def _accept(self) -> None:
        where, labels = self.proposal(), self.session.labels
        if where is None or labels is None or not where.any() or not self._class_name():
            return
        rows, columns = np.flatnonzero(where.any(axis=1)), np.flatnonzero(where.any(axis=0))
        area = Rect(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
        label = np.uint8(self.window.canvas.current_class)
        if not self.window.canvas.act([(area, np.where(area.of(where), label, area.of(labels.labels)))]):
            self.window.tell(Notice(tr("All of it is painted already, or may not change."), about="attention"))
            return
        self.proposed = 0
        self.window.actions_["view.attention"].setChecked(False)
        self.window.tell(
            Notice(
                tr("The proposal is in the mask."),
                tr("Correct it with the brush; undo takes it back."),
                about="attention",
            )
        )

    # inside -------------------------------------------------------------------------------------------

    def _untrained(self) -> bool:
        """Whether what is asked has learned nothing yet."""
        if next(iter(self.window.learning.encoders()), None) is None:
            return True
        return self.moment is not None and self.moments[self.moment].step == 0

    @staticmethod
    def _only_colours(backbone: str) -> str:
        return tr("{no_attention} Colours show what is alike to it.").format(
            no_attention=no_attention(BACKBONE_NAMES.get(backbone, backbone))
        )

    def _asks_colours(self) -> bool:
        return self.colours or bool(self.encoder()[1])

    def _class_name(self) -> str:
        project = self.session.project
        classes, at = (project.classes if project else ()), self.window.canvas.current_class
        return classes[at].name if at < len(classes) else ""

    def _show_masks(self) -> None:
        masks = self.window.actions_["view.masks"].isChecked()
        self.window.canvas.set_masks_visible(masks and not self.shown)  # colours over heat can be read by nobody

    def _draw(self) -> None:
        canvas = self.window.canvas
        if self.shown and self._asks_colours():
            canvas.set_colours(self.painting)
        else:
            # A proposal is tinted itself; over the heat, its outline would hardly be seen.
            maps = self.maps if self.shown and not self.proposed else None
            head = self.head if maps is not None and self.head < len(maps) else 0
            canvas.set_heat(None if maps is None else maps[head])
        self._draw_proposal()
        self.window.actions_["paint.propose"].setChecked(self.shown and self.proposed > 0)
        self.window.redraw()

    def _draw_proposal(self) -> None:
        """Show what would change in the mask; Enter takes it, Esc drops it."""
        where, canvas = self.proposal(), self.window.canvas
        if where is not None and isinstance(canvas.pen.labels, np.ndarray):
            self._proposing = True
            changes = changes_of(where, canvas.pen.labels, canvas.current_class, canvas.options.changeable())
            canvas.offers.show(changes, answerable=True)
        elif self._proposing:
            self._proposing = False
            canvas.offers.show(None)

    def _read_moments(self) -> None:
        """Look what the chosen run has kept of its training; only when that may have changed."""
        past = next(iter(self.window.learning.encoders()), None)
        key = (past.run.id, _changed(past.run.checkpoints / "past")) if past else ("", 0)
        if not self.shown or key == self._moments_of:
            return
        if key[0] != self._moments_of[0]:
            self.moments, self.moment = (), None
        self._moments_of = key
        if past is None:
            return
        run: RunFolder = past.run

        def work(task: background.Task) -> tuple[Moment, ...]:
            from sslstudio.runs.snapshots import moments_of

            return moments_of(run)

        def done(found: tuple[Moment, ...]) -> None:
            if self._moments_of[0] == run.id:
                self.moments = found
                self.window.redraw()

        self.session.tasks.run(work, done)

    def _on_opened(self) -> None:
        self.moments, self.moment, self._moments_of, self.proposed = (), None, ("", -1), 0
        self.window.actions_["view.attention"].setChecked(False)

    def _on_place(self, x: float, y: float) -> None:
        self._place = (x, y)
        if not self._asking.isActive():
            self._asking.start()

    def _on_maps(self, image: str, maps: np.ndarray, mass: np.ndarray) -> None:
        if self.shown and self.session.image and image == str(self.session.file()):
            self.maps, self.mass = maps, mass
            self._draw()

    def _on_painting(self, image: str, colours: np.ndarray) -> None:
        if self.shown and self.session.image and image == str(self.session.file()):
            self.painting = colours
            self._draw()

    def _on_failed(self, kind: str, problem: str, advice: str) -> None:
        if kind == "attention":
            self.window.tell(Notice(problem, advice, "warning", "attention"))

    def _on_colours(self, wanted: bool) -> None:
        self.colours = wanted
        self.window.canvas.set_attention_mode(self.shown and self.hover and not self._asks_colours())
        self.ask()
        self._draw()

    def _on_head(self, head: int) -> None:
        self.head = head
        self._draw()

    def _on_block(self, block: int) -> None:
        self.block = block
        self.ask()

    def _on_moment(self, moment: int) -> None:
        self.moment = moment if moment < len(self.moments) else None
        self._asking.start()
        self.window.redraw()

    def _on_answered(self, accepted: bool) -> None:
        """Enter or Esc on the image."""
        if not self._proposing:
            return
        if accepted:
            self.accept()
        else:
            self._on_proposal(0)

    def _on_proposal(self, share: int) -> None:
        self.proposed = share
        self._draw()

    def _on_hover(self, wanted: bool) -> None:
        self.hover = wanted
        self.window.canvas.set_attention_mode(self.shown and wanted)
        if not wanted:
            self._place = None
            self.ask()
        self.window.redraw()


def _changed(folder: Path) -> int:
    """When something came into a folder last, in nanoseconds; 0 where there is none."""
    try:
        return folder.stat().st_mtime_ns
    except OSError:
        return 0
