"""Which images a run learns from."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import Literal

from sslstudio.errors import UserError
from sslstudio.images.slices import file_of
from sslstudio.language import tr
from sslstudio.project.project import ImageRecord, Project


@dataclass(frozen=True)
class Labelled:
    """A painted image: relative to the images root, and its mask relative to the project folder."""

    image: str
    mask: str
    split: Literal["train", "validation"]
    series: str = ""  # of DICOM, for ``whole_of``


def pretrain_images(project: Project) -> tuple[str, ...]:
    """The images that can be used; raises UserError when there is none."""
    project.check_files()
    usable = tuple(record.path for record in project.images() if not record.problem)
    if not usable:
        first = project.problems()[:1]
        reason = tr(" The first: {problem}").format(problem=first[0].problem) if first else ""
        raise UserError(
            tr("None of the images of {name} can be used.{reason}").format(name=project.name, reason=reason),
            tr("Check the image folder."),
        )
    return usable


def series_of(project: Project) -> dict[str, str]:
    """The DICOM series of each image that is a file of one, by path."""
    return {record.path: record.series for record in project.images() if record.series}


def labelled_images(project: Project, validation: float, seed: int) -> tuple[Labelled, ...]:
    """Painted images in two parts, ``validation`` (0 to 1) of them for judging; raises UserError when there is none.

    An image stays in its part while more are painted, and a class is never only in the validation part. Slices of
    one stack, be it a file or a DICOM series, are in the same part, unless there is only one stack.
    """
    project.check_files(only_urgent=True)  # those of a project from before series were known tell theirs
    painted = [record for record in project.painted() if not record.problem]
    painted = [record for record in painted if file_of(project.image_file(record.path)).exists()]
    if not painted:
        raise UserError(tr("No mask has been painted yet."), tr("Paint at least one image, then start again."))
    held_out = _held_out(project, painted, validation, seed)
    folder = project.path
    return tuple(
        Labelled(
            record.path,
            project.mask_file(record.path).relative_to(folder).as_posix(),
            "validation" if record.path in held_out else "train",
            record.series,
        )
        for record in painted
    )


def _held_out(project: Project, painted: list[ImageRecord], validation: float, seed: int) -> set[str]:
    wanted = min(len(painted) - 1, max(1, round(len(painted) * validation))) if validation > 0 else 0
    labels = {record.path: project.painted_classes(record.path) for record in painted}
    left = Counter(label for found in labels.values() for label in found)
    chosen: set[str] = set()
    most = max(wanted, len(painted) // 2)  # a large stack would leave hardly anything to learn from
    groups = _groups(painted)
    for whole in sorted(groups, key=lambda whole: hashlib.sha256(f"{seed}:{whole}".encode()).digest()):
        group = groups[whole]
        if len(chosen) >= wanted:
            break
        held = Counter(label for path in group for label in labels[path])
        if all(left[label] > count for label, count in held.items()) and len(chosen) + len(group) <= most:
            chosen.update(group)
            left.subtract(held)
    return chosen


def _groups(painted: list[ImageRecord]) -> dict[str, list[str]]:
    """The images judged together, by their whole: slices are too much alike to learn from some and test on others.

    Where all are of one stack there is no other way than to part it.
    """
    wholes: dict[str, list[str]] = {}
    for record in painted:
        wholes.setdefault(record.whole, []).append(record.path)
    return wholes if len(wholes) > 1 else {record.path: [record.path] for record in painted}
