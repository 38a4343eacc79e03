"""Which images a run learns from."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import Literal

from sslstudio.errors import UserError
from sslstudio.images.slices import file_of, split_slice
from sslstudio.language import tr
from sslstudio.project.project import Project


@dataclass(frozen=True)
class Labelled:
    """A painted image: relative to the images root, and its mask relative to the project folder."""

    image: str
    mask: str
    split: Literal["train", "validation"]


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


def labelled_images(project: Project, validation: float, seed: int) -> tuple[Labelled, ...]:
    """Painted images in two parts, ``validation`` (0 to 1) of them for judging; raises UserError when there is none.

    An image stays in its part while more are painted, and a class is never only in the validation part. Slices of
    one stack are in the same part, unless there is only one stack.
    """
    painted = [record.path for record in project.painted() if not record.problem]
    painted = [path for path in painted if file_of(project.image_file(path)).exists()]
    if not painted:
        raise UserError(tr("No mask has been painted yet."), tr("Paint at least one image, then start again."))
    held_out = _held_out(project, painted, validation, seed)
    folder = project.path
    return tuple(
        Labelled(
            path,
            project.mask_file(path).relative_to(folder).as_posix(),
            "validation" if path in held_out else "train",
        )
        for path in painted
    )


def _held_out(project: Project, painted: list[str], validation: float, seed: int) -> set[str]:
    wanted = min(len(painted) - 1, max(1, round(len(painted) * validation))) if validation > 0 else 0
    labels = {path: project.painted_classes(path) for path in painted}
    left = Counter(label for found in labels.values() for label in found)
    chosen: set[str] = set()
    most = max(wanted, len(painted) // 2)  # a large stack would leave hardly anything to learn from
    for group in sorted(_groups(painted), key=lambda group: hashlib.sha256(f"{seed}:{group[0]}".encode()).digest()):
        if len(chosen) >= wanted:
            break
        held = Counter(label for path in group for label in labels[path])
        if all(left[label] > count for label, count in held.items()) and len(chosen) + len(group) <= most:
            chosen.update(group)
            left.subtract(held)
    return chosen


def _groups(painted: list[str]) -> list[list[str]]:
    """Images that are judged together: slices of one stack are too much alike to learn from some and test on others.

    Where all are of one stack there is no other way than to part it.
    """
    files: dict[str, list[str]] = {}
    for path in painted:
        files.setdefault(split_slice(path)[0], []).append(path)
    return list(files.values()) if len(files) > 1 else [[path] for path in painted]
