"""Where a vision transformer looks: attention of the class token or of a chosen point, as small maps."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from sslstudio.errors import UserError
from sslstudio.images.bands import resized
from sslstudio.language import tr
from sslstudio.learning.backbones.encoder import Encoder, ViTEncoder, normalisation


def to_input(bands8: np.ndarray, stride: int, longest: int) -> Tensor:
    """An image (H, W, C) uint8 as normalised network input (1, C, h, w), sides multiples of ``stride``."""
    height, width = bands8.shape[:2]
    scale = min(1.0, longest / max(height, width))
    rows, columns = (max(1, round(side * scale / stride)) for side in (height, width))
    size = (columns * stride, rows * stride)
    shrinks = size[0] < width or size[1] < height
    small = resized(bands8, size, cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    pixels = torch.from_numpy(small).permute(2, 0, 1)[None].float() / 255
    mean, std = (torch.tensor(values).view(1, -1, 1, 1) for values in normalisation(pixels.shape[1]))
    return (pixels - mean) / std


@dataclass(frozen=True)
class Attention:
    """What one block attends to in one image; ``maps`` only slices, so following a pointer costs nothing."""

    weights: Tensor  # (heads, P + N, P + N) on the CPU, rows sum to 1
    grid: tuple[int, int]  # rows and columns of patches, N together
    shape: tuple[int, int]  # height and width of the image
    has_class_token: bool

    def maps(self, query: tuple[float, float] | None = None) -> np.ndarray:
        """Attention over the patches, (heads + 1, h, w) float32 from 0 to 1, the mean of the heads first.

        ``query`` is a point (x, y) in image pixels whose patch asks; None lets the class token ask (or, in a
        network without one, all patches on average).
        """
        return _stretched(self._maps(query)).numpy().astype(np.float32)

    def _maps(self, query: tuple[float, float] | None) -> Tensor:
        """As ``maps``, but not stretched: weights as they are."""
        rows, columns = self.grid
        prefix = self.weights.shape[-1] - rows * columns
        if query is not None:
            asking = self.weights[:, prefix + _patch_at(query, self.shape, rows, columns)]
        else:
            asking = self.weights[:, 0] if self.has_class_token else self.weights.mean(dim=1)
        heads = asking[:, prefix:].float().reshape(-1, rows, columns)
        return torch.cat([heads.mean(dim=0, keepdim=True), heads])

    def mass(self, query: tuple[float, float] | None = None) -> np.ndarray:
        """How much of each map's attention lies on places at least as bright, (heads + 1, h, w) float32, 0 to 1.

        Where it is at most 0.6, say, lie the brightest places that hold 60 % of the attention (DINO, section 5.3).
        """
        return _mass(self._maps(query))


@torch.no_grad()
def attend(encoder: Encoder, bands8: np.ndarray, *, longest: int = 448, block: int = -1) -> Attention:
    """Attention of one block over an image (H, W, C) uint8; negative blocks count from the last.

    UserError for convolutional networks and for a block that the network lacks.
    """
    if not isinstance(encoder, ViTEncoder):
        raise UserError(
            tr("“{name}” has no attention.").format(name=encoder.name),
            tr("Choose a ViT backbone to see where it looks."),
        )
    depth = len(encoder.net.blocks)
    if not -depth <= block < depth:
        raise UserError(
            tr("“{name}” has no block {block}.").format(name=encoder.name, block=block),
            tr("Choose one from 0 to {depth}; -1 is the last.").format(depth=depth - 1),
        )
    device = next(encoder.parameters()).device
    was_training = encoder.training
    encoder.eval()
    weights, grid = encoder.attention(to_input(bands8, encoder.stride, longest).to(device), block)
    encoder.train(was_training)
    height, width = bands8.shape[:2]
    return Attention(weights[0].float().cpu(), grid, (height, width), encoder.net.cls_token is not None)


def attention_maps(
    encoder: Encoder,
    bands8: np.ndarray,
    *,
    longest: int = 448,
    query: tuple[float, float] | None = None,
    block: int = -1,
) -> np.ndarray:
    """Attention over the patches, (heads + 1, h, w) float32 from 0 to 1, as ``Attention.maps`` says."""
    return attend(encoder, bands8, longest=longest, block=block).maps(query)


def _patch_at(query: tuple[float, float], shape: tuple[int, ...], rows: int, columns: int) -> int:
    """The number of the patch at a point of the image; points outside count as the nearest inside."""
    column = min(columns - 1, max(0, int(query[0] / shape[1] * columns)))
    row = min(rows - 1, max(0, int(query[1] / shape[0] * rows)))
    return row * columns + column


def _stretched(maps: Tensor) -> Tensor:
    """Each map (h, w) stretched to 0 to 1; an even one becomes 0."""
    low, high = maps.amin(dim=(1, 2), keepdim=True), maps.amax(dim=(1, 2), keepdim=True)
    return (maps - low) / (high - low).clamp(min=1e-8)


def _mass(maps: Tensor) -> np.ndarray:
    """The share (0 to 1) of each map's (h, w) sum that lies on values at least as large, place by place."""
    flat = maps.flatten(1).double()
    values, order = flat.sort(dim=1, descending=True)
    held = values.cumsum(dim=1) / values.sum(dim=1, keepdim=True).clamp(min=1e-12)
    found = torch.empty_like(held).scatter_(1, order, held)
    return found.reshape(maps.shape).numpy().astype(np.float32)


@torch.no_grad()
def feature_colours(encoder: Encoder, bands8: np.ndarray, *, longest: int = 448) -> np.ndarray:
    """The three main directions of the dense features as colours, (h, w, 3) uint8; alike places look alike."""
    device = next(encoder.parameters()).device
    was_training = encoder.training
    encoder.eval()
    levels = encoder.feature_levels(to_input(bands8, encoder.stride, longest).to(device))
    encoder.train(was_training)
    chosen = levels[-2] if len(levels) > 1 else levels[-1]  # detailed enough to see, deep enough to mean something
    features = chosen[0].float().cpu().flatten(1).T  # (h w, C)
    features = features - features.mean(dim=0)
    _, _, directions = torch.linalg.svd(features, full_matrices=False)
    shown = features @ directions[:3].T
    shown = torch.nn.functional.pad(shown, (0, 3 - shown.shape[1]))
    low, high = shown.quantile(0.02, dim=0), shown.quantile(0.98, dim=0)
    shown = ((shown - low) / (high - low).clamp(min=1e-8)).clamp(0, 1) * 255
    return shown.reshape(*chosen.shape[-2:], 3).round().to(torch.uint8).numpy()


def heat_overlay(rgb8: np.ndarray, heat: np.ndarray, *, longest: int = 448) -> np.ndarray:
    """The image (H, W, 3) darkened, with the map (h, w) glowing over it, at most ``longest`` pixels."""
    image = _shrunk(rgb8, longest)
    size = (image.shape[1], image.shape[0])
    large = np.clip(cv2.resize(heat, size, interpolation=cv2.INTER_CUBIC), 0, 1)
    glow = cv2.applyColorMap((large * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)[..., ::-1]
    return cv2.addWeighted(image, 0.4, np.ascontiguousarray(glow), 0.6, 0)


def colour_overlay(rgb8: np.ndarray, colours: np.ndarray, *, longest: int = 448) -> np.ndarray:
    """The colours (h, w, 3) laid over the image (H, W, 3), so that its outlines stay visible."""
    image = _shrunk(rgb8, longest)
    large = cv2.resize(colours, (image.shape[1], image.shape[0]), interpolation=cv2.INTER_LINEAR)
    return cv2.addWeighted(image, 0.3, large, 0.7, 0)


def _shrunk(rgb8: np.ndarray, longest: int) -> np.ndarray:
    scale = min(1.0, longest / max(rgb8.shape[:2]))
    size = (max(1, round(rgb8.shape[1] * scale)), max(1, round(rgb8.shape[0] * scale)))
    return cv2.resize(rgb8, size, interpolation=cv2.INTER_AREA) if scale < 1 else rgb8
