"""Run lengths of masks: COCO's counts (column by column) as numbers or letters, and row by row as CVAT has them."""

from __future__ import annotations

from typing import Any

import numpy as np

from sslstudio.errors import UserError
from sslstudio.language import tr


def to_counts(flat: np.ndarray) -> list[int]:
    """Lengths of the runs of a flat bool array; the first one, which may be 0, is of False."""
    changes = np.flatnonzero(np.diff(flat.astype(np.int8))) + 1
    edges = np.concatenate([[0], changes, [flat.size]])
    counts = np.diff(edges).tolist()
    return [0, *counts] if flat.size and flat[0] else counts


def from_counts(counts: Any, size: int, what: str) -> np.ndarray:
    """The flat bool array of ``size`` again; raises UserError, which begins with ``what``, for a wrong length."""
    try:
        lengths = np.asarray(counts, np.int64)
    except (TypeError, ValueError, OverflowError):
        raise UserError(
            tr("{what} has run lengths that are no whole numbers.").format(what=what), tr("Export it again.")
        ) from None
    if lengths.ndim != 1 or (lengths < 0).any() or int(lengths.sum()) != size:
        raise UserError(
            tr("{what} has run lengths for {sum:,} pixels, but its size says {size:,}.").format(
                what=what, sum=int(lengths.sum()), size=size
            ),
            tr("Export it again from where it came."),
        )
    return np.repeat(np.arange(lengths.size) % 2 == 1, lengths)


def to_letters(counts: list[int]) -> str:
    """COCO's compressed counts: from the third on the difference to the one before the last, 5 bits per letter."""
    letters = []
    for place, count in enumerate(counts):
        value = count - counts[place - 2] if place > 2 else count
        more = True
        while more:
            bits = value & 0x1F
            value >>= 5
            more = value != -1 if bits & 0x10 else value != 0
            letters.append(chr((bits | 0x20 if more else bits) + 48))
    return "".join(letters)


def from_letters(letters: str, what: str) -> list[int]:
    """Counts of COCO's compressed letters; raises UserError where they are none."""
    counts: list[int] = []
    value = shift = 0
    for letter in letters:
        bits = ord(letter) - 48
        if not 0 <= bits < 64:
            raise UserError(
                tr("{what} has run lengths with the letter “{letter}”, which means nothing.").format(
                    what=what, letter=letter
                ),
                tr("Export again."),
            )
        value |= (bits & 0x1F) << shift
        shift += 5
        if bits & 0x20:
            continue
        if bits & 0x10:
            value -= 1 << shift
        counts.append(value + counts[-2] if len(counts) > 2 else value)
        value = shift = 0
    if shift:
        raise UserError(
            tr("{what} has run lengths that end in the middle.").format(what=what),
            tr("The file may be cut off; export it again."),
        )
    return counts
