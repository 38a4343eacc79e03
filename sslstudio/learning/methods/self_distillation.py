"""What DINO, iBOT and DINOv2 share: prototype heads, what the teacher asks for, losses against it, and the crops.

Sources: Caron et al. 2021, https://arxiv.org/abs/2104.14294 (image loss, centring, multi-crop); Zhou et al. 2021,
https://arxiv.org/abs/2111.07832 (patch loss); Caron et al. 2020, https://arxiv.org/abs/2006.09882, section 3.1
(Sinkhorn-Knopp); Sablayrolles et al. 2018, https://arxiv.org/abs/1806.03198, equation 2 (KoLeo).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sslstudio.learning.backbones.encoder import ViTEncoder
from sslstudio.learning.methods.base import Position, Views, ViewSpec, nearest_multiple
from sslstudio.learning.methods.heads import UnitRows
from sslstudio.learning.methods.patch_masks import block_masks
from sslstudio.recipes.presets import Augmentation

HIDDEN, BOTTLENECK = 1024, 256
ROUNDS = 3  # of Sinkhorn-Knopp
NEAREST = 1e-3  # KoLeo: distances on the unit sphere far below this count as this


class Head(nn.Module):
    """Three linear layers, the unit sphere, and a last layer of unit rows: (B, width) to (B, prototypes)."""

    def __init__(self, width: int, prototypes: int) -> None:
        super().__init__()
        self.mlp = nn.Sequential(
            nn.Linear(width, HIDDEN),
            nn.GELU(),
            nn.Linear(HIDDEN, HIDDEN),
            nn.GELU(),
            nn.Linear(HIDDEN, BOTTLENECK),
        )
        for layer in self.mlp:
            if isinstance(layer, nn.Linear):
                nn.init.trunc_normal_(layer.weight, std=0.02)
                nn.init.zeros_(layer.bias)
        self.last = UnitRows(BOTTLENECK, prototypes)

    def forward(self, x: Tensor) -> Tensor:
        """Scores of the prototypes, each a cosine."""
        return self.last(F.normalize(self.mlp(x), dim=-1))


def multi_crop(look: Augmentation, resolution: int, stride: int, small: int) -> tuple[ViewSpec, ...]:
    """Two large views and ``small`` small ones (3/7 of the side, as 96 to 224); each kind its own area range."""
    border = min(0.6, max(0.25, look.crop_low))
    large = ViewSpec(nearest_multiple(resolution, stride), 2, (border, 1.0), replace(look, solarize=0.1))
    if not small:
        return (large,)
    low = min(0.05 if look.crop_low < 0.25 else 0.1, border)
    size = min(large.size, max(2 * stride, nearest_multiple(round(resolution * 3 / 7), stride)))
    return large, ViewSpec(size, small, (low, border), look)


# what the teacher asks for ------------------------------------------------------------------------------------


def warmed(start: float, end: float, share: float, position: Position) -> float:
    """The teacher's temperature at ``position``: a line from ``start`` to ``end`` in the first ``share`` of the run."""
    if position.share >= share:
        return end
    return start + (end - start) * position.share / share


def centred(scores: Tensor, centre: Tensor, temperature: float) -> Tensor:
    """Targets (…, K), each summing to 1: scores without what all share, sharpened (DINO, section 3.1)."""
    return ((scores.detach() - centre) / temperature).softmax(dim=-1)


def sinkhorn(scores: Tensor, temperature: float, rounds: int = ROUNDS) -> Tensor:
    """Targets (N, K), each summing to 1, that use all prototypes alike: their sums draw near N / K.

    In logarithms, so that no score is too small to be shared out.
    """
    found = scores.detach() / temperature
    for _ in range(rounds):
        found = found - found.logsumexp(dim=0, keepdim=True)  # every prototype is used once
        found = found - found.logsumexp(dim=1, keepdim=True)  # every row is one choice
    return found.exp()


class Targets(nn.Module):
    """Turns a teacher's scores into targets, either balanced by Sinkhorn-Knopp or with a centre that follows."""

    centre: Tensor

    def __init__(self, prototypes: int, centre_momentum: float, *, balanced: bool = False) -> None:
        super().__init__()
        self.momentum, self.balanced = centre_momentum, balanced
        self.register_buffer("centre", torch.zeros(1, prototypes))

    @torch.no_grad()
    def forward(self, scores: Tensor, temperature: float) -> Tensor:
        """Targets (N, K) for scores (N, K); in training the centre then follows their mean."""
        if self.balanced:
            return sinkhorn(scores, temperature)
        found = centred(scores, self.centre, temperature)
        if self.training:
            move_centre(self.centre, scores, self.momentum)
        return found


@torch.no_grad()
def move_centre(centre: Tensor, scores: Tensor, momentum: float) -> None:
    """Move ``centre`` (1, K) towards the mean of ``scores`` (N, K) over all devices (DINO, equation 4)."""
    total = torch.cat([scores.sum(dim=0), scores.new_tensor([len(scores)])])
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.all_reduce(total)
    mean = total[:-1] / total[-1].clamp(min=1)
    centre.lerp_(mean[None], (1 - momentum) * (total[-1:] > 0).float())


def undecided(targets: Tensor) -> Tensor:
    """The mean entropy of ``targets`` (…, K) as a share (0 to 1) of log K, the largest possible.

    0 means that each view gets one prototype for certain, 1 that the teacher says nothing (DINO, section 5.3).
    """
    return torch.special.entr(targets).sum(dim=-1).mean() / math.log(max(2, targets.shape[-1]))


# losses -------------------------------------------------------------------------------------------------------


def view_loss(student: Tensor, target: Tensor, temperature: float) -> Tensor:
    """Mean cross-entropy between every target view and every other student view (DINO, equations 1 and 3).

    ``student`` is (V, B, K) scores with the large views first, ``target`` (T, B, K) with rows that sum to 1.
    """
    guess = (student / temperature).log_softmax(dim=-1)
    pairs = -torch.einsum("tbk,vbk->tv", target.detach(), guess) / student.shape[1]  # (T, V)
    different = ~torch.eye(*pairs.shape, dtype=torch.bool, device=pairs.device)
    return pairs[different].mean()


def patch_loss(student: Tensor, target: Tensor, weight: Tensor, temperature: float) -> Tensor:
    """Cross-entropy at the hidden patches: (M, K) scores, (M, K) targets, (M,) weights (iBOT, equation 2)."""
    guess = (student / temperature).log_softmax(dim=-1)
    return (-(target.detach() * guess).sum(dim=-1) * weight).sum()


def koleo(features: Tensor) -> Tensor:
    """Minus the mean logarithm of the distance to the nearest other row of (B, D), on the unit sphere.

    Rows that are the same have no direction to part in: they cost much, but neither without end nor with a gradient.
    """
    if len(features) < 2:
        return features.sum() * 0.0
    unit = F.normalize(features, dim=-1)
    with torch.no_grad():
        nearest = (unit @ unit.T).fill_diagonal_(-2).argmax(dim=1)
    apart = (unit - unit[nearest]).square().sum(dim=-1)
    return -0.5 * (apart + NEAREST**2).log().mean()


# hidden patches -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Hidden:
    """Which patches of V views are hidden: ``mask`` (V, N), their places ``where`` (M,) in V * N, and ``weight`` (M,).

    The weights make every view count the same, however many of its patches are hidden; they sum to the share of
    views that hide any.
    """

    mask: Tensor
    where: Tensor
    weight: Tensor


def hide(
    views: int, rows: int, columns: int, *, chance: float, low: float, high: float, device: torch.device
) -> Hidden:
    """Hide blocks in a share ``chance`` of the views, ``low`` to ``high`` of the patches of each.

    Drawn on the CPU, so that a GPU need not be waited for to learn how many there are.
    """
    chosen = torch.rand(views).argsort().argsort() < round(chance * views)
    shares = (low + (high - low) * torch.rand(views)) * chosen
    mask = block_masks(views, rows, columns, shares)
    weight = 1 / (mask.sum(dim=1).clamp(min=1) * views)  # (V,)
    where = mask.flatten().nonzero().flatten()
    weight = weight.repeat_interleave(rows * columns)[where]
    return Hidden(*(part.to(device, non_blocking=True) for part in (mask, where, weight)))


@dataclass(frozen=True)
class Answers:
    """What one side says: scores of its views (V, K) and of the hidden patches (M, K); features of the large views."""

    views: Tensor
    patches: Tensor
    features: Tensor


def answer(
    encoder: ViTEncoder, heads: nn.ModuleList, views: Views, hidden: Hidden, stand_in: Tensor | None = None
) -> Answers:
    """Look at the large views (with gaps where there is a ``stand_in``) and then at the small ones.

    The first head scores views, the last one patches; they may be the same.
    """
    tokens = encoder.tokens(views[0], hidden=None if stand_in is None else hidden.mask, stand_in=stand_in)
    patches = tokens[:, tokens.shape[1] - hidden.mask.shape[1] :]  # (V, N, D)
    features = tokens[:, 0] if encoder.net.cls_token is not None else patches.mean(dim=1)  # (V, D)
    seen = torch.cat([features, *(encoder(view) for view in views[1:])])
    return Answers(heads[0](seen).float(), heads[-1](patches.flatten(0, 1)[hidden.where]).float(), features)


def hold_prototypes(heads: Iterable[nn.Module]) -> None:
    """Keep the last layers still at this step."""
    for head in heads:
        head.last.weight.grad = None  # type: ignore[union-attr]
