"""How many channels of the images a network sees: what suits a folder, and what a method can do with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sslstudio.errors import UserError
from sslstudio.language import tr, tr_many
from sslstudio.recipes.methods import METHODS

MOST = 64
COLOURS_ONLY = ("colorization",)  # methods that learn from what is colour in an image


def common_channels(counts: Sequence[int]) -> int:
    """The number of channels that most images have, the larger of two as common; 3 where nothing is known."""
    known = Counter(count for count in counts if count > 0)
    return max(known, key=lambda count: (known[count], count)) if known else 3


def suggest_channels(counts: Sequence[int], method: str | None = None) -> tuple[int, str]:
    """Channels for a network on images with these ``counts``, and why; colour and grey images are seen as RGB.

    Published weights are for RGB, so nothing is gained by a network of its own for grey images. Bands are seen only
    where more than half of the images have the same number of them, because the others are left out.
    """
    counts = [count for count in counts if count > 0]
    common = common_channels(counts)
    if not any(_banded(count) for count in counts):
        return 3, ""
    if not _banded(common) or 2 * counts.count(common) <= len(counts):
        return 3, _as_colours(counts)
    if common > MOST:
        return 3, tr("A network sees {most} channels at most, so only the first three of {common} are seen.").format(
            most=MOST, common=common
        )
    if method in COLOURS_ONLY:
        return 3, tr("{name} needs colours, so only the first three of {common} channels are seen.").format(
            name=METHODS[method].name, common=common
        )
    left = len(counts) - counts.count(common)
    if not left:
        return common, tr("All images have {common} channels, and the network sees every channel.").format(
            common=common
        )
    sentence = tr_many(
        "{count} of {counts} images have {common} channels, and the network sees every channel; "
        "the other image is left out.",
        "{count} of {counts} images have {common} channels, and the network sees every channel; "
        "the other {left} images are left out.",
        left,
    )
    return common, sentence.format(count=counts.count(common), counts=len(counts), common=common, left=left)


def _banded(count: int) -> bool:
    """Whether an image with so many channels is neither grey nor colour."""
    return count not in (1, 3)


def _as_colours(counts: Sequence[int]) -> str:
    """Why a folder of several kinds of images is seen as colours."""
    odd = sorted({count for count in counts if _banded(count)})
    many = sum(_banded(count) for count in counts)
    kinds = (
        tr("{several} or {last}").format(several=", ".join(map(str, odd[:-1])), last=odd[-1])
        if len(odd) > 1
        else str(odd[0])
    )
    if odd[-1] > 3:
        sentence = tr_many(
            "{many} of {counts} images has {kinds} channels and is seen as colours (its first three channels), "
            "so that none is left out.",
            "{many} of {counts} images have {kinds} channels and are seen as colours (their first three channels), "
            "so that none is left out.",
            many,
        )
    else:
        sentence = tr_many(
            "{many} of {counts} images has {kinds} channels and is seen as colours, so that none is left out.",
            "{many} of {counts} images have {kinds} channels and are seen as colours, so that none is left out.",
            many,
        )
    return sentence.format(many=many, counts=len(counts), kinds=kinds)


def channels_problem(method: str, channels: int) -> UserError | None:
    """Why a method cannot learn from images with so many channels, or None."""
    if method not in COLOURS_ONLY or channels == 3:
        return None
    return UserError(
        tr("{name} learns from colours, and images with {channels} channels have none.").format(
            name=METHODS[method].name, channels=channels
        ),
        tr("Set “Channels” to 3, or choose another method."),
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
        tr_many(
            "No image has {channels} channel; most have {common}.",
            "No image has {channels} channels; most have {common}.",
            channels,
        ).format(channels=channels, common=common),
        tr("Set “Channels” to {value}.").format(value=3 if common == 1 else common),
    )
