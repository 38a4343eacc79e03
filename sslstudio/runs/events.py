"""What a run worker reports, one JSON line each in ``events.jsonl``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")
    time: float = 0.0  # seconds since the epoch, set by the writer


class Started(_Event):
    """The worker has begun (again): ``device`` in words, ``step`` from which it goes on."""

    kind: Literal["started"] = "started"
    device: str = ""
    step: int = 0
    pid: int = 0


class Phase(_Event):
    """What is being done now, as a short phrase: "Reading images", "Training the decoder"."""

    kind: Literal["phase"] = "phase"
    text: str


class Progress(_Event):
    """How far: ``share`` 0 to 1; ``seconds_left`` estimated, negative while unknown."""

    kind: Literal["progress"] = "progress"
    step: int
    steps: int
    share: float
    seconds_left: float = -1.0


class Metric(_Event):
    """Figures at a step: loss, images_per_second, data_wait, effective_rank, feature_width, miou, iou/CLASS.

    ``collapsed`` is 1 where the network gives nearly the same answer for every image.
    """

    kind: Literal["metric"] = "metric"
    step: int
    values: dict[str, float]


class Preview(_Event):
    """A picture for the window: ``file`` relative to the run folder."""

    kind: Literal["preview"] = "preview"
    what: Literal["attention", "overlay", "views"]
    image: str
    file: str
    step: int = 0


class Warned(_Event):
    """Something the user should know; the run goes on. ``about`` names the file or setting, or is empty."""

    kind: Literal["warning"] = "warning"
    text: str
    advice: str = ""
    about: str = ""


class Checkpointed(_Event):
    """A checkpoint is complete on disk: ``folder`` relative to the run folder."""

    kind: Literal["checkpoint"] = "checkpoint"
    folder: str
    step: int


class Paused(_Event):
    """The run holds still and keeps its memory."""

    kind: Literal["paused"] = "paused"


class Resumed(_Event):
    """The run goes on after a pause."""

    kind: Literal["resumed"] = "resumed"


class Finished(_Event):
    """The run came to its end; ``result`` holds figures and paths that later steps want."""

    kind: Literal["finished"] = "finished"
    result: dict[str, Any] = Field(default_factory=dict)


class Stopped(_Event):
    """The user stopped the run; what was learned is kept and usable."""

    kind: Literal["stopped"] = "stopped"
    result: dict[str, Any] = Field(default_factory=dict)


class Failed(_Event):
    """The run could not go on: what happened and what to try."""

    kind: Literal["failed"] = "failed"
    problem: str
    advice: str = ""


Event = Annotated[
    Started
    | Phase
    | Progress
    | Metric
    | Preview
    | Warned
    | Checkpointed
    | Paused
    | Resumed
    | Finished
    | Stopped
    | Failed,
    Field(discriminator="kind"),
]
EVENT: TypeAdapter[Event] = TypeAdapter(Event)
