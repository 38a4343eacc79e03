"""Mask files: 8-bit palette PNG, pixel value = class, 255 = unpainted; any tool reads them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sslstudio.errors import UserError
from sslstudio.images.limits import is_huge
from sslstudio.images.numbers import huge_numbers
from sslstudio.images.reader import MAX_PIXELS
from sslstudio.language import later, tr
from sslstudio.project.files import replace_file
from sslstudio.project.label_map import UNPAINTED, Labels, as_labels
from sslstudio.project.mask_rows import NotByRows, read_rows, write_rows
from sslstudio.project.sparse_labels import SparseLabels

__all__ = ["UNPAINTED", "read_mask", "write_mask"]

_NOTE = "SSL Studio"  # the key of a text in our own masks
_TIFF = (".tif", ".tiff")
_FORMATS = ("PNG", "TIFF", "BMP", "GIF")
_ADVICE = later("A mask must be a palette or grey PNG: pixel value = class, 255 = unpainted.")


class DamagedMask(UserError):
    """The mask file is missing, or holds no mask; not raised when the disk only refuses to give it out."""


def read_mask(path: Path) -> np.ndarray:
    """(H, W) uint8 class numbers of a palette or grey image; raises UserError otherwise."""
    labels = read_noted(path)[0]
    if isinstance(labels, np.ndarray):
        return labels
    if labels.size > MAX_PIXELS:
        raise _too_large(Path(path), labels.shape[1], labels.shape[0])
    return labels[:, :]


def read_noted(path: Path) -> tuple[Labels, str]:
    """A mask as ``read_mask`` gives it, by tiles if it is huge, and the note that ``write_mask`` left, if any."""
    from PIL import Image

    path = Path(path)
    if path.suffix.lower() in _TIFF and (labels := _of_huge_tiff(path)) is not None:
        return labels, ""
    Image.MAX_IMAGE_PIXELS = None  # our own limit stands in its place, with an explanation
    try:
        with Image.open(path, formats=_FORMATS) as image:
            note = str(image.info.get(_NOTE, ""))
            if image.format == "PNG" and is_huge(image.height, image.width):
                with path.open("rb") as file:
                    return read_rows(file), note
            if image.width * image.height > MAX_PIXELS:
                raise _too_large(path, image.width, image.height)
            return _numbers(image, path), note
    except UserError:
        raise
    except NotByRows:
        raise UserError(
            tr("The mask {name} is huge and was written in a way that cannot be read row by row.").format(
                name=path.name
            ),
            tr("Save it as an 8-bit palette PNG without interlacing and with the filter “none”."),
        ) from None
    except FileNotFoundError:
        raise DamagedMask(
            tr("The mask {name} is not there any more.").format(name=path.name), tr("Put the file back.")
        ) from None
    except Exception as error:
        if isinstance(error, OSError) and error.errno:  # Pillow's own have no number
            reason = (error.strerror or str(error)).lower()
            raise UserError(
                tr("The mask {name} could not be read: {reason}.").format(name=path.name, reason=reason),
                tr("Check the disk."),
            ) from error
        empty = path.exists() and path.stat().st_size == 0
        reason = tr("is empty (0 bytes)") if empty else tr("cannot be read as an image; it may be damaged")
        raise DamagedMask(tr("The mask {name} {reason}.").format(name=path.name, reason=reason), tr(_ADVICE)) from error


def read_labels(path: Path) -> Labels:
    """A mask as ``read_mask`` gives it, by tiles if it is huge; raises UserError."""
    return as_labels(read_noted(path)[0])


def _of_huge_tiff(path: Path) -> SparseLabels | None:
    """The class numbers of a huge TIFF by tiles; None where another reader is to say what it is."""
    try:
        numbers = huge_numbers(path)
    except Exception:  # noqa: BLE001 - damaged, or too large for being read as a whole
        return None
    if numbers is None or numbers.dtype.kind not in "uib":
        return None
    labels = SparseLabels(*numbers.shape, UNPAINTED)
    try:
        for top, left, part in numbers.tiles():
            if part.min() < 0 or part.max() > UNPAINTED:
                raise _too_high(path, int(part.max()))
            labels[top : top + part.shape[0], left : left + part.shape[1]] = part.astype(np.uint8)
    except UserError:
        raise
    except Exception as error:
        reason = tr("cannot be read as an image; it may be damaged")
        raise DamagedMask(tr("The mask {name} {reason}.").format(name=path.name, reason=reason), tr(_ADVICE)) from error
    return labels


def _too_high(path: Path, value: int) -> UserError:
    return UserError(
        tr("{name} holds the value {max}; masks go up to 255.").format(name=path.name, max=value), tr(_ADVICE)
    )


def _too_large(path: Path, width: int, height: int) -> UserError:
    return UserError(
        tr("{name} is too large for a mask ({width} × {height}).").format(name=path.name, width=width, height=height),
        tr(_ADVICE),
    )


def read_note(path: Path) -> str:
    """The note alone, without decoding the mask; empty where there is none. Raises OSError."""
    from PIL import Image

    with Image.open(path, formats=_FORMATS) as image:
        return str(image.info.get(_NOTE, ""))


def _numbers(image: Any, path: Path) -> np.ndarray:
    """The class numbers of an open Pillow image."""
    if image.mode in ("P", "L"):
        return np.array(image)
    if image.mode == "1":
        return np.array(image).astype(np.uint8)
    if image.mode.startswith("I"):
        numbers = np.array(image)
        if numbers.min() >= 0 and numbers.max() <= 255:
            return numbers.astype(np.uint8)
        raise _too_high(path, int(numbers.max()))
    raise UserError(
        tr("{name} is a colour picture, so it does not say which class a pixel is.").format(name=path.name), tr(_ADVICE)
    )


def write_mask(path: Path, labels: Labels, colours: Sequence[str], *, settle: bool = True, note: str = "") -> None:
    """Write (H, W) uint8 labels as a palette PNG in one step; ``colours`` are ``#rrggbb`` from class 0 on.

    Without ``settle`` the caller makes the folder durable, once for many masks. ``note`` is a text to keep in it.
    """
    from PIL import Image, PngImagePlugin

    what = tr("The mask {name}").format(name=Path(path).name)
    if isinstance(labels, SparseLabels):
        notes, palette = {_NOTE: note} if note else {}, _palette(colours)
        by_rows = lambda file: write_rows(file, labels, palette, notes)  # noqa: E731
        replace_file(Path(path), by_rows, what, alone=True, settle=settle)
        return
    image = Image.fromarray(np.ascontiguousarray(labels, np.uint8))  # grey; the palette makes it "P"
    image.putpalette(_palette(colours))
    data = io.BytesIO()
    texts = PngImagePlugin.PngInfo()
    if note:
        texts.add_text(_NOTE, note)
    image.save(data, "PNG", compress_level=3, pnginfo=texts)
    replace_file(Path(path), data.getvalue(), what, alone=True, settle=settle)


def _palette(colours: Sequence[str]) -> bytes:
    """768 bytes: the class colours, greys in between, black for unpainted."""
    table = bytearray(value for grey in range(256) for value in (grey, grey, grey))
    for place, colour in enumerate(colours[:UNPAINTED]):
        table[3 * place : 3 * place + 3] = bytes.fromhex(colour.removeprefix("#"))
    table[-3:] = b"\0\0\0"
    return bytes(table)
