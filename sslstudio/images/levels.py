"""Which sizes of itself a huge file holds, each to be read by tiles."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from sslstudio.images import content, limits, numpy_files, tiff_files
from sslstudio.images.errors import refuse
from sslstudio.images.limits import MOST_PIXELS, is_huge
from sslstudio.images.reduced import size_of
from sslstudio.images.segments import Handle, Level, NotByParts, PlainRows, Segments
from sslstudio.images.slices import split_slice
from sslstudio.images.tiff_slices import slices_of
from sslstudio.language import tr

_DENSEST = 300  # pixels in a byte of a file, beyond which nobody looks whether it is huge


def levels_of(image: Path) -> dict[int, Level] | None:
    """The sizes of an image or slice by how often they are halved, 0 for all of it; None where it is not huge.

    Raises NotByParts, UnreadableImage for a cut-off file, and whatever the decoder of its header raises.
    """
    name, number = split_slice(str(image))
    path = Path(name)
    if path.stat().st_size < limits.HUGE_PIXELS // _DENSEST:
        return None
    with path.open("rb") as file:
        kind = content.kind_of(file.read(content.HEAD))
        if kind == "tiff":
            return _levels_of_tiff(path, file, number)
    return _levels_of_npy(path, number) if kind == "npy" else None


def _levels_of_npy(path: Path, slice_: int) -> dict[int, Level] | None:
    pixels = np.load(path, mmap_mode="r", allow_pickle=False)
    layout = numpy_files.layout_of(pixels.shape, pixels.dtype, path)
    height, width, channels = layout.height, layout.width, layout.channels
    planar = layout.channel_axis is not None and layout.channel_axis == pixels.ndim - 3
    if not is_huge(height, width, channels * pixels.dtype.itemsize) or pixels.dtype.kind not in "buif":
        return None
    if not pixels.flags.c_contiguous or height * width > MOST_PIXELS:
        raise NotByParts(tr("its numbers are not stored row by row"))
    offset = pixels.offset + (slice_ - 1) * height * width * channels * pixels.dtype.itemsize
    return {0: PlainRows(Handle(path), offset, (height, width, channels), pixels.dtype, planar=planar)}


def _levels_of_tiff(path: Path, file: Any, slice_: int) -> dict[int, Level] | None:
    with tiff_files.open_tiff(file) as tiff:
        page = tiff_files.first_page(tiff)
        slices = slices_of(tiff, page, path)
        places = [0] if slices.by_row else slices.places[slice_ - 1].tolist()
        height, width = page.imagelength, page.imagewidth
        pixel = page.samplesperpixel * page.dtype.itemsize * len(places)
        if not is_huge(height, width, pixel):
            return None
        if height * width > MOST_PIXELS or slices.by_row or slices.array is not None:
            raise NotByParts(tr("its channels are stored in a way that cannot be read by parts"))
        if slices.end_early(slice_, path.stat().st_size):
            raise refuse(path, tr("is cut off: its end is missing"), tr("Copy it again from where it came from."))
        handle = Handle(path)
        levels: dict[int, Level] = {0: _level_of(handle, slices.parts(slice_))}
        for number, pages in _own_halvings(tiff, height, width, places):
            if any(tiff_files.ends_early(page, path.stat().st_size) for page in pages):
                continue  # the image itself is all there; what is missing can be made
            try:
                levels[number] = _level_of(handle, pages)
            except NotByParts:
                continue
        return levels


def _level_of(handle: Handle, pages: Any) -> Level:
    page = pages[0].keyframe
    # tags are read when first asked for; the file will be closed
    _ = page.decode, page.nodata, page.colormap, tiff_files.dtype_of(page)
    whole_bytes = page.bitspersample == 8 * page.dtype.itemsize and page.dtype.kind != "b"
    if len(pages) == 1 and page.is_contiguous and whole_bytes and not page.is_tiled and tiff_files.turn_of(page) == 1:
        shape = (page.imagelength, page.imagewidth, page.samplesperpixel)
        stored = np.dtype(page.parent.byteorder + page.dtype.char)
        planar = page.planarconfig == 2 and shape[2] > 1
        return PlainRows(handle, page.dataoffsets[0], shape, stored, planar=planar, page=page)
    return Segments(handle, pages)


def _own_halvings(tiff: Any, height: int, width: int, places: list[int]) -> Iterator[tuple[int, list[Any]]]:
    """The smaller sizes that the file has, with the pages of each, where they are halvings."""
    try:
        series = tiff.series[0].levels[1:]
    except Exception:  # noqa: BLE001 - odd metadata; then there are none
        return
    for level in series:
        pages = [level.pages[place] for place in places if place < len(level.pages)]
        if len(pages) < len(places) or any(page is None for page in pages):
            continue
        page = pages[0].keyframe
        number = round(float(np.log2(width / page.imagewidth)))
        wanted = size_of((height, width), number)
        near = abs(page.imagelength - wanted[0]) <= 2 and abs(page.imagewidth - wanted[1]) <= 2
        if number > 0 and near:
            yield number, pages
