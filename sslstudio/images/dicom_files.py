"""DICOM: what the header says, one frame as pixels, the window and the pixel size that the file brings along."""

from __future__ import annotations

import functools
import logging
import math
import os
import struct
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from sslstudio.images.errors import cut_off, refuse
from sslstudio.images.tiff_files import plain_type
from sslstudio.language import tr

_TILED = "1.2.840.10008.5.1.4.1.1.77.1.6"  # whole slides, whose frames are tiles of one image
_DEFLATED, _IMPLICIT, _EXPLICIT, _BIG_ENDIAN = (
    f"1.2.840.10008.1.2{end}" for end in (".1.99", "", ".1", ".2")
)  # ways in which all of a file is written
_PIXELS = ((0x7FE0, 0x0008), (0x7FE0, 0x0009), (0x7FE0, 0x0010))  # tags
_UNKNOWN = 0xFFFFFFFF  # the length of what is compressed
_FILMS = "1.2.840.10008.1.2.4.10"  # beginnings of the names of MPEG and the like
Pose = tuple[float, ...]  # directions of rows and of columns, three numbers each, then x, y, z in mm; empty for unknown


@dataclass(frozen=True)
class Place:
    """Where in its series a slice lies; ``number`` is None where the file has none."""

    series: str
    pose: Pose = ()
    number: int | None = None


@functools.cache
def _pydicom() -> Any:
    """The pydicom module with our decoders, kept from writing to standard error about every odd tag."""
    import pydicom
    import pydicom.pixels

    from sslstudio.images import dicom_codecs  # noqa: F401 - adds itself

    logging.getLogger("pydicom").setLevel(logging.CRITICAL + 1)
    warnings.filterwarnings("ignore", module=r"pydicom\b")
    return pydicom


def read_header(file: BinaryIO, path: Path) -> Any:
    """The header of an open file; raises UnreadableImage for one that holds no image that can be read."""
    file.seek(0)
    header = _pydicom().dcmread(file, stop_before_pixels=True, force=True)
    place = file.tell()
    if not header.get("Rows") or not header.get("Columns"):
        kind = str(getattr(header.get("SOPClassUID"), "name", "") or "")
        what = tr(" (it is a “{kind}”)").format(kind=kind) if kind and not kind[0].isdigit() else ""
        raise refuse(
            path, tr("is a DICOM file without an image{what}").format(what=what), tr("Remove it from the folder.")
        )
    syntax = _syntax(header)
    if header.get("SOPClassUID") == _TILED and frames_of(header) > 1:
        raise refuse(
            path,
            tr("is a whole slide in DICOM, of which only single tiles could be read"),
            tr("Convert it to a tiled TIFF."),
        )
    if syntax is not None and syntax.startswith(_FILMS):
        raise refuse(
            path,
            tr("is a film ({name})").format(name=syntax.name),
            tr("Save its frames as images, or as uncompressed DICOM."),
        )
    if _syntax(header) != _DEFLATED and _ends_early(file, place, header):
        raise cut_off(path)
    return header


def _ends_early(file: BinaryIO, place: int, header: Any) -> bool:
    """Whether the pixels, whose element begins at ``place``, go on behind the end of the file."""
    implicit, little = getattr(header, "original_encoding", (False, True))
    file.seek(place)
    start, order = file.read(12), "<" if little is not False else ">"
    if len(start) < 12 or struct.unpack(f"{order}HH", start[:4]) not in _PIXELS:
        return False  # there are none: whoever reads them says so
    length = struct.unpack(f"{order}I", start[4:8] if implicit else start[8:12])[0]
    if length == _UNKNOWN:
        return False
    # one byte less: the last one may only fill up to an even number
    return place + (8 if implicit else 12) + length - 1 > file.seek(0, os.SEEK_END)


def _syntax(header: Any) -> Any:
    """How the pixels are stored, as pydicom's UID; None where the file does not say."""
    return getattr(getattr(header, "file_meta", None), "TransferSyntaxUID", None)


def frames_of(header: Any) -> int:
    """How many frames the file says it has."""
    return max(1, int(header.get("NumberOfFrames") or 1))


def type_of(header: Any, frame: int) -> tuple[int, str]:
    """Channels and dtype that ``read_frame`` will give."""
    bits, samples = int(header.get("BitsAllocated") or 16), int(header.get("SamplesPerPixel") or 1)
    if samples == 1 and (depth := _table_depth(header)):
        return 1, "uint8" if depth <= 8 else "uint16"
    if header.get("PhotometricInterpretation") == "PALETTE COLOR":
        return 3, "uint8"
    if samples > 1:
        return samples, "uint8" if bits <= 8 else "uint16"
    plain = _rescale(header, frame) is None and not header.get("PixelRepresentation")
    if not plain or bits not in (1, 8, 16):
        return 1, "float32"
    return 1, "uint16" if bits == 16 else "uint8"


def read_frame(file: BinaryIO, header: Any, frame: int, path: Path) -> np.ndarray:
    """(H, W, C) of a frame (from 0): colours as RGB, rescaled by slope and intercept or table, never a negative.

    Padding is no number where the others are float32.
    """
    pydicom = _pydicom()
    try:
        pixels = pydicom.pixels.pixel_array(_source(file, header), index=frame)
    except (NotImplementedError, RuntimeError, AttributeError) as error:
        raise _undecodable(header, path, error) from error
    if header.get("PhotometricInterpretation") == "PALETTE COLOR":
        pixels = _coloured(header, pixels)
    elif pixels.ndim == 2:
        pixels = _values(header, frame, pixels)[..., None]
    return np.ascontiguousarray(pixels.astype(type_of(header, frame)[1], copy=False))


def _source(file: BinaryIO, header: Any) -> Any:
    """What pydicom unpacks frames from: the file, or all of it in memory where it does not say how it is written."""
    syntax = _syntax(header)
    file.seek(0)
    if syntax is not None and syntax != _DEFLATED:
        return file
    whole = _pydicom().dcmread(file, force=True)
    if syntax is None:
        implicit, little = whole.original_encoding
        whole.file_meta.TransferSyntaxUID = _IMPLICIT if implicit else _EXPLICIT if little else _BIG_ENDIAN
    return whole


def _undecodable(header: Any, path: Path, error: Exception) -> Exception:
    """A sentence where it is the compression that is not known; otherwise the error as it was."""
    syntax = _syntax(header)
    if syntax is None or not syntax.is_compressed or not isinstance(error, NotImplementedError):
        return error if "missing" not in str(error).lower() else refuse(path, tr("is a DICOM file without pixels"))
    return refuse(
        path,
        tr("is compressed in a way that cannot be read ({name})").format(name=syntax.name),
        tr("Save it uncompressed."),
    )


def _coloured(header: Any, pixels: np.ndarray) -> np.ndarray:
    table = _pydicom().pixels.apply_color_lut(pixels, header)
    return (table >> 8).astype(np.uint8) if table.dtype == np.uint16 else table


def _values(header: Any, frame: int, pixels: np.ndarray) -> np.ndarray:
    """(H, W) stored numbers as what they mean."""
    empty = _padding(header, pixels)
    if _table_depth(header):
        pixels = _pydicom().pixels.apply_modality_lut(pixels, header)
    elif int(header.get("BitsAllocated") or 16) == 1:
        pixels = pixels.astype(bool)
    elif (rescale := _rescale(header, frame)) is not None:
        pixels = pixels.astype(np.float32) * np.float32(rescale[0]) + np.float32(rescale[1])
    pixels = plain_type(pixels)
    if empty is not None and pixels.dtype.kind == "f":
        pixels[empty] = np.nan
    if header.get("PhotometricInterpretation") != "MONOCHROME1":
        return pixels
    low, high = _range(header, frame)
    return (pixels.dtype.type(low + high) - pixels).astype(pixels.dtype)


def _padding(header: Any, stored: np.ndarray) -> np.ndarray | None:
    """Where nothing was recorded, (H, W) bool; None where the file has no value for that."""
    first, last = header.get("PixelPaddingValue"), header.get("PixelPaddingRangeLimit")
    if not isinstance(first, int):
        return None
    # some write the numbers without their sign
    ends = np.array([first, last if isinstance(last, int) else first]).astype(stored.dtype)
    return (stored >= ends.min()) & (stored <= ends.max())


def _table_depth(header: Any) -> int:
    """Bits of the numbers that a table makes of the stored ones; 0 where there is none."""
    table = header.get("ModalityLUTSequence")
    return int(table[0].LUTDescriptor[2]) if table else 0


def _rescale(header: Any, frame: int) -> tuple[float, float] | None:
    """Slope and intercept where they change anything."""
    for group in _groups(header, frame, "PixelValueTransformationSequence"):
        slope, intercept = group.get("RescaleSlope"), group.get("RescaleIntercept")
        if slope is not None or intercept is not None:
            found = float(1 if slope is None else slope), float(intercept or 0)
            return None if found == (1.0, 0.0) or found[0] == 0 else found
    return None


def _range(header: Any, frame: int) -> tuple[float, float]:
    """The lowest and the highest value that can be stored, as they are shown."""
    bits = int(header.get("BitsStored") or header.get("BitsAllocated") or 16)
    if depth := _table_depth(header):
        return 0, 2**depth - 1
    if int(header.get("BitsAllocated") or 16) == 1:
        return 0, 255
    signed = bool(header.get("PixelRepresentation"))
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    slope, intercept = _rescale(header, frame) or (1, 0)
    return min(low * slope, high * slope) + intercept, max(low * slope, high * slope) + intercept


# what the file brings along -------------------------------------------------------------------------------


def window_of(header: Any, frame: int) -> tuple[float, float] | None:
    """The values that the file wants to be black and white; None where it says nothing."""
    if int(header.get("SamplesPerPixel") or 1) > 1 or header.get("PhotometricInterpretation") == "PALETTE COLOR":
        return None
    for group in _groups(header, frame, "FrameVOILUTSequence"):
        centre, width = _first(group.get("WindowCenter")), _first(group.get("WindowWidth"))
        if centre is None or width is None or width <= 0:
            continue
        if group.get("VOILUTFunction", "LINEAR") == "LINEAR":  # the standard's own odd half and one
            centre, width = centre - 0.5, max(1.0, width - 1)
        low, high = centre - width / 2, centre + width / 2
        if header.get("PhotometricInterpretation") == "MONOCHROME1":
            ends = sum(_range(header, frame))
            low, high = ends - high, ends - low
        return low, high
    return None


def spacing_of(header: Any, frame: int) -> tuple[float, float] | None:
    """Width and height of a pixel in micrometres; in the patient where it is known, else on the detector."""
    for group in _groups(header, frame, "PixelMeasuresSequence"):
        for name in ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing"):
            value = group.get(name)
            if value and len(value) == 2:
                return 1000 * float(value[1]), 1000 * float(value[0])
    return None


def place_of(header: Any) -> Place | None:
    """The place of a file's only frame; None where there are more, or the file does not say of which series it is."""
    series = str(_said(header, "SeriesInstanceUID") or "").strip()
    if not series or frames_of(header) > 1:
        return None
    turned, at = _numbers(header, "ImageOrientationPatient", 6), _numbers(header, "ImagePositionPatient", 3)
    pose = (*turned, *at) if turned and at else ()
    if pose and math.hypot(*facing(pose)) < 0.5:  # some programs write zeros
        pose = ()
    number = _numbers(header, "InstanceNumber", 1)
    return Place(series, pose, int(number[0]) if number else None)


def facing(pose: Pose) -> tuple[float, float, float]:
    """The direction in which a slice is crossed: upright on its rows and columns."""
    a, b, c, d, e, f = pose[:6]
    return b * f - c * e, c * d - a * f, a * e - b * d


def _said(header: Any, name: str) -> Any:
    """A value of the header; None where it is missing or nonsense, which costs an order but never the picture."""
    try:
        return header.get(name)
    except Exception:  # noqa: BLE001 - pydicom reads a value when it is asked for, and raises what it likes
        return None


def _numbers(header: Any, name: str, count: int) -> tuple[float, ...]:
    """Numbers of the header if there are so many and all of them make sense; else none."""
    value = _said(header, name)
    several = () if value is None or value == "" else [value] if count == 1 else value
    try:
        found = tuple(float(one) for one in several)
    except (TypeError, ValueError):
        return ()
    return found if len(found) == count and all(math.isfinite(one) for one in found) else ()


def _first(value: Any) -> float | None:
    """A number, or the first of several."""
    if value is None or value == "":
        return None
    several = isinstance(value, (list, tuple)) or (hasattr(value, "__len__") and not isinstance(value, str))
    return float(value[0] if several else value)


def _groups(header: Any, frame: int, name: str) -> Iterator[Any]:
    """Where a value of a frame can stand, the nearest first: with the frame, with all frames, in the header."""
    own = header.get("PerFrameFunctionalGroupsSequence")
    if own and frame < len(own):
        yield from own[frame].get(name) or ()
    for shared in header.get("SharedFunctionalGroupsSequence") or ():
        yield from shared.get(name) or ()
    yield header
