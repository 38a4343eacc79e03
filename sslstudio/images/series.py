"""Stacks that lie in many files: which DICOM files of a series follow one another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sslstudio.images.dicom_files import Pose, facing
from sslstudio.images.scan import natural_key

_TURNED = 0.01  # by so much may two slices' directions differ and be parallel: about half a degree
_SAME_PLACE = 0.01  # millimetres between slices that are one place seen twice


@dataclass(frozen=True)
class Member:
    """A file of a series: its relative path, width and height, and what its ``Place`` says."""

    path: str
    size: tuple[int, int]
    pose: Pose
    number: int | None


def stacks(members: Iterable[Member]) -> list[list[str]]:
    """The paths of each stack in order; a file that fits to no other is alone.

    One folder's slices of one size that lie parallel are a stack. Where several lie at the same place (phases of a
    heart, a second echo) each round through the places is a stack of its own.
    """
    alike: dict[tuple[object, ...], list[Member]] = {}
    for one in sorted(members, key=_by_number):
        alike.setdefault((one.path.rpartition("/")[0], one.size), []).append(one)
    return [stack for files in alike.values() for group in _parallel(files) for stack in _ordered(group)]


def _by_number(one: Member) -> tuple[bool, int, str]:
    return one.number is None, one.number or 0, natural_key(one.path)


def _parallel(members: Sequence[Member]) -> list[list[Member]]:
    """Those that look the same way; those that do not say which way stay with the most others."""
    groups: list[list[Member]] = []
    for one in members:
        if one.pose:
            group = next((group for group in groups if _looks_like(group[0].pose, one.pose)), None)
            groups.append([one]) if group is None else group.append(one)
    unknown = [one for one in members if not one.pose]
    if unknown and groups:
        largest = max(groups, key=len)
        largest[:] = sorted((*largest, *unknown), key=_by_number)
    elif unknown:
        groups.append(unknown)
    return groups


def _looks_like(one: Pose, other: Pose) -> bool:
    return all(abs(a - b) <= _TURNED for a, b in zip(one[:6], other[:6], strict=True))


def _ordered(members: list[Member]) -> list[list[str]]:
    """Parallel slices, given by number: along the direction that they face, or as given where a place is unknown."""
    if not all(one.pose for one in members):
        return [[one.path for one in members]]
    ahead = facing(members[0].pose)
    depth = {one.path: sum(a * b for a, b in zip(ahead, one.pose[6:], strict=True)) for one in members}
    places: list[list[str]] = []
    for one in sorted(members, key=lambda one: depth[one.path]):
        if places and depth[one.path] - depth[places[-1][0]] < _SAME_PLACE:
            places[-1].append(one.path)
        else:
            places.append([one.path])
    if len(places) == 1:  # one place seen again and again: its slices follow one another in time
        return [[one.path for one in members]]
    turn = {one.path: at for at, one in enumerate(members)}
    rounds = [sorted(place, key=turn.__getitem__) for place in places]
    return [[place[at] for place in rounds if at < len(place)] for at in range(max(len(place) for place in rounds))]
