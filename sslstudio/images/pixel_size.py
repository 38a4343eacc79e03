"""How large a pixel is in the world, where the file knows it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from xml.etree import ElementTree

from sslstudio.images.content import HEAD, kind_of
from sslstudio.images.slices import split_slice

_MICROMETRES = {
    "µm": 1.0, "μm": 1.0, "um": 1.0, "micron": 1.0, "microns": 1.0, "micrometer": 1.0, "nm": 1e-3, "pm": 1e-6,
    "mm": 1e3, "cm": 1e4, "m": 1e6, "inch": 25400.0, "in": 25400.0,
}  # fmt: skip
PRINTED = 10.0  # micrometres; resolutions of more than that are for printers and say nothing about the world
_CENTIMETRE = 3  # a TIFF's resolution unit
_PROJECTED, _METRE = 1, 9001  # a GeoTIFF's kind of map, and its unit of length


@dataclass(frozen=True)
class PixelSize:
    """Width and height of a pixel in micrometres."""

    x: float
    y: float


def pixel_size(path: Path) -> PixelSize | None:
    """From OME, ImageJ, DICOM and GeoTIFF metadata, or a TIFF's pixels per centimetre; None where none is told.

    Dots per inch are for printers and say nothing about the world, however many there are.
    """
    name, number = split_slice(str(path))
    path = Path(name)
    try:
        with path.open("rb") as file:
            kind = kind_of(file.read(HEAD))
            if kind == "dicom":
                return _of_dicom(file, path, number)
        if kind == "tiff":
            return _of_tiff(path)
        return None
    except Exception:  # noqa: BLE001 - broken metadata never costs a measurement
        return None


def _of_tiff(path: Path) -> PixelSize | None:
    import tifffile

    with tifffile.TiffFile(path) as tiff:
        if tiff.ome_metadata:
            return _of_ome(tiff.ome_metadata)
        page: Any = tiff.pages[0]
        per = [_ratio(page.tags.get(name)) for name in ("XResolution", "YResolution")]
        if tiff.imagej_metadata:
            unit = _unit(str(tiff.imagej_metadata.get("unit", "")))
            return _checked(unit / per[0], unit / per[1]) if unit and all(per) else None
        if tiff.geotiff_metadata:
            return _of_map(tiff.geotiff_metadata)
        tag = page.tags.get("ResolutionUnit")
        in_centimetres = tag is not None and int(tag.value) == _CENTIMETRE
        return _fine(10000.0 / per[0], 10000.0 / per[1]) if in_centimetres and all(per) else None


def _of_map(told: dict[str, Any]) -> PixelSize | None:
    """Of a map whose places are metres, not degrees."""
    scale = told.get("ModelPixelScale")
    in_metres = int(told.get("ProjLinearUnitsGeoKey", _METRE)) == _METRE
    if not scale or int(told.get("GTModelTypeGeoKey", 0)) != _PROJECTED or not in_metres:
        return None
    return _checked(float(scale[0]) * 1e6, float(scale[1]) * 1e6)


def _of_dicom(file: BinaryIO, path: Path, number: int) -> PixelSize | None:
    from sslstudio.images.dicom_files import read_header, spacing_of

    found = spacing_of(read_header(file, path), number - 1)
    return _checked(*found) if found else None


def _ratio(tag: Any) -> float:
    value = tag.value if tag is not None else (0, 1)
    return value[0] / value[1] if isinstance(value, tuple) and value[1] else 0.0


def _unit(text: str) -> float:
    plain = re.sub(r"\\u00b5", "µ", text.strip(), flags=re.IGNORECASE)
    return _MICROMETRES.get(plain.lower(), 0.0)


def _of_ome(text: str) -> PixelSize | None:
    pixels = next((node for node in ElementTree.fromstring(text).iter() if node.tag.endswith("}Pixels")), None)
    if pixels is None or not pixels.get("PhysicalSizeX"):
        return None
    x = float(pixels.get("PhysicalSizeX", "0")) * _unit(pixels.get("PhysicalSizeXUnit", "µm"))
    y = float(pixels.get("PhysicalSizeY") or pixels.get("PhysicalSizeX") or "0")
    return _checked(x, y * _unit(pixels.get("PhysicalSizeYUnit", "µm")))


def _fine(x: float, y: float) -> PixelSize | None:
    return _checked(x, y) if max(x, y) < PRINTED else None


def _checked(x: float, y: float) -> PixelSize | None:
    return PixelSize(x, y) if 0 < x < 1e9 and 0 < y < 1e9 else None
