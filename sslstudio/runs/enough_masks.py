"""How many painted images it takes to find out whether pretraining helped, and what to say where there are fewer."""

from __future__ import annotations

from collections.abc import Collection

from sslstudio.errors import UserError
from sslstudio.images.slices import sources
from sslstudio.language import tr, tr_many

LEAST_MASKS = 4


def check_enough(painted: Collection[str]) -> None:
    """Raise UserError where the ``painted`` images (their wholes, or paths) are parts of too few wholes.

    Slices of one stack, and parts of one huge image under the same path, count once: they are too much alike.
    """
    apart = len(set(sources(painted)))
    if apart >= LEAST_MASKS:
        return
    found = (
        tr("No image is painted")
        if not apart
        else tr_many("Only {masks} image is painted", "Only {masks} images are painted", apart).format(masks=apart)
    )
    problem = tr(
        "{painted}, and this check needs at least {least_masks}: it learns from some and tests on the others."
    ).format(painted=found, least_masks=LEAST_MASKS)
    if len(painted) > apart:
        problem += " " + once()
    raise UserError(problem, tr("Paint {least_masks} more, then ask again.").format(least_masks=LEAST_MASKS - apart))


def once() -> str:
    """Why a stack of many painted slices is not many masks."""
    return tr("Slices of one stack, and parts of one large image, count as one: they are too much alike.")
