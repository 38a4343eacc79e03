"""How tools work: what a stroke may change, the brush's shape, what the wand takes. Nothing here knows Qt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from sslstudio.project.label_map import UNPAINTED

EVERYTHING = -1  # for ``ToolOptions.only``


@dataclass(frozen=True)
class ToolOptions:
    """One set of options for all tools.

    ``only`` is the one label that strokes may change: ``EVERYTHING``, ``UNPAINTED`` or a class. Classes that are
    ``locked`` keep what they have, and so do ``hidden`` ones, since nobody sees what would be painted over.
    ``tolerance`` (0..255) and ``contiguous`` are the wand's; where a brush is ``sieved`` it takes only pixels from
    ``low`` to ``high`` bright (0..255). ``patch`` is how wide superpixels are, ``amount`` how many pixels grow, shrink
    and smooth reach, ``speck`` how many a piece must have to be none. ``alike`` (0..100) is how alike to its examples
    must be what “similar regions” takes; ``clinging`` has its edges follow the image's. ``pressure``: a tablet's pen
    draws thinner where it is pressed less.
    """

    only: int = EVERYTHING
    locked: frozenset[int] = frozenset()
    hidden: frozenset[int] = frozenset()
    square: bool = False
    tolerance: int = 24
    contiguous: bool = True
    sieved: bool = False
    low: int = 128
    high: int = 255
    patch: int = 24
    amount: int = 2
    speck: int = 30
    alike: int = 60
    clinging: bool = True
    pressure: bool = True

    def changeable(self, *, erasing: bool = False) -> np.ndarray | None:
        """Which labels a stroke may change, (256,) bool; None for all of them.

        An eraser does not heed "only unpainted": there it could do nothing at all.
        """
        only = EVERYTHING if erasing and self.only == UNPAINTED else self.only
        if only == EVERYTHING and not self.locked and not self.hidden:
            return None
        table = np.full(256, only == EVERYTHING)
        if only != EVERYTHING:
            table[only] = True
        table[sorted(self.locked | self.hidden)] = False
        return table

    def to_json(self) -> dict[str, object]:
        """Plain values to be kept with a project."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: sorted(value) if isinstance(value, frozenset) else value for name, value in values.items()}


def options_from_json(values: object) -> ToolOptions:
    """What ``to_json`` gave; an entry that does not fit costs only itself."""
    plain = ToolOptions()
    if not isinstance(values, Mapping):
        return plain
    kept: dict[str, object] = {}
    for field in fields(ToolOptions):
        default, value = getattr(plain, field.name), values.get(field.name)
        if isinstance(default, frozenset) and isinstance(value, list):
            kept[field.name] = frozenset(one for one in value if type(one) is int and 0 <= one < UNPAINTED)
        elif type(value) is type(default):
            kept[field.name] = value
    return ToolOptions(**kept)  # type: ignore[arg-type]
