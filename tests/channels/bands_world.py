"""Made images with many bands, as real TIFF files: what is marked shows in the last band alone."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import tifffile

from sslstudio.project.masks import write_mask

CLASSES, COLOURS = ("ground", "marked"), ("#999999", "#e69f00")


def scene(seed: int, bands: int, side: int = 96) -> tuple[np.ndarray, np.ndarray]:
    """(side, side, bands) uint16 and true labels; decoys in the first bands lie elsewhere than what is marked.

    The last band is a hundred times darker than the others: stretched together with them it would be lost.
    """
    rng = np.random.default_rng(seed)
    pixels = np.full((side, side, bands), 20000, np.float64)
    labels = np.zeros((side, side), np.uint8)
    for number in range(6):
        x, y = (int(v) for v in rng.integers(10, side - 10, 2))
        disc = cv2.circle(np.zeros((side, side), np.uint8), (x, y), int(rng.integers(8, 14)), 1, -1) > 0
        if number % 2:
            labels[disc] = 1
        else:
            pixels[disc, : bands - 1] = 50000
    pixels[..., -1] = 200 + 400.0 * labels
    pixels[..., :-1] += rng.normal(0, 1500, pixels[..., :-1].shape)
    pixels[..., -1] += rng.normal(0, 20, labels.shape)
    return pixels.clip(0, 65535).astype(np.uint16), labels


def write_bands(file: Path, pixels: np.ndarray) -> None:
    """Bands beside each other, not colours."""
    planar = np.ascontiguousarray(np.moveaxis(pixels, 2, 0))
    tifffile.imwrite(file, planar, photometric="minisblack", planarconfig="separate")


def write_world(folder: Path, bands: int, count: int, first: int = 0) -> tuple[Path, Path]:
    """``count`` images below ``images`` and their masks below ``masks``."""
    images, masks = folder / "images", folder / "masks"
    images.mkdir(parents=True, exist_ok=True)
    masks.mkdir(exist_ok=True)
    for number in range(first, first + count):
        pixels, labels = scene(number, bands)
        write_bands(images / f"{number:02d}.tif", pixels)
        write_mask(masks / f"{number:02d}.png", labels, COLOURS)
    return images, masks
