"""Grow, shrink, smooth, remove specks, fill holes: changes to where one label lies.

Each gives new labels for a rectangle. A large one is worked on tile by tile with as much around each tile as can
matter for it, so that the result is the same and memory stays small.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator

import cv2
import numpy as np

from sslstudio.regions.rect import NOTHING, Rect, bounds, whole

_TILE, _NEAR, _SMALL = 1024, 128, 12
Change = tuple[Rect, np.ndarray]  # a rectangle and its new labels (h, w) uint8


def grown(labels: np.ndarray, label: int, pixels: int, within: Rect) -> Iterator[Change]:
    """The label reaches ``pixels`` further, as a round brush would."""

    def change(part: np.ndarray) -> np.ndarray:
        near = _within(part != label, pixels)
        return np.where(near, np.uint8(label), part)

    return _tiled(labels, label, pixels, within, change)


def shrunk(labels: np.ndarray, label: int, pixels: int, within: Rect) -> Iterator[Change]:
    """The label loses its rim; what was there becomes what lies nearest. The image's edge is no rim."""

    def change(part: np.ndarray) -> np.ndarray:
        here = part == label
        return _replaced(part, here & _within(here, pixels), here)

    # twice: a rim that is lost looks for its neighbour beyond itself
    return _tiled(labels, label, 2 * pixels + 1, within, change)


def smoothed(labels: np.ndarray, label: int, pixels: int, within: Rect) -> Iterator[Change]:
    """Jags and threads thinner than about ``pixels`` go, as do such bays; what is lost becomes what lies nearest."""

    def change(part: np.ndarray) -> np.ndarray:
        here = part == label
        side = 2 * pixels + 1
        share = cv2.blur(here.astype(np.float32), (side, side), borderType=cv2.BORDER_REPLICATE)
        share = cv2.blur(share, (side, side), borderType=cv2.BORDER_REPLICATE)
        after = share > 0.5
        return np.where(after, np.uint8(label), _replaced(part, here & ~after, here))

    return _tiled(labels, label, 4 * pixels + 2, within, change)


def without_specks(labels: np.ndarray, label: int, pixels: int, within: Rect) -> Iterator[Change]:
    """Pieces of the label with fewer than ``pixels`` pixels become what lies nearest."""

    def change(part: np.ndarray) -> np.ndarray:
        here = part == label
        _, pieces, figures, _ = cv2.connectedComponentsWithStats(here.view(np.uint8), connectivity=8)
        small = figures[:, cv2.CC_STAT_AREA] < pixels
        small[0] = False  # all that is not the label
        return _replaced(part, small[pieces], here)

    # a piece that reaches from a tile past such a margin has as many pixels, so it is no speck
    return _tiled(labels, label, pixels, within, change)


def holes_filled(labels: np.ndarray, label: int, fillable: np.ndarray, within: Rect) -> Iterator[Change]:
    """What the label encloses side by side takes it, where ``fillable`` (256,) bool says that it may."""
    box = _box(labels, label, within)
    if box.empty:
        return
    walls = (box.of(labels) == label).view(np.uint8)
    lines, tree = cv2.findContours(walls, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    inner = [line for line, (_, _, _, outer) in zip(lines, tree[0], strict=True) if outer >= 0]
    for rect, holes in _near_each_other(inner):
        part = rect.of(box.of(labels))
        inside = _drawn(holes, rect) & cv2.LUT(part, fillable.view(np.uint8)).view(bool)
        if inside.any():
            place = Rect(rect.left + box.left, rect.top + box.top, rect.right + box.left, rect.bottom + box.top)
            yield place, np.where(inside, np.uint8(label), part)


def _near_each_other(lines: list[np.ndarray]) -> Iterator[tuple[Rect, list[np.ndarray]]]:
    """Lines by the square in which they begin, so that many small ones are few changes, with a rectangle around."""
    groups: defaultdict[tuple[int, int], list[np.ndarray]] = defaultdict(list)
    around: defaultdict[tuple[int, int], Rect] = defaultdict(lambda: NOTHING)
    for line in lines:
        left, top, width, height = cv2.boundingRect(line)
        tile = left // _NEAR, top // _NEAR
        groups[tile].append(line)
        around[tile] = around[tile].joined(Rect(left, top, left + width, top + height))
    for tile, group in groups.items():
        yield around[tile], group


def _drawn(lines: list[np.ndarray], rect: Rect) -> np.ndarray:
    """What lies on or within lines, (h, w) bool of a rectangle; one after another, since some lie within others."""
    inside = np.zeros((rect.height, rect.width), np.uint8)
    for line in lines:
        cv2.drawContours(inside, [line], 0, 1, cv2.FILLED, offset=(-rect.left, -rect.top))
    return inside.view(bool)


def _replaced(part: np.ndarray, lost: np.ndarray, here: np.ndarray) -> np.ndarray:
    """The labels with ``lost`` pixels given what lies nearest outside of the label; unchanged where nothing does."""
    if not lost.any() or here.all():
        return part
    _, nearest = cv2.distanceTransformWithLabels(here.view(np.uint8), cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL)
    outside = np.zeros(int(nearest.max()) + 1, np.uint8)
    outside[nearest[~here]] = part[~here]
    return np.where(lost, outside[nearest], part)


def _tiled(
    labels: np.ndarray, label: int, margin: int, within: Rect, change: Callable[[np.ndarray], np.ndarray]
) -> Iterator[Change]:
    """Change tile by tile; nothing is handed out before the last, so that all see the labels as they were."""
    image = whole(labels.shape)
    box = _box(labels, label, within).grown(margin).within(within)
    waiting: list[Change] = []
    for top in range(box.top, box.bottom, _TILE):
        for left in range(box.left, box.right, _TILE):
            core = Rect(left, top, left + _TILE, top + _TILE).within(box)
            seen = core.grown(margin).within(image)
            part = seen.of(labels)
            if not (part == label).any():
                continue
            after = change(part)
            inner = Rect(core.left - seen.left, core.top - seen.top, core.right - seen.left, core.bottom - seen.top)
            waiting.append((core, inner.of(after).copy()))
    yield from waiting


def _box(labels: np.ndarray, label: int, within: Rect) -> Rect:
    """Where a label lies inside of a rectangle."""
    box = NOTHING
    for top in range(within.top, within.bottom, _TILE):
        strip = Rect(within.left, top, within.right, min(top + _TILE, within.bottom))
        box = box.joined(bounds(strip.of(labels) == label, strip.left, strip.top))
    return box


def _within(away: np.ndarray, radius: int) -> np.ndarray:
    """Which pixels a round brush of ``radius`` reaches from those that are not ``away``; (h, w) bool.

    Small brushes are laid on each; distances cost the same for any radius. Their squares are whole, so a quarter
    parts them safely.
    """
    reach = radius**2 + radius * 0.5
    if radius <= _SMALL:
        steps = np.arange(-radius, radius + 1)
        disc = (steps[:, None] ** 2 + steps**2 <= reach).astype(np.uint8)
        return cv2.dilate((~away).view(np.uint8), disc).view(bool)
    if away.all():
        return np.zeros_like(away)
    distances = cv2.distanceTransform(away.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return distances < math.sqrt(reach + 0.25)
