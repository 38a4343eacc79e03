"""How many channels of the images a network sees: what suits a folder, and what a method can do with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sslstudio.errors import UserError
from sslstudio.recipes.methods import METHODS

MOST = 64
COLOURS_ONLY = ("colorization",)  # methods that learn from what is colour in an image


def common_channels(counts: Sequence[int]) -> int:
    """The number of channels that most images have, the larger of two as common; 3 where nothing is known."""
    known = Counter(count for count in counts if count > 0)
    return max(known, key=lambda count: (known[count], count)) if known else 3


def suggest_channels(counts: Sequence[int], method: str | None = None) -> tuple[int, str]:
    """Channels for a network on images with these ``counts``, and why; colour and grey images are seen as RGB.

    Published weights are for RGB, so nothing is gained by a network of its own for grey images.
    """
    counts = [count for count in counts if count > 0]
    common = common_channels(counts)
    if common in (1, 3) or common > MOST:
        return 3, ""
    if method in COLOURS_ONLY:
        return 3, f"{METHODS[method].name} needs colours, so only the first three of {common} channels are seen."
    alike = sum(count == common for count in counts)
    most = "All" if alike == len(counts) else f"{alike} of {len(counts)}"
    return common, f"{most} images have {common} channels, and the network sees each of them."


def channels_problem(method: str, channels: int) -> UserError | None:
    """Why a method cannot learn from images with so many channels, or None."""
    if method not in COLOURS_ONLY or channels == 3:
        return None
    return UserError(
        f"{METHODS[method].name} learns from colours, and images with {channels} channels have none.",
        "Set “Channels” to 3, or choose another method.",
    )


def fits(count: int, channels: int) -> bool:
    """Whether an image with ``count`` channels can be seen by a network with ``channels``."""
    return channels in (3, count) or (channels, count) == (1, 3)


def folder_problem(channels: int, counts: Sequence[int]) -> UserError | None:
    """Why a network with so many channels can use no image of a folder, or None; 0 counts as not known."""
    if not counts or any(count <= 0 or fits(count, channels) for count in counts):
        return None
    common = common_channels(counts)
    return UserError(
        f"No image has {channels} channel{'' if channels == 1 else 's'}; most have {common}.",
        f"Set “Channels” to {3 if common == 1 else common}.",
    )
