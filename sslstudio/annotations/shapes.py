"""Shapes of annotation files, and how they are drawn over one another; a later one lies on top."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sslstudio.annotations.model import Drawn
from sslstudio.annotations.outlines import fill
from sslstudio.errors import UserError
from sslstudio.language import tr, tr_many
from sslstudio.project.masks import UNPAINTED


@dataclass(frozen=True)
class Polygon:
    """An area inside an odd number of ``rings``, (N, 2) x, y in pixels, or in shares of the image if ``relative``."""

    place: int
    rings: tuple[np.ndarray, ...]
    relative: bool = False


@dataclass(frozen=True)
class Bitmap:
    """An area as pixels: ``read(height, width)`` gives bool (h, w), laid down at (``top``, ``left``)."""

    place: int
    read: Callable[[int, int], np.ndarray]
    top: int = 0
    left: int = 0


Shape = Polygon | Bitmap


def draw(shapes: Iterable[Shape], height: int, width: int) -> Drawn:
    """All shapes on one image; says how many were cut at the border or lie outside it."""
    labels = np.full((height, width), UNPAINTED, np.uint8)
    cut = outside = 0
    for shape in shapes:
        top, left, bitmap, beyond = _pixels(shape, height, width)
        outside += beyond and not bitmap.any()
        cut += beyond and bool(bitmap.any())
        labels[top : top + bitmap.shape[0], left : left + bitmap.shape[1]][bitmap] = shape.place
    notes = []
    if cut:
        notes.append(
            tr_many(
                "{many} beyond the image and was cut at its border",
                "{many} beyond the image and were cut at its border",
                cut,
            ).format(many=_many(cut))
        )
    if outside:
        notes.append(
            tr_many(
                "{outside} shape lies wholly outside the image",
                "{outside} shapes lie wholly outside the image",
                outside,
            ).format(outside=outside)
        )
    return Drawn(labels, tuple(notes))


def _many(count: int) -> str:
    return tr_many("{count} shape reaches", "{count} shapes reach", count).format(count=count)


def _pixels(shape: Shape, height: int, width: int) -> tuple[int, int, np.ndarray, bool]:
    """(top, left, bitmap inside the image, whether it reaches beyond by more than a pixel)."""
    if isinstance(shape, Polygon):
        scale = np.array([width, height], np.float64) if shape.relative else np.ones(2)
        rings = [ring * scale for ring in shape.rings]
        corners = np.concatenate(rings)
        beyond = bool(corners.min() < -1 or corners[:, 0].max() > width + 1 or corners[:, 1].max() > height + 1)
        return *fill(rings, height, width), beyond
    bitmap = shape.read(height, width)
    top, left = max(0, shape.top), max(0, shape.left)
    inside = bitmap[top - shape.top : height - shape.top, left - shape.left : width - shape.left]
    return min(top, height), min(left, width), inside, bool(bitmap.sum() > inside.sum())


def ring(points: Any, what: str) -> np.ndarray:
    """(N, 2) float64 corners of a list of pairs or of a flat list; raises UserError, which begins with ``what``."""
    try:
        corners = np.asarray(points, np.float64)
    except (TypeError, ValueError):
        raise UserError(
            tr("{what} has corners that are no numbers.").format(what=what), tr("Mend it, or export it again.")
        ) from None
    if corners.ndim == 1 and corners.size % 2:
        raise UserError(
            tr("{what} has {size} coordinates; they come in pairs.").format(what=what, size=corners.size),
            tr("Mend it, or export it again."),
        )
    corners = corners.reshape(-1, corners.shape[-1] if corners.ndim == 2 else 2)
    if corners.shape[1] < 2 or not np.isfinite(corners).all():
        raise UserError(
            tr("{what} has corners that are no numbers.").format(what=what), tr("Mend it, or export it again.")
        )
    corners = corners[:, :2]
    if len(corners) < 3:
        raise UserError(
            tr("{what} has only {corners} corners; an area needs three.").format(what=what, corners=len(corners)),
            tr("Mend it, or leave it out."),
        )
    return corners[:-1] if len(corners) > 3 and (corners[0] == corners[-1]).all() else corners


def flat(points: np.ndarray) -> list[float]:
    """x, y, x, y …, as short numbers."""
    return [short(value) for value in points.ravel().tolist()]


def pairs(points: np.ndarray) -> list[list[float]]:
    """[x, y] of each corner, as short numbers."""
    return [[short(x), short(y)] for x, y in points.tolist()]


def short(value: float) -> float:
    """Whole numbers without a point."""
    return int(value) if value == int(value) else round(value, 4)


def usable(shapes: Sequence[Callable[[], Shape | None]], allowed: int = 20) -> tuple[list[Shape], list[str]]:
    """The shapes that could be made, and why the others could not."""
    made: list[Shape] = []
    problems: list[str] = []
    for make in shapes:
        try:
            shape = make()
        except UserError as error:
            problems.append(error.problem)
            continue
        if shape is not None:
            made.append(shape)
    return made, problems[:allowed] + (
        [tr("… and {problems} more").format(problems=len(problems) - allowed)] if len(problems) > allowed else []
    )
