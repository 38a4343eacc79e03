"""The classes of a project: names and colours; a class's pixel value is its place in the list."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sslstudio.errors import UserError
from sslstudio.language import later, tr
from sslstudio.project.label_map import UNPAINTED

# What a project begins with in the window, so that one can paint at once; names are changed any time.
FIRST_CLASSES = (later("background"), later("object"))

# Okabe and Ito's colours, which people with any colour vision tell apart; and for the background a neutral grey,
# so light that people who see no green do not take it for the pink (tests/project/test_colours_for_everyone.py).
# Each further one is what lay farthest from all before it for everybody.
DEFAULT_COLOURS: tuple[str, ...] = (
    "#bbbbbb", "#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7",
    "#8800ff", "#663311", "#00ff88", "#4422aa", "#553366", "#bb55ff", "#ee0055", "#bbddff", "#771133", "#bbaa55",
    "#885577", "#88eeaa", "#aa1199", "#666644", "#aa5522", "#6655cc", "#aadd55", "#77bb77",
)  # fmt: skip
MAX_CLASSES = 255  # pixel values 0..254; 255 means unpainted
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


def first_classes() -> tuple[str, ...]:
    """``FIRST_CLASSES`` in the language in force; names are data of the project from then on."""
    return tuple(tr(name) for name in FIRST_CLASSES)


@dataclass(frozen=True)
class LabelClass:
    """A class; ``colour`` is ``#rrggbb``."""

    name: str
    colour: str


def default_colour(place: int) -> str:
    """The colour of the class at ``place``; they repeat, except for the grey."""
    if place < len(DEFAULT_COLOURS):
        return DEFAULT_COLOURS[place]
    return DEFAULT_COLOURS[1 + (place - 1) % (len(DEFAULT_COLOURS) - 1)]


def named_classes(names: Sequence[str]) -> tuple[LabelClass, ...]:
    """Classes with these names and default colours."""
    return tuple(LabelClass(name.strip(), default_colour(place)) for place, name in enumerate(names))


def moved_up(at: int) -> np.ndarray:
    """What each label becomes when the class ``at`` goes, (256,) uint8: its own unpainted, those after it one less."""
    table = np.arange(256, dtype=np.uint8)
    table[at + 1 : UNPAINTED] -= np.uint8(1)
    table[at] = UNPAINTED
    return table


def check_classes(classes: Sequence[LabelClass]) -> None:
    """Raise UserError for an empty or double name, a colour that is none, or too many classes."""
    if len(classes) > MAX_CLASSES:
        raise UserError(
            tr("{classes} classes are too many: a mask can hold {max_classes}.").format(
                classes=len(classes), max_classes=MAX_CLASSES
            ),
            tr("Merge some."),
        )
    seen: set[str] = set()
    for place, one in enumerate(classes):
        if not one.name.strip():
            raise UserError(tr("Class {place} has no name.").format(place=place + 1), tr("Give every class a name."))
        if one.name in seen:
            raise UserError(
                tr("Two classes are called “{name}”.").format(name=one.name), tr("Give every class its own name.")
            )
        if not _COLOUR.fullmatch(one.colour):
            raise UserError(
                tr("The colour “{colour}” of class “{name}” is not of the form #rrggbb.").format(
                    colour=one.colour, name=one.name
                ),
                tr("Mend it."),
            )
        seen.add(one.name)
