"""What the card of the view shows."""

from __future__ import annotations

from dataclasses import dataclass, field

from sslstudio.images.look import Channel
from sslstudio.images.picture import Histogram

ALL = -1  # as the channel whose histogram is shown


@dataclass(frozen=True)
class ViewState:
    """``low`` and ``high`` bound the window of ``target``; ``only``: whether this image has settings of its own.

    ``whole``: the values are whole numbers. ``told``: one line about what is being done, or about the pixels' size.
    """

    names: tuple[str, ...] = ()
    channels: tuple[Channel, ...] = ()
    bands: tuple[int, int, int] = (-1, -1, -1)
    target: int = ALL
    histogram: Histogram | None = None
    low: float = 0.0
    high: float = 1.0
    whole: bool = True
    gamma: float = 1.0
    contrast: str = "stored"
    told_window: bool = False  # whether the file brings a window along
    eight_bit: bool = True
    only: bool = False
    told: str = ""
    switches: dict[str, bool] = field(default_factory=dict)
    scaled: bool = False  # whether the file knows how large its pixels are
