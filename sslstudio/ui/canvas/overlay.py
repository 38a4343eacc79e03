"""How labels look over an image: a tint per class, a crisp outline, a faint hatch for the background."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PySide6.QtGui import QColor

from sslstudio.project.background import is_background

if TYPE_CHECKING:
    from sslstudio.project.classes import LabelClass

# A code is a label plus bits for outline and hatch, plus UNDER, plus DIFFERS; the table of 16 x 256 colours says what
# it looks like.
_EDGE_BIT, _HATCH_BIT, UNDER, DIFFERS = 8, 9, 1024, 2048
CODES = 4096
_SPACING, _HATCH_ALPHA = 8, 0.45
_LIGHT, _DARK, _APART = "#eeeeee", "#111111", 80  # of 255: nearer to the image than this, another takes its place
_UNDER_SHARE = 0.7  # a prediction is tinted less than what people painted
_STRIPE = 5  # pixels of a stripe where mask and prediction differ, and of the gap beside it
_DIFFERENT, _BETWEEN = ("#ff1744", 0.9), ("#ffffff", 0.75)  # a pattern, since every colour may be that of a class


def colour_table(
    classes: Sequence[LabelClass], opacity: float, hatch: bool = True, filled: bool = True, ground: float = 0.0
) -> np.ndarray:
    """The colour of each code as premultiplied 0xAARRGGBB, (CODES,) uint32; only outlines where not ``filled``.

    ``ground`` is how bright the image is, 0..255: the hatch is made to stand out from it.
    """
    table = np.zeros((4, 4, 256), np.uint32)
    for kind, (stripe, alpha) in enumerate((_BETWEEN, ("#000000", 0.9), _DIFFERENT, ("#000000", 0.9))):
        table[2:, kind] = premultiplied(QColor(stripe), alpha)
    background = background_index(classes)
    for under, share in ((0, 1.0), (1, _UNDER_SHARE)):
        for index, label in enumerate(classes[:255]):
            faint = index == background
            colour = _seen(QColor(label.colour), ground) if faint else QColor(label.colour)
            fill = 0.0 if faint or not filled else opacity * share
            edge = 0.55 * min(1.0, 2 * opacity) if faint else min(1.0, 2 * opacity)
            line = _HATCH_ALPHA * min(1.0, 2 * opacity) if faint and hatch and not under else fill
            for kind, alpha in ((0, fill), (1, edge), (2, line), (3, max(edge, line))):
                table[under, kind, index] = premultiplied(colour, alpha)
    return table.reshape(-1)


def _seen(colour: QColor, ground: float) -> QColor:
    """A colour whose faint lines can be seen on such a ground: many data sets call their background black."""
    if abs(colour.lightness() - ground) >= _APART:
        return colour
    return QColor(_LIGHT if ground < 128 else _DARK)


def background_index(classes: Sequence[LabelClass]) -> int:
    """Which class means "nothing of interest"; -1 if none."""
    return 0 if classes and is_background(classes[0].name) else -1


def codes(mask: np.ndarray | None, under: np.ndarray | None) -> np.ndarray | None:
    """What each pixel shows, (h, w) uint16: the mask where it is painted, else what lies under it."""
    if under is None:
        return None if mask is None else mask.astype(np.uint16)
    result = under.astype(np.uint16)
    result += UNDER
    if mask is not None:
        np.copyto(result, mask, where=mask != 255)
    return result


def lay_over(code: np.ndarray, proposed: np.ndarray) -> None:
    """Show what is proposed, (h, w) uint8, over everything where it is not 255, in place; fainter than a mask."""
    here = proposed != 255
    code[here] = proposed[here].astype(np.uint16) + UNDER


def mark_differences(code: np.ndarray, one: np.ndarray, other: np.ndarray) -> None:
    """Turn pixels where two label maps are painted and say different things into DIFFERS, in place."""
    code[(one != other) & (one != 255) & (other != 255)] = DIFFERS


def mark_stripes(code: np.ndarray, left: int, top: int) -> None:
    """Stripe what differs, in place; (left, top) is where on the image it lies."""
    here = (code & DIFFERS) != 0
    if here.any():
        rows, columns = np.arange(code.shape[0])[:, None] + top, np.arange(code.shape[1])[None] + left
        code |= (here & ((rows + columns) // _STRIPE % 2 == 0)).astype(np.uint16) << _HATCH_BIT


def mark_edges(code: np.ndarray) -> None:
    """Turn the pixels along each border between two codes into outline, in place."""
    edge = np.zeros(code.shape, np.uint8)
    sideways, downwards = code[:, 1:] != code[:, :-1], code[1:] != code[:-1]
    edge[:, 1:] = sideways
    edge[:, :-1] |= sideways
    edge[1:] |= downwards
    edge[:-1] |= downwards
    code |= edge.astype(np.uint16) << _EDGE_BIT


def mark_hatch(code: np.ndarray, left: int, top: int, label: int) -> None:
    """Turn every eighth diagonal of one label into hatch, in place; (left, top) is where on the image it lies."""
    here = code == label
    if here.any():
        columns = (np.arange(code.shape[1] + _SPACING) + left + top) % _SPACING == 0
        for shift in range(_SPACING):  # rows that share a pattern
            line = here[shift::_SPACING] & columns[shift : shift + code.shape[1]]
            code[shift::_SPACING] |= line.astype(np.uint16) << _HATCH_BIT


def heat_table() -> np.ndarray:
    """The colour of each heat 0..255, premultiplied 0xAARRGGBB: cold lets the image through, hot covers it."""
    blue_green_red = cv2.applyColorMap(np.arange(256, dtype=np.uint8)[:, None], cv2.COLORMAP_INFERNO)[:, 0]
    alphas = 0.25 + 0.5 * np.arange(256) / 255
    return np.array(
        [premultiplied(QColor(int(r), int(g), int(b)), a) for (b, g, r), a in zip(blue_green_red, alphas, strict=True)],
        np.uint32,
    )


def premultiplied(colour: QColor, alpha: float) -> int:
    """A colour with an alpha of 0..1 as premultiplied 0xAARRGGBB."""
    red, green, blue = (round(part * alpha) for part in (colour.red(), colour.green(), colour.blue()))
    return round(255 * alpha) << 24 | red << 16 | green << 8 | blue
