"""Shapes of annotation files, and how they are drawn over one another; a later one lies on top."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from sslstudio.annotations.model import Drawn, FoundImage
from sslstudio.annotations.outlines import fill
from sslstudio.annotations.run_lengths import Columns
from sslstudio.errors import UserError
from sslstudio.images import limits
from sslstudio.language import tr, tr_many
from sslstudio.project.label_map import UNPAINTED, Labels
from sslstudio.project.sparse_labels import TILE, SparseLabels


@dataclass(frozen=True, slots=True)
class Polygon:
    """An area inside an odd number of ``rings``, (N, 2) x, y in pixels, or in shares of the image if ``relative``.

    With ``each`` it is all that lies inside any of them.
    """

    place: int
    rings: tuple[np.ndarray, ...]
    relative: bool = False
    each: bool = False


@dataclass(frozen=True, slots=True)
class Bitmap:
    """An area as pixels: ``read(height, width)`` gives bool (h, w), laid down at (``top``, ``left``)."""

    place: int
    read: Callable[[int, int], np.ndarray]
    top: int = 0
    left: int = 0


@dataclass(frozen=True, slots=True)
class Strokes:
    """An area as runs down the columns of the image: ``read(height, width)`` gives them."""

    place: int
    read: Callable[[int, int], Columns]


Shape = Polygon | Bitmap | Strokes
Maker = Callable[[], Shape | None]  # raises UserError for a shape that is none
Part = tuple[int, int, np.ndarray]  # top and left of some pixels (h, w) bool


def annotated(name: str, makers: Sequence[Maker], size: Any, origin: str, **about: Any) -> FoundImage:
    """An image that is spoken of by shapes; ``about`` is what else is known of it."""
    places = partial(_places, makers)
    return FoundImage(name, partial(_draw_made, makers), size, origin, places=places, **about)


def _draw_made(makers: Sequence[Maker], height: int, width: int) -> Drawn:
    """What could be made, and in words what could not; nothing counts as said where not one shape could."""
    shapes, problems = usable(makers)
    drawn = draw(shapes, height, width)
    nothing = problems[0] if problems and not shapes else drawn.nothing
    return Drawn(drawn.labels, (*problems, *drawn.notes), nothing)


def _places(makers: Sequence[Maker]) -> frozenset[int]:
    return frozenset(shape.place for shape in usable(makers)[0])


def draw(shapes: Iterable[Shape], height: int, width: int) -> Drawn:
    """All shapes on one image, a huge one by tiles; says how many were cut at the border or lie outside it."""
    if limits.is_huge(height, width):
        return _by_bands([_laid(shape, height, width) for shape in shapes], height, width)
    labels, tally = np.full((height, width), UNPAINTED, np.uint8), _Beyond()
    for shape in shapes:
        one = _laid(shape, height, width)
        tally.count(one, _lay(one, labels, 0))
    return tally.drawn(labels)


def _by_bands(laid: list[_Laid], height: int, width: int) -> Drawn:
    """The shapes on a huge image: those that come into some rows are drawn there, then the rows are packed."""
    bands, labels = defaultdict(list), SparseLabels(height, width, UNPAINTED)
    seen, tally = bytearray(len(laid)), _Beyond()
    for number, one in enumerate(laid):
        for band in range(one.top // TILE, -(-one.bottom // TILE)):
            bands[band].append(number)
    for band in sorted(bands):
        rows = np.full((min(TILE, height - band * TILE), width), UNPAINTED, np.uint8)
        for number in bands.pop(band):
            seen[number] |= _lay(laid[number], rows, band * TILE)
        labels.set_rows(band, rows)
    for one, anything in zip(laid, seen, strict=True):
        tally.count(one, bool(anything))
    return tally.drawn(labels)


def _lay(one: _Laid, labels: np.ndarray, top: int) -> bool:
    """Draw what lies of a shape in (h, W) ``labels``, whose first row is ``top``; whether anything does."""
    at, left, bitmap = one.part(top, top + labels.shape[0])
    labels[at - top : at - top + bitmap.shape[0], left : left + bitmap.shape[1]][bitmap] = one.place
    return bool(bitmap.any()) if one.beyond else True


@dataclass(slots=True)
class _Beyond:
    """How many shapes were cut at the border of the image, and how many lie outside it."""

    cut: int = 0
    outside: int = 0
    all: int = 0

    def count(self, one: _Laid, anything: bool) -> None:
        """One more shape, of which anything or nothing could be drawn."""
        self.all += 1
        self.cut += one.beyond and anything
        self.outside += one.beyond and not anything

    def drawn(self, labels: Labels) -> Drawn:
        """The labels, with the same in words."""
        notes = self.notes()
        return Drawn(labels, notes, nothing=notes[0] if notes and self.outside == self.all else "")

    def notes(self) -> tuple[str, ...]:
        """The same in words."""
        cut, outside, notes = self.cut, self.outside, []
        if cut:
            notes.append(
                tr_many(
                    "{count} shape reaches beyond the image and was cut at its border",
                    "{count} shapes reach beyond the image and were cut at its border",
                    cut,
                ).format(count=cut)
            )
        if outside:
            notes.append(
                tr_many(
                    "{outside} shape lies wholly outside the image",
                    "{outside} shapes lie wholly outside the image",
                    outside,
                ).format(outside=outside)
            )
        return tuple(notes)


@dataclass(frozen=True, slots=True)
class _Laid:
    """A shape on an image ``width`` wide: the rows that it comes into, whether it reaches out by more than a pixel."""

    shape: Polygon | Part | Columns
    place: int
    top: int
    bottom: int
    width: int
    beyond: bool = False

    def part(self, top: int, bottom: int) -> Part:
        """What lies of it in some rows, inside the image."""
        if isinstance(self.shape, Polygon):
            rings = self.shape.rings
            parts = [(ring,) for ring in rings] if self.shape.each else [rings]
            return _union([fill(one, bottom, self.width, top) for one in parts])
        if isinstance(self.shape, Columns):
            return self.shape.part(top, bottom)
        at, left, bitmap = self.shape
        return max(top, at), left, bitmap[max(0, top - at) : max(0, bottom - at)]


def _laid(shape: Shape, height: int, width: int) -> _Laid:
    """A shape as it lies on the image."""
    if isinstance(shape, Polygon):
        scale = np.array([width, height], np.float64) if shape.relative else None
        rings = shape.rings if scale is None else tuple(ring * scale for ring in shape.rings)
        (left, top), (right, bottom) = _box(rings)
        beyond = min(left, top) < -1 or right > width + 1 or bottom > height + 1
        first, last = (int(np.clip(value, 0, height)) for value in (np.floor(top), np.ceil(bottom)))
        return _Laid(Polygon(shape.place, rings, each=shape.each), shape.place, first, last, width, beyond)
    if isinstance(shape, Strokes):
        columns = shape.read(height, width)
        return _Laid(columns, shape.place, *columns.rows, width)
    bitmap = shape.read(height, width)
    top, left = max(0, shape.top), max(0, shape.left)
    inside = bitmap[top - shape.top : height - shape.top, left - shape.left : width - shape.left]
    beyond, top = bool(bitmap.sum() > inside.sum()), min(top, height)
    return _Laid((top, min(left, width), inside), shape.place, top, top + inside.shape[0], width, beyond)


def _box(rings: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest x, y."""
    least, most = [ring.min(axis=0) for ring in rings], [ring.max(axis=0) for ring in rings]
    return (least[0], most[0]) if len(rings) == 1 else (np.min(least, axis=0), np.max(most, axis=0))


def _union(parts: list[Part]) -> Part:
    """The pixels that lie in any of some parts."""
    if len(parts) == 1:
        return parts[0]
    top, left = min(part[0] for part in parts), min(part[1] for part in parts)
    bottom, right = (max(part[axis] + part[2].shape[axis] for part in parts) for axis in (0, 1))
    bitmap = np.zeros((bottom - top, right - left), bool)
    for at, across, one in parts:
        bitmap[at - top : at - top + one.shape[0], across - left : across - left + one.shape[1]] |= one
    return top, left, bitmap


def ring(points: Any, what: str) -> np.ndarray:
    """(N, 2) float64 corners of an area; raises UserError, which begins with ``what``."""
    corners = corners_of(points, what)
    if len(corners) < 3:
        raise UserError(
            tr("{what} has only {corners} corners; an area needs three.").format(what=what, corners=len(corners)),
            tr("Mend it, or leave it out."),
        )
    return corners[:-1] if len(corners) > 3 and (corners[0] == corners[-1]).all() else corners


def box(left: float, top: float, right: float, bottom: float, degrees: float = 0, about: Any = None) -> np.ndarray:
    """The (4, 2) corners of a rectangle, turned clockwise on the screen ``about`` a point, else about its middle."""
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float64)
    return turned(corners, degrees, corners.mean(axis=0) if about is None else np.asarray(about, np.float64))


def ellipse(x: float, y: float, radius_x: float, radius_y: float, degrees: float = 0) -> np.ndarray:
    """Enough (N, 2) corners that no pixel shows it; turned clockwise on the screen."""
    angles = np.linspace(0, 2 * math.pi, max(24, int(4 * max(radius_x, radius_y))), endpoint=False)
    corners = np.stack([x + radius_x * np.cos(angles), y + radius_y * np.sin(angles)], axis=1)
    return turned(corners, degrees, np.array([x, y]))


def turned(corners: np.ndarray, degrees: float, about: np.ndarray) -> np.ndarray:
    """The corners (N, 2), turned clockwise on the screen about a point."""
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    x, y = (corners - about).T
    result: np.ndarray = about + np.stack([x * cosine - y * sine, x * sine + y * cosine], axis=1)
    return result


def corners_of(points: Any, what: str) -> np.ndarray:
    """(N, 2) float64 points of a list of pairs or of a flat list; raises UserError, which begins with ``what``."""
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
    return corners[:, :2]


def flat(points: np.ndarray) -> list[float]:
    """x, y, x, y …, as short numbers."""
    return [short(value) for value in points.ravel().tolist()]


def pairs(points: np.ndarray) -> list[list[float]]:
    """[x, y] of each corner, as short numbers."""
    return [[short(x), short(y)] for x, y in points.tolist()]


def short(value: float) -> float:
    """Whole numbers without a point."""
    return int(value) if value == int(value) else round(value, 4)


def usable(shapes: Sequence[Maker], allowed: int = 20) -> tuple[list[Shape], list[str]]:
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
