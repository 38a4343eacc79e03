"""The slow copy of a network that many methods keep as teacher or target."""

from __future__ import annotations

import math

import torch
from torch import nn

from sslstudio.learning.methods.base import Position


def steady_momentum(momentum: float, expected_steps: int) -> float:
    """The start momentum, lowered so that the copy looks back over a twentieth of the run at most."""
    return min(momentum, 1 - 20 / max(expected_steps, 40))


def rising_momentum(momentum: float, position: Position) -> float:
    """The momentum at ``position``: from the steady start value to 1 along a cosine (BYOL, section 3.3)."""
    start = steady_momentum(momentum, position.expected_steps)
    return 1 - (1 - start) * (math.cos(math.pi * position.share) + 1) / 2


def queue_momentum(momentum: float, expected_steps: int, queue_steps: float) -> float:
    """The momentum of a network whose keys wait in a queue for ``queue_steps`` steps.

    It looks back three times as long as the oldest key is old, so that all keys are nearly one network's (MoCo,
    section 4.1: a faster copy fails), but no longer than a third of the run. On nuclei (one seed, some
    100 steps of MoCo v2) the effective rank was 18.8 with momentum 0.97 and 13.0 with 0.89, which is once the queue.
    """
    slow = min(1 - 1 / max(3 * queue_steps, 1), 1 - 3 / max(expected_steps, 6))
    return min(momentum, max(slow, steady_momentum(momentum, expected_steps)))


@torch.no_grad()
def follow(teacher: nn.Module, student: nn.Module, momentum: float) -> None:
    """Move every weight of ``teacher`` to momentum * teacher + (1 - momentum) * student.

    Running statistics of batch norm stay the teacher's own.
    """
    mine = [p.detach() for p in teacher.parameters()]
    theirs = [p.detach() for p in student.parameters()]
    torch._foreach_lerp_(mine, theirs, 1 - momentum)
