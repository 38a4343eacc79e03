"""DICOM files made on the spot."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydicom import uid
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate


def write_dicom(
    path: Path,
    pixels: np.ndarray,
    *,
    photometric: str = "MONOCHROME2",
    bits: int = 0,
    frames: list[bytes] | None = None,
    syntax: str = uid.ExplicitVRLittleEndian,
    **values: object,
) -> Path:
    """Write (H, W), (H, W, 3), (N, H, W) or (N, H, W, 3) as DICOM; ``frames`` are compressed ones."""
    data = Dataset()
    data.SOPClassUID = uid.SecondaryCaptureImageStorage
    data.SOPInstanceUID = uid.generate_uid()
    colour = pixels.ndim > 2 and pixels.shape[-1] == 3
    data.SamplesPerPixel = 3 if colour else 1
    if colour:
        data.PlanarConfiguration = 0
    shape = pixels.shape[:-1] if colour else pixels.shape
    data.Rows, data.Columns = shape[-2:]
    if len(shape) == 3:
        data.NumberOfFrames = shape[0]
    data.PhotometricInterpretation = photometric
    data.BitsAllocated = pixels.dtype.itemsize * 8
    data.BitsStored = bits or data.BitsAllocated
    data.HighBit = data.BitsStored - 1
    data.PixelRepresentation = int(pixels.dtype.kind == "i")
    for name, value in values.items():
        setattr(data, name, value)
    data.PixelData = encapsulate(frames) if frames else pixels.tobytes()
    data["PixelData"].VR = "OB" if frames or pixels.dtype.itemsize == 1 else "OW"
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = uid.UID(syntax)
    meta.MediaStorageSOPClassUID = data.SOPClassUID
    meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    data.file_meta = meta
    data.save_as(path, enforce_file_format=True)
    return path
