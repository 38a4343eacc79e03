"""Telling an image's other view from the views of other images: the InfoNCE loss and the queue of keys.

Source: He et al. 2020 (MoCo), https://arxiv.org/abs/1911.05722, section 3.1 to 3.3 (equation 1, algorithm 1).
Differs from the paper: the queue begins empty instead of with random numbers, and until it is full each negative
counts for several, so that the loss means the same from the first step on; the other images of the batch are
negatives beside the queue, so that the first step has some; and a key of a query's own picture is never its
negative, which matters where the queue is nearly as long as the folder.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

UNKNOWN, EMPTY = -1, -2  # in place of a picture's number, which is 0 or more


@dataclass(frozen=True)
class Negatives:
    """Keys (K, D) of length 1, where they are none for a query (..., K), and for how many each of them counts."""

    keys: Tensor
    forbidden: Tensor
    weight: Tensor | float = 1.0


def info_nce(queries: Tensor, keys: Tensor, negatives: Negatives, temperature: float) -> Tensor:
    """Mean cross-entropy of picking each query's own key among it and the negatives (equation 1).

    ``queries`` and ``keys`` are (..., D), all of length 1. No gradient reaches keys or negatives.
    """
    positive = (queries * keys.detach()).sum(dim=-1, keepdim=True) / temperature  # (..., 1)
    others = (queries @ negatives.keys.detach().T) / temperature  # (..., K)
    others = others.masked_fill(negatives.forbidden, float("-inf"))
    others = others + torch.as_tensor(negatives.weight, device=others.device).log()
    return (torch.cat([positive, others], dim=-1).logsumexp(dim=-1) - positive[..., 0]).mean()


class KeyQueue(nn.Module):
    """The last ``length`` keys, oldest overwritten first, and which pictures they show; it begins empty."""

    keys: Tensor
    pictures: Tensor
    place: Tensor

    def __init__(self, length: int, width: int) -> None:
        super().__init__()
        self.register_buffer("keys", torch.zeros(length, width))
        self.register_buffer("pictures", torch.full((length,), EMPTY))
        self.register_buffer("place", torch.zeros(1, dtype=torch.long))

    @torch.no_grad()
    def add(self, keys: Tensor, pictures: Tensor) -> None:
        """Put keys (B, D) and their pictures (B,) in the places of the oldest; of too many, the last stay."""
        length = len(self.keys)
        if length == 0:
            return
        keys, pictures = keys[-length:], pictures[-length:]
        places = (self.place + torch.arange(len(keys), device=keys.device)) % length
        self.keys[places] = keys.to(self.keys.dtype)
        self.pictures[places] = pictures
        self.place.add_(len(keys)).remainder_(length)

    def forbidden(self, pictures: Tensor) -> Tensor:
        """Which places are no negatives for queries of ``pictures`` (B,): empty ones and their own, (B, length)."""
        return (self.pictures == EMPTY) | same_picture(pictures, self.pictures)


@torch.no_grad()
def negatives_for(pictures: Tensor, keys: Tensor, queue: KeyQueue | None = None) -> Negatives:
    """What the queries of a batch are told from: the other keys of all devices, and those of ``queue``.

    ``keys`` (B, D) belong to the batch's ``pictures`` (B,).
    """
    everyone, whose = gathered(keys), gathered(pictures)
    first = len(keys) * _rank()
    own = torch.arange(len(keys), device=keys.device)[:, None] + first == torch.arange(len(whose), device=keys.device)
    forbidden = own | same_picture(pictures, whose)
    if queue is None:
        return Negatives(everyone, forbidden)
    beside = len(everyone) - 1
    weight = (len(queue.keys) + beside) / ((queue.pictures != EMPTY).sum() + beside).clamp(min=1)
    forbidden = torch.cat([forbidden, queue.forbidden(pictures)], dim=1)
    return Negatives(torch.cat([everyone, queue.keys]), forbidden, weight)


def same_picture(left: Tensor, right: Tensor) -> Tensor:
    """Whether pictures (B,) and (K,) are known to be the same, (B, K)."""
    return (left[:, None] == right) & (left[:, None] >= 0)


def known_pictures(pictures: Tensor | None, keys: Tensor) -> Tensor:
    """The pictures' numbers (B,), or that they are unknown."""
    return torch.full((len(keys),), UNKNOWN, device=keys.device) if pictures is None else pictures


@torch.no_grad()
def gathered(x: Tensor) -> Tensor:
    """The rows of all devices, (devices * B, ...), without gradients; ``x`` itself where there is one device."""
    if not _several_devices():
        return x
    found = [torch.empty_like(x) for _ in range(torch.distributed.get_world_size())]
    torch.distributed.all_gather(found, x.contiguous())
    return torch.cat(found)


def _several_devices() -> bool:
    return torch.distributed.is_available() and torch.distributed.is_initialized()


def _rank() -> int:
    return torch.distributed.get_rank() if _several_devices() else 0
