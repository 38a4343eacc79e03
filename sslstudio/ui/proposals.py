"""What accepting a proposal would change in a mask, so that people see that and nothing else. No Qt."""

from __future__ import annotations

import cv2
import numpy as np

from sslstudio.project.label_map import UNPAINTED


def changes_of(inside: np.ndarray, labels: np.ndarray, label: int, changeable: np.ndarray | None) -> np.ndarray:
    """What would change in (H, W) ``labels`` if what is ``inside`` (h, w) got one: (h, w) uint8, 255 for nothing."""
    small = labels
    if labels.shape != inside.shape:
        small = cv2.resize(labels, inside.shape[::-1], interpolation=cv2.INTER_NEAREST)
    here = inside & (small != label)
    if changeable is not None:
        here &= changeable[small]
    return np.where(here, np.uint8(label), np.uint8(UNPAINTED))
