"""What the panel “Is it working?” draws: plain frozen values without Qt, and how results become them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sslstudio.language import later, tr
from sslstudio.runs.enough_masks import LEAST_MASKS, once
from sslstudio.ui.panels.live import LiveRun
from sslstudio.ui.panels.states import Choice, Level


@dataclass(frozen=True)
class FigureRow:
    """One figure with what it means."""

    title: str
    value: str
    sentence: str
    level: Level = "none"


@dataclass(frozen=True)
class Span:
    """A difference in percentage points with its interval; without bounds where it could not be told."""

    name: str
    value: float
    low: float | None
    high: float | None
    shown: bool


@dataclass(frozen=True)
class Answer:
    """What the check “did it help?” found: a sentence, how it was come by, and one span per comparison."""

    sentence: str = ""
    basis: str = ""
    level: Level = "none"
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True)
class WorkingState:
    """The whole panel; ``networks`` newest first, ``rows`` empty while the chosen one has not looked yet."""

    images: int = 0
    networks: tuple[Choice, ...] = ()
    network: str = ""
    rows: tuple[FigureRow, ...] = ()
    looked: int = 0  # images that the chosen network has looked at; 0 for none
    look: LiveRun | None = None
    masks: int = 0  # painted images; all slices of a stack together are one
    slices: bool = False  # whether some of them are stacks
    pretrained: bool = False  # whether the chosen network is that of a run, so that it may have helped
    check: LiveRun | None = None
    answer: Answer = Answer()
    image: str = ""
    listed: str = ""  # what the list at the left is narrowed to
    map_shown: bool = False
    lasso: bool = False
    colours: tuple[Choice, ...] = ()
    colour: str = ""

    @property
    def missing(self) -> str:
        """Why the check cannot begin; empty when it can."""
        if not self.pretrained:
            return tr("Choose a pretraining run above; this network was not trained on your images.")
        if self.masks >= LEAST_MASKS:
            return ""
        more = LEAST_MASKS - self.masks
        have = tr("{masks} painted so far").format(masks=self.masks) if self.masks else tr("Nothing is painted yet")
        words = tr("{have}. The check needs masks of {least_masks} images: paint {more} more.").format(
            have=have, least_masks=LEAST_MASKS, more=more
        )
        return f"{words} {once()}" if self.slices else words


def figure_rows(about: Mapping[str, Any]) -> tuple[FigureRow, ...]:
    """The rows that an evaluation left."""
    return tuple(
        FigureRow(str(row["title"]), str(row["value"]), str(row["sentence"]), row.get("level", "none"))
        for row in about.get("rows", ())
    )


_SHORT = {"random": later("random weights"), "start": later("published weights"), "domain": later("your images")}


def answer_of(result: Mapping[str, Any]) -> Answer:
    """The result of a check in words and spans."""
    if not result.get("answer"):
        return Answer()
    spans = tuple(
        Span(
            tr("{better} against {than}").format(
                better=tr(_SHORT.get(row["better"], row["better"])), than=tr(_SHORT.get(row["than"], row["than"]))
            ),
            100 * row["difference"],
            None if row["low"] is None else 100 * row["low"],
            None if row["high"] is None else 100 * row["high"],
            bool(row["shown"]),
        )
        for row in result.get("comparisons", ())
    )
    shown, difference = bool(result.get("shown")), float(result.get("difference", 0.0))
    level: Level = "none" if not shown else "good" if difference > 0 else "poor"
    rounds, steps = result.get("rounds", 0), result.get("steps", 0)
    basis = (
        tr("{value} masks, {rounds} rounds, {steps} steps for each model").format(
            value=result.get("masks", 0), rounds=rounds, steps=steps
        )
        if rounds
        else ""
    )
    return Answer(str(result["answer"]), basis, level, spans)
