"""How labels look over an image: a tint per class, a crisp outline, a faint hatch for the background."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtGui import QColor

if TYPE_CHECKING:
    from sslstudio.project.classes import LabelClass

# A code is a label plus one of these; the table of 8 x 256 colours says what it looks like.
EDGE, HATCH, UNDER = 256, 512, 1024
_SPACING, _HATCH_ALPHA = 8, 0.30
_UNDER_SHARE = 0.7  # a prediction is tinted less than what people painted


def colour_table(
    classes: Sequence[LabelClass], opacity: float, under_fade: float = 1.0, hatch: bool = True
) -> np.ndarray:
    """The colour of each code as premultiplied 0xAARRGGBB, (2048,) uint32."""
    table = np.zeros((2, 4, 256), np.uint32)
    background = background_index(classes)
    for under, share in ((0, 1.0), (1, _UNDER_SHARE)):
        fade = under_fade if under else 1.0
        for index, label in enumerate(classes[:255]):
            colour = QColor(label.colour)
            faint = index == background
            fill = 0.0 if faint else opacity * share
            edge = 0.35 * min(1.0, 2 * opacity) if faint else min(1.0, 2 * opacity)
            line = _HATCH_ALPHA * min(1.0, 2 * opacity) if faint and hatch and not under else fill
            for kind, alpha in ((0, fill), (1, edge), (2, line), (3, max(edge, line))):
                table[under, kind, index] = premultiplied(colour, alpha * fade)
    return table.reshape(-1)


def background_index(classes: Sequence[LabelClass]) -> int:
    """Which class means "nothing of interest"; -1 if none."""
    return 0 if classes and classes[0].name.strip().lower() == "background" else -1


def codes(mask: np.ndarray | None, under: np.ndarray | None) -> np.ndarray | None:
    """What each pixel shows, (h, w) uint16: the mask where it is painted, else what lies under it."""
    if under is None:
        return None if mask is None else mask.astype(np.uint16)
    result = under.astype(np.uint16)
    result += UNDER
    if mask is not None:
        np.copyto(result, mask, where=mask != 255)
    return result


def mark_edges(code: np.ndarray) -> None:
    """Turn the pixels along each border between two codes into outline, in place."""
    edge = np.zeros(code.shape, bool)
    sideways, downwards = code[:, 1:] != code[:, :-1], code[1:] != code[:-1]
    edge[:, 1:] = sideways
    edge[:, :-1] |= sideways
    edge[1:] |= downwards
    edge[:-1] |= downwards
    np.bitwise_or(code, np.uint16(EDGE), out=code, where=edge)


def mark_hatch(code: np.ndarray, left: int, top: int, label: int) -> None:
    """Turn every eighth diagonal of one label into hatch, in place; (left, top) is where on the image it lies."""
    rows, columns = np.arange(code.shape[0]) + top, np.arange(code.shape[1]) + left
    line = ((rows[:, None] + columns) % _SPACING == 0) & (code == label)
    np.bitwise_or(code, np.uint16(HATCH), out=code, where=line)


def premultiplied(colour: QColor, alpha: float) -> int:
    """A colour with an alpha of 0..1 as premultiplied 0xAARRGGBB."""
    red, green, blue = (round(part * alpha) for part in (colour.red(), colour.green(), colour.blue()))
    return round(255 * alpha) << 24 | red << 16 | green << 8 | blue
