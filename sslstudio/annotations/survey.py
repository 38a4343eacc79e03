"""Which pixel values a folder of masks holds, whether they speak for themselves, and a first guess where not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from sslstudio.annotations.numbering import MOST_FOUND, Numbering
from sslstudio.annotations.palette_png import asks_for_objects, classes_file, mask_pairs, may_choose_classes
from sslstudio.errors import UserError
from sslstudio.images.huge_reading import thumbnail_of
from sslstudio.images.reader import read_rgb8
from sslstudio.images.reduced import resized
from sslstudio.project.label_map import UNPAINTED, Labels, every
from sslstudio.project.masks import read_labels
from sslstudio.project.project import Project

NEW = -1  # in a guess: a class that is yet to be made
FEW = 8  # values that are asked about one by one; more are likely numbers of single objects
PREVIEW = 320  # pixels of the longer side


@dataclass(frozen=True)
class FoundValue:
    """A pixel value of the files: in how many it occurs, and its share of all their pixels, 0 to 1."""

    value: int
    files: int
    share: float


@dataclass(frozen=True)
class Survey:
    """What the masks in ``source`` hold; ``plain`` when nobody needs to say what the values mean.

    ``picture`` (h, w, 3) and ``labels`` (h, w) show the mask ``example``, which holds most values, and its image.
    ``objects`` are likely what the values number, one by one.
    """

    source: Path
    masks: int
    values: tuple[FoundValue, ...]
    plain: bool
    example: str = ""
    picture: np.ndarray | None = None
    labels: np.ndarray | None = None
    objects: bool = False


def survey(project: Project, source: Path, progress: Callable[[int, int], object] = lambda *_: None) -> Survey:
    """Look through all masks that have an image; raises UserError when there are no masks."""
    source = Path(source).expanduser().absolute()
    pairs = mask_pairs(project, source)
    numbering = Numbering()
    example, most = ("", ""), 0
    for number, (file, image) in enumerate(pairs, 1):
        try:
            found = numbering.add((source / file).as_posix(), read_labels(source / file))
        except UserError:
            continue  # refused with its reason when it is brought in
        if len(found) > most:
            example, most = (file, image), len(found)
        progress(number, len(pairs))
    files, pixels = numbering.files, numbering.pixels
    values = tuple(FoundValue(value, files[value], pixels[value] / max(1, pixels.sum())) for value in sorted(files))
    plain = _is_plain(project, source, numbering)
    picture, labels = (None, None) if plain or not most else _preview(project, source, *example)
    return Survey(source, numbering.masks, values, plain, example[0], picture, labels, numbering.objects)


def _is_plain(project: Project, source: Path, found: Numbering) -> bool:
    """Whether the values are numbers of classes, and 255 can only mean unpainted."""
    if found.black_and_white:  # most tools mean the object by white
        return False
    if classes_file(source) is None and asks_for_objects(project, found):
        return False
    known = len(project.classes)
    if may_choose_classes(project):
        if classes_file(source) is not None:
            return True
        known = MOST_FOUND
    return all(value < known or value == UNPAINTED for value in found.files)


def _preview(project: Project, source: Path, file: str, image: str) -> tuple[np.ndarray | None, np.ndarray]:
    labels = small_labels(read_labels(source / file))
    return small_picture(project, image, labels), labels


def small_labels(labels: Labels) -> np.ndarray:
    """Some of the labels, (h, w) uint8, at most ``PREVIEW`` each way."""
    return every(labels, max(1, -(-max(labels.shape) // PREVIEW)))


def small_picture(project: Project, image: str, small: np.ndarray) -> np.ndarray | None:
    """The pixels (h, w, 3) under labels that ``small_labels`` gave; None where there are none, or not so many."""
    file = project.image_file(image)
    try:
        if (huge := thumbnail_of(file, PREVIEW, project.path / "cache", image)) is not None:
            return resized(huge[0], small.shape[0], small.shape[1], cv2.INTER_AREA)
        pixels = read_rgb8(file)
    except UserError:
        return None
    step = max(1, -(-max(pixels.shape[:2]) // PREVIEW))
    pixels = pixels[step // 2 :: step, step // 2 :: step]
    return np.ascontiguousarray(pixels) if pixels.shape[:2] == small.shape else None


def groups(values: Sequence[int], *, objects: bool = False) -> list[tuple[int, ...]]:
    """The values as they are asked about: one by one, or the numbers of single objects together."""
    if len(values) <= FEW and not objects:
        return [(value,) for value in values]
    alone = {0} | ({UNPAINTED} - {value + 1 for value in values})  # after 254, 255 is one more number
    rest = tuple(value for value in values if value not in alone)
    return [(0,)] * (0 in values) + [rest] + [(UNPAINTED,)] * (UNPAINTED in values and UNPAINTED in alone)


def first_guess(values: Sequence[int], classes: int, *, objects: bool = False) -> dict[int, int]:
    """What each value most likely means: the place of a class, ``UNPAINTED``, or ``NEW``; ``values`` ascending.

    Two values are the ground and the thing. Values of which several name classes do so, and the others mean
    nothing. Few grey levels are the classes in their order. Many numbers, or those of ``objects``, are one kind.
    """
    if len(values) > FEW or objects:
        thing = 1 if classes > 1 else NEW
        alone = {group[0] for group in groups(values, objects=objects) if len(group) == 1}
        return {value: 0 if value == 0 else UNPAINTED if value in alone else thing for value in values}
    named = [value for value in values if 0 < value < classes]
    if named and len(values) > 2:
        return {value: value if value < classes else UNPAINTED for value in values}
    return {value: place if place < max(1, classes) else NEW for place, value in enumerate(values)}
