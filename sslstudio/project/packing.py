"""Labels as few bytes, quickly: masks are long runs of one value."""

from __future__ import annotations

import zlib

import numpy as np

_RUNS, _ZLIB = b"R", b"Z"


def pack(labels: np.ndarray) -> bytes:
    """(h, w) uint8 as runs, or compressed where runs would take more; the same labels give the same bytes."""
    flat = np.ascontiguousarray(labels).reshape(-1)
    ends = np.append(np.flatnonzero(flat[1:] != flat[:-1]), flat.size - 1).astype(np.uint32)
    if 5 * ends.size > flat.size // 8:
        return _ZLIB + zlib.compress(flat.tobytes(), 1)
    return _RUNS + ends.astype("<u4").tobytes() + flat[ends].tobytes()


def unpack(packed: bytes, shape: tuple[int, int]) -> np.ndarray:
    """What ``pack`` was given, (h, w) uint8, writable; raises ValueError or zlib.error for other bytes."""
    size = shape[0] * shape[1]
    if packed[:1] == _ZLIB:
        return np.frombuffer(bytearray(zlib.decompress(packed[1:])), np.uint8).reshape(shape)
    if packed[:1] != _RUNS or (len(packed) - 1) % 5:
        raise ValueError("these are no packed labels")
    count = (len(packed) - 1) // 5
    ends = np.frombuffer(packed, "<u4", count, 1).astype(np.int64)
    values = np.frombuffer(packed, np.uint8, count, 1 + 4 * count)
    lengths = np.diff(ends, prepend=-1)
    if not count or ends[-1] != size - 1 or (lengths < 1).any():
        raise ValueError("these are no packed labels")
    return np.repeat(values, lengths).reshape(shape)
