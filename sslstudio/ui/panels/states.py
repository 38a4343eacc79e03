"""What each panel draws: plain frozen values without Qt, and the sentences that follow from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from sslstudio.language import tr
from sslstudio.recipes.finetune import FinetuneRecipe
from sslstudio.recipes.pretrain import PretrainRecipe
from sslstudio.ui.panels.live import LiveRun
from sslstudio.ui.tool_options import ToolOptions

Level = Literal["good", "fair", "poor", "none"]


@dataclass(frozen=True)
class Choice:
    """One entry of a combo box; ``note`` becomes its tool tip."""

    id: str
    label: str
    note: str = ""

    def told(self) -> Choice:
        """The same in the language in force, for choices that stand in a table."""
        return Choice(self.id, tr(self.label), tr(self.note))


@dataclass(frozen=True)
class ProblemRow:
    """A file that cannot be used and why, in plain words."""

    file: str
    reason: str


@dataclass(frozen=True)
class RunRow:
    """An earlier run as lists show it; ``usable`` when its checkpoint can serve, ``used`` when it does."""

    id: str
    title: str
    state: str
    minutes: float
    note: str = ""
    level: Level = "none"
    usable: bool = True
    used: bool = False
    resumable: bool = False
    resuming: str = ""  # what resuming would do


@dataclass(frozen=True)
class AttentionState:
    """The attention section: ``head`` 0 is the mean of ``heads``; ``block`` counts from 1, 0 means the last."""

    available: bool = True
    why_not: str = ""  # shown in place of the controls when not available
    shown: bool = False
    heads: int = 0  # 0 while not known
    head: int = 0
    blocks: int = 12
    block: int = 0
    hover: bool = False
    busy: bool = False
    colours: bool = False  # the features as colours in place of the attention
    can_attend: bool = True  # False: only colours, as for convolutional networks
    moments: tuple[str, ...] = ()  # what can be looked back at, oldest first; the present is not among them
    moment: int = 0  # place in ``moments``; their number means now
    proposed: int = 0  # per cent of the attention that is proposed as the object; 0 for no proposal
    proposed_class: str = ""
    untrained: bool = False  # the network has learned nothing yet


@dataclass(frozen=True)
class ImagesState:
    """The images panel; ``facts`` come from ``facts.image_facts``."""

    project: bool = False  # whether a project is open at all
    folder: str = ""
    count: int = 0
    facts: tuple[str, ...] = ()
    problems: tuple[ProblemRow, ...] = ()
    preset: str = "natural"
    scanning: bool = False
    checked: int = -1  # files looked at so far, while the check runs; -1 when it does not
    folder_missing: bool = False


@dataclass(frozen=True)
class PretrainState:
    """The pretrain panel; ``recipe`` is what is suggested, ``run`` what runs or has just ended.

    ``reason`` says why that, ``doubt`` what speaks against its method; ``painted`` says that masks are there
    already, so that fine-tuning comes next.
    """

    images: int = 0
    painted: bool = False
    recipe: PretrainRecipe = field(default_factory=PretrainRecipe)
    reason: str = ""
    doubt: str = ""
    run: LiveRun | None = None
    earlier: tuple[RunRow, ...] = ()
    attention: AttentionState = AttentionState()


@dataclass(frozen=True)
class ClassRow:
    """A class in the paint panel; ``pixels`` counted over all masks."""

    name: str
    colour: str
    pixels: int = 0
    locked: bool = False
    hidden: bool = False


@dataclass(frozen=True)
class SimilarState:
    """Similar regions; ``share`` of the image (0 to 1), or of what is ``in_view``, is proposed; negative: nothing."""

    network: str = ""
    trained: bool = True
    begun: bool = False
    busy: bool = False
    share: float = -1.0
    in_view: bool = False
    class_name: str = ""
    problem: str = ""

    @property
    def proposed(self) -> bool:
        """Whether there is something to accept."""
        return self.begun and self.share > 0


@dataclass(frozen=True)
class SimilarFolderState:
    """A search of the folder for similar regions; ``total`` is 0 before the first."""

    can_start: bool = False
    running: bool = False
    done: int = 0
    total: int = 0
    found: int = 0
    unread: int = 0
    accepting: bool = False
    taken: int = 0  # other images in which it was accepted and can be taken back
    problem: str = ""


@dataclass(frozen=True)
class PaintState:
    """The paint panel; ``brush`` in image pixels (diameter), ``opacity`` 0 to 1."""

    images: int = 0
    painted: int = 0
    brush: int = 16
    classes: tuple[ClassRow, ...] = ()
    current: int = 0
    tool: str = "brush"
    options: ToolOptions = field(default_factory=ToolOptions)
    similar: SimilarState = field(default_factory=SimilarState)
    folder: SimilarFolderState = field(default_factory=SimilarFolderState)
    attention: AttentionState = field(default_factory=AttentionState)

    @property
    def may_change(self) -> tuple[Choice, ...]:
        """What strokes can be bound to."""
        classes = (
            Choice(str(place), tr("Only {name}").format(name=row.name)) for place, row in enumerate(self.classes)
        )
        return (Choice("-1", tr("Everything")), Choice("255", tr("Only what is unpainted")), *classes)

    @property
    def advice(self) -> str:
        """What to paint next, in one sentence."""
        if not self.images:
            return tr("Open a folder with images first.")
        if len(self.classes) < 2:
            return tr("Add a class for what you want to find.")
        unpainted = [row.name for row in self.classes if not row.pixels]
        if len(unpainted) == len(self.classes):
            return tr("Paint a little of each class in one image; nothing needs to be complete.")
        if unpainted:
            return tr("Paint at least a little of “{unpainted}” too.").format(unpainted=unpainted[0])
        if self.painted < 3:
            return tr("Good. Two or three more images that look different help most.")
        return tr("Ready to fine-tune. Later, correct images where the result is wrong.")


@dataclass(frozen=True)
class FinetuneState:
    """The fine-tune panel; ``runs`` newest first, ``encoder_run`` "" means from scratch."""

    masks: int = 0
    classes: tuple[ClassRow, ...] = ()
    runs: tuple[Choice, ...] = ()
    encoder_run: str = ""
    recipe: FinetuneRecipe = field(default_factory=FinetuneRecipe)
    run: LiveRun | None = None
    earlier: tuple[RunRow, ...] = ()
    reason: str = ""

    @property
    def missing(self) -> str:
        """Why it cannot start yet; empty when it can."""
        if not self.masks:
            return tr("There are no masks yet. Paint a few strokes of each class in one or more images.")
        painted = [row.name for row in self.classes if row.pixels]
        if len(painted) < 2:
            only = tr("Only “{painted}” is painted. ").format(painted=painted[0]) if painted else ""
            return tr("{only}Paint at least a little of a second class, so there is something to tell apart.").format(
                only=only
            )
        return ""


@dataclass(frozen=True)
class ModelRow:
    """A fine-tuned model as combos show it; ``metrics`` as in ``model.json`` (miou, iou/CLASS …)."""

    name: str
    label: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    created: str = ""


ViewMode = Literal["over", "beside", "swipe"]


@dataclass(frozen=True)
class ReviewState:
    """The review panel; ``confidence`` and ``agreement`` 0 to 1, negative while unknown."""

    images: int = 0
    models: tuple[ModelRow, ...] = ()
    model: str = ""
    view: ViewMode = "over"
    opacity: float = 0.45
    differences: bool = False
    has_prediction: bool = False
    has_mask: bool = False
    busy: bool = False
    confidence: float = -1.0
    agreement: float = -1.0
    problem: str = ""
    predicted: int = 0  # images that have a stored prediction of this model
    run: LiveRun | None = None
    attention: AttentionState = AttentionState()


@dataclass(frozen=True)
class ExportRow:
    """Something that was exported: where it lies and what the check said."""

    title: str
    path: Path
    check: str = ""
    level: Level = "none"


@dataclass(frozen=True)
class ExportState:
    """The export panel; ``results`` newest first."""

    models: tuple[ModelRow, ...] = ()
    model: str = ""
    run: LiveRun | None = None
    results: tuple[ExportRow, ...] = ()
