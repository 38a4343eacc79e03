"""Finding the images below a folder, quickly: names and sizes only, no pixel is touched."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sslstudio.errors import UserError
from sslstudio.images.content import HEAD
from sslstudio.images.reader import EXTENSIONS, UnreadableImage, probe
from sslstudio.images.slices import all_slices, is_slice
from sslstudio.language import tr

_log = logging.getLogger(__name__)
_SINGLE = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif")  # never stacks, so there is no need to look
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Found:
    """An image file: ``path`` relative to the scanned folder with forward slashes, bytes, change time."""

    path: str
    size: int
    mtime_ns: int


def natural_key(path: str) -> str:
    """A text whose order is the one people expect: "img2" before "IMG10", folders' files together."""
    padded = _DIGITS.sub(lambda digits: digits[0].zfill(12), path.casefold())
    return padded.replace("/", "\x01")


def scan(folder: Path) -> Iterator[Found]:
    """All image files below ``folder`` in natural order; hidden files and projects are passed over.

    Raises UserError when the folder is missing or may not be read; folders inside that may not be read are
    logged and passed over.
    """
    folder = Path(folder)
    try:
        entries = _entries(folder)
    except FileNotFoundError:
        raise UserError(
            tr("The folder {folder} is not there.").format(folder=folder),
            tr("Choose the folder that holds your images."),
        ) from None
    except NotADirectoryError:
        raise UserError(
            tr("{folder} is a file, not a folder.").format(folder=folder),
            tr("Choose the folder that holds your images."),
        ) from None
    except OSError as error:
        raise UserError(
            tr("The folder {folder} could not be read ({strerror}).").format(folder=folder, strerror=error.strerror),
            tr("Check that you may open it."),
        ) from None
    yield from _walk(entries, "", {_identity(folder)})


def scan_slices(folder: Path) -> Iterator[str]:
    """The paths of all images below ``folder``, each slice of a stack on its own; looks into each file's header."""
    for found in scan(folder):
        if not found.path.lower().endswith(_SINGLE):
            try:
                yield from all_slices(found.path, probe(Path(folder) / found.path).pages)
                continue
            except UnreadableImage:
                pass  # whoever reads it is told why
        yield found.path


def _entries(folder: Path | str) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as listing:
        found = [entry for entry in listing if not entry.name.startswith(".")]
    return sorted(found, key=lambda entry: natural_key(entry.name))


def _offered(entry: os.DirEntry[str]) -> bool:
    """Whether it may be an image, by its suffix; scanners also write DICOM without one, which its bytes tell."""
    place = entry.name.rfind(".")
    if place > 0 and entry.name[place:].lower() in EXTENSIONS:
        return not is_slice(entry.name)
    bare = place <= 0 or entry.name[place + 1 :].isdigit()
    if not bare or entry.name == "DICOMDIR" or is_slice(entry.name) or not entry.is_file():
        return False
    with open(entry.path, "rb") as file:  # noqa: PTH123 - given the plain text of a DirEntry
        return file.read(HEAD)[128:132] == b"DICM"


def _identity(folder: Path | str) -> tuple[int, int]:
    status = os.stat(folder)  # noqa: PTH116 - also given the plain text of a DirEntry
    return status.st_dev, status.st_ino


def _walk(entries: list[os.DirEntry[str]], prefix: str, above: set[tuple[int, int]]) -> Iterator[Found]:
    """``above`` holds the folders on the way down, so that a link back up ends there."""
    for entry in entries:
        try:
            if _offered(entry) and entry.is_file():
                status = entry.stat()
                yield Found(prefix + entry.name, status.st_size, status.st_mtime_ns)
            elif entry.is_dir() and not entry.name.endswith(".sslproj"):
                identity = _identity(entry.path)
                if identity not in above:
                    yield from _walk(_entries(entry.path), f"{prefix}{entry.name}/", above | {identity})
        except OSError as error:
            _log.warning("passed over %s: %s", entry.path, error.strerror)
