"""A made, labelled world of regions: what a place is, its surroundings tell better than the place itself.

Every picture is parted into regions of a colour each, under colour noise that is stronger than the difference and
about as coarse as a ViT's patch. So a patch alone is often mistaken, and a method that fills gaps from what lies
around them learns to look there.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

SIDE = 96
REGIONS = 5  # in a picture, each of another kind
KINDS = np.array([[1, -1, 0], [-1, 1, 0], [0, 1, -1], [0, -1, 1], [-1, 0, 1], [1, 0, -1]], np.float32)
STRENGTH, NOISE = 0.10, 0.16


def picture(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """One picture (SIDE, SIDE, 3) uint8 and the kind of every pixel (SIDE, SIDE) uint8."""
    y, x = np.mgrid[:SIDE, :SIDE]
    points = rng.uniform(0, SIDE, (REGIONS, 2))
    nearest = ((y[..., None] - points[:, 0]) ** 2 + (x[..., None] - points[:, 1]) ** 2).argmin(axis=-1)
    kinds = rng.permutation(len(KINDS))[:REGIONS][nearest].astype(np.uint8)
    clouds = rng.normal(0, NOISE, (SIDE // 8, SIDE // 8, 3)).astype(np.float32)
    image = 0.5 + rng.normal(0, 0.05) + STRENGTH * KINDS[kinds]
    image = image + cv2.resize(clouds, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    image = image + rng.normal(0, 0.03, image.shape)
    return (np.clip(image, 0, 1) * 255).astype(np.uint8), kinds


def make_world(folder: Path, count: int, seed: int) -> np.ndarray:
    """Write ``count`` pictures; the kinds of their pixels (count, SIDE, SIDE) in the order of the file names."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    found = []
    for number in range(count):
        image, kinds = picture(rng)
        cv2.imwrite(str(folder / f"{number:05}.png"), image[..., ::-1])
        found.append(kinds)
    return np.stack(found)
