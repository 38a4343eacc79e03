"""Whether the values of masks are numbers of classes, of single objects, or black and white."""

from __future__ import annotations

from collections import Counter
from pathlib import PurePosixPath

import numpy as np

from sslstudio.images import limits
from sslstudio.language import tr
from sslstudio.project.edit_log import tally
from sslstudio.project.label_map import UNPAINTED, Labels

MOST_FOUND = 32  # classes made from values alone; a higher value is more likely a grey level than a class
_FEW = 8  # more single areas in one mask than this are objects, even if there is no other mask to compare with
_SEVERAL = 3  # objects that at least one mask must hold
_SINGLE = 0.9  # share of the values that must be one area each
_LOOKED_AT = 50  # masks of which the areas are counted; the others are likely to be of the same kind
_FOLDERS = ("segmentationobject", "instances", "instance_masks")  # of Pascal VOC and others
_ENDINGS = ("_cp_masks", "_instanceids", "_instances", "_instance")  # of Cellpose, Cityscapes and others


class Numbering:
    """Looks at one mask after the other and says what their values most likely are."""

    def __init__(self) -> None:
        self.files: Counter[int] = Counter()  # in how many masks a value occurs
        self.pixels = np.zeros(256, np.int64)
        self.masks = 0
        self._named, self._looked_at = 0, 0
        self._single, self._values = 0, 0
        self._highest: set[int] = set()
        self._in_turn = True

    def add(self, file: str, labels: Labels) -> list[int]:
        """One more mask, (H, W) uint8, and what its file is called; the values in it."""
        counts = tally(labels)
        found = [int(value) for value in np.flatnonzero(counts)]
        self.files.update(found)
        self.pixels += counts
        self.masks += 1
        self._named += says_objects(file)
        numbers = [value for value in found if 0 < value < UNPAINTED]
        if numbers and self._in_turn and self._looked_at < _LOOKED_AT and not limits.is_huge(*labels.shape):
            self._in_turn = numbers == list(range(1, len(numbers) + 1))
            if self._in_turn:
                self._look_at(np.asarray(labels), numbers)
        return found

    def _look_at(self, labels: np.ndarray, numbers: list[int]) -> None:
        import cv2  # only here: most commands need no pixels

        self._looked_at += 1
        self._highest.add(numbers[-1])
        self._values += len(numbers)
        for value in numbers:
            pieces = cv2.connectedComponents((labels == value).view(np.uint8), connectivity=8)[0] - 1
            self._single += pieces == 1

    @property
    def highest(self) -> int:
        """The highest value that is not unpainted; 0 where there is none."""
        return max((value for value in self.files if value < UNPAINTED), default=0)

    @property
    def black_and_white(self) -> bool:
        """Whether there is white in some masks, and nothing but black and white in all."""
        return UNPAINTED in self.files and set(self.files) <= {0, UNPAINTED}

    @property
    def objects(self) -> bool:
        """Whether the values number single objects: each is one area, and each mask counts them from 1 on.

        How many there are differs between the masks, or is more than a few; or the files are called so.
        """
        if not self.highest:
            return False
        if self._named == self.masks:
            return True
        if not (self._in_turn and self._values and self._single >= _SINGLE * self._values):
            return False
        most = max(self._highest)
        return most > _FEW or (most > _SEVERAL and len(self._highest) > 1)


def says_objects(file: str) -> bool:
    """Whether the name of a file, or of the folder that it lies in, says that it numbers single objects."""
    path = PurePosixPath(file.casefold())
    return path.stem.endswith(_ENDINGS) or path.parent.name in _FOLDERS


def told_objects() -> str:
    """What is said where values were taken as single objects."""
    return tr("Each value is one area, so the values were taken as numbers of single objects of one class.")


def told_black_and_white() -> str:
    """What is said where masks are black and white, and were taken as they are."""
    return tr("All masks hold only 0 and 255. 255 means unpainted; if it stands for class 1, import with --map 255=1.")
