"""A made, labelled world of stains: the class is the tint alone, and brightness hides it.

Exposure, shading and blotches differ from picture to picture and are several times stronger in the pixels than the
tint. Views of one picture share the tint and little else, so a method that compares views learns to look for it.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

SIDE = 96
TINTS = 8  # evenly around the circle of hues
STRENGTH = 0.05  # of a tint, image range 0 to 1


def picture(label: int, rng: np.random.Generator) -> np.ndarray:
    """One picture (SIDE, SIDE, 3) uint8 stained with tint ``label``."""
    angle = 2 * np.pi * (label + rng.uniform(-0.2, 0.2)) / TINTS
    # Two directions of colour without brightness.
    tint = np.cos(angle) * np.array([1, -1, 0]) / 2**0.5 + np.sin(angle) * np.array([1, 1, -2]) / 6**0.5
    light = rng.uniform(0.3, 0.7) + _clouds(3, 0.12, rng) + _clouds(12, 0.08, rng)
    taken = np.clip(0.5 + _clouds(10, 0.5, rng), 0, 1)  # where the stain took
    image = light[..., None] + STRENGTH * taken[..., None] * tint + rng.normal(0, 0.02, (SIDE, SIDE, 3))
    return (np.clip(image, 0, 1) * 255).astype(np.uint8)


def _clouds(count: int, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Smooth noise (SIDE, SIDE) around 0 with ``count`` blotches along a side."""
    small = rng.normal(0, strength, (count, count)).astype(np.float32)
    return cv2.resize(small, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)


def make_world(folder: Path, count: int, seed: int) -> np.ndarray:
    """Write ``count`` pictures, every tint equally often; their labels (count,) in the order of the file names."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % TINTS
    for number, label in enumerate(labels):
        cv2.imwrite(str(folder / f"{number:05}.png"), picture(int(label), rng)[..., ::-1])
    return labels
