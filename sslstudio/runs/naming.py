"""What a run does, in plain words, and what a run that waits says about the one before it."""

from __future__ import annotations

from sslstudio.errors import UserError
from sslstudio.language import tr, tr_many
from sslstudio.recipes.methods import METHODS
from sslstudio.runs import events as ev
from sslstudio.runs.folder import EventTail, RunFolder
from sslstudio.runs.request import (
    EvaluateRequest,
    ExportRequest,
    FinetuneRequest,
    HelpRequest,
    PredictRequest,
    PretrainRequest,
    Request,
)


def run_name(run: RunFolder) -> str:
    """A run's name: “Pretraining with SimCLR”; “another run” where its request cannot be read."""
    try:
        return request_name(run.request())
    except UserError:
        return tr("another run")


def request_name(request: Request) -> str:
    """What is asked for, as a name."""
    match request:
        case PretrainRequest():
            method = request.recipe.method.id
            return tr("Pretraining with {value}").format(value=METHODS[method].name if method in METHODS else method)
        case FinetuneRequest():
            return tr("Fine-tuning of {model}").format(model=request.model)
        case PredictRequest():
            return tr("Segmenting with {model}").format(model=request.model)
        case ExportRequest():
            return tr("Exporting of {model}").format(model=request.model)
        case EvaluateRequest():
            return tr("A look at what the network knows")
        case HelpRequest():
            return tr("The check whether pretraining helped")


def waiting_words(name: str, seconds_left: float = -1.0, *, project: str = "", more: int = 0) -> str:
    """What a run says that waits for the one called ``name`` (in another ``project``, if named) and for ``more``."""
    where = tr(" in the project {project}").format(project=project) if project else ""
    left = about(seconds_left)
    others = tr_many(", then {more} more run", ", then {more} more runs", more).format(more=more) if more else ""
    return (
        tr("Waiting for “{name}”{where}").format(name=name, where=where)
        + (tr(", {left} left").format(left=left) if left else "")
        + others
    )


def about(seconds: float) -> str:
    """A time to come, roughly: it is said again only when it has changed enough to matter. Empty while unknown."""
    if seconds < 0:
        return ""
    minutes = round(seconds / 60)
    if minutes < 1:
        return tr("less than a minute")
    if minutes >= 90:
        return tr("about {minutes} hours").format(minutes=round(minutes / 60))
    if minutes > 10:
        minutes = 5 * round(minutes / 5)
    return tr_many("about {minutes} minute", "about {minutes} minutes", minutes).format(minutes=minutes)


def resuming(kind: str, checkpoint: int) -> str:
    """What resuming a run will do, after “It” or “Resuming”; ``checkpoint`` is its newest one's step, 0 before any."""
    if checkpoint > 0:
        return tr("goes on from the last checkpoint (step {checkpoint})").format(checkpoint=checkpoint)
    if kind in ("pretrain", "finetune"):
        return tr("begins again from step 1, because there was no checkpoint yet")
    return tr("begins again")


class TimeLeft:
    """How long a run still takes, as its worker told last; reads only what is new."""

    def __init__(self, run: RunFolder) -> None:
        self._tail = EventTail(run.path / "events.jsonl")
        self._seconds = -1.0

    def __call__(self) -> float:
        """Seconds, negative while unknown."""
        for event in self._tail.read():
            match event:
                case ev.Progress():
                    self._seconds = event.seconds_left
                case ev.Started():
                    self._seconds = -1.0  # resumed: what was left before does not count
        return self._seconds
