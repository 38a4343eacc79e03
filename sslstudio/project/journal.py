"""What SQLite's journal (the file ``-wal``) holds, to see whether it was damaged; its format is public."""

from __future__ import annotations

import struct
from pathlib import Path

_HEADER, _FRAME = struct.Struct(">8I"), struct.Struct(">6I")
_LITTLE, _BIG = 0x377F0682, 0x377F0683  # the byte order of the check sums


def transactions(wal: Path) -> tuple[int, ...]:
    """Where its transactions end, as numbers of frames from 1 on, by the frames' headers alone.

    The last may be one that was cut off, whose header was written and nothing else. Where the journal's own header
    is damaged nothing in it counts any more: then two that lie beyond any frame.
    """
    try:
        with wal.open("rb") as stream:
            header = stream.read(_HEADER.size)
            if len(header) < _HEADER.size:
                return ()
            _, _, page, _, *salts, _, _ = _HEADER.unpack(header)
            size, step = wal.stat().st_size, page + _FRAME.size
            if not _header_is_right(header):
                return (1 << 62, 1 << 62) if size > _HEADER.size + _FRAME.size else ()
            found = []
            for number in range((size - _HEADER.size) // step):
                stream.seek(_HEADER.size + number * step)
                _, commit, *its_salts = _FRAME.unpack(stream.read(_FRAME.size))[:4]
                if commit and its_salts == salts:  # others are left over from before the journal began anew
                    found.append(number + 1)
            return tuple(found)
    except OSError:
        return ()


def _header_is_right(header: bytes) -> bool:
    """Whether the header's check sum is that of its first 24 bytes."""
    magic = struct.unpack(">I", header[:4])[0]
    if magic not in (_LITTLE, _BIG):
        return False
    words = struct.unpack("<6I" if magic == _LITTLE else ">6I", header[:24])
    first = second = 0
    for even, odd in zip(words[::2], words[1::2], strict=True):
        first = (first + even + second) & 0xFFFFFFFF
        second = (second + odd + first) & 0xFFFFFFFF
    return (first, second) == struct.unpack(">2I", header[24:])
