"""Figures in plain words: durations, shares, health of features, quality of a model. No Qt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sslstudio.language import later, tr, tr_many, within
from sslstudio.project.background import is_background
from sslstudio.recipes.backbones import BACKBONE_NAMES
from sslstudio.recipes.methods import METHODS
from sslstudio.runs.folder import RunState, RunSummary
from sslstudio.runs.naming import resuming
from sslstudio.ui.panels.states import Level, RunRow

if TYPE_CHECKING:
    from sslstudio.project.index import ImageRecord

STATE_WORDS: Mapping[RunState, str] = {
    RunState.WAITING: later("waiting"),
    RunState.RUNNING: later("running"),
    RunState.PAUSED: later("paused"),
    RunState.FINISHED: later("finished"),
    RunState.STOPPED: later("stopped"),
    RunState.FAILED: later("could not go on"),
    RunState.INTERRUPTED: later("interrupted"),
}

MOSTLY_PAINTED = 0.9  # share of painted pixels below which edges, the hard part, were largely not judged
FEW_MEASURED = 3  # images kept aside; a figure from fewer is told with caution


def duration(seconds: float) -> str:
    """A time to wait, as exact as one cares: "40 s", "4 min", "2 h 10 min"."""
    if seconds < 0:
        return ""
    if seconds < 55:
        return f"{max(5, 5 * round(seconds / 5))} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return tr("{value} min").format(value=max(1, minutes))
    hours, rest = divmod(minutes, 60)
    return f"{hours} h" if not rest else tr("{hours} h {rest} min").format(hours=hours, rest=rest)


def percent(share: float) -> str:
    """A share as whole per cent with a narrow gap."""
    return f"{round(100 * share)}\u202f%"


def thousands(number: int) -> str:
    """A whole number with groups of three."""
    return f"{number:,}".replace(",", "\u2009") if number >= 10_000 else str(number)


def many(number: int, one: str, more: str = "") -> str:
    """A number with its noun: "1 image", "128 images"."""
    return tr_many(f"{{count}} {one}", f"{{count}} {more or one + 's'}", number).format(count=thousands(number))


@dataclass(frozen=True)
class Health:
    """How well the features spread: a word, its level, the figure in words and what it means."""

    word: str
    level: Level
    figure: str
    meaning: str


FEW_STEPS = 200  # a run with fewer has hardly moved from its random start, which is narrow in a transformer


def health(figures: Mapping[str, float], *, early: bool = False, steps: int | None = None) -> Health:
    """Health of the features from ``effective_rank`` and, where known, ``feature_width`` and ``collapsed`` (0 or 1).

    Batch norm can hide a collapse from the rank, so what the run itself found comes first. Not judged when
    ``early``; a narrow run of only a few ``steps`` is told as short, not as collapsed.
    """
    rank = figures.get("effective_rank", -1.0)
    width = figures.get("feature_width", figures.get("features", 0.0))
    if rank < 0:
        return Health(tr("Not measured yet"), "none", "", tr("The first figure comes after a short while."))
    known = tr(" of {width}").format(width=round(width)) if width else ""
    figure = tr("features use {rank}{known} directions").format(rank=round(rank), known=known)
    if figures.get("collapsed"):
        return _collapsed(figure)
    if early and rank < 8:
        return Health(tr("Warming up"), "none", figure, tr("It is too early to judge."))
    if rank < 8 and steps is not None and steps < FEW_STEPS:
        return Health(
            tr("Hardly begun"),
            "fair",
            figure,
            tr("Only {steps} so far. Give it more minutes.").format(steps=many(steps, "step")),
        )
    if rank < 2:
        return _collapsed(figure)
    if rank < 8 or (width and rank < 0.02 * width):
        return Health(
            tr("Narrow"),
            "fair",
            figure,
            tr("The network tells only a few things apart. Give it more time or more images."),
        )
    return Health(tr("Healthy"), "good", figure, tr("The network tells many different things apart."))


def _collapsed(figure: str) -> Health:
    meaning = tr("It gives nearly the same answer for every image. Stop, and try another method.")
    return Health(tr("Collapsed"), "poor", figure, meaning)


def class_sentence(name: str, figures: Mapping[str, float]) -> str:
    """How well one class is found: recall and precision in words where known, else the overlap."""
    recall, precision = figures.get(f"recall/{name}"), figures.get(f"precision/{name}")
    if recall is not None and precision is not None:
        return tr("Finds {recall} of {name} pixels; of what it marks, {precision} is right.").format(
            recall=percent(recall), name=name, precision=percent(precision)
        )
    overlap = figures.get(f"iou/{name}")
    return (
        tr("{name}: overlap with your masks {overlap}.").format(name=name, overlap=percent(overlap))
        if overlap is not None
        else ""
    )


def quality_sentence(figures: Mapping[str, float], names: Sequence[str]) -> str:
    """How good the model is in one sentence; the weakest class that is not background speaks first."""
    shown = [name for name in names if f"iou/{name}" in figures]
    things = [name for name in shown if not is_background(name)] or shown
    told = [name for name in things if f"recall/{name}" in figures and f"precision/{name}" in figures]
    caution = _caution(figures)
    if told:
        return class_sentence(min(told, key=lambda name: figures[f"iou/{name}"]), figures) + caution
    if "miou" in figures:
        return tr("Overlap with your masks: {miou}.{caution}").format(miou=percent(figures["miou"]), caution=caution)
    return ""


def _caution(figures: Mapping[str, float]) -> str:
    """A warning where few images were kept aside, or where much of them is unpainted: another might change much."""
    count = int(figures.get("measured_images", FEW_MEASURED))
    painted = figures.get("measured_painted", 1.0)
    few = ""
    if count < FEW_MEASURED:
        few = tr(" Measured on {images} only: a hint, no proof.").format(images=many(count, "image"))
    if painted >= MOSTLY_PAINTED:
        return few
    rest = tr(" Only what you painted there was judged ({painted} of the pixels), not the rest.")
    return few + rest.format(painted=percent(painted))


def model_note(metrics: Mapping[str, float]) -> str:
    """A model's quality in a few words, for combos and lists."""
    if "miou" not in metrics:
        return tr("not measured")
    words = tr("overlap about {miou}") if _caution(metrics) else tr("overlap {miou}")
    return words.format(miou=percent(float(metrics["miou"])))


def when(run_id: str, now: datetime | None = None) -> str:
    """When a run began, from its id: "14:05" today, "22 Nov, 14:05" otherwise."""
    try:
        begun = datetime.strptime(run_id[:15], "%Y%m%d-%H%M%S")
    except ValueError:
        return run_id
    today = (now or datetime.now()).date() == begun.date()
    return f"{begun:%H:%M}" if today else f"{begun.day} {begun:%b, %H:%M}"


def run_row(
    summary: RunSummary, *, method: str = "", backbone: str = "", used: bool = False, learned: bool = True
) -> RunRow:
    """An earlier run as lists show it; of one that has not ``learned`` anything nothing can be used."""
    what = METHODS[method].name if method in METHODS else ""
    net = BACKBONE_NAMES.get(backbone, backbone)
    title = " · ".join(part for part in (when(summary.id), what, net) if part)
    level: Level = "none"
    note = ""
    if "effective_rank" in summary.metrics:
        found = health(summary.metrics, steps=summary.result.get("steps"))
        note, level = within(found.word), found.level
    elif "miou" in summary.metrics:
        note = model_note(summary.metrics)
    usable = learned and summary.state in (RunState.FINISHED, RunState.STOPPED, RunState.INTERRUPTED)
    return RunRow(
        summary.id,
        title,
        tr(STATE_WORDS[summary.state]),
        summary.minutes,
        note,
        level,
        usable=usable,
        used=used,
        resumable=summary.state in (RunState.INTERRUPTED, RunState.STOPPED),
        resuming=tr("It {resuming}").format(resuming=resuming(summary.kind, summary.checkpoint)),
    )


def reason_alone(file: str, problem: str) -> str:
    """Why a file is left out, without its name, which stands above it: “Empty (0 bytes).” and so on."""
    rest = problem.removeprefix(file.rsplit("/", 1)[-1]).lstrip()
    rest = rest.removeprefix(tr("is ")) if rest != problem else rest
    return rest[:1].upper() + rest[1:]


def image_facts(records: Iterable[ImageRecord]) -> tuple[str, ...]:
    """What the images are, in two or three plain sentences: sizes, colours, bit depth."""
    kinds = Counter(
        (record.width, record.height, record.channels, record.held)
        for record in records
        if not record.problem and record.width
    )
    return (_sizes(kinds), _colours(kinds), _depths(kinds)) if kinds else ()


Kinds = Counter[tuple[int, int, int, str]]  # how many images have a width, height, number of channels, type


def _sizes(kinds: Kinds) -> str:
    sizes = {kind[:2] for kind in kinds}
    if len(sizes) == 1:
        width, height = next(iter(sizes))
        return tr("All {width} × {height} pixels").format(width=width, height=height)
    small = min(sizes, key=lambda size: size[0] * size[1])
    large = max(sizes, key=lambda size: size[0] * size[1])
    return tr("From {small} × {small_2} to {large} × {large_2} pixels").format(
        small=small[0], small_2=small[1], large=large[0], large_2=large[1]
    )


def _colours(kinds: Kinds) -> str:
    words = {1: tr("grey"), 2: tr("two channels"), 3: tr("colour")}
    return _shares(kinds, lambda kind: words.get(kind[2], tr("{count} channels").format(count=kind[2])))


def _depths(kinds: Kinds) -> str:
    words = {
        "uint8": tr("8 bits per pixel value"),
        "uint16": tr("16 bits per pixel value"),
        "int8": tr("signed 8 bits per pixel value"),
        "int16": tr("signed 16 bits per pixel value"),
        "uint32": tr("32 bits per pixel value"),
        "int32": tr("signed 32 bits per pixel value"),
        **dict.fromkeys(("float16", "float32", "float64"), tr("decimal pixel values")),
    }
    return _shares(kinds, lambda kind: words.get(kind[3], kind[3]))


def _joined(word: str) -> str:
    """The word as it follows a count: “12 grey”, but “12 with 8 bits”."""
    plain = word.startswith((tr("grey"), tr("colour")))
    return word if plain else tr("with {word}").format(word=word)


def _shares(kinds: Kinds, word_of: Callable[[tuple[int, int, int, str]], str]) -> str:
    counts: Counter[str] = Counter()
    for kind, count in kinds.items():
        counts[word_of(kind)] += count
    if len(counts) == 1:
        word = next(iter(counts))
        return word[0].upper() + word[1:]
    parts = [f"{count} {_joined(word)}" for word, count in sorted(counts.items(), key=lambda item: -item[1])]
    return ", ".join(parts)
