"""Any image file to an array, or one plain sentence saying why not."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from sslstudio.images import content, dicom_files, display, jpeg2000_files, numpy_files, pillow_files, tiff_files
from sslstudio.images.display import to_rgb8
from sslstudio.images.errors import UnreadableImage, cut_off, explained, refuse, unopened
from sslstudio.images.slices import split_slice
from sslstudio.images.tiff_slices import Slices, slices_of
from sslstudio.language import tr

__all__ = [
    "EXTENSIONS",
    "MAX_PIXELS",
    "ImageInfo",
    "UnreadableImage",
    "probe",
    "read_pixels",
    "read_rgb8",
    "to_rgb8",
    "told_window",
    "too_large",
]

EXTENSIONS = frozenset(
    (
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".dib", ".gif", ".tif", ".tiff", ".npy"),
        *(".avif", ".jp2", ".j2k", ".pgm", ".ppm", ".pnm", ".pbm", ".npz", ".dcm", ".dicom", ".ima"),
    )
)
MAX_PIXELS = 400_000_000
_MAX_BYTES = 2 << 30


@dataclass(frozen=True)
class ImageInfo:
    """What a file's header says; width and height as seen, after the camera's orientation; ``pages`` are slices.

    ``place`` is where it lies in a series of files, which DICOM knows.
    """

    width: int
    height: int
    channels: int
    dtype: str
    pages: int = 1
    place: dicom_files.Place | None = None


def probe(path: Path) -> ImageInfo:
    """Size and type from the header; also finds most cut-off files. Raises UnreadableImage."""
    path = Path(path)
    with _opened(path) as (file, kind, number), explained(path):
        info = (
            _STACK_PROBES[kind](file, _file(path), number) if kind in _STACK_PROBES else _probe_single(file, path, kind)
        )
    if info.width < 1 or info.height < 1:
        raise refuse(path, tr("says that it has no pixels"))
    if number > info.pages:
        raise _no_slice(path, info.pages)
    return info


def read_pixels(path: Path) -> np.ndarray:
    """(H, W, C) uint8, uint16 or float32, upright; palette and CMYK as RGB, alpha dropped."""
    path = Path(path)
    with _opened(path) as (file, kind, number), explained(path):
        return _read(file, path, kind, number)


def read_rgb8(path: Path, *, longest: int | None = None) -> np.ndarray:
    """(H, W, 3) uint8, contiguous: what people see; ``longest`` shrinks to that many pixels at most."""
    path = Path(path)
    if longest is None:
        return to_rgb8(read_pixels(path))
    with _opened(path) as (file, kind, number), explained(path):
        if kind == "jpeg" and number == 1:
            return _read_small_jpeg(file, path, longest)
        if kind in ("tiff", "npy") and (small := _small_copy(path, longest)) is not None:
            return to_rgb8(small)
        pixels = _read(file, path, kind, number)
    return display.shrink(to_rgb8(pixels), longest)


def _small_copy(path: Path, longest: int) -> np.ndarray | None:
    from sslstudio.images.huge_reading import small_copy  # which reads with what stands here

    return small_copy(path, longest)


def told_window(path: Path) -> tuple[float, float] | None:
    """The values that the file wants to be shown black and white, as DICOM files say; None for all others."""
    path = Path(path)
    try:
        with _opened(path) as (file, kind, number):
            return dicom_files.window_of(dicom_files.read_header(file, path), number - 1) if kind == "dicom" else None
    except Exception:  # noqa: BLE001 - broken metadata never costs the picture
        return None


def too_large(path: Path, info: ImageInfo) -> UnreadableImage | None:
    """The refusal for an image beyond what fits into memory, or None."""
    size = info.width * info.height
    if size <= MAX_PIXELS and size * info.channels * np.dtype(info.dtype).itemsize <= _MAX_BYTES:
        return None
    return refuse(
        path,
        tr(
            "is too large to open at once ({width} × {height} pixels; the limit is {max_pixels} "
            "million pixels and 2 GB; beyond it a TIFF with tiles is read by parts)"
        ).format(width=info.width, height=info.height, max_pixels=MAX_PIXELS // 1000000),
        tr("Save it as a TIFF with tiles, or remove it from the folder."),
    )


# opening ------------------------------------------------------------------------------------------------


def _file(path: Path) -> Path:
    return Path(split_slice(str(path))[0])


@contextmanager
def _opened(path: Path) -> Iterator[tuple[BinaryIO, str, int]]:
    """The open file, the kind that its content shows, and which slice of it is meant; raises UnreadableImage."""
    name, number = split_slice(str(path))
    path = Path(name)
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe would wait for ever
            raise refuse(path, tr("is not a file"), tr("Remove it from the folder."))
        file = path.open("rb")
    except FileNotFoundError:
        raise refuse(path, tr("is not there any more"), tr("Put the file back, or refresh the project.")) from None
    except OSError as error:
        raise unopened(path, error) from None
    with file:
        try:
            head = file.read(content.HEAD)
        except OSError as error:
            raise unopened(path, error) from None
        yield file, _kind(path, head), number


def _kind(path: Path, head: bytes) -> str:
    if not head:
        raise refuse(path, tr("is empty (0 bytes)"))
    kind = content.kind_of(head)
    if kind:
        return kind
    if not any(head):
        raise refuse(path, tr("holds only zeros where an image should begin"))
    what = tr("a text file") if content.looks_like_text(head) else tr("not an image of a kind that can be read")
    raise refuse(
        path,
        tr("is {what}, whatever its name says").format(what=what),
        tr("Convert it to PNG or TIFF, or remove it from the folder."),
    )


def _read(file: BinaryIO, path: Path, kind: str, number: int) -> np.ndarray:
    """The pixels of an open file's slice."""
    if kind in _STACK_READERS:
        return _STACK_READERS[kind](file, _file(path), number)
    if number > 1:
        raise _no_slice(path, 1)
    return _READERS.get(kind, _read_pillow)(file, path)


def _probe_single(file: BinaryIO, path: Path, kind: str) -> ImageInfo:
    return _PROBES.get(kind, _probe_pillow)(file, _file(path))


def _no_slice(path: Path, count: int) -> UnreadableImage:
    """The refusal of a slice that the file does not have (any more)."""
    file, number = split_slice(str(path))
    held = tr("a single image") if count == 1 else tr("{count} slices").format(count=count)
    return refuse(
        Path(file),
        tr("holds {held}, so there is no slice {number}").format(held=held, number=number),
        tr("Refresh the project."),
    )


def _checked(path: Path, info: ImageInfo) -> None:
    refusal = too_large(path, info)
    if refusal is None:
        return
    from sslstudio.images.huge import can_be_read_by_parts  # which reads with what stands here

    if can_be_read_by_parts(path):
        raise refuse(
            path,
            tr("is so large that it is read by parts, and this needs all of it at once"),
            tr("Run a prediction for it: that goes part by part."),
        )
    raise refusal


# Pillow -------------------------------------------------------------------------------------------------


def _info(image: Any, turn: int) -> ImageInfo:
    width, height = pillow_files.oriented_size(image.width, image.height, turn)
    channels, dtype = pillow_files.native_type(image)
    return ImageInfo(width, height, channels, dtype)


def _probe_pillow(file: BinaryIO, path: Path) -> ImageInfo:
    with pillow_files.open_image(file) as image:
        info = _info(image, pillow_files.orientation(image.info.get("exif")))
        # The header of these does not say how long the file must be, so the pixels have to be tried.
        if image.format in ("GIF", "BMP", "PPM", "JPEG2000", "AVIF") and not too_large(path, info):
            image.load()
        return info


def _read_pillow(file: BinaryIO, path: Path) -> np.ndarray:
    with pillow_files.open_image(file) as image:
        turn = pillow_files.orientation(image.info.get("exif"))
        _checked(path, _info(image, turn))
        return pillow_files.turn_upright(pillow_files.to_array(image), turn)


# JPEG, WebP ---------------------------------------------------------------------------------------------


def _probe_jpeg(file: BinaryIO, path: Path) -> ImageInfo:
    with pillow_files.open_image(file) as image:
        info = _info(image, pillow_files.orientation(image.info.get("exif")))
    if not content.jpeg_ends(file):
        _read_pillow(file, path)  # no end marker in sight: only decoding tells
    return info


def _read_small_jpeg(file: BinaryIO, path: Path, longest: int) -> np.ndarray:
    """Decode at 1/2, 1/4 or 1/8 where that is enough: several times quicker."""
    with pillow_files.open_image(file) as image:
        turn = pillow_files.orientation(image.info.get("exif"))
        _checked(path, _info(image, turn))
        size = display.shrunk_size(image.width, image.height, longest)
        image.draft(None, size)
        small = image.convert("RGB") if image.mode != "RGB" else image
        if small.size != size:
            small = small.resize(size, resample=4, reducing_gap=None)  # 4 is Pillow's BOX: the mean of areas
        return pillow_files.turn_upright(np.array(small), turn)


def _probe_webp(file: BinaryIO, path: Path) -> ImageInfo:
    if not content.webp_ends(file):
        raise cut_off(path)
    return _probe_pillow(file, path)


# JPEG 2000 ----------------------------------------------------------------------------------------------


def _probe_jpeg2000(file: BinaryIO, path: Path) -> ImageInfo:
    found = jpeg2000_files.layout(file)
    if found is None:
        return _probe_pillow(file, path)
    info = ImageInfo(found.width, found.height, found.channels, found.dtype)
    if not jpeg2000_files.ends(file) and not too_large(path, info):
        jpeg2000_files.read(file, found)
    return info


def _read_jpeg2000(file: BinaryIO, path: Path) -> np.ndarray:
    found = jpeg2000_files.layout(file)
    if found is None:
        return _read_pillow(file, path)
    _checked(path, ImageInfo(found.width, found.height, found.channels, found.dtype))
    return jpeg2000_files.read(file, found)


# PNG ----------------------------------------------------------------------------------------------------


def _png_info(layout: content.PngLayout) -> ImageInfo:
    """8-bit unless the PNG holds 16; colour types 0 and 4 are grey."""
    width, height = pillow_files.oriented_size(layout.width, layout.height, pillow_files.orientation(layout.exif))
    channels = 1 if layout.colour in (0, 4) else 3
    return ImageInfo(width, height, channels, "uint16" if layout.depth == 16 else "uint8")


def _probe_png(file: BinaryIO, path: Path) -> ImageInfo:
    info = _png_info(content.png_layout(file, path))
    with pillow_files.open_image(file):  # a header that Pillow refuses will not decode either
        return info


def _read_png(file: BinaryIO, path: Path) -> np.ndarray:
    layout = content.png_layout(file, path)
    info = _png_info(layout)
    _checked(path, info)
    if layout.depth != 16:
        with pillow_files.open_image(file) as image:
            pixels = pillow_files.to_array(image)
    else:
        import imagecodecs  # Pillow cuts 16-bit colour to 8

        file.seek(0)
        pixels = imagecodecs.png_decode(file.read())
        pixels = pixels.reshape(*pixels.shape[:2], -1)[..., : info.channels]
    return pillow_files.turn_upright(pixels, pillow_files.orientation(layout.exif))


# TIFF ---------------------------------------------------------------------------------------------------


def _tiff_info(page: Any, slices: Slices) -> ImageInfo:
    height, width = slices.size()
    if slices.array is None and slices.places.shape[1] == 1:
        width, height = pillow_files.oriented_size(width, height, tiff_files.turn_of(page))
    return ImageInfo(width, height, slices.channels(), slices.dtype(), slices.count)


def _probe_tiff(file: BinaryIO, path: Path, number: int) -> ImageInfo:
    try:
        with tiff_files.open_tiff(file) as tiff:
            page = tiff_files.first_page(tiff)
            slices = slices_of(tiff, page, path)
            info = _tiff_info(page, slices)
            early = _ends_early(slices, number, path.stat().st_size)
    except UnreadableImage:
        raise
    except Exception:  # noqa: BLE001 - whatever it dislikes, Pillow may know
        return _info_of(_read_by_pillow(file, path))
    if early:
        raise cut_off(path)
    return info


def _ends_early(slices: Slices, number: int, size: int) -> bool:
    """Whether a slice lies behind the end of the file, or the last one does, which the others may not hide."""
    if number > slices.count:
        return False
    try:
        return slices.end_early(number, size) or slices.end_early(slices.count, size)
    except IndexError:  # pages of other files
        return False


def _read_tiff(file: BinaryIO, path: Path, number: int) -> np.ndarray:
    try:
        with tiff_files.open_tiff(file) as tiff:
            page = tiff_files.first_page(tiff)
            slices = slices_of(tiff, page, path)
            _checked(path, _tiff_info(page, slices))
            if number > slices.count:
                raise _no_slice(Path(f"{path}#{number:04d}"), slices.count)
            if slices.end_early(number, path.stat().st_size):
                raise cut_off(path)
            return slices.read(number)
    except UnreadableImage:
        raise
    except Exception:
        if number > 1:
            raise
        return _read_by_pillow(file, path)


def _read_by_pillow(file: BinaryIO, path: Path) -> np.ndarray:
    """The Pillow way for TIFF; Pillow turns a TIFF upright by itself while loading."""
    try:
        with pillow_files.open_image(file) as image:
            _checked(path, _info(image, 1))
            return pillow_files.to_array(image)
    except UnreadableImage:
        raise
    except Exception:
        if name := tiff_files.unknown_compression(file):
            raise refuse(
                path,
                tr("is compressed in a way that cannot be read ({name})").format(name=name),
                tr("Save it uncompressed."),
            ) from None
        raise


def _info_of(pixels: np.ndarray) -> ImageInfo:
    return ImageInfo(pixels.shape[1], pixels.shape[0], pixels.shape[2], pixels.dtype.name)


# NumPy --------------------------------------------------------------------------------------------------


def _probe_npy(file: BinaryIO, path: Path, number: int) -> ImageInfo:
    return _array_info(*numpy_files.header(file, path), path)


def _probe_npz(file: BinaryIO, path: Path, number: int) -> ImageInfo:
    return _array_info(*numpy_files.packed_header(path), path)


def _array_info(shape: tuple[int, ...], dtype: np.dtype, path: Path) -> ImageInfo:
    found = numpy_files.layout_of(shape, dtype, path)
    return ImageInfo(found.width, found.height, found.channels, tiff_files.plain_dtype(dtype), found.slices)


def _read_npy(file: BinaryIO, path: Path, number: int) -> np.ndarray:
    _checked_slice(path, _probe_npy(file, path, number), number)
    return _array_slice(numpy_files.mapped(path), path, number)


def _read_npz(file: BinaryIO, path: Path, number: int) -> np.ndarray:
    _checked_slice(path, _probe_npz(file, path, number), number)
    return _array_slice(numpy_files.unpacked(path), path, number)


def _array_slice(array: np.ndarray, path: Path, number: int) -> np.ndarray:
    layout = numpy_files.layout_of(array.shape, array.dtype, path)
    pixels = np.array(numpy_files.slice_of(array, layout, number))  # a copy: what is mapped would keep the file open
    return np.ascontiguousarray(tiff_files.plain_type(pixels))


def _checked_slice(path: Path, info: ImageInfo, number: int) -> None:
    _checked(path, info)
    if number > info.pages:
        raise _no_slice(Path(f"{path}#{number:04d}"), info.pages)


# DICOM --------------------------------------------------------------------------------------------------


def _dicom_info(header: Any, number: int) -> ImageInfo:
    channels, dtype = dicom_files.type_of(header, number - 1)
    return ImageInfo(int(header.Columns), int(header.Rows), channels, dtype, dicom_files.frames_of(header))


def _probe_dicom(file: BinaryIO, path: Path, number: int) -> ImageInfo:
    header = dicom_files.read_header(file, path)
    return replace(_dicom_info(header, number), place=dicom_files.place_of(header))


def _read_dicom(file: BinaryIO, path: Path, number: int) -> np.ndarray:
    header = dicom_files.read_header(file, path)
    _checked_slice(path, _dicom_info(header, number), number)
    return dicom_files.read_frame(file, header, number - 1, path)


_PROBES = {"jpeg": _probe_jpeg, "jpeg2000": _probe_jpeg2000, "png": _probe_png, "webp": _probe_webp}
_READERS = {"jpeg2000": _read_jpeg2000, "png": _read_png}
_STACK_PROBES = {"tiff": _probe_tiff, "npy": _probe_npy, "npz": _probe_npz, "dicom": _probe_dicom}  # these know slices
_STACK_READERS = {"tiff": _read_tiff, "npy": _read_npy, "npz": _read_npz, "dicom": _read_dicom}
