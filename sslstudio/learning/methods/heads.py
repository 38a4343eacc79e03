"""The small networks that methods put on an encoder."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def mlp(width: int, hidden: int, out: int, *, norm: bool = True) -> nn.Sequential:
    """Linear, batch norm, ReLU, linear: (B, width) to (B, out)."""
    middle = [nn.BatchNorm1d(hidden)] if norm else []
    return nn.Sequential(nn.Linear(width, hidden, bias=not norm), *middle, nn.ReLU(), nn.Linear(hidden, out))


def tower(*widths: int, last_norm: bool = False, last_bias: bool = False) -> nn.Sequential:
    """Linear layers from width to width with batch norm and ReLU between them: (B, widths[0]) to (B, widths[-1]).

    ``last_norm`` ends with a batch norm without weights of its own (SimSiam, MoCo v3).
    """
    layers: list[nn.Module] = []
    for before, after in itertools.pairwise(widths[:-1]):
        layers += [nn.Linear(before, after, bias=False), nn.BatchNorm1d(after), nn.ReLU()]
    layers.append(nn.Linear(widths[-2], widths[-1], bias=last_bias))
    if last_norm:
        layers.append(nn.BatchNorm1d(widths[-1], affine=False))
    return nn.Sequential(*layers)


class UnitRows(nn.Module):
    """A linear layer whose rows all have length 1: (B, D) on the unit sphere to (B, out) cosines."""

    def __init__(self, width: int, out: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(out, width))
        nn.init.trunc_normal_(self.weight, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        """Cosines between ``x`` (B, D), already of length 1, and every row."""
        return F.linear(x, F.normalize(self.weight, dim=1))


def sin_cos_positions(rows: int, columns: int, width: int) -> Tensor:
    """Fixed positions (rows * columns, width): sine and cosine of row and column at geometric frequencies."""
    quarter = width // 4
    frequency = 1.0 / 10000 ** (torch.arange(quarter, dtype=torch.float64) / quarter)
    row = torch.arange(rows, dtype=torch.float64)[:, None] * frequency  # (rows, quarter)
    column = torch.arange(columns, dtype=torch.float64)[:, None] * frequency
    row = row[:, None].expand(rows, columns, quarter)
    column = column[None].expand(rows, columns, quarter)
    found = torch.cat([column.sin(), column.cos(), row.sin(), row.cos()], dim=-1).flatten(0, 1)
    return nn.functional.pad(found, (0, width - 4 * quarter)).float()
