"""The smooth way of a hand between the places where it was seen: through each of them, without a kink.

A centripetal Catmull-Rom curve, which neither loops nor overshoots. A turn so sharp that the hand must have meant it
stays a corner, and what is as good as straight is told as straight, so that straight strokes cost nothing.
Nothing here knows Qt.
"""

from __future__ import annotations

import math

Point = tuple[float, float]

_CORNER = math.cos(math.radians(75))  # from this turn on between two events it is a corner
_PIECES = 32  # at most, that one curve is drawn as


def curve(before: Point | None, start: Point, end: Point, after: Point | None, slack: float = 0.25) -> list[Point]:
    """The way from ``start`` to ``end`` as places, both included; two where it is as good as straight.

    ``before`` and ``after`` are the neighbours, None where there are none. The lines between the places keep within
    ``slack`` (same unit as the places) of the curve.
    """
    before, after = _bending(before, start, end), _bending(after, end, start)
    if start == end or (before is None and after is None):
        return [start, end]
    first, second = _handles(before, start, end, after)
    bulge = 0.75 * max(_beside(first, start, end), _beside(second, start, end))
    if bulge <= slack:
        return [start, end]
    pieces = min(_PIECES, math.ceil(math.sqrt(bulge / slack)))
    return [start, *(_at(step / pieces, start, first, second, end) for step in range(1, pieces)), end]


def _bending(other: Point | None, here: Point, away: Point) -> Point | None:
    """The neighbour ``other`` of ``here``, unless the way bends there so much that it is a corner."""
    if other is None or other == here:
        return None
    came, goes = (here[0] - other[0], here[1] - other[1]), (away[0] - here[0], away[1] - here[1])
    along = came[0] * goes[0] + came[1] * goes[1]
    return other if along > _CORNER * math.hypot(*came) * math.hypot(*goes) else None


def _handles(before: Point | None, start: Point, end: Point, after: Point | None) -> tuple[Point, Point]:
    """The two inner points of the Bézier curve; where a neighbour lacks, the way bends evenly."""
    first = None if before is None else _handle(before, start, end)
    second = None if after is None else _handle(after, end, start)
    if first is None:
        assert second is not None
        return _even(start, end, second), second
    return first, _even(end, start, first) if second is None else second


def _handle(before: Point, start: Point, end: Point) -> Point:
    """The point that the curve makes for when it leaves ``start``."""
    came, goes = math.dist(before, start), math.dist(start, end)
    root = math.sqrt(came * goes)
    share = 3 * (came + root)
    weights = came / share, -goes / share, (2 * came + 3 * root + goes) / share
    return (
        weights[0] * end[0] + weights[1] * before[0] + weights[2] * start[0],
        weights[0] * end[1] + weights[1] * before[1] + weights[2] * start[1],
    )


def _even(here: Point, there: Point, handle: Point) -> Point:
    """The handle of ``here`` that makes a parabola of the way to ``there``, whose ``handle`` is known."""
    return tuple(h + 2 / 3 * (t + 1.5 * (k - t) - h) for h, t, k in zip(here, there, handle, strict=True))  # type: ignore[return-value]


def _beside(place: Point, start: Point, end: Point) -> float:
    """How far a place lies beside the line through two others."""
    x, y = end[0] - start[0], end[1] - start[1]
    return abs(x * (place[1] - start[1]) - y * (place[0] - start[0])) / math.hypot(x, y)


def _at(share: float, start: Point, first: Point, second: Point, end: Point) -> Point:
    rest = 1 - share
    weights = rest**3, 3 * rest**2 * share, 3 * rest * share**2, share**3
    x, y = (sum(w * p[axis] for w, p in zip(weights, (start, first, second, end), strict=True)) for axis in (0, 1))
    return x, y
