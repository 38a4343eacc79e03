"""The features that evaluation looks at: one vector per image, and vectors at painted pixels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from sslstudio.errors import UserError
from sslstudio.images.bands import read_bands8, resized
from sslstudio.images.slices import sources
from sslstudio.language import tr
from sslstudio.learning.backbones.encoder import Encoder
from sslstudio.learning.evaluation.attention import to_input
from sslstudio.learning.segmentation.crops import normalised
from sslstudio.learning.segmentation.labelled import Painted
from sslstudio.learning.segmentation.metrics import IGNORED
from sslstudio.learning.training.devices import has_bf16

SIDE = 224  # pixels of the square that an image becomes: the same for all networks, so that figures compare
DENSE_LONGEST = 512  # pixels of a painted image's longer side
PIXELS_PER_CLASS = 100  # taken from one image: its pixels are much alike
_BATCH = 16


@dataclass(frozen=True)
class Pooled:
    """Features (n, D) float32 of some ``images``; those that could not be read stand in ``problems`` with a reason."""

    images: tuple[str, ...]
    features: Tensor
    problems: tuple[tuple[str, str], ...] = ()


def pooled(encoder: Encoder, root: Path, images: Sequence[str], *, side: int = SIDE) -> Iterator[Pooled]:
    """Pooled features of image files below ``root``, some at a time in their order; the network is left in eval mode.

    Images are read by two threads while the network works, and squeezed into a square, so that all of each counts.
    """
    encoder.eval()
    side = max(1, round(side / encoder.stride)) * encoder.stride
    parts = [images[at : at + _BATCH] for at in range(0, len(images), _BATCH)]
    with ThreadPoolExecutor(2) as pool:
        coming = [pool.submit(_read_all, Path(root), part, side, encoder.channels) for part in parts[:2]]
        for place, part in enumerate(parts):
            squares, problems = coming.pop(0).result()
            if place + 2 < len(parts):
                coming.append(pool.submit(_read_all, Path(root), parts[place + 2], side, encoder.channels))
            bad = {name for name, _ in problems}
            good = tuple(name for name in part if name not in bad)
            features = _features(encoder, squares) if good else torch.empty(0, encoder.width)
            yield Pooled(good, features, problems)


def _read_all(
    root: Path, names: Sequence[str], side: int, channels: int
) -> tuple[np.ndarray, tuple[tuple[str, str], ...]]:
    squares, problems = [], []
    for name in names:
        try:
            pixels = read_bands8(root / name, channels, longest=4 * side)
            squares.append(resized(pixels, (side, side), cv2.INTER_AREA))
        except UserError as error:
            problems.append((name, error.problem))
        except OSError as error:
            problems.append(
                (
                    name,
                    tr("{name} cannot be read ({strerror}).").format(
                        name=name, strerror=error.strerror or type(error).__name__
                    ),
                )
            )
    return np.array(squares, np.uint8).reshape(len(squares), side, side, channels), tuple(problems)


@torch.inference_mode()
def _features(encoder: Encoder, squares: np.ndarray) -> Tensor:
    device = next(encoder.parameters()).device
    images = normalised(torch.from_numpy(squares).permute(0, 3, 1, 2).to(device))
    with torch.autocast(device.type, torch.bfloat16, enabled=has_bf16()):
        return encoder(images).float().cpu().clone()


@dataclass(frozen=True)
class PixelFeatures:
    """Features (n, C) float32 at painted pixels, their classes (n,) and the file (n,) that each is of, by number."""

    features: Tensor
    labels: Tensor
    images: Tensor


def painted_pixels(encoder: Encoder, painted: Sequence[Painted], *, seed: int = 0) -> Iterator[PixelFeatures]:
    """Dense features at some painted pixels of each class, image by image, all levels side by side.

    Each level is brought to length 1, since levels differ in scale by orders of magnitude. Slices of one stack and
    parts of one huge image are of the same file.
    """
    encoder.eval()
    files = sources(pair.whole for pair in painted)
    for number, pair in enumerate(painted):
        rows, columns, labels = _places(pair.labels, np.random.default_rng((seed, number)))
        levels = dense(encoder, pair.pixels)
        height, width = pair.labels.shape
        x = torch.from_numpy((columns + 0.5) / width * 2 - 1)
        y = torch.from_numpy((rows + 0.5) / height * 2 - 1)
        grid = torch.stack([x, y], dim=-1).float()[None, :, None]  # (1, n, 1, 2)
        sampled = [F.grid_sample(level, grid, padding_mode="border", align_corners=False) for level in levels]
        vectors = torch.cat([F.normalize(part[0, :, :, 0].T, dim=1) for part in sampled], dim=1)
        yield PixelFeatures(vectors, torch.from_numpy(labels), torch.full((len(labels),), files[number]))


def _places(labels: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows, columns and classes of some painted pixels, as many of each class as there are up to a limit."""
    chosen = []
    for label in np.unique(labels[labels != IGNORED]):
        flat = np.flatnonzero(labels == label)
        chosen.append(rng.choice(flat, PIXELS_PER_CLASS, replace=False) if len(flat) > PIXELS_PER_CLASS else flat)
    flat = np.concatenate(chosen) if chosen else np.zeros(0, np.int64)
    rows, columns = np.unravel_index(flat, labels.shape)
    return rows, columns, labels[rows, columns].astype(np.int64)


@torch.inference_mode()
def dense(encoder: Encoder, bands8: np.ndarray, *, longest: int = DENSE_LONGEST) -> list[Tensor]:
    """The feature levels (1, C, h, w) float32 of an image (H, W, C) uint8, on the CPU."""
    device = next(encoder.parameters()).device
    with torch.autocast(device.type, torch.bfloat16, enabled=has_bf16()):
        levels = encoder.feature_levels(to_input(bands8, encoder.stride, longest).to(device))
    return [level.float().cpu().clone() for level in levels]
