"""What every format reads into and writes from: classes by name, and per image something that can be drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from sslstudio.errors import UserError
from sslstudio.language import tr
from sslstudio.project.background import NAMES as BACKGROUND_NAMES
from sslstudio.project.classes import MAX_CLASSES, LabelClass
from sslstudio.project.label_map import Labels

if TYPE_CHECKING:
    from sslstudio.annotations.source import Source

IGNORED = MAX_CLASSES - 1  # the place of areas about which the file says that nothing is known
Uncovered = Literal["", "background", "unpainted"]

_IGNORED = frozenset(("__ignore__", "ignore", "ignored", "void", "unpainted", "unlabeled", "unlabelled"))
_BACKGROUND = (BACKGROUND_NAMES - _IGNORED) | {"_background_"}


@dataclass(frozen=True)
class FoundClass:
    """A class as the file names it; ``colour`` is ``#rrggbb``, or empty where the file has none."""

    name: str
    colour: str = ""


@dataclass(frozen=True)
class Drawn:
    """One image's labels, (H, W) uint8 places in the file's classes with 255 where nothing lies, and what was odd.

    They are by tiles where the image is huge. ``nothing`` is why none of the image's shapes could be drawn.
    """

    labels: Labels
    notes: tuple[str, ...] = ()
    nothing: str = ""


@dataclass(frozen=True)
class FoundImage:
    """An annotated image: what the file calls it, its (H, W) where stated, and how to draw its labels.

    ``draw(height, width)`` raises UserError when it cannot be drawn; ``origin`` is the file that speaks of it.
    ``also`` are other ways to read the name, ``called`` is what reports call it where that is not the name.
    An ``empty`` one is listed without any shape, which need not mean that nothing is there; ``nothing`` is why
    nobody has said anything about it. ``places()`` are those of the classes that occur, where that is known
    without drawing.
    """

    name: str
    draw: Callable[[int, int], Drawn]
    size: tuple[int, int] | None = None
    origin: str = ""
    also: tuple[str, ...] = ()
    called: str = ""
    empty: bool = False
    nothing: str = ""
    places: Callable[[], frozenset[int]] | None = None

    @property
    def told(self) -> str:
        """What reports call it."""
        return self.called or self.name


@dataclass(frozen=True)
class Annotations:
    """What was read: ``uncovered`` is what pixels without a shape are; empty where the file does not say.

    ``refused`` are files that could not be read, each with its reason.
    """

    classes: tuple[FoundClass, ...]
    images: tuple[FoundImage, ...]
    uncovered: Uncovered = ""
    refused: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Picture:
    """An image to write: its path in the project, its file, and (H, W) uint8 labels; 255 is unpainted.

    They are by tiles where the image is huge, which only ``Format.huge`` can write.
    """

    path: str
    file: Path
    labels: Labels

    @property
    def array(self) -> np.ndarray:
        """The labels as one array, which those of a huge image are not."""
        if not isinstance(self.labels, np.ndarray):
            raise ValueError("this format cannot write labels by tiles")
        return self.labels


@dataclass(frozen=True)
class Job:
    """What is to be written. Shapes are written of all classes but ``background`` (a place, or None).

    ``pictures()`` goes through the images one by one, so that never all masks are in memory; ``paths`` are all of
    them. The files will lie in ``folder`` once all are written.
    """

    classes: tuple[LabelClass, ...]
    pictures: Callable[[], Iterator[Picture]]
    background: int | None
    uncovered: Uncovered
    paths: tuple[str, ...]
    folder: Path

    @property
    def shape_classes(self) -> tuple[tuple[int, LabelClass], ...]:
        """The classes that are written as shapes, with their places."""
        return tuple((place, one) for place, one in enumerate(self.classes) if place != self.background)


@dataclass(frozen=True)
class Format:
    """A format: how it is recognised by its content, read, and written below a folder.

    ``write`` returns the files for reading in again; ``index`` formats are pictures whose values are classes.
    Masks of ``huge`` images are read and written part by part.
    """

    id: str
    name: str
    recognise: Callable[[Source], bool]
    read: Callable[[Source], Annotations]
    write: Callable[[Job, Path], list[Path]]
    pictures: bool = False
    note: str = ""
    huge: bool = False


@dataclass
class Classes:
    """Collects the classes of a file in the order in which they are met."""

    found: dict[str, FoundClass] = field(default_factory=dict)

    def place(self, name: str, colour: str = "") -> int:
        """The place of a class, ``IGNORED`` for names such as “void”; raises UserError for too many."""
        name = name.strip() or "object"
        if name.casefold() in _IGNORED:
            return IGNORED
        if name not in self.found:
            if len(self.found) >= IGNORED:
                raise UserError(
                    tr("There are more than {ignored} classes, for example “{name}”.").format(
                        ignored=IGNORED, name=name
                    ),
                    tr("Merge some."),
                )
            self.found[name] = FoundClass(name, colour)
        elif colour and not self.found[name].colour:
            self.found[name] = FoundClass(name, colour)
        return list(self.found).index(name)

    def all(self) -> tuple[FoundClass, ...]:
        """The classes met so far."""
        return tuple(self.found.values())


def is_background(name: str) -> bool:
    """Whether a class of this name means what is not looked for."""
    return name.strip().casefold() in _BACKGROUND


def merge_key(name: str) -> str:
    """Two classes with the same key are the same class."""
    return "background" if is_background(name) else name.strip().casefold()


def hex_colour(values: object) -> str:
    """``#rrggbb`` of three numbers 0 to 255, of an integer 0xrrggbb, or of such a text; empty for anything else."""
    if isinstance(values, str):
        text = values.strip().lower()
        good = len(text) == 7 and text[0] == "#" and all(letter in "0123456789abcdef" for letter in text[1:])
        return text if good else ""
    if isinstance(values, int) and not isinstance(values, bool):
        return f"#{values & 0xFFFFFF:06x}"
    if isinstance(values, (list, tuple)) and len(values) >= 3:
        try:
            return "#" + "".join(f"{int(value) & 255:02x}" for value in values[:3])
        except (TypeError, ValueError):
            return ""
    return ""


def rgb(colour: str) -> tuple[int, int, int]:
    """Red, green, blue, 0 to 255, of ``#rrggbb``."""
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue
