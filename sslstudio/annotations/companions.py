"""Pictures for people beside exported masks: the classes in their colours, alone or over the image."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import cv2
import numpy as np

from sslstudio.annotations.model import Job, Picture, is_background, rgb
from sslstudio.annotations.names import Names
from sslstudio.errors import UserError
from sslstudio.images.reader import read_rgb8
from sslstudio.images.reduced import resized
from sslstudio.language import tr
from sslstudio.project.classes import LabelClass
from sslstudio.project.files import replace_file
from sslstudio.project.label_map import UNPAINTED, every

OVERLAY = 0.5  # strength of the classes over their image
_QUIET = 0.15  # strength of the background over its image
_ROWS = 256  # that are mixed at once
_LONGEST = 4096  # pixels of the longer side of a huge image's pictures, at most


def write_companions(job: Job, out: Path, wanted: Collection[str]) -> tuple[int, dict[str, str], dict[str, int]]:
    """Coloured pictures and overlays as PNG, of huge images reduced.

    How many there are, the images that could not be read with the reason, and by how much which ones were reduced.
    """
    names = Names(job.paths)
    count, problems, reduced = 0, dict[str, str](), dict[str, int]()
    for picture in job.pictures() if wanted else ():
        factor = 1 if isinstance(picture.labels, np.ndarray) else -(-max(picture.labels.shape) // _LONGEST)
        labels = every(picture.labels, factor)
        if factor > 1:
            reduced[picture.path] = factor
        if "coloured" in wanted:
            _write_png(out / "coloured" / names.of(picture.path, ".png"), coloured(labels, job.classes))
            count += 1
        if "overlay" in wanted:
            try:
                pixels = overlay(_pixels(picture, labels, factor), labels, job.classes)
            except UserError as error:
                problems[picture.path] = error.problem
                continue
            _write_png(out / "overlay" / names.of(picture.path, ".png"), pixels)
            count += 1
    return count, problems, reduced


def _pixels(picture: Picture, labels: np.ndarray, factor: int) -> np.ndarray:
    """What people see of the image, (h, w, 3) uint8, as small as its ``labels`` (h, w)."""
    if factor == 1:
        return read_rgb8(picture.file)
    small = read_rgb8(picture.file, longest=max(labels.shape))
    return resized(small, labels.shape[0], labels.shape[1], cv2.INTER_AREA)


def coloured(labels: np.ndarray, classes: tuple[LabelClass, ...]) -> np.ndarray:
    """(H, W, 3) uint8 in the classes' colours; unpainted is black."""
    table = np.zeros((256, 3), np.uint8)
    for place, one in enumerate(classes):
        table[place] = rgb(one.colour)
    return table[labels]


def overlay(pixels: np.ndarray, labels: np.ndarray, classes: tuple[LabelClass, ...]) -> np.ndarray:
    """The image (H, W, 3) with its classes shining over it; the background hardly, unpainted not at all."""
    if pixels.shape[:2] != labels.shape:
        raise UserError(tr("The image does not have the size of its mask any more."), tr("Refresh the project."))
    strength = np.zeros((256, 1), np.float32)
    for place, one in enumerate(classes):
        strength[place] = _QUIET if is_background(one.name) else OVERLAY
    strength[UNPAINTED] = 0
    mixed = np.empty_like(pixels)
    for top in range(0, len(labels), _ROWS):  # as fractions they take twelve times the memory
        rows = slice(top, top + _ROWS)
        share = strength[labels[rows]]
        mixed[rows] = pixels[rows] * (1 - share) + coloured(labels[rows], classes) * share + 0.5
    return mixed


def _write_png(file: Path, pixels: np.ndarray) -> None:
    good, data = cv2.imencode(".png", pixels[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 3])
    if not good:
        raise UserError(
            tr("{name} could not be made into a PNG.").format(name=file.name), tr("Its image may be too large.")
        )
    replace_file(file, data.tobytes(), tr("The picture {name}").format(name=file.name), settle=False)
