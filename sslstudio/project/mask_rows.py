"""Huge masks as PNG, written and read a few rows at a time: any tool reads the file, and no array holds it whole.

Rows of tiles with a single label are compressed once and written as often as they occur. A private chunk at the end
(``slTL``) holds the same labels as tiles, so that our own reading takes no time; it counts only while the pixels are
those that it was written with, and by the rules for PNG an editor that changes pixels leaves such a chunk out.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from sslstudio.project.sparse_labels import TILE, Pieces, SparseLabels, pieces_of

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_TILES = b"slTL"
_MOST = 1 << 30  # bytes in a chunk
_ADLER = 65521
_GREY, _PALETTE = 0, 3
_NONE, _SUB, _UP = 0, 1, 2
_BUFFER = 1 << 20


class NotByRows(Exception):
    """A PNG that only a reader of whole images can read."""


# writing ------------------------------------------------------------------------------------------------


def write_rows(file: BinaryIO, labels: SparseLabels, palette: bytes, texts: dict[str, str]) -> None:
    """Write a palette PNG, a grey one without ``palette``, which has 768 bytes. Raises OSError."""
    file.write(_SIGNATURE)
    colour = _PALETTE if palette else _GREY
    _chunk(file, b"IHDR", struct.pack(">IIBBBBB", labels.shape[1], labels.shape[0], 8, colour, 0, 0, 0))
    if palette:
        _chunk(file, b"PLTE", palette)
    for key, text in texts.items():
        _chunk(file, b"tEXt", key.encode("latin-1") + b"\0" + text.encode("latin-1"))
    _chunk(file, b"IDAT", b"\x78\x01")
    total = 1
    for packed, check, length in _bands(labels):
        total = _joined_sums(total, check, length)
        _chunk(file, b"IDAT", packed)
    _chunk(file, b"IDAT", b"\x03\x00" + struct.pack(">I", total))
    tiles = pieces_of(labels).to_bytes()
    if len(tiles) < _MOST:
        _chunk(file, _TILES, struct.pack(">I", total) + tiles)
    _chunk(file, b"IEND", b"")


def _chunk(file: BinaryIO, kind: bytes, data: bytes) -> None:
    file.write(struct.pack(">I", len(data)) + kind)
    file.write(data)
    file.write(struct.pack(">I", zlib.crc32(data, zlib.crc32(kind))))


def _bands(labels: SparseLabels) -> Iterator[tuple[bytes, int, int]]:
    """Compressed rows, their check sum and length, tile by tile downwards; each stands alone in the stream."""
    known: dict[tuple[int, int], tuple[bytes, int, int]] = {}
    height, width = labels.shape
    for row, top in enumerate(range(0, height, TILE)):
        rows = min(TILE, height - top)
        ones = {labels.plain((row, column)) for column in range(-(-width // TILE))}
        key = (ones.pop() if len(ones) == 1 else -1, rows)
        if key not in known:
            band = _packed_band(labels.rows(row))
            if key[0] < 0:
                yield band
                continue
            known[key] = band
        yield known[key]


def _packed_band(part: np.ndarray) -> tuple[bytes, int, int]:
    rows = np.zeros((part.shape[0], part.shape[1] + 1), np.uint8)  # a row begins with its filter: none
    rows[:, 1:] = part
    packer = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS, zlib.DEF_MEM_LEVEL, zlib.Z_RLE)
    packed = packer.compress(rows.data) + packer.flush(zlib.Z_FULL_FLUSH)
    return packed, zlib.adler32(rows.data), rows.size


def _joined_sums(first: int, second: int, length: int) -> int:
    """The Adler-32 sum of two pieces one after the other, from their sums and the length of the second."""
    low, high = first & 0xFFFF, first >> 16
    joined_low = (low + (second & 0xFFFF) - 1) % _ADLER
    joined_high = (high + (second >> 16) + length % _ADLER * (low - 1)) % _ADLER
    return joined_high << 16 | joined_low


# reading ------------------------------------------------------------------------------------------------


def read_rows(file: BinaryIO) -> SparseLabels:
    """The labels of an open 8-bit palette or grey PNG; raises NotByRows, and OSError or ValueError where damaged."""
    width, height = _size(file)
    check, tiles = _outline(file)
    if tiles is not None:
        labels = _of_tiles(tiles, check, (height, width))
        if labels is not None:
            return labels
    return _of_pixels(file, height, width)


def _size(file: BinaryIO) -> tuple[int, int]:
    file.seek(0)
    head = file.read(33)
    if len(head) < 33 or head[:8] != _SIGNATURE or head[12:16] != b"IHDR":
        raise ValueError("not a PNG")
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", head[16:29])
    if depth != 8 or colour not in (_GREY, _PALETTE) or interlaced:
        raise NotByRows
    return width, height


def _chunks(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Kind and length of each chunk; the file stands at its data."""
    at = len(_SIGNATURE)
    while True:
        file.seek(at)
        head = file.read(8)
        if len(head) < 8:
            raise ValueError("the file ends early")
        length, kind = struct.unpack(">I4s", head)
        yield kind, length
        if kind == b"IEND":
            return
        at += length + 12


def _outline(file: BinaryIO) -> tuple[int, bytes | None]:
    """The check sum at the end of the pixels, and the chunk with the tiles, if there is a sound one."""
    tail, tiles = b"", None
    for kind, length in _chunks(file):
        if kind == b"IDAT":
            keep = min(4, length)
            file.seek(length - keep, 1)
            tail = (tail + file.read(keep))[-4:]
        elif kind == _TILES and length < _MOST:
            data, found = file.read(length), file.read(4)
            sound = found == struct.pack(">I", zlib.crc32(data, zlib.crc32(kind)))
            tiles = data if sound else None
    return (struct.unpack(">I", tail)[0] if len(tail) == 4 else -1), tiles


def _of_tiles(data: bytes, check: int, shape: tuple[int, int]) -> SparseLabels | None:
    """The labels that the chunk tells, or None where the pixels are others."""
    if len(data) < 4 or struct.unpack(">I", data[:4])[0] != check:
        return None
    pieces = Pieces.from_bytes(data[4:])
    labels = SparseLabels(*shape, 0)
    if pieces.image != shape or len(pieces.cells) != sum(1 for _ in labels.places()):
        return None
    pieces.put_on(labels)
    return labels


def _of_pixels(file: BinaryIO, height: int, width: int) -> SparseLabels:
    labels, above = SparseLabels(height, width, 0), np.zeros(width, np.uint8)
    stream = _inflated(file, TILE * (width + 1))
    for top in range(0, height, TILE):
        rows = min(TILE, height - top)
        data = next(stream, b"")
        if len(data) < rows * (width + 1):
            raise ValueError("the file ends early")
        part = _unfiltered(np.frombuffer(data, np.uint8, rows * (width + 1)).reshape(rows, width + 1), above)
        labels[top : top + rows, :] = part
        above = part[-1]
    return labels


def _inflated(file: BinaryIO, size: int) -> Iterator[bytes]:
    """The pixels' stream in pieces of ``size`` bytes, the last may be shorter."""
    unpacker, ready = zlib.decompressobj(), bytearray()
    for kind, length in _chunks(file):
        while kind == b"IDAT" and length:
            packed = file.read(min(length, _BUFFER))
            length -= len(packed) or length
            place = file.tell()
            while packed:
                ready += unpacker.decompress(packed, size - len(ready))
                packed = unpacker.unconsumed_tail
                if len(ready) == size:
                    yield bytes(ready)
                    ready.clear()
            file.seek(place)
    ready += unpacker.flush()  # what the last bytes of the stream left waiting
    yield bytes(ready[:size])


def _unfiltered(rows: np.ndarray, above: np.ndarray) -> np.ndarray:
    """(h, 1 + w) uint8 with the filter of each row first, as (h, w) labels."""
    kinds, part = rows[:, 0], rows[:, 1:]
    if not kinds.any():
        return part
    if kinds.max() > _UP:
        return _unfiltered_by_pillow(rows, above)
    out = part.copy()
    for at in np.flatnonzero(kinds):
        if kinds[at] == _SUB:
            out[at] = np.cumsum(part[at], dtype=np.uint8)
        else:
            out[at] += out[at - 1] if at else above
    return out


def _unfiltered_by_pillow(rows: np.ndarray, above: np.ndarray) -> np.ndarray:
    """The same for filters in which each pixel waits for the one before: the rows as a small PNG of their own."""
    from PIL import Image

    height, width = rows.shape[0] + 1, rows.shape[1] - 1
    small = io.BytesIO()
    small.write(_SIGNATURE)
    _chunk(small, b"IHDR", struct.pack(">IIBBBBB", width, height, 8, _GREY, 0, 0, 0))
    _chunk(small, b"IDAT", zlib.compress(b"\0" + above.tobytes() + rows.tobytes(), 0))
    _chunk(small, b"IEND", b"")
    with Image.open(small, formats=("PNG",)) as image:
        return np.array(image)[1:]
