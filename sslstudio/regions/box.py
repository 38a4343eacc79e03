"""GrabCut: what stands out from its surroundings within a box."""

from __future__ import annotations

import math

import cv2
import numpy as np

from sslstudio.regions.growing import Found
from sslstudio.regions.rect import NOTHING, Rect, whole

_MOST = 60_000  # pixels looked at; larger boxes are looked at coarsely, so that it takes no longer
_ROUNDS = 3


def object_in(image: np.ndarray, box: Rect) -> Found:
    """The object in a box of an (H, W, 3) uint8 image, by its colours and those around it; empty if none is found."""
    box = box.within(whole(image.shape))
    if box.width < 3 or box.height < 3:
        return NOTHING, np.zeros((0, 0), bool)
    around = box.grown(max(4, max(box.width, box.height) // 4)).within(whole(image.shape))
    scale = min(1.0, math.sqrt(_MOST / (around.width * around.height)))
    size = max(4, round(around.width * scale)), max(4, round(around.height * scale))
    small = cv2.resize(around.of(image), size, interpolation=cv2.INTER_AREA)
    found = _cut(small, box, around)
    large = cv2.resize(found.astype(np.uint8) * 255, (around.width, around.height), interpolation=cv2.INTER_LINEAR)
    here = Rect(box.left - around.left, box.top - around.top, box.right - around.left, box.bottom - around.top)
    return box, here.of(large) > 127


def _cut(small: np.ndarray, box: Rect, around: Rect) -> np.ndarray:
    """Which pixels of a small picture of ``around`` are the object, (h, w) bool."""
    across, down = small.shape[1] / around.width, small.shape[0] / around.height
    left, top = max(1, round((box.left - around.left) * across)), max(1, round((box.top - around.top) * down))
    right = min(small.shape[1] - 1, round((box.right - around.left) * across))
    bottom = min(small.shape[0] - 1, round((box.bottom - around.top) * down))
    mask = np.zeros(small.shape[:2], np.uint8)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)  # the same box gives the same object
    area = (left, top, max(1, right - left), max(1, bottom - top))
    cv2.grabCut(small, mask, area, *models, _ROUNDS, cv2.GC_INIT_WITH_RECT)
    return (mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD)
