"""Points drawn by NumPy straight into a picture: twenty thousand discs in some milliseconds. No widgets."""

from __future__ import annotations

from functools import cache

import numpy as np

OUTLINE_UP_TO = 6000  # points in sight; more would cover each other with outlines alone
CELL = 96  # device-independent pixels between two thumbnails at least


@cache
def disc(radius: float) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns (n,) of the pixels of a disc around its middle."""
    reach = int(np.ceil(radius))
    rows, columns = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    inside = rows**2 + columns**2 <= radius**2 + 0.5
    return rows[inside], columns[inside]


def stamp(picture: np.ndarray, x: np.ndarray, y: np.ndarray, colours: np.ndarray, radius: float) -> None:
    """Draw discs at device pixels ``x``, ``y`` (n,) into a (h, w) uint32 picture; later ones lie above."""
    height, width = picture.shape
    reach = int(np.ceil(radius))
    seen = (x >= reach) & (x < width - reach) & (y >= reach) & (y < height - reach)
    flat, places, shown = picture.reshape(-1), y[seen] * width + x[seen], colours[seen]
    rows, columns = disc(radius)
    for offset in (rows * width + columns).tolist():
        flat[places + offset] = shown


def spread_out(points: np.ndarray, seen: np.ndarray, scale: float, cell: float) -> np.ndarray:
    """Some of the ``seen`` (indices) points, one per cell of about ``cell`` pixels at ``scale`` pixels per unit.

    Cells are fixed to the map and halve as one comes closer, so that nothing flickers while it is moved.
    """
    if not len(seen):
        return seen
    side = 2.0 ** np.ceil(np.log2(cell / scale))
    places = np.floor(points[seen] / side).astype(np.int64)
    _, first = np.unique(places[:, 0] * (1 << 31) + places[:, 1], return_index=True)
    kept: list[int] = []
    for number in seen[np.sort(first)].tolist():  # in the order of ``seen``; neighbours in other cells may be close
        others = points[kept]
        if not len(kept) or (np.abs(others - points[number]).max(axis=1) * scale > cell / 2).all():
            kept.append(number)
    return np.array(kept, seen.dtype)


def inside(polygon: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Which of (n, 2) points lie within a closed (m, 2) polygon, by the even-odd rule, as (n,) booleans."""
    found = np.zeros(len(points), bool)
    x, y = points[:, 0], points[:, 1]
    for (x0, y0), (x1, y1) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        if y0 != y1:
            between = (y0 > y) != (y1 > y)
            found ^= between & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
    return found
