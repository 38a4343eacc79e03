"""How alike every place of an image is to places that somebody pointed at, by a network's dense features.

Each level of the network is centred on the image's mean (what all places share tells none apart) and brought to length
1, since levels differ in scale by orders of magnitude; side by side they make one vector per place. A place is as alike
as its cosine to the nearest wanted example, and less the nearer it is to an unwanted one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from sslstudio.errors import UserError
from sslstudio.images.bands import resized
from sslstudio.learning.backbones.encoder import Encoder, normalisation
from sslstudio.learning.training.devices import has_bf16
from sslstudio.queries.messages import Example

LONGEST = {"vit": 768, "conv": 512}  # pixels of the longer side that the network sees; small images are enlarged
SMALLEST = 16  # pixels of an image's shorter side, below which there are no places to compare
_STEP = 4  # a convolutional network's places lie this many pixels of what it sees apart, or further
_LEVELS = 2  # of a convolutional network, from there on: measured, deeper ones only blur what fine ones tell apart
PARTS_AT = 0.6  # of the scale: where by default what is alike is parted from what is not
_PARTED = {"vit": 0.22, "conv": PARTS_AT}  # the cosine that parts best in the middle of many images, as measured
_DOUBT = 0.05  # how much a place's cosines must differ for it to be clearly on one side


@dataclass(frozen=True)
class Places:
    """One vector (C,) per place of an image, (h, w, C) float32: of length 1, or the mean of such."""

    vectors: Tensor
    shape: tuple[int, int]  # height and width of the image
    parted: float = PARTS_AT  # the cosine that stands at ``PARTS_AT`` of the scale


def places_of(encoder: Encoder, bands8: np.ndarray, shape: tuple[int, int] | None = None) -> Places:
    """The places of an image (H, W, C) uint8, which may be a smaller copy of one of ``shape`` (height, width).

    UserError where it is too small to have any.
    """
    height, width = shape or bands8.shape[:2]
    if min(height, width) < SMALLEST:
        raise UserError(
            f"This image is too small to compare its places: {width} × {height} pixels.",
            f"Similar regions need at least {SMALLEST} pixels to each side. Use the wand here.",
        )
    levels = _levels(encoder, bands8)
    finest = levels[0].shape[-2:]
    parts = []
    for level in levels:
        level = level - level.mean(dim=(-2, -1), keepdim=True)
        level = F.interpolate(level, size=finest, mode="bilinear", align_corners=False)
        parts.append(F.normalize(level, dim=1))
    vectors = F.normalize(torch.cat(parts, dim=1), dim=1)[0].permute(1, 2, 0).contiguous()
    return Places(vectors, (height, width), _PARTED[encoder.kind])


@torch.inference_mode()
def _levels(encoder: Encoder, bands8: np.ndarray) -> list[Tensor]:
    """Feature levels (1, C, h, w) float32 that tell places apart, fine to coarse."""
    device = next(encoder.parameters()).device
    with torch.autocast(device.type, torch.bfloat16, enabled=has_bf16()):
        levels = encoder.feature_levels(_as_seen(bands8, encoder).to(device))
    found = [level.float().cpu().clone() for level in levels]
    if encoder.kind == "conv":
        found = [level for level, (_, step) in zip(found, encoder.levels, strict=True) if step >= _STEP][:_LEVELS]
    return found or [levels[-1].float().cpu().clone()]


def _as_seen(bands8: np.ndarray, encoder: Encoder) -> Tensor:
    """The image as (1, C, h, w), normalised, its longer side always about as long: small images are enlarged."""
    height, width = bands8.shape[:2]
    scale, step = LONGEST[encoder.kind] / max(height, width), encoder.stride
    rows, columns = (max(1, round(side * scale / step)) * step for side in (height, width))
    small = resized(bands8, (columns, rows), cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    pixels = torch.from_numpy(small).permute(2, 0, 1)[None].float() / 255
    mean, std = (torch.tensor(values).view(1, -1, 1, 1) for values in normalisation(pixels.shape[1]))
    return (pixels - mean) / std


def likeness(places: Places, examples: Sequence[Example], source: Places | None = None) -> np.ndarray:
    """How alike each place is to the ``examples``, which lie in the image of ``source`` (None: in this one).

    (h, w) float32 from -1 to 1, scaled so that kinds of networks part what is alike at the same ``PARTS_AT``. Where a
    place is as near to an unwanted example as to a wanted one, half is left.
    """
    source = source or places
    wanted = [_vector(source, example) for example in examples if example.wanted]
    unwanted = [_vector(source, example) for example in examples if not example.wanted]
    if not wanted:
        raise UserError("Nothing was pointed at.", "Click on something of which you want more.")
    near = (places.vectors @ torch.stack(wanted).T).amax(dim=-1)
    if unwanted:
        other = (places.vectors @ torch.stack(unwanted).T).amax(dim=-1)
        near = torch.where(near > 0, near * torch.sigmoid((near - other) / _DOUBT), near)
    scaled = np.interp(near.numpy(), (-1, 0, places.parted, 1), (-1, 0, PARTS_AT, 1))
    return scaled.astype(np.float32)


def _vector(places: Places, example: Example) -> Tensor:
    """The mean of the places under a box of image pixels, at least one, (C,) of length 1."""
    rows, columns = places.vectors.shape[:2]
    height, width = places.shape
    left, right = (_cell(x, width, columns) for x in (example.left, example.right))
    top, bottom = (_cell(y, height, rows) for y in (example.top, example.bottom))
    return F.normalize(places.vectors[top : bottom + 1, left : right + 1].mean(dim=(0, 1)), dim=0)


def _cell(at: float, pixels: int, cells: int) -> int:
    return min(cells - 1, max(0, int(at / pixels * cells)))
