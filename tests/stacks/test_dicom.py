"""DICOM opens as its makers meant it: values, window, pixel size, frames; or is refused in words."""

import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom import uid
from pydicom.dataset import Dataset

from sslstudio.errors import UserError
from sslstudio.images.picture import read_picture
from sslstudio.images.reader import UnreadableImage, probe, read_pixels, read_rgb8
from sslstudio.images.scan import scan

RNG = np.random.default_rng(3)
GREY = (np.add.outer(np.arange(40), np.arange(60)) * 40).astype(np.uint16)  # smooth, 0 to 3920: 12 bits
COLOUR = RNG.integers(0, 255, (40, 60, 3), dtype=np.uint8)


def agree(path):
    info, pixels = probe(path), read_pixels(path)
    assert (info.height, info.width, info.channels, info.dtype) == (*pixels.shape, pixels.dtype.name)
    assert read_rgb8(path, longest=16).shape[2] == 3
    return pixels


def test_plain_grey_keeps_its_values(dicom, tmp_path):
    assert np.array_equal(agree(dicom(tmp_path / "a.dcm", GREY, bits=12))[..., 0], GREY)


def test_hounsfield_units_and_the_files_own_window(dicom, tmp_path):
    path = dicom(
        tmp_path / "ct.dcm", GREY, bits=12, RescaleSlope=1, RescaleIntercept=-1024, WindowCenter=[40, 600],
        WindowWidth=[401, 2000], PixelSpacing=[0.5, 0.25],
    )  # fmt: skip
    assert np.array_equal(agree(path)[..., 0], GREY.astype(np.float32) - 1024)
    picture = read_picture(path)
    assert picture.told == (-160.5, 239.5)  # the standard takes half a step from the centre and one from the width
    assert picture.first_look().contrast == "file"
    assert picture.windows_for("file") == (picture.told,)
    assert picture.windows_for("each") != picture.windows_for("file")
    assert picture.pixel_size is not None
    assert (picture.pixel_size.x, picture.pixel_size.y) == (250.0, 500.0)


def test_without_a_window_it_is_stretched(dicom, tmp_path):
    picture = read_picture(dicom(tmp_path / "a.dcm", GREY, bits=12))
    assert picture.told is None
    assert picture.first_look().contrast == "each"


def test_monochrome1_is_turned(dicom, tmp_path):
    path = dicom(tmp_path / "a.dcm", GREY, bits=12, photometric="MONOCHROME1", WindowCenter=1000.5, WindowWidth=201)
    assert np.array_equal(agree(path)[..., 0], 4095 - GREY)
    assert read_picture(path).told == (4095 - 1100, 4095 - 900)


def test_signed_values(dicom, tmp_path):
    values = GREY.astype(np.int16) - 2000
    assert np.array_equal(agree(dicom(tmp_path / "a.dcm", values))[..., 0], values.astype(np.float32))


def test_colour_and_ybr(dicom, tmp_path):
    assert np.array_equal(agree(dicom(tmp_path / "rgb.dcm", COLOUR, photometric="RGB")), COLOUR)
    grey = np.full((8, 8, 3), (90, 128, 128), np.uint8)
    assert np.array_equal(agree(dicom(tmp_path / "ybr.dcm", grey, photometric="YBR_FULL")), np.full((8, 8, 3), 90))


def test_palette(dicom, tmp_path):
    table = {}
    for at, name in enumerate(("Red", "Green", "Blue")):
        table[f"{name}PaletteColorLookupTableDescriptor"] = [4, 0, 16]
        table[f"{name}PaletteColorLookupTableData"] = (np.array([0, 1, 2, 3]) * (at + 1) * 4096).astype("<u2").tobytes()
    places = RNG.integers(0, 4, (10, 12), dtype=np.uint8)
    pixels = agree(dicom(tmp_path / "p.dcm", places, photometric="PALETTE COLOR", **table))
    assert np.array_equal(pixels, places[..., None] * np.array([16, 32, 48]))


CODECS = {
    uid.JPEGLSLossless: lambda a: imagecodecs.jpegls_encode(a),
    uid.JPEGLosslessSV1: lambda a: imagecodecs.ljpeg_encode(a, bitspersample=12),
    uid.JPEG2000Lossless: lambda a: imagecodecs.jpeg2k_encode(a, level=0, bitspersample=12, reversible=True),
    uid.HTJ2KLossless: lambda a: imagecodecs.htj2k_encode(a, reversible=True),
}


@pytest.mark.parametrize("syntax", CODECS, ids=lambda syntax: syntax.name)
def test_lossless_compression(dicom, tmp_path, syntax):
    try:
        frames = [CODECS[syntax](frame) for frame in (GREY, GREY[::-1].copy())]
    except (AttributeError, imagecodecs.DelayedImportError):
        pytest.skip("this imagecodecs cannot write it")
    path = dicom(tmp_path / "a.dcm", np.stack([GREY, GREY]), bits=12, frames=frames, syntax=syntax)
    assert probe(path).pages == 2
    assert np.array_equal(agree(path)[..., 0], GREY)
    assert np.array_equal(agree(tmp_path / "a.dcm#0002")[..., 0], GREY[::-1])


def test_lossy_jpeg_in_colour(dicom, tmp_path):
    smooth = np.dstack([GREY // 16, GREY // 20, 255 - GREY // 16]).astype(np.uint8)
    frames = [imagecodecs.jpeg8_encode(smooth, level=95)]
    path = dicom(tmp_path / "a.dcm", smooth, frames=frames, syntax=uid.JPEGBaseline8Bit, photometric="YBR_FULL_422")
    assert np.abs(agree(path).astype(int) - smooth).mean() < 3


def test_frames_are_slices_with_values_of_their_own(dicom, tmp_path):
    stack = np.stack([GREY + 10 * at for at in range(3)])
    own = []
    for at in range(3):
        group, values, measures = Dataset(), Dataset(), Dataset()
        values.RescaleSlope, values.RescaleIntercept = 2, at
        measures.PixelSpacing = [0.1, 0.1]
        group.PixelValueTransformationSequence, group.PixelMeasuresSequence = [values], [measures]
        own.append(group)
    dicom(tmp_path / "a.dcm", stack, PerFrameFunctionalGroupsSequence=own)
    for at in range(3):
        path = tmp_path / ("a.dcm" if at == 0 else f"a.dcm#{at + 1:04d}")
        assert np.array_equal(agree(path)[..., 0], stack[at].astype(np.float32) * 2 + at)
        assert read_picture(path).pixel_size.x == pytest.approx(100)  # type: ignore[union-attr]
    with pytest.raises(UnreadableImage, match=r"a.dcm holds 3 slices, so there is no slice 4"):
        read_pixels(tmp_path / "a.dcm#0004")


def rewritten(path, change, **how):
    data = pydicom.dcmread(path)
    change(data)
    data.save_as(path, **how)
    return path


def test_padding_is_no_number_and_spoils_no_contrast(dicom, tmp_path):
    values = GREY.astype(np.int16) - 1000
    values[:, :4] = -32768
    for slope in (1.0, 2.0):
        path = dicom(tmp_path / "a.dcm", values, PixelPaddingValue=-32768, RescaleSlope=slope)
        pixels = agree(path)[..., 0]
        assert np.isnan(pixels[:, :4]).all()
        assert np.array_equal(pixels[:, 4:], values[:, 4:] * slope)
        assert read_picture(path).windows[0][0] > -3000
    plain = dicom(tmp_path / "c.dcm", GREY, PixelPaddingValue=int(GREY[0, 0]))
    assert np.array_equal(agree(plain)[..., 0], GREY)  # whole numbers cannot say that they are none


def test_a_table_of_values_is_looked_up(dicom, tmp_path):
    table = Dataset()
    table.LUTDescriptor, table.LUTData = [4096, 0, 16], (np.arange(4096)[::-1] * 3).astype("<u2").tobytes()
    table["LUTData"].VR = "OW"
    path = dicom(tmp_path / "a.dcm", GREY, bits=12, ModalityLUTSequence=[table])
    assert np.array_equal(agree(path)[..., 0], (4095 - GREY) * 3)


def test_files_that_do_not_say_how_they_are_written_and_packed_ones(dicom, tmp_path):
    def packed(data):
        data.file_meta.TransferSyntaxUID = uid.DeflatedExplicitVRLittleEndian

    assert np.array_equal(agree(rewritten(dicom(tmp_path / "a.dcm", GREY), packed))[..., 0], GREY)

    def bare(data):
        del data.file_meta.TransferSyntaxUID

    how = {"implicit_vr": True, "little_endian": True, "enforce_file_format": False}
    assert np.array_equal(agree(rewritten(dicom(tmp_path / "b.dcm", GREY), bare, **how))[..., 0], GREY)


@pytest.mark.parametrize("shape", ["single", "frames", "colours"])
def test_a_file_that_is_cut_off_is_told_by_its_header(dicom, tmp_path, shape):
    pixels = {"single": GREY, "frames": np.stack([GREY] * 4), "colours": COLOUR}[shape]
    path = dicom(tmp_path / "a.dcm", pixels, photometric="RGB" if shape == "colours" else "MONOCHROME2")
    probe(path)
    data = path.read_bytes()
    path.write_bytes(data[:-50])
    with pytest.raises(UnreadableImage, match=r"a\.dcm is cut off"):
        probe(path)


def test_a_window_beyond_all_values_is_not_believed(dicom, tmp_path):
    picture = read_picture(dicom(tmp_path / "a.dcm", GREY, bits=12, WindowCenter=50000, WindowWidth=10))
    assert picture.told is None
    assert picture.first_look().contrast == "each"
    black = read_picture(dicom(tmp_path / "b.dcm", np.zeros((8, 8), np.uint16), WindowCenter=50, WindowWidth=101))
    assert black.told == (-0.5, 99.5)


def test_files_without_a_suffix_are_found(dicom, tmp_path):
    dicom(tmp_path / "IM0001", GREY)
    dicom(tmp_path / "1.2.840.113619.2", GREY)
    dicom(tmp_path / "b.dcm", GREY)
    (tmp_path / "README").write_text("not an image " * 20)
    (tmp_path / "DICOMDIR").write_bytes((tmp_path / "b.dcm").read_bytes())
    assert [found.path for found in scan(tmp_path)] == ["1.2.840.113619.2", "b.dcm", "IM0001"]


def test_what_holds_no_image_or_cannot_be_unpacked_says_so(dicom, tmp_path):
    data = Dataset()
    report = dicom(tmp_path / "report.dcm", GREY)
    data = pydicom.dcmread(report)
    del data.Rows, data.PixelData
    data.SOPClassUID = uid.BasicTextSRStorage
    data.save_as(report)
    with pytest.raises(UnreadableImage, match=r"report.dcm is a DICOM file without an image \(it is a “Basic Text SR"):
        probe(report)
    film = dicom(tmp_path / "film.dcm", np.stack([GREY] * 2), frames=[b"12", b"34"], syntax=uid.MPEG4HP41)
    with pytest.raises(UnreadableImage, match=r"film\.dcm is a film"):
        probe(film)
    broken = dicom(tmp_path / "broken.dcm", GREY, frames=[b"no jpeg at all."], syntax=uid.JPEGLosslessSV1)
    with pytest.raises(UserError, match=r"broken\.dcm"):
        read_pixels(broken)
    cut = dicom(tmp_path / "cut.dcm", GREY)
    cut.write_bytes(cut.read_bytes()[:-2000])
    with pytest.raises(UnreadableImage, match=r"cut\.dcm"):
        read_pixels(cut)
