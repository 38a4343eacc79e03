"""What a file holds, judged by its first bytes and not by its name; whether its end is there."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from sslstudio.images.errors import cut_off, damaged

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
HEAD = 132  # bytes that tell every kind
_BEGINNINGS = (
    (b"\xff\xd8\xff", "jpeg"),
    (PNG_MAGIC, "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"BM", "bmp"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"II+\0", "tiff"),
    (b"MM\0+", "tiff"),
    (b"\x93NUMPY", "npy"),
    (b"\xff\x4f\xff\x51", "jpeg2000"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "jpeg2000"),
)


def kind_of(head: bytes) -> str:
    """The kind of image that begins with ``head`` (``HEAD`` bytes are enough), or an empty string."""
    for beginning, kind in _BEGINNINGS:
        if head.startswith(beginning):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[4:8] == b"ftyp" and b"avi" in head[8:32]:
        return "avif"
    if len(head) > 2 and head[:1] == b"P" and head[1:2] in b"123456" and head[2:3].isspace():
        return "pnm"
    if head[:4] == b"PK\x03\x04" and b".npy" in head[30:]:
        return "npz"
    if head[128:132] == b"DICM" or (head[:1] in b"\x02\x08" and head[1:4] == b"\0\0\0"):  # or without its preamble
        return "dicom"
    return ""


def looks_like_text(head: bytes) -> bool:
    """Whether ``head`` could be the beginning of a text file."""
    return bool(head) and all(byte >= 32 or byte in b"\t\r\n" for byte in head)


@dataclass(frozen=True)
class PngLayout:
    """What the chunks of a PNG say before any pixel is decoded; ``colour`` is the PNG colour type."""

    width: int
    height: int
    depth: int
    colour: int
    exif: bytes


def png_layout(file: BinaryIO, path: Path) -> PngLayout:
    """Walk through the chunks of a PNG; raises UnreadableImage when the end is missing."""
    size = file.seek(0, os.SEEK_END)
    position, header, exif, last = len(PNG_MAGIC), b"", b"", b""
    while position + 8 <= size:
        file.seek(position)
        length, kind = struct.unpack(">I4s", file.read(8))
        if kind == b"IHDR":
            header = file.read(13)
        elif kind == b"eXIf" and length < 1 << 20:
            exif = file.read(length)
        elif kind == b"IEND":
            last = kind
            break
        elif last == b"IDAT" and kind != b"IDAT" and not kind.isalpha():
            raise damaged(path)
        last = kind
        position += 12 + length
    if len(header) < 13:
        raise damaged(path)
    if last != b"IEND":
        raise cut_off(path)
    width, height, depth, colour = struct.unpack(">IIBB", header[:10])
    return PngLayout(width, height, depth, colour, exif)


def jpeg_ends(file: BinaryIO) -> bool:
    """Whether an end marker stands in the last 64 KiB (cameras append a little after it)."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 65536))
    return b"\xff\xd9" in file.read()


def webp_ends(file: BinaryIO) -> bool:
    """Whether the file is as long as its RIFF header says."""
    size = file.seek(0, os.SEEK_END)
    file.seek(4)
    return size >= struct.unpack("<I", file.read(4))[0] + 8
