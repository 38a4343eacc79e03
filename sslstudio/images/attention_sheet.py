"""One picture of an image and of where an encoder looks in it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from sslstudio.errors import UserError
from sslstudio.images.reader import read_rgb8
from sslstudio.language import tr

SIDE = 320  # pixels of a tile's longer side
GAP = 8


def write_sheet(image: Path, maps: np.ndarray, out: Path) -> None:
    """Write a PNG: the image, the mean of the heads, then every head; ``maps`` (heads + 1, h, w) from 0 to 1."""
    picture = read_rgb8(image, longest=SIDE)
    tiles = [picture, *(_glow(picture, attention) for attention in maps)]
    columns = min(len(tiles), 4)
    height, width = picture.shape[:2]
    rows = -(-len(tiles) // columns)
    sheet = np.full((rows * (height + GAP) + GAP, columns * (width + GAP) + GAP, 3), 255, np.uint8)
    for number, tile in enumerate(tiles):
        top = GAP + number // columns * (height + GAP)
        left = GAP + number % columns * (width + GAP)
        sheet[top : top + height, left : left + width] = tile
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(sheet).save(out, format="PNG")
    except OSError as error:
        raise UserError(
            tr("{out} cannot be written: {strerror}.").format(out=out, strerror=error.strerror),
            tr("Choose another place."),
        ) from None


def _glow(picture: np.ndarray, attention: np.ndarray) -> np.ndarray:
    """The picture in dark, lit where attention lies."""
    height, width = picture.shape[:2]
    smooth = cv2.resize(attention.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    colours = cv2.applyColorMap((smooth * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)[..., ::-1]
    return (0.35 * picture + 0.65 * colours).round().astype(np.uint8)
