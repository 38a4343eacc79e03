"""Which patches of a picture are hidden: in blocks (BEiT, iBOT) or one by one (SimMIM).

Sources: Bao et al. 2021, https://arxiv.org/abs/2106.08254, algorithm 1; Xie et al. 2021,
https://arxiv.org/abs/2111.09886, section 3.2. Differs from both: the count is met exactly in every picture, so that
batches stay rectangular; the last block is cut short for it. All pictures are drawn at once, from torch's default
generator on the CPU whatever the device, so that a resumed run hides the same patches.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

ASPECT = (0.3, 1 / 0.3)  # of a block, height over width
LEAST = 16 / 196  # the smallest block as a share of the grid: 16 patches of 14 x 14 in the paper
ROUNDS = 64  # of blocks, before what is missing is hidden one by one


def block_masks(
    batch: int,
    rows: int,
    columns: int,
    share: float | Tensor,
    *,
    least: int | None = None,
    aspect: tuple[float, float] = ASPECT,
    device: torch.device | str | None = None,
) -> Tensor:
    """Hide ``share`` of the patches in rectangular blocks: (B, rows * columns) of bool, true where hidden.

    ``share`` (0 to 1) is one number, or one per picture (B,); ``least`` is the smallest block in patches.
    """
    wanted = _counts(share, batch, rows * columns)
    least = max(1, round(LEAST * rows * columns)) if least is None else least
    hidden = torch.zeros(batch, rows, columns, dtype=torch.bool)
    for _ in range(ROUNDS):
        missing = wanted - hidden.sum(dim=(1, 2))
        if not bool((missing > 0).any()):
            break
        new = _blocks(rows, columns, missing.clamp(min=least) - least, least, aspect) & ~hidden
        hidden |= _first(new, missing)
    return _filled(hidden.flatten(1), wanted).to(device or "cpu")


def uniform_masks(
    batch: int,
    rows: int,
    columns: int,
    share: float | Tensor,
    *,
    unit: int = 1,
    device: torch.device | str | None = None,
) -> Tensor:
    """Hide ``share`` of the squares of ``unit`` x ``unit`` patches, each as likely: (B, rows * columns) of bool.

    The count is exact where ``unit`` divides rows and columns; squares at the far borders are cut off otherwise.
    """
    high, wide = math.ceil(rows / unit), math.ceil(columns / unit)
    units = _filled(torch.zeros(batch, high * wide, dtype=torch.bool), _counts(share, batch, high * wide))
    whole = units.view(batch, high, wide).repeat_interleave(unit, 1).repeat_interleave(unit, 2)
    return whole[:, :rows, :columns].flatten(1).to(device or "cpu")


def some_but_not_all(share: float, count: int) -> float:
    """``share`` (0 to 1) such that of ``count`` things at least one is hidden and one is not; ``count`` is over 1."""
    return min(1 - 1 / count, max(1 / count, share))


def _counts(share: float | Tensor, batch: int, patches: int) -> Tensor:
    """How many patches each picture hides, (B,)."""
    shares = torch.as_tensor(share, dtype=torch.float64, device="cpu").expand(batch)
    return (shares * patches).round().long().clamp(0, patches)


def _blocks(rows: int, columns: int, spare: Tensor, least: int, aspect: tuple[float, float]) -> Tensor:
    """One random block per picture, (B, rows, columns): ``least`` to ``least + spare`` patches, cut to the grid."""
    dice = torch.rand(4, len(spare), dtype=torch.float64)
    size = least + dice[0] * spare
    low, high = math.log(aspect[0]), math.log(aspect[1])
    ratio = (low + dice[1] * (high - low)).exp()
    height = (size * ratio).sqrt().round().clamp(1, rows).long()
    width = (size / ratio).sqrt().round().clamp(1, columns).long()
    top = (dice[2] * (rows - height + 1)).long()
    left = (dice[3] * (columns - width + 1)).long()
    return _within(top, height, rows)[:, :, None] & _within(left, width, columns)[:, None, :]


def _within(start: Tensor, length: Tensor, count: int) -> Tensor:
    """True at the places start to start + length - 1 of ``count``, (B, count)."""
    place = torch.arange(count)
    return (place >= start[:, None]) & (place < (start + length)[:, None])


def _first(new: Tensor, most: Tensor) -> Tensor:
    """Of the true places of ``new`` (B, rows, columns) the first ``most`` (B,), counted from either end."""
    flat = new.flatten(1)
    behind = torch.rand(len(flat)) < 0.5
    flat = torch.where(behind[:, None], flat.flip(1), flat)
    flat = flat & (flat.cumsum(1) <= most[:, None])
    return torch.where(behind[:, None], flat.flip(1), flat).view_as(new)


def _filled(hidden: Tensor, wanted: Tensor) -> Tensor:
    """Hide random further patches of (B, N) until each picture has its count (B,)."""
    if bool((hidden.sum(1) == wanted).all()):
        return hidden
    rank = (torch.rand(hidden.shape) - hidden.float()).argsort(dim=1).argsort(dim=1)  # the hidden ones come first
    return hidden | (rank < wanted[:, None])
