"""The compressed kinds of DICOM that pydicom cannot unpack by itself, through imagecodecs, which TIFF needs anyway.

pydicom asks for ``is_available``, ``DECODER_DEPENDENCIES`` and a function in a module, see its guide to plugins.
"""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
from pydicom import uid
from pydicom.pixels import decoders

_LOSSLESS = (uid.JPEGLossless, uid.JPEGLosslessSV1)
_LS = (uid.JPEGLSLossless, uid.JPEGLSNearLossless)
_2000 = (uid.JPEG2000, uid.JPEG2000Lossless)
_HIGH = (uid.HTJ2K, uid.HTJ2KLossless, uid.HTJ2KLosslessRPCL)
DECODER_DEPENDENCIES = dict.fromkeys((*_LOSSLESS, *_LS, *_2000, *_HIGH, uid.JPEGExtended12Bit), ("imagecodecs",))
_DECODERS = (
    *(decoders.JPEGLosslessDecoder, decoders.JPEGLosslessSV1Decoder, decoders.JPEGExtended12BitDecoder),
    *(decoders.JPEGLSLosslessDecoder, decoders.JPEGLSNearLosslessDecoder),
    *(decoders.JPEG2000Decoder, decoders.JPEG2000LosslessDecoder),
    *(decoders.HTJ2KDecoder, decoders.HTJ2KLosslessDecoder, decoders.HTJ2KLosslessRPCLDecoder),
)


def is_available(_syntax: str) -> bool:
    """Imagecodecs is always there."""
    return True


def decode(src: bytes, runner: Any) -> bytes:
    """One frame's samples, colours side by side, in the type that the runner says."""
    pixels = _decoded(src, runner)
    runner.set_option("bits_allocated", pixels.dtype.itemsize * 8)
    runner.set_option("planar_configuration", 0)
    name = runner.photometric_interpretation
    if name in ("YBR_ICT", "YBR_RCT"):  # the decoder has made colours of it
        runner.set_option("photometric_interpretation", "RGB")
    return np.ascontiguousarray(pixels).tobytes()


def _decoded(src: bytes, runner: Any) -> np.ndarray:
    import imagecodecs

    syntax = runner.transfer_syntax
    if syntax in _LOSSLESS:
        # The first knows colours, the second the predictors that the first does not.
        with contextlib.suppress(imagecodecs.JpegError, RuntimeError):
            pixels: np.ndarray = imagecodecs.jpeg8_decode(src)
            return pixels
        return np.asarray(imagecodecs.ljpeg_decode(src))
    if syntax in _LS:
        return np.asarray(imagecodecs.jpegls_decode(src))
    if syntax in _HIGH or syntax in _2000:
        return np.asarray(imagecodecs.jpeg2k_decode(src))
    return np.asarray(imagecodecs.jpeg8_decode(src))


for _decoder in _DECODERS:
    _decoder.add_plugin("imagecodecs", (__name__, "decode"))
