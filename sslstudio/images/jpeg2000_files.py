"""JPEG 2000 beyond 8 bits or four channels, as satellites send it: Pillow would widen or cut its numbers."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from sslstudio.images.tiff_files import plain_type

_BEGINNING = b"\xff\x4f\xff\x51"  # of the pixels: two markers, then sizes
_END = b"\xff\xd9"
_PILLOWS = 4  # channels that Pillow knows


@dataclass(frozen=True)
class Layout:
    """What a header says; ``bits`` per number of the first channel, ``opacities`` are the places of alpha channels."""

    width: int
    height: int
    components: int
    bits: int
    signed: bool
    opacities: tuple[int, ...] = ()

    @property
    def channels(self) -> int:
        """Channels that ``read`` will give."""
        return self.components - len(self.opacities)

    @property
    def dtype(self) -> str:
        """The dtype that ``read`` will give."""
        return "float32" if self.signed or self.bits > 16 else "uint16" if self.bits > 8 else "uint8"


def layout(file: BinaryIO) -> Layout | None:
    """The layout of an open file that Pillow does not read as it is; None for all others."""
    boxes = list(_boxes(file, 0, file.seek(0, os.SEEK_END)))
    inside = [box for kind, start, end in boxes if kind == b"jp2h" for box in _boxes(file, start, end)]
    if any(kind == b"pclr" for kind, *_ in inside):  # a palette
        return None
    file.seek(next((start for kind, start, _ in boxes if kind == b"jp2c"), 0))
    head = file.read(42)
    if len(head) < 42 or not head.startswith(_BEGINNING):
        return None
    right, bottom, left, top = struct.unpack(">4I", head[8:24])
    count = struct.unpack(">H", head[40:42])[0]
    parts = file.read(3 * count)
    if set(parts[1::3]) | set(parts[2::3]) != {1} or len(set(parts[::3])) != 1:  # channels of other sizes or depths
        return None
    bits, signed = (parts[0] & 0x7F) + 1, bool(parts[0] & 0x80)
    if bits <= 8 and not signed and count <= _PILLOWS:
        return None
    opacities = [at for kind, start, end in inside if kind == b"cdef" for at in _opacities(file, start, end)]
    return Layout(right - left, bottom - top, count, bits, signed, tuple(opacities))


def ends(file: BinaryIO) -> bool:
    """Whether the file ends as it should; where not, something may follow, and only decoding tells."""
    file.seek(-2, os.SEEK_END)
    return file.read() == _END


def read(file: BinaryIO, found: Layout) -> np.ndarray:
    """(H, W, C) uint8, uint16 or float32, alpha dropped; raises whatever the decoder raises."""
    import imagecodecs

    file.seek(0)
    pixels = imagecodecs.jpeg2k_decode(file.read())
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    return np.ascontiguousarray(plain_type(np.delete(pixels, found.opacities, axis=2)))


def _boxes(file: BinaryIO, place: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """The boxes of a JP2 file from ``place`` on: kind, where the content begins and where it ends."""
    while place + 8 <= end:
        file.seek(place)
        length, kind = struct.unpack(">I4s", file.read(8))
        start = place + 8
        if length == 1:
            length, start = struct.unpack(">Q", file.read(8))[0], place + 16
        following = end if length == 0 else place + length
        if following <= place or (place == 0 and kind != b"jP  "):
            return
        yield kind, start, min(following, end)
        place = following


def _opacities(file: BinaryIO, start: int, end: int) -> list[int]:
    """The channels that are no colours, as a box of channel definitions tells."""
    file.seek(start + 2)
    entries = file.read(end - start - 2)
    return [at for at, kind, _ in struct.iter_unpack(">3H", entries[: len(entries) // 6 * 6]) if kind in (1, 2)]
