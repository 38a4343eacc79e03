"""CIE Lab, in which lightness (L, 0 to 100) stands apart from colour (a and b, about -110 to 110)."""

from __future__ import annotations

import torch
from torch import Tensor

# sRGB to XYZ and its white point D65 (IEC 61966-2-1), XYZ relative to white.
RGB_TO_XYZ = ((0.412453, 0.357580, 0.180423), (0.212671, 0.715160, 0.072169), (0.019334, 0.119193, 0.950227))
WHITE = (0.950456, 1.0, 1.088754)
LINEAR_BELOW = (6 / 29) ** 3


def rgb_to_lab(rgb: Tensor) -> Tensor:
    """Colours of a screen, sRGB (B, 3, H, W) from 0 to 1, to Lab (B, 3, H, W)."""
    linear = torch.where(rgb <= 0.04045, rgb / 12.92, ((rgb.clamp(min=0) + 0.055) / 1.055) ** 2.4)
    xyz = torch.einsum("ij,bjhw->bihw", _to_xyz(rgb), linear)
    f = torch.where(xyz > LINEAR_BELOW, xyz.clamp(min=LINEAR_BELOW) ** (1 / 3), xyz * (29 / 6) ** 2 / 3 + 4 / 29)
    x, y, z = f.unbind(1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], dim=1)


def lab_to_rgb(lab: Tensor) -> Tensor:
    """Lab (B, 3, H, W) to sRGB, cut to 0 to 1 where no screen can show the colour."""
    lightness, a, b = lab.unbind(1)
    y = (lightness + 16) / 116
    f = torch.stack([y + a / 500, y, y - b / 200], dim=1)
    xyz = torch.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29))
    linear = torch.einsum("ij,bjhw->bihw", torch.linalg.inv(_to_xyz(lab)), xyz).clamp(0, 1)
    bright = 1.055 * linear.clamp(min=0.0031308) ** (1 / 2.4) - 0.055
    return torch.where(linear <= 0.0031308, 12.92 * linear, bright).clamp(0, 1)


def _to_xyz(like: Tensor) -> Tensor:
    """The matrix (3, 3) to XYZ relative to white."""
    return like.new_tensor(RGB_TO_XYZ) / like.new_tensor(WHITE)[:, None]


def colour_bins(step: int = 10) -> Tensor:
    """Points (Q, 2) of a grid of ``step`` in a and b that are next to a colour of a screen, sorted."""
    line = torch.linspace(0, 1, 64, dtype=torch.float64)
    cube = torch.cartesian_prod(line, line, line)
    ab = rgb_to_lab(cube.T.reshape(1, 3, -1, 1))[0, 1:, :, 0].T  # (64^3, 2)
    squares = torch.unique((ab / step).floor().long(), dim=0)
    corners = torch.tensor([[0, 0], [0, 1], [1, 0], [1, 1]])
    return torch.unique((squares[:, None] + corners).flatten(0, 1), dim=0).float() * step
