"""What methods that compare the images of a batch must mind about batch norm."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from sslstudio.errors import UserError
from sslstudio.language import tr

GROUPS, LEAST = 4, 8


def refuse_single(images: int) -> None:
    """Raise UserError where a step has fewer than two images: their mean would be each image itself."""
    if images < 2:
        raise UserError(
            tr("A step had a single image, but this method learns by comparing at least two."),
            tr("Choose a batch of 2 or more; if memory runs out, choose a smaller view size or backbone."),
        )


def has_batch_norm(network: nn.Module) -> bool:
    """Whether any layer uses statistics of the whole batch."""
    return any(isinstance(layer, nn.modules.batchnorm._BatchNorm) for layer in network.modules())


def in_shuffled_groups(network: Callable[[Tensor], tuple[Tensor, ...]], images: Tensor) -> tuple[Tensor, ...]:
    """Outputs of ``network`` for ``images`` (B, ...), each (B, ...) in their order, made in random groups.

    Batch norm then sees up to ``GROUPS`` groups of at least ``LEAST`` images, as on so many devices.
    """
    groups = max(1, min(GROUPS, len(images) // LEAST))
    order = torch.randperm(len(images))  # drawn on the CPU, whose generator a resumed run takes up again
    places = order.to(images.device)
    parts = [network(images[part]) for part in places.tensor_split(groups)]
    back = places.argsort()
    return tuple(torch.cat(outputs)[back] for outputs in zip(*parts, strict=True))
