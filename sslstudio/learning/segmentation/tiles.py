"""Segmentation of an image of any size: overlapping tiles, blended smoothly, row by row in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from sslstudio.images.bands import with_axis
from sslstudio.learning.segmentation.crops import normalised
from sslstudio.learning.segmentation.labelled import shrunk_pixels
from sslstudio.learning.segmentation.model import SegmentationModel
from sslstudio.learning.training.devices import has_bf16

_PIXELS_AT_ONCE = 1 << 19  # pixels that go through the network together
MARGIN = 32  # pixels at working scale that an image is continued by, mirrored as training crops are


@dataclass(frozen=True)
class Band:
    """Finished rows of an image from ``top`` on: probabilities (K, h, W) float32."""

    top: int
    probabilities: np.ndarray


def segment(model: SegmentationModel, pixels: np.ndarray, *, flips: bool = False) -> np.ndarray:
    """Class probabilities (K, H, W) float32 of an image (H, W, C) uint8."""
    return np.concatenate([band.probabilities for band in bands(model, pixels, flips=flips)], axis=1)


def segment_labels(model: SegmentationModel, pixels: np.ndarray, *, flips: bool = False) -> np.ndarray:
    """The most probable class of each pixel, (H, W) uint8, without holding all probabilities at once."""
    labels = np.empty(pixels.shape[:2], np.uint8)
    for band in bands(model, pixels, flips=flips):
        labels[band.top : band.top + band.probabilities.shape[1]] = band.probabilities.argmax(0)
    return labels


def bands(model: SegmentationModel, pixels: np.ndarray, *, flips: bool = False) -> Iterator[Band]:
    """The image's probabilities from top to bottom; only one row of tiles is in memory.

    The network never saw an image end while it learned, so the image is continued past its edges; without that,
    a rim of a few pixels is guessed.
    """
    height, width = pixels.shape[:2]
    margin = min(MARGIN * model.shrink, height - 1, width - 1) // model.shrink * model.shrink
    if margin == 0:
        yield from _bands(model, pixels, flips)
        return
    continued = with_axis(cv2.copyMakeBorder(pixels, margin, margin, margin, margin, cv2.BORDER_REFLECT_101))
    for band in _bands(model, continued, flips):
        first, rows = band.top - margin, band.probabilities.shape[1]
        begin, end = max(0, -first), min(rows, height - first)
        if begin < end:
            yield Band(first + begin, band.probabilities[:, begin:end, margin : margin + width])


def _bands(model: SegmentationModel, pixels: np.ndarray, flips: bool) -> Iterator[Band]:
    if model.shrink == 1:
        yield from _tile_rows(model, pixels, flips)
    else:
        small = _tile_rows(model, shrunk_pixels(pixels, model.shrink), flips)
        yield from _enlarged(small, model.shrink, pixels.shape[0], pixels.shape[1])


def tile_starts(length: int, tile: int, overlap: int) -> list[int]:
    """Where tiles begin along an axis: evenly spread, at least ``overlap`` shared, none past the end."""
    if length <= tile:
        return [0]
    count = -(-(length - overlap) // (tile - overlap))
    return [round(i * (length - tile) / (count - 1)) for i in range(count)]


def _tile_rows(model: SegmentationModel, pixels: np.ndarray, flips: bool) -> Iterator[Band]:
    height, width = pixels.shape[:2]
    tile = tile_side(model)
    tall, wide = min(tile, height), min(tile, width)
    tops, lefts = tile_starts(height, tall, tall // 4), tile_starts(width, wide, wide // 4)
    weight = _ramp(tall)[:, None] * _ramp(wide)[None]
    total = np.zeros((model.classes, tall, width), np.float32)
    weights = np.zeros((tall, width), np.float32)
    for number, top in enumerate(tops):
        rows = pixels[top : top + tall]
        for left, part in _tile_row(model, rows, lefts, wide, flips):
            total[:, :, left : left + wide] += part * weight
            weights[:, left : left + wide] += weight
        done = (tops[number + 1] - top) if number + 1 < len(tops) else tall
        yield Band(top, total[:, :done] / weights[:done])
        total, weights = _rolled(total, done), _rolled(weights, done)


def _rolled(array: np.ndarray, rows: int) -> np.ndarray:
    """The accumulator moved down by ``rows`` (its second-last axis), with zeros below."""
    fresh = np.zeros_like(array)
    if rows < array.shape[-2]:
        fresh[..., : array.shape[-2] - rows, :] = array[..., rows:, :]
    return fresh


def _tile_row(
    model: SegmentationModel, rows: np.ndarray, lefts: list[int], wide: int, flips: bool
) -> Iterator[tuple[int, np.ndarray]]:
    at_once = max(1, _PIXELS_AT_ONCE // (rows.shape[0] * wide))
    for first in range(0, len(lefts), at_once):
        some = lefts[first : first + at_once]
        batch = np.stack([rows[:, left : left + wide] for left in some]).transpose(0, 3, 1, 2)
        result = tile_probabilities(model, torch.from_numpy(np.ascontiguousarray(batch)), flips=flips)
        yield from zip(some, result.cpu().numpy(), strict=True)


@torch.inference_mode()
def tile_probabilities(model: SegmentationModel, images: Tensor, *, flips: bool = False) -> Tensor:
    """Probabilities (B, K, H, W) float32 of tiles (B, C, H, W) uint8, on the model's device."""
    device = next(model.parameters()).device
    images = normalised(images.to(device)).contiguous(memory_format=torch.channels_last)
    with torch.autocast(device.type, torch.bfloat16, enabled=has_bf16()):
        result = model(images).float().softmax(1)
        if flips:
            result = (result + model(images.flip(-1)).float().softmax(1).flip(-1)) / 2
    return result


def tile_side(model: SegmentationModel) -> int:
    """The side of a prediction tile at working scale.

    Convolutions see farther in a larger tile and lose less to overlap; a ViT keeps to the size it was trained at.
    """
    return model.crop if model.encoder.kind == "vit" else 2 * model.crop


def _ramp(length: int) -> np.ndarray:
    """Weights that rise from the edges to the middle, never 0, so that lone tiles keep their edges."""
    place = (np.arange(length) + 0.5) / length
    return np.minimum(np.minimum(place, 1 - place) * 4, 1).astype(np.float32) + 1e-3


def _enlarged(small: Iterator[Band], factor: int, height: int, width: int) -> Iterator[Band]:
    """Bands enlarged bilinearly to (height, width); one row of the band above is kept, so no seam shows."""
    above: np.ndarray | None = None
    waiting: Band | None = None
    for band in small:
        if waiting is not None:
            yield _enlarged_band(waiting, above, band.probabilities[:, :1], factor, height, width)
            above = waiting.probabilities[:, -1:]
        waiting = band
    if waiting is not None:
        yield _enlarged_band(waiting, above, None, factor, height, width)


def _enlarged_band(
    band: Band, above: np.ndarray | None, below: np.ndarray | None, factor: int, height: int, width: int
) -> Band:
    rows = band.probabilities
    first = rows[:, :1] if above is None else above
    last = rows[:, -1:] if below is None else below
    padded = np.concatenate([first, rows, last], 1)  # (K, h + 2, w)
    size = (padded.shape[2] * factor, padded.shape[1] * factor)
    planes = [cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR)[factor:-factor, :width] for plane in padded]
    top = band.top * factor
    return Band(top, np.stack(planes)[:, : height - top])
