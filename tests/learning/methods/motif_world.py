"""A made, labelled world for judging features: patterns of one motif each, in any colour, size and place.

The class is the motif alone. Colours, contrast, size, density and a shaded ground differ from picture to picture
and are far stronger in the pixels, so random features, which see mostly those, tell the motifs apart poorly. Every
motif has an up and a down, a top lit warm and a foot in cool shade, and parts that foretell the others, so that
turning, colouring, jigsaw and filling gaps can all be learned only by learning about motifs.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

SIDE = 112
MOTIFS = ("triangle", "cup", "tee", "drop", "arrow", "fork", "house", "eye")


def draw_motif(name: str, side: int) -> np.ndarray:
    """One motif, upright, as a soft mask (side, side) from 0 to 1."""
    large = np.zeros((128, 128), np.uint8)
    if name == "triangle":
        cv2.fillPoly(large, [np.array([[64, 14], [114, 110], [14, 110]])], 255)
    elif name == "cup":
        cv2.ellipse(large, (64, 52), (46, 52), 0, 0, 180, 255, 20)
    elif name == "tee":
        cv2.rectangle(large, (12, 16), (116, 40), 255, -1)
        cv2.rectangle(large, (52, 16), (76, 114), 255, -1)
    elif name == "drop":
        cv2.circle(large, (64, 84), 32, 255, -1)
        cv2.fillPoly(large, [np.array([[64, 8], [36, 72], [92, 72]])], 255)
    elif name == "arrow":
        cv2.line(large, (64, 116), (64, 20), 255, 14)
        cv2.polylines(large, [np.array([[22, 62], [64, 18], [106, 62]])], isClosed=False, color=255, thickness=16)
    elif name == "fork":
        cv2.line(large, (64, 118), (64, 70), 255, 16)
        cv2.polylines(large, [np.array([[20, 12], [64, 72], [108, 12]])], isClosed=False, color=255, thickness=16)
    elif name == "house":
        cv2.rectangle(large, (28, 58), (100, 116), 255, 12)
        cv2.polylines(large, [np.array([[14, 62], [64, 14], [114, 62]])], isClosed=False, color=255, thickness=14)
    else:
        cv2.circle(large, (64, 64), 46, 255, 12)
        cv2.circle(large, (64, 44), 16, 255, -1)
    return cv2.resize(large, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32) / 255


def picture(label: int, rng: np.random.Generator) -> np.ndarray:
    """One picture (SIDE, SIDE, 3) uint8 of a pattern of motif ``label``."""
    mask = _pattern(MOTIFS[label], rng)
    ground, ink = rng.uniform(0.55, 0.8) + rng.normal(0, 0.05, 3), rng.uniform(0.1, 0.3) + rng.normal(0, 0.05, 3)
    shade = cv2.resize(rng.normal(0, 0.06, (3, 3)).astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    image = ground * (1 - mask[..., None]) + ink * mask[..., None] + shade[..., None]
    # Light from above: an edge whose upper side is bare shines warm, one whose lower side is bare lies in cool shade.
    slope = cv2.GaussianBlur(mask, (0, 0), 1.2)
    slope = np.roll(slope, -2, 0) - np.roll(slope, 2, 0)
    image += np.clip(slope, 0, 1)[..., None] * (0.30, 0.18, 0.02) - np.clip(-slope, 0, 1)[..., None] * (0.28, 0.2, 0.08)
    image += rng.normal(0, 0.02, image.shape)
    return (np.clip(image, 0, 1) * 255).astype(np.uint8)


def _pattern(name: str, rng: np.random.Generator) -> np.ndarray:
    """Motifs in loose rows, (SIDE, SIDE) from 0 to 1."""
    side = int(rng.integers(22, 38))
    step = side * rng.uniform(1.05, 1.4)
    motif, found = draw_motif(name, side), np.zeros((SIDE + 2 * side, SIDE + 2 * side), np.float32)
    start = rng.uniform(0, step, 2)
    for row in np.arange(start[0], SIDE + side, step):
        for column in np.arange(start[1], SIDE + side, step):
            y, x = (int(v + rng.uniform(-0.08, 0.08) * side) for v in (row, column))
            place = found[max(0, y) : max(0, y) + side, max(0, x) : max(0, x) + side]
            np.maximum(place, motif[: place.shape[0], : place.shape[1]], out=place)
    return found[side : side + SIDE, side : side + SIDE]


def make_world(folder: Path, count: int, seed: int) -> np.ndarray:
    """Write ``count`` pictures, every class equally often; their labels (count,) in the order of the file names."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % len(MOTIFS)
    for number, label in enumerate(labels):
        cv2.imwrite(str(folder / f"{number:05}.png"), picture(int(label), rng)[..., ::-1])
    return labels
