"""The painted images in memory: read, checked and shrunk to the scale that the network sees."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from sslstudio.errors import UserError
from sslstudio.images.bands import read_bands8, resized, with_axis
from sslstudio.images.huge_picture import Pixels
from sslstudio.images.huge_reading import huge_bands
from sslstudio.images.slices import whole_of
from sslstudio.language import tr
from sslstudio.learning.segmentation.metrics import IGNORED
from sslstudio.project.edit_log import tally
from sslstudio.project.label_map import Labels
from sslstudio.project.masks import read_noted
from sslstudio.runs.events import Warned
from sslstudio.runs.request import EvaluateRequest, FinetuneRequest, HelpRequest, LabelledImage

PaintedRequest = FinetuneRequest | EvaluateRequest | HelpRequest  # whatever names images with masks
_WIDE, _BROAD = 8.0, 12.0  # pixels of a shrunk image
SHRINKS = (1, 2, 3, 4, 6, 8)
_BLOCK, _MOST_BLOCKS = 2048, 128  # pixels of a block of a huge image, and how many of them one image gives
_IN_MEMORY = 1 << 30  # bytes of pixels kept in memory; the rest lies in a file that the system pages in


@dataclass(frozen=True)
class Painted:
    """One image (H, W, C) uint8 with its mask (H, W) uint8 at working scale; ``image`` is its relative path.

    ``series`` is the DICOM series of which its file is a part, if any.
    """

    image: str
    pixels: np.ndarray
    labels: np.ndarray
    validation: bool = False
    series: str = ""

    @property
    def whole(self) -> str:
        """The whole of which it is a part, as ``whole_of`` says."""
        return whole_of(self.image, self.series)


def read_labelled(request: PaintedRequest, project: Path, spill: Path, channels: int) -> Iterator[Painted | Warned]:
    """Read every image with its mask at full size; what cannot be used is reported and left out.

    Of a huge image those blocks are read in which something is painted, each as an image of its own.

    ``channels`` of an image that the network sees. Beyond a limit the pixels lie in temporary files below ``spill``.
    """
    used = 0
    for entry in request.labelled:
        try:
            for pair in _read_one(entry, request, project, channels):
                used += pair.pixels.nbytes + pair.labels.nbytes
                if used > _IN_MEMORY:
                    pair = replace(pair, pixels=_spilled(pair.pixels, spill), labels=_spilled(pair.labels, spill))
                yield pair
        except UserError as error:
            yield Warned(
                text=tr("{image} is left out: {problem}").format(image=entry.image, problem=error.problem),
                advice=error.advice,
                about=entry.image,
            )
        except OSError as error:
            reason = error.strerror or type(error).__name__
            yield Warned(
                text=tr("{image} is left out: it cannot be read ({reason}).").format(image=entry.image, reason=reason),
                about=entry.image,
            )


def _read_one(entry: LabelledImage, request: PaintedRequest, project: Path, channels: int) -> Iterator[Painted]:
    classes = len(request.classes)
    labels = read_noted(project / entry.mask)[0]
    counts = tally(labels)
    if not counts[:IGNORED].any():
        raise UserError(tr("nothing is painted in it."), tr("Paint a part of it."))
    unknown = np.flatnonzero(counts[classes:IGNORED]) + classes
    if len(unknown):
        values = ", ".join(str(v) for v in unknown[:5])
        raise UserError(
            tr("its mask {mask} holds the values {values}, but there are only {classes} classes.").format(
                mask=entry.mask, values=values, classes=classes
            ),
            tr("Add the missing classes or paint the mask anew."),
        )
    file = Path(request.images_root) / entry.image
    huge = huge_bands(file, channels)
    pixels = read_bands8(file, channels) if huge is None else huge.size(0)
    if pixels.shape[:2] != labels.shape:
        there, here = _size(pixels), _size(labels)
        raise UserError(
            tr("it is {there} pixels large and its mask {mask} is {here}.").format(
                there=there, mask=entry.mask, here=here
            ),
            tr("Paint it anew or restore the image."),
        )
    if isinstance(pixels, np.ndarray):
        yield Painted(entry.image, pixels, labels[:, :], entry.split == "validation", entry.series)
        return
    for rows, columns in _painted_blocks(labels):
        part = pixels[rows, columns], labels[rows, columns].copy()
        yield Painted(entry.image, *part, entry.split == "validation", entry.series)


def _painted_blocks(labels: Labels) -> list[tuple[slice, slice]]:
    """The blocks of a huge mask in which something is painted; if there are very many, some evenly spread."""
    found = []
    for top in range(0, labels.shape[0], _BLOCK):
        for left in range(0, labels.shape[1], _BLOCK):
            place = slice(top, top + _BLOCK), slice(left, left + _BLOCK)
            if (labels[place] != IGNORED).any():
                found.append(place)
    return found[:: -(-len(found) // _MOST_BLOCKS)]


def _size(array: np.ndarray | Labels | Pixels) -> str:
    return f"{array.shape[1]} × {array.shape[0]}"


def choose_shrink(painted: Sequence[Painted], side: int) -> int:
    """By how much images may be shrunk without losing what was painted: 1, 2, 3, 4, 6 or 8.

    A crop of a large image sees too little of it to know what it looks at, and shrinking costs nothing as long
    as the thinnest class stays some pixels wide. Images come down to two crops so, and to one where even the
    thinnest class is broad: then what is lost at its edges is little beside what the whole image tells.
    """
    longest = float(np.median(np.array([p.labels.shape for p in painted]).max(1)))
    thin = _thinnest(painted)
    fits = [s for s in SHRINKS if longest / s >= side and thin / s >= (_BROAD if longest / s < 2 * side else _WIDE)]
    return max(fits, default=1)


def _thinnest(painted: Sequence[Painted]) -> float:
    """Width in pixels of the thinnest class; of each class that in the middle image of all that show it."""
    widths: dict[int, list[float]] = {}
    for pair in painted:
        for number, width in _thicknesses(pair.labels):
            widths.setdefault(number, []).append(width)
    return min((float(np.median(of_one)) for of_one in widths.values()), default=1.0)


def _thicknesses(labels: np.ndarray) -> Iterator[tuple[int, float]]:
    """Each class in a mask with its typical width in pixels, twice area by outline."""
    for number in np.unique(labels[labels != IGNORED]):
        area = np.pad(labels == number, 1)
        # The outline as the count of neighbouring pixels, right and below, of which one is inside.
        edges = np.count_nonzero(area[1:] != area[:-1]) + np.count_nonzero(area[:, 1:] != area[:, :-1])
        yield int(number), 2.0 * float(np.count_nonzero(area)) / max(int(edges), 1)


def shrunk_pixels(pixels: np.ndarray, shrink: int) -> np.ndarray:
    """An image (H, W, C) uint8 averaged over ``shrink`` × ``shrink`` blocks; edges are repeated to fill the last."""
    if shrink == 1:
        return pixels
    height, width = pixels.shape[:2]
    down, right = (-height) % shrink, (-width) % shrink
    if down or right:
        pixels = with_axis(cv2.copyMakeBorder(pixels, 0, down, 0, right, cv2.BORDER_REPLICATE))
    size = (pixels.shape[1] // shrink, pixels.shape[0] // shrink)
    return resized(pixels, size, cv2.INTER_AREA)


def shrunk_labels(labels: np.ndarray, shrink: int) -> np.ndarray:
    """A mask (H, W) with one value per block: its middle pixel, unpainted where that is unpainted."""
    if shrink == 1:
        return labels
    height, width = labels.shape
    padded = np.pad(labels, ((0, (-height) % shrink), (0, (-width) % shrink)), constant_values=IGNORED)
    return np.ascontiguousarray(padded[shrink // 2 :: shrink, shrink // 2 :: shrink])


def at_scale(painted: Sequence[Painted], shrink: int, spill: Path) -> list[Painted]:
    """All pairs at working scale; beyond a limit the pixels lie in temporary files below ``spill``."""
    found, used = [], 0
    for pair in painted:
        pixels, labels = shrunk_pixels(pair.pixels, shrink), shrunk_labels(pair.labels, shrink)
        used += pixels.nbytes
        if used > _IN_MEMORY:
            pixels = _spilled(pixels, spill)
        found.append(replace(pair, pixels=pixels, labels=labels))
    return found


def _spilled(pixels: np.ndarray, folder: Path) -> np.ndarray:
    """The same array in a nameless file, so that it is gone when the process is."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as file:
        mapped = np.memmap(file, np.uint8, "w+", shape=pixels.shape)
    mapped[:] = pixels
    mapped.flush()  # so that the system may drop the pages and read them again
    return mapped
