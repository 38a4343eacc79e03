"""Training crops: where they are cut, how they are turned, and how their colours vary."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from sslstudio.errors import UserError
from sslstudio.images.bands import with_axis
from sslstudio.language import tr
from sslstudio.learning.backbones.encoder import normalisation
from sslstudio.learning.segmentation.labelled import Painted
from sslstudio.learning.segmentation.metrics import IGNORED
from sslstudio.recipes.presets import Augmentation

_POSITIONS = 4096  # painted positions kept per image and class
_ZOOM = 1.0  # crops show things at 2^-1 to 2^1 times their size
_TILT = 15.0  # degrees, either way


@dataclass(frozen=True)
class Batch:
    """Crops (B, C, S, S) uint8 and their masks (B, S, S) uint8, 255 where unpainted."""

    images: Tensor
    labels: Tensor


class CropSampler:
    """Cuts crops around painted pixels, half of them around a pixel of an evenly drawn class.

    ``batch(step)`` depends on the seed and the step only, so a resumed run goes on with the crops it would have
    seen. Geometry is one affine resampling per crop; past an image's edge it goes on mirrored.
    """

    def __init__(self, painted: Sequence[Painted], classes: int, side: int, look: Augmentation, seed: int) -> None:
        self.painted, self.side, self.look, self.seed = list(painted), side, look, seed
        rng = np.random.default_rng(seed)
        self._spots = [_spots(p.labels, classes, rng) for p in self.painted]
        holders = [[i for i, spots in enumerate(self._spots) if number in spots] for number in range(classes)]
        self._holders = {number: found for number, found in enumerate(holders) if found}
        # Thin strokes are lost where images are shrunk far.
        self._shown = [image for image, spots in enumerate(self._spots) if spots]
        if not self._shown:
            raise UserError(
                tr("Images are shrunk so far that nothing of what was painted is left."),
                tr("Set “Shrink images by” to 0 or 1, or paint broader strokes."),
            )

    def batch(self, step: int, size: int) -> Batch:
        """``size`` crops for this step."""
        rng = np.random.default_rng((self.seed, step))
        pairs = [self._crop(*self._place(rng), rng) for _ in range(size)]
        images = np.stack([image for image, _ in pairs]).transpose(0, 3, 1, 2)
        return Batch(torch.from_numpy(np.ascontiguousarray(images)), torch.from_numpy(np.stack([m for _, m in pairs])))

    def _place(self, rng: np.random.Generator) -> tuple[int, int, int]:
        """An image's number and a painted (row, column) in it."""
        if rng.random() < 0.5:
            number = int(rng.choice(list(self._holders)))
            image = int(rng.choice(self._holders[number]))
        else:
            image = self._shown[int(rng.integers(len(self._shown)))]
            counts = {n: float(len(s)) for n, s in self._spots[image].items()}
            shares = np.array(list(counts.values()))
            number = int(rng.choice(list(counts), p=shares / shares.sum()))
        row, column = self._spots[image][number][rng.integers(len(self._spots[image][number]))]
        return image, int(row), int(column)

    def _crop(self, image: int, row: int, column: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        pair = self.painted[image]
        turn = _turn(self.look, rng)  # (2, 2): offsets in the crop to offsets in the image
        height, width = pair.labels.shape
        reach_x, reach_y = np.abs(turn).sum(1) * self.side / 2
        centre = np.array([_centre(column, reach_x, width, rng), _centre(row, reach_y, height, rng)])
        left, right = max(int(centre[0] - reach_x) - 2, 0), min(math.ceil(centre[0] + reach_x) + 3, width)
        top, bottom = max(int(centre[1] - reach_y) - 2, 0), min(math.ceil(centre[1] + reach_y) + 3, height)
        middle = (self.side - 1) / 2
        shift = centre - 0.5 - np.array([left, top]) - turn @ np.array([middle, middle])
        matrix = np.concatenate([turn, shift[:, None]], 1)
        part = (slice(top, bottom), slice(left, right))
        return _warped(pair.pixels[part], matrix, self.side, True), _warped(pair.labels[part], matrix, self.side, False)


def _spots(labels: np.ndarray, classes: int, rng: np.random.Generator) -> dict[int, np.ndarray]:
    """Some painted positions (N, 2) of each class."""
    found = {}
    for number in range(classes):
        flat = np.flatnonzero(labels == number)
        if len(flat):
            some = rng.choice(flat, _POSITIONS) if len(flat) > _POSITIONS else flat
            found[number] = np.stack(np.unravel_index(some, labels.shape), 1).astype(np.int32)
    return found


def _turn(look: Augmentation, rng: np.random.Generator) -> np.ndarray:
    """A random zoom, turn and mirroring as a (2, 2) matrix from crop offsets to image offsets (x, y)."""
    zoom = 2.0 ** rng.uniform(-_ZOOM, _ZOOM)
    quarters = int(rng.integers(1, 4)) if rng.random() < look.rotate_quarter else 0
    angle = math.radians(90.0 * quarters + (rng.uniform(-_TILT, _TILT) if rng.random() < 0.5 else 0.0))
    mirror = np.diag(
        [
            -1.0 if rng.random() < look.flip_horizontal else 1.0,
            -1.0 if rng.random() < look.flip_vertical else 1.0,
        ]
    )
    cos, sin = math.cos(angle), math.sin(angle)
    return np.array([[cos, -sin], [sin, cos]]) @ mirror / zoom


def _centre(near: int, reach: float, length: int, rng: np.random.Generator) -> float:
    """A window's centre on one axis: ``near`` lies inside it, and it lies inside the image where it fits."""
    if 2 * reach >= length:
        return rng.uniform(length - reach, reach) if 2 * reach > length else length / 2
    return float(np.clip(near + rng.uniform(-0.8, 0.8) * reach, reach, length - reach))


def _warped(array: np.ndarray, matrix: np.ndarray, side: int, smooth: bool) -> np.ndarray:
    flags = (cv2.INTER_LINEAR if smooth else cv2.INTER_NEAREST) | cv2.WARP_INVERSE_MAP
    warped = cv2.warpAffine(
        np.ascontiguousarray(array), matrix, (side, side), flags=flags, borderMode=cv2.BORDER_REFLECT_101
    )
    return warped if array.ndim == 2 else with_axis(warped)


def normalised(images: Tensor) -> Tensor:
    """Images (B, C, H, W) of 0..255 as the encoder expects them."""
    means, deviations = normalisation(images.shape[1])
    mean = torch.tensor(means, device=images.device).view(1, -1, 1, 1) * 255
    std = torch.tensor(deviations, device=images.device).view(1, -1, 1, 1) * 255
    return (images.float() - mean) / std


def recoloured(images: Tensor, look: Augmentation, generator: torch.Generator) -> Tensor:
    """Crops (B, C, S, S) of 0..255 with light, colour, sharpness and noise varied per crop, as floats 0..255."""
    x = images.float() / 255
    out = _recoloured_rgb(x, look, generator) if x.shape[1] == 3 else _relit_bands(x, look, generator)
    out = _softened(out, look.blur / 2, generator)
    if look.noise > 0:
        level = (torch.rand(len(x), generator=generator) * look.noise).view(-1, 1, 1, 1).to(x.device)
        out = out + torch.randn(out.shape, generator=generator).to(x.device) * level
    return out.clamp(0, 1) * 255


def _relit_bands(x: Tensor, look: Augmentation, generator: torch.Generator) -> Tensor:
    """Light and contrast of each band (B, C, S, S) varied on its own: nobody knows what hue would be."""
    dice = torch.rand(2, *x.shape[:2], generator=generator) * 2 - 1
    changed = (torch.rand(len(x), generator=generator) < look.jitter).float()[:, None]
    light, contrast = 1 + dice[0] * look.brightness * changed, 1 + dice[1] * look.contrast * changed
    gain, pivot = (f[..., None, None].to(x.device) for f in (light * contrast, light * (1 - contrast)))
    return x * gain + x.mean((2, 3), keepdim=True) * pivot


def _recoloured_rgb(x: Tensor, look: Augmentation, generator: torch.Generator) -> Tensor:
    """Colours (B, 3, S, S) varied; light, contrast, saturation and hue are linear: one 3×3 matrix and one offset."""
    batch = len(x)

    def draw(strength: float) -> Tensor:
        return (torch.rand(batch, generator=generator) * 2 - 1) * strength

    changed = (torch.rand(batch, generator=generator) < look.jitter).float()
    light = 1 + draw(look.brightness) * changed
    contrast = 1 + draw(look.contrast) * changed
    saturation = 1 + draw(look.saturation) * changed
    saturation = saturation * (torch.rand(batch, generator=generator) >= look.grey / 2)
    matrix = _hue_matrix(draw(look.hue) * changed * math.tau, saturation) * (light * contrast).view(-1, 1, 1)
    matrix = matrix.to(x.device)
    mean = x.mean((1, 2, 3)).view(-1, 1, 1) * (light * (1 - contrast)).view(-1, 1, 1).to(x.device)
    return torch.baddbmm(mean, matrix, x.flatten(2)).view_as(x)


_TO_YIQ = torch.tensor([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])


def _hue_matrix(angle: Tensor, saturation: Tensor) -> Tensor:
    """(B, 3, 3) matrices on RGB that turn the hue by ``angle`` (B,) and scale the colour by ``saturation`` (B,)."""
    cos, sin = angle.cos() * saturation, angle.sin() * saturation
    turn = torch.zeros(len(angle), 3, 3)
    turn[:, 0, 0] = 1
    turn[:, 1, 1], turn[:, 1, 2], turn[:, 2, 1], turn[:, 2, 2] = cos, -sin, sin, cos
    return torch.linalg.inv(_TO_YIQ) @ turn @ _TO_YIQ


def _softened(x: Tensor, probability: float, generator: torch.Generator) -> Tensor:
    """Some of the crops blurred with a random Gaussian of up to 1.2 pixels."""
    chosen = torch.rand(len(x), generator=generator) < probability
    sigma = 0.3 + 0.9 * torch.rand(len(x), generator=generator)
    for number in chosen.nonzero().flatten().tolist():
        offsets = torch.arange(-3, 4, device=x.device)
        kernel = torch.exp(-(offsets**2) / (2 * float(sigma[number]) ** 2))
        kernel = (kernel / kernel.sum()).expand(x.shape[1], 1, 1, 7)
        rows = F.conv2d(F.pad(x[number : number + 1], (3, 3, 3, 3), mode="replicate"), kernel, groups=x.shape[1])
        x[number] = F.conv2d(rows, kernel.transpose(2, 3), groups=x.shape[1])[0]
    return x


def painted_pixels(painted: Sequence[Painted], classes: int) -> np.ndarray:
    """Painted pixels per class (K,) over all masks."""
    total = np.zeros(classes, np.int64)
    for pair in painted:
        total += np.bincount(pair.labels[pair.labels != IGNORED], minlength=classes)[:classes]
    return total
