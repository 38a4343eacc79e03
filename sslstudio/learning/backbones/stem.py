"""A network's first layer for images with another number of channels than it was made for."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from sslstudio.language import tr, tr_many


def adapt_channels(weight: Tensor, channels: int) -> Tensor:
    """A stem's weights (O, C, h, w) for images of other channels: repeated in turn, and scaled to keep the sum.

    With one channel this is the sum, so a grey image gives what it gave as three equal channels.
    """
    have = weight.shape[1]
    if have == channels:
        return weight
    if channels == 1:
        return weight.float().sum(1, keepdim=True).to(weight.dtype)
    times = -(-channels // have)
    return (weight.float().repeat(1, times, 1, 1)[:, :channels] * (have / channels)).to(weight.dtype)


def adapt_stem(
    state: Mapping[str, Tensor], wanted: Mapping[str, Tensor], have: int, channels: int
) -> dict[str, Tensor]:
    """An encoder's tensors with those layers adapted that look at its images (``have`` channels, now ``channels``)."""
    return {
        key: adapt_channels(value, channels) if _looks_at_images(value, wanted.get(key), have, channels) else value
        for key, value in state.items()
    }


def _looks_at_images(value: Tensor, wanted: Tensor | None, have: int, channels: int) -> bool:
    if wanted is None or value.dim() != 4 or wanted.dim() != 4:
        return False
    return value.shape != wanted.shape and (value.shape[1], wanted.shape[1]) == (have, channels)


def told(have: int, channels: int) -> str:
    """What was done to the first layer, in a sentence."""
    images = tr_many("{channels} channel", "{channels} channels", channels).format(channels=channels)
    how = tr("they were added up") if channels == 1 else tr("they were repeated in turn and scaled")
    return tr_many(
        "The first layer's weights are made for {have} channel: {how} for {images}.",
        "The first layer's weights are made for {have} channels: {how} for {images}.",
        have,
    ).format(have=have, how=how, images=images)
