"""NumPy arrays as images: height × width, with channels, or stacks of these; .npy and .npz with one array."""

from __future__ import annotations

import math
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from sslstudio.images.errors import cut_off, refuse
from sslstudio.images.tiff_files import MOST_CHANNELS
from sslstudio.language import tr

_READ_AT_ONCE = 2 << 30  # bytes of a compressed array, which can only be read as a whole


@dataclass(frozen=True)
class Layout:
    """How an array is meant: slices, height, width, channels; where in its shape channels and pixels lie."""

    slices: int
    height: int
    width: int
    channels: int
    channel_axis: int | None


def layout_of(shape: tuple[int, ...], dtype: np.dtype, path: Path) -> Layout:
    """Up to 16 at the end, or before height and width, are channels; what comes before them are slices."""
    if len(shape) >= 2 and dtype.kind in "buifc" and 0 not in shape:
        if len(shape) == 2:
            return Layout(1, shape[0], shape[1], 1, None)
        if shape[-1] <= MOST_CHANNELS:
            return Layout(math.prod(shape[:-3]), shape[-3], shape[-2], shape[-1], len(shape) - 1)
        if shape[-3] <= MOST_CHANNELS:
            return Layout(math.prod(shape[:-3]), shape[-2], shape[-1], shape[-3], len(shape) - 3)
        return Layout(math.prod(shape[:-2]), shape[-2], shape[-1], 1, None)
    words = " × ".join(map(str, shape)) or "no"
    raise refuse(
        path,
        tr("holds an array of {words} {dtype} values, which is no image").format(words=words, dtype=dtype),
        tr("Save it as height × width, height × width × channels, or as a stack of these."),
    )


def header(file: BinaryIO, path: Path) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and type of the array in a .npy file; raises UnreadableImage for objects and cut-off files."""
    file.seek(0)
    shape, dtype = _npy_header(file, path)
    if path.stat().st_size < file.tell() + math.prod(shape) * dtype.itemsize:
        raise cut_off(path)
    return shape, dtype


def _npy_header(file: Any, path: Path) -> tuple[tuple[int, ...], np.dtype]:
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    if dtype.hasobject:
        raise refuse(
            path, tr("holds Python objects, which are not opened for safety"), tr("Save plain numbers instead.")
        )
    return shape, dtype


def slice_of(array: np.ndarray, layout: Layout, number: int) -> np.ndarray:
    """(H, W, C) of one slice (from 1), in the array's own type."""
    rest = 2 if layout.channel_axis is None else 3
    place = np.unravel_index(number - 1, array.shape[:-rest]) if array.ndim > rest else ()
    pixels = array[place]
    if layout.channel_axis is None:
        return pixels[..., None]
    return np.moveaxis(pixels, 0, -1) if layout.channel_axis == array.ndim - 3 else pixels


def mapped(path: Path) -> np.ndarray:
    """The array of a .npy file without reading it."""
    array: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
    return array


# .npz -----------------------------------------------------------------------------------------------------


def only_array(path: Path) -> str:
    """The name of the one array in a .npz file; raises UnreadableImage where there are none or several."""
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith(".npy")]
    if len(names) != 1:
        held = ", ".join(name.removesuffix(".npy") for name in names[:4])
        what = (
            tr("holds {names} arrays ({held})").format(names=len(names), held=held) if names else tr("holds no array")
        )
        raise refuse(
            path, tr("{what}; an image is one").format(what=what), tr("Save each array as a .npy file of its own.")
        )
    return names[0]


def packed_header(path: Path) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and type of the one array in a .npz file."""
    with zipfile.ZipFile(path) as archive, archive.open(only_array(path)) as member:
        shape, dtype = _npy_header(member, path)
    if math.prod(shape) * dtype.itemsize > _READ_AT_ONCE:
        raise refuse(
            path, tr("is too large to unpack at once (the limit is 2 GB)"), tr("Save it as .npy, which is not packed.")
        )
    return shape, dtype


def unpacked(path: Path) -> np.ndarray:
    """The one array in a .npz file, read whole."""
    with np.load(path, allow_pickle=False) as archive:
        array: np.ndarray = archive[only_array(path).removesuffix(".npy")]
    return array
