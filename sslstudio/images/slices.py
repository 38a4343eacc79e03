"""How one slice of a stack is named: ``scan.tif`` is the first slice of the file, ``scan.tif#0007`` its seventh.

The names are paths that no file can have that a scan finds, so they stand wherever an image's path stands: in the
index, in requests to workers, in the names of masks. The first slice keeps the plain path, so a project in which
a file of many pages was one image stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

MARK = "#"
_SLICE = re.compile(r"^(?P<file>.*[^/\\])#(?P<number>\d{4,})$", re.DOTALL)


def slice_path(file: str, number: int) -> str:
    """The path of slice ``number`` (from 1) of a file."""
    return file if number == 1 else f"{file}{MARK}{number:04d}"


def split_slice(path: str) -> tuple[str, int]:
    """File and slice number (from 1) of an image's path."""
    found = _SLICE.match(path)
    if found is None or (number := int(found["number"])) < 2 or slice_path(found["file"], number) != path:
        return path, 1
    return found["file"], number


def is_slice(path: str) -> bool:
    """Whether a path names a slice after the first."""
    return split_slice(path)[1] > 1


def file_of(path: Path | str) -> Path:
    """The file in which an image lies, be it a slice or not."""
    return Path(split_slice(str(path))[0])


def whole_of(path: str, series: str = "") -> str:
    """The whole of which an image is a part: the DICOM ``series`` if it is of one, else its file.

    Parts of one whole are much alike, so none of them can tell how well the others are known.
    """
    return series or split_slice(path)[0]


def sources(wholes: Iterable[str]) -> list[int]:
    """For each image, given as its whole (or its path, where that is no file of a series), the number of its whole.

    They are numbered from 0 as they come first: slices of one stack have the same number.
    """
    known: dict[str, int] = {}
    return [known.setdefault(whole_of(one), len(known)) for one in wholes]


def without_suffix(path: str) -> str:
    """A relative path without the file's suffix; the slice stays: ``a/scan#0007``."""
    file, number = split_slice(path)
    return slice_path(PurePosixPath(file).with_suffix("").as_posix(), number)


def all_slices(file: str, count: int) -> list[str]:
    """The paths of all slices of a file."""
    return [slice_path(file, number) for number in range(1, count + 1)]
