"""How an image is shown: contrast, gamma, channels and their colours. What networks get is not touched by it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache

import cv2
import numpy as np

CONTRASTS = ("file", "stored", "each", "folder", "hand")
GAMMA_MIN, GAMMA_MAX = 0.2, 5.0
RED, GREEN, BLUE = "#ff0000", "#00ff00", "#0000ff"
_MORE = ("#00ffff", "#ff00ff", "#ffff00", "#ffffff")
_STEPS = 65536  # tones between black and white that numbers with a point are sorted into
Window = tuple[float, float]  # the values that become black and full colour


@dataclass(frozen=True)
class Channel:
    """One channel; ``low`` and ``high`` count where the contrast is by hand or the folder's."""

    shown: bool
    colour: str
    low: float = 0.0
    high: float = 1.0


@dataclass(frozen=True)
class Look:
    """``contrast``: "stored" (8 bit as it is), from "each" image, from the "folder", by "hand", or as the "file" says.

    ``gamma`` below 1 brightens what is dark.
    """

    channels: tuple[Channel, ...]
    contrast: str
    gamma: float = 1.0

    def with_channel(self, at: int, **values: object) -> Look:
        """The same with one channel changed."""
        changed = replace(self.channels[at], **values)  # type: ignore[arg-type]
        return replace(self, channels=(*self.channels[:at], changed, *self.channels[at + 1 :]))

    def with_windows(self, windows: Mapping[int, Window], contrast: str) -> Look:
        """The same with other windows for some channels, by their places."""
        changed = (
            replace(one, low=windows[at][0], high=windows[at][1]) if at in windows else one
            for at, one in enumerate(self.channels)
        )
        return replace(self, channels=tuple(changed), contrast=contrast)

    def with_bands(self, red: int, green: int, blue: int) -> Look:
        """Three channels as red, green and blue; one that is chosen twice or thrice takes the mixed colour."""
        parts: dict[int, str] = {}
        for at, colour in ((red, RED), (green, GREEN), (blue, BLUE)):
            parts[at] = _mixed(parts.get(at, "#000000"), colour)
        channels = (replace(one, shown=at in parts, colour=parts.get(at, one.colour)) for at, one in self._numbered())
        return replace(self, channels=tuple(channels))

    def bands(self) -> tuple[int, int, int]:
        """Which channels give red, green and blue now; -1 where none does or several do."""
        found = []
        for part in (RED, GREEN, BLUE):
            fits = [at for at, one in self._numbered() if one.shown and _mixed(one.colour, part) == one.colour]
            found.append(fits[0] if len(fits) == 1 else -1)
        return found[0], found[1], found[2]

    def to_json(self) -> dict[str, object]:
        """Plain values to be kept with a project."""
        return {**asdict(self), "channels": [asdict(one) for one in self.channels]}

    def _numbered(self) -> Iterator[tuple[int, Channel]]:
        return iter(enumerate(self.channels))


def default_look(channels: int, dtype: np.dtype | str) -> Look:
    """Grey; two stains in magenta and green; the first three of more as red, green and blue. Never black.

    8-bit values stay as they are, others are stretched between two percentiles of each image.
    """
    contrast, high = ("stored", 255.0) if np.dtype(dtype) == np.uint8 else ("each", 1.0)
    if channels == 1:
        colours: Sequence[str] = ("#ffffff",)
    elif channels == 2:
        colours = ("#ff00ff", GREEN)
    else:
        colours = (RED, GREEN, BLUE, *(_MORE[at % len(_MORE)] for at in range(channels - 3)))
    return Look(tuple(Channel(at < 3, colour, 0.0, high) for at, colour in enumerate(colours)), contrast)


def look_from_json(values: object, channels: int, dtype: np.dtype | str) -> Look | None:
    """What ``to_json`` gave; None where it does not fit an image of so many channels."""
    try:
        return _read(values, channels, dtype)
    except (KeyError, TypeError, ValueError):
        return None


def _read(values: object, channels: int, dtype: np.dtype | str) -> Look | None:
    if not isinstance(values, Mapping) or len(values["channels"]) != channels:
        return None
    parts = tuple(
        Channel(bool(one["shown"]), str(one["colour"]), float(one["low"]), float(one["high"]))
        for one in values["channels"]
    )
    contrast, gamma = str(values["contrast"]), float(values["gamma"])
    fits = contrast in CONTRASTS and (contrast != "stored" or np.dtype(dtype) == np.uint8)
    sound = all(math.isfinite(x) for one in parts for x in (one.low, one.high)) and GAMMA_MIN <= gamma <= GAMMA_MAX
    named = all(re.fullmatch("#[0-9a-f]{6}", one.colour) for one in parts)
    return Look(parts, contrast, gamma) if fits and sound and named else None


def windows_of(look: Look, measured: Sequence[Window]) -> tuple[Window, ...]:
    """The window of each channel; ``measured`` are those that the image itself asks for."""
    if look.contrast == "stored":
        return tuple((0.0, 255.0) for _ in look.channels)
    if look.contrast in ("each", "file"):
        return tuple(measured)
    return tuple((one.low, one.high) for one in look.channels)


@dataclass(frozen=True)
class Shade:
    """One channel on the way to the screen: its place, its window, gamma and colour (red, green, blue 0..255)."""

    channel: int
    low: float
    high: float
    gamma: float
    colour: tuple[int, int, int]


def shades_of(look: Look, windows: Sequence[Window]) -> tuple[Shade, ...]:
    """What has to be drawn: the channels that are shown."""
    return tuple(
        Shade(at, *windows[at], look.gamma, _parts(one.colour)) for at, one in enumerate(look.channels) if one.shown
    )


def compose(planes: Sequence[np.ndarray], shades: Sequence[Shade]) -> np.ndarray:
    """Channels (h, w), one per shade, added up to (h, w, 4) uint8: blue, green, red, 255.

    uint8, uint16, or numbers with a point, all of them finite.
    """
    levels = [_levelled(plane, shade) for plane, shade in zip(planes, shades, strict=True)]
    parts = _plain_parts(levels, shades)
    if parts is not None:
        return cv2.merge([*parts, np.full(levels[0].shape, 255, np.uint8)])
    total: np.ndarray | None = None
    for level, shade in zip(levels, shades, strict=True):
        tones = np.arange(256)[:, None] / 255 * np.array(shade.colour[::-1])
        coloured = cv2.applyColorMap(level, np.round(tones).astype(np.uint8)[:, None])
        total = coloured if total is None else cv2.add(total, coloured)
    assert total is not None
    return cv2.cvtColor(total, cv2.COLOR_BGR2BGRA)


def _plain_parts(levels: Sequence[np.ndarray], shades: Sequence[Shade]) -> list[np.ndarray] | None:
    """Blue, green and red, where each is one channel or none, which is the usual case and quick; else None."""
    parts: list[np.ndarray] = []
    for place in (2, 1, 0):
        shares = [shade.colour[place] for shade in shades]
        if shares.count(255) + shares.count(0) < len(shares) or shares.count(255) > 1:
            return None
        parts.append(levels[shares.index(255)] if 255 in shares else np.zeros_like(levels[0]))
    return parts


def render(pixels: np.ndarray, shades: Sequence[Shade]) -> np.ndarray:
    """(H, W, C) finite numbers as people see them, (H, W, 3) uint8 red first; in strips, to spare memory."""
    out = np.zeros((*pixels.shape[:2], 3), np.uint8)
    rows = max(1, (1 << 20) // pixels.shape[1])
    for top in range(0, len(pixels) if shades else 0, rows):
        strip = pixels[top : top + rows]
        seen = compose([np.ascontiguousarray(strip[..., shade.channel]) for shade in shades], shades)
        out[top : top + rows] = seen[..., 2::-1]
    return out


def _levelled(plane: np.ndarray, shade: Shade) -> np.ndarray:
    """One channel as (h, w) uint8, from black to full."""
    window = shade.low, shade.high
    if plane.dtype.kind == "f":
        plane, window = _sorted_in(plane, *window), (0.0, _STEPS - 1.0)
    table = _table(*window, shade.gamma, 256 if plane.dtype == np.uint8 else _STEPS)
    try:
        return cv2.LUT(plane, table)
    except cv2.error:  # OpenCV before 4.12 looks up 8 bit only
        return table.take(plane)


def _sorted_in(plane: np.ndarray, low: float, high: float) -> np.ndarray:
    """Numbers with a point as steps between low and high, uint16."""
    if high <= low:
        return np.where(plane > low, _STEPS - 1, np.where(plane < low, 0, _STEPS // 2)).astype(np.uint16)
    steps = plane - np.float32(low)
    steps *= np.float32((_STEPS - 1) / (high - low))
    np.clip(steps, 0, _STEPS - 1, out=steps)
    return steps.astype(np.uint16)


@lru_cache(64)
def _table(low: float, high: float, gamma: float, size: int) -> np.ndarray:
    """How bright each value is, (size,) uint8."""
    values = np.arange(size, dtype=np.float64)
    if high > low:
        share = np.clip((values - low) / (high - low), 0, 1)
    else:  # one value only: it is grey, so that an image without any contrast is not taken for a black one
        share = np.where(values > low, 1.0, np.where(values < low, 0.0, 0.5))
    if gamma != 1.0:
        share **= gamma
    return (share * 255 + 0.5).astype(np.uint8)


def _parts(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _mixed(one: str, other: str) -> str:
    return "#" + "".join(f"{max(a, b):02x}" for a, b in zip(_parts(one), _parts(other), strict=True))
