"""GrabCut: what stands out from its surroundings within a box.

Rother, Kolmogorov and Blake 2004, "GrabCut: interactive foreground extraction using iterated graph cuts". Departure:
the middle of the box is taken for the object at first, since things of a kind lie close together in images of the
trade; from what lies around the box alone, a neighbour of the same colour would teach that the object is background.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from sslstudio.regions.growing import Found
from sslstudio.regions.rect import NOTHING, Rect, whole

_MOST = 20_000  # pixels looked at; larger boxes are looked at coarsely, so that it takes no longer
_ANYWHERE = (0, 0, 1, 1)  # a rectangle that marks make needless
_ROUNDS = 2  # with the middle sure, and as many without
_MIDDLE, _RIM = 0.4, 0.95  # of the ellipse that fills the box: inside the one is the object, outside the other is not
_KEPT = 0.5  # of what was found first; where less is left without the middle being sure, the middle is believed
_FLAT = 4.0  # of 255: where colours differ by less, nothing stands out
_SOFT = 0.4  # pixels


def object_in(image: np.ndarray, box: Rect) -> Found:
    """The object in a box of an (H, W, 3) uint8 image, by its colours and those around it; empty if none is found."""
    box = box.within(whole(image.shape))
    if box.width < 3 or box.height < 3:
        return NOTHING, np.zeros((0, 0), bool)
    around = box.grown(max(4, max(box.width, box.height) // 4)).within(whole(image.shape))
    scale = min(1.0, math.sqrt(_MOST / (around.width * around.height)))
    size = max(4, round(around.width * scale)), max(4, round(around.height * scale))
    small = _stretched(cv2.resize(around.of(image), size, interpolation=cv2.INTER_AREA))
    here = Rect(box.left - around.left, box.top - around.top, box.right - around.left, box.bottom - around.top)
    if small is None:
        return box, np.zeros((box.height, box.width), bool)
    found = _cut(small, _guess(size, here, around))
    large = cv2.resize(found.astype(np.uint8) * 255, (around.width, around.height), interpolation=cv2.INTER_LINEAR)
    return box, here.of(large) > 127


def _stretched(small: np.ndarray) -> np.ndarray | None:
    """The whole range of colours for what may be a dark image, and its noise softened; None where all is alike."""
    low, high = np.percentile(small, (1, 99))
    if high - low < _FLAT:
        return None
    stretched = (small.astype(np.float32) - low) * (255 / (high - low))
    return cv2.GaussianBlur(stretched.clip(0, 255).astype(np.uint8), (0, 0), _SOFT)


def _guess(size: tuple[int, int], box: Rect, around: Rect) -> np.ndarray:
    """What is object and what is not in a small picture (width, height) of ``around``, as GrabCut's marks."""
    across, down = size[0] / around.width, size[1] / around.height
    left, top = max(1, round(box.left * across)), max(1, round(box.top * down))
    right = max(left + 1, min(size[0] - 1, round(box.right * across)))
    bottom = max(top + 1, min(size[1] - 1, round(box.bottom * down)))
    rows = (np.arange(top, bottom)[:, None] + 0.5 - (top + bottom) / 2) / ((bottom - top) / 2)
    columns = (np.arange(left, right) + 0.5 - (left + right) / 2) / ((right - left) / 2)
    away = rows**2 + columns**2
    marks = np.full((size[1], size[0]), cv2.GC_BGD, np.uint8)
    inside = marks[top:bottom, left:right]
    inside[:] = cv2.GC_PR_FGD
    inside[away > _RIM] = cv2.GC_PR_BGD
    inside[away <= max(_MIDDLE, away.min())] = cv2.GC_FGD
    return marks


def _cut(small: np.ndarray, marks: np.ndarray) -> np.ndarray:
    """Which pixels of a small picture are the object, (h, w) bool."""
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)  # the same box gives the same object
    cv2.grabCut(small, marks, _ANYWHERE, *models, _ROUNDS, cv2.GC_INIT_WITH_MASK)
    sure = (marks == cv2.GC_FGD) | (marks == cv2.GC_PR_FGD)
    marks[marks == cv2.GC_FGD] = cv2.GC_PR_FGD  # a ring has a hole, too
    cv2.grabCut(small, marks, _ANYWHERE, *models, _ROUNDS, cv2.GC_EVAL)
    found = marks == cv2.GC_PR_FGD
    return found if found.sum() >= _KEPT * sure.sum() else sure
