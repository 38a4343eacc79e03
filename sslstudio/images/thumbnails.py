"""Small pictures for the browser, decoded at reduced size and kept in the project's cache."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import threading
from pathlib import Path

import numpy as np

from sslstudio.images.huge_reading import thumbnail_of
from sslstudio.images.reader import read_rgb8


def thumbnail(source: Path, cache: Path, side: int = 160, *, mtime_ns: int, size: int, key: str = "") -> np.ndarray:
    """(h, w, 3) uint8 with the longer side at most ``side``; raises UnreadableImage.

    ``key`` (the image's relative path) keeps the cache valid when the image folder moves. Safe to call from
    many threads: decoding lets go of the interpreter lock.
    """
    file = _cached(cache, f"{key or Path(source).as_posix()}|{mtime_ns}|{size}|{side}")
    kept = _load(file)
    if kept is not None:
        return kept
    huge = thumbnail_of(Path(source), side, cache, key or Path(source).as_posix())
    small, final = huge or (read_rgb8(source, longest=side), True)
    if final:
        _store(file, small)
    return small


def _cached(cache: Path, key: str) -> Path:
    name = hashlib.blake2b(key.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
    return Path(cache) / "thumbnails" / name[:2] / f"{name[2:]}.jpg"


def _load(file: Path) -> np.ndarray | None:
    """The kept thumbnail, or None when there is none or it was torn by a power cut."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(file.read_bytes()), formats=("JPEG",)) as image:
            return np.array(image.convert("RGB"))
    except (OSError, ValueError, SyntaxError):
        return None


def _store(file: Path, small: np.ndarray) -> None:
    """Keep it if the disk allows; a cache that cannot be written costs time, never a picture."""
    from PIL import Image

    temporary = file.with_name(f".{file.name}.{os.getpid()}.{threading.get_ident()}.tmp")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(small).save(temporary, "JPEG", quality=88)
        temporary.replace(file)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
