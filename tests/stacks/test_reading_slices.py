"""Each slice of a stack reads as itself, whatever kind of file the stack is in."""

import time

import numpy as np
import pytest
import tifffile
from PIL import Image

from sslstudio.images.reader import UnreadableImage, probe, read_pixels, read_rgb8
from sslstudio.images.scan import scan, scan_slices
from sslstudio.images.slices import all_slices, file_of, slice_path, split_slice, without_suffix

RNG = np.random.default_rng(5)
FIVE = RNG.integers(0, 60000, (3, 4, 2, 32, 48), dtype=np.uint16)  # times, slices, channels


def every(path):
    """All slices of a file, each checked against its header."""
    slices = []
    for name in all_slices(str(path), probe(path).pages):
        info, pixels = probe(name), read_pixels(name)
        assert (info.height, info.width, info.channels, info.dtype) == (*pixels.shape, pixels.dtype.name)
        assert read_rgb8(name).shape == (info.height, info.width, 3)
        slices.append(pixels)
    return np.stack(slices)


@pytest.mark.parametrize(("kind", "axes"), [("imagej", "TZCYX"), ("ome", "TZCYX"), ("ome", "TCZYX"), ("ome", "CTZYX")])
def test_channels_are_channels_and_the_rest_are_slices(tmp_path, kind, axes):
    moved = np.transpose(FIVE, ["TZCYX".index(axis) for axis in axes])
    tifffile.imwrite(tmp_path / "a.tif", moved, **{kind: True}, metadata={"axes": axes})
    assert np.array_equal(every(tmp_path / "a.tif"), np.moveaxis(FIVE, 2, -1).reshape(12, 32, 48, 2))


def test_a_stack_of_colour_pictures(tmp_path):
    stack = RNG.integers(0, 255, (5, 20, 30, 3), dtype=np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", stack, photometric="rgb")
    assert np.array_equal(every(tmp_path / "a.tif"), stack)
    tifffile.imwrite(tmp_path / "b.tif", stack, photometric="rgb", compression="zlib", metadata=None, tile=(16, 16))
    assert np.array_equal(every(tmp_path / "b.tif"), stack)


def test_pixels_in_one_piece_behind_the_first_page(tmp_path):
    stack = FIVE[0, :, 0]
    tifffile.imwrite(tmp_path / "a.tif", stack, truncate=True, byteorder=">", photometric="minisblack")
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        assert len(tiff.pages) == 1
    assert np.array_equal(every(tmp_path / "a.tif")[..., 0], stack)


PLAIN = FIVE[0, :, 0]
OME = (
    '<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
    '<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" SizeX="48" SizeY="32" SizeZ="4" '
    'SizeC="1" SizeT="1"><Channel ID="Channel:0:0" SamplesPerPixel="1"/><TiffData IFD="0" PlaneCount="4"/>'
    "</Pixels></Image></OME>"
)
STACKS = {
    "ImageJ": (PLAIN, {"imagej": True, "metadata": {"axes": "ZYX"}}),
    "ImageJ in one piece": (PLAIN, {"imagej": True, "metadata": {"axes": "ZYX"}, "truncate": True}),
    "ImageJ with channels": (FIVE[0], {"imagej": True, "metadata": {"axes": "ZCYX"}, "truncate": True}),
    "an array": (PLAIN, {}),
    "an array in one piece": (PLAIN, {"truncate": True}),
    "BigTIFF": (PLAIN, {"bigtiff": True}),
    "big-endian": (PLAIN, {"byteorder": ">", "metadata": None}),
    "pages": (PLAIN, {"metadata": None, "compression": "zlib"}),
    "OME": (FIVE[0], {"ome": True, "metadata": {"axes": "ZCYX"}, "compression": "zlib"}),
    "OME told at the beginning": (PLAIN, {"description": OME, "metadata": None, "compression": "zlib"}),
}


@pytest.mark.parametrize("kind", STACKS)
def test_a_stack_that_is_cut_off_is_no_single_image(tmp_path, kind):
    stack, options = STACKS[kind]
    tifffile.imwrite(tmp_path / "whole.tif", stack, photometric="minisblack", **options)
    data = (tmp_path / "whole.tif").read_bytes()
    assert probe(tmp_path / "whole.tif").pages == len(stack)
    for share in (0.3, 0.6, 0.9, 0.995):
        (tmp_path / "cut.tif").write_bytes(data[: int(len(data) * share)])
        with pytest.raises(UnreadableImage, match=r"cut\.tif is cut off"):
            probe(tmp_path / "cut.tif")


def test_a_description_of_a_stack_left_standing_in_a_single_image_promises_nothing(tmp_path):
    told = "ImageJ=1.53t\nimages=20\nslices=20\n"
    tifffile.imwrite(tmp_path / "a.tif", PLAIN[0], description=told, metadata=None, photometric="minisblack")
    Image.fromarray(PLAIN[0]).save(tmp_path / "b.tif", description=told)
    for name in ("a.tif", "b.tif"):
        assert np.array_equal(every(tmp_path / name)[0, :, :, 0], PLAIN[0])


def test_levels_of_a_pyramid_are_no_slices(tmp_path):
    with tifffile.TiffWriter(tmp_path / "sub.tif") as writer:
        whole = RNG.integers(0, 255, (64, 64, 3), dtype=np.uint8)
        writer.write(whole, subifds=2, photometric="rgb", tile=(32, 32))
        for step in (2, 4):
            writer.write(whole[::step, ::step].copy(), subfiletype=1, photometric="rgb", tile=(16, 16))
    with tifffile.TiffWriter(tmp_path / "pages.tif") as writer:
        for step in (1, 2, 4):
            writer.write(whole[::step, ::step].copy(), photometric="rgb", metadata=None, subfiletype=int(step > 1))
    for name in ("sub.tif", "pages.tif"):
        assert probe(tmp_path / name).pages == 1
        assert np.array_equal(read_pixels(tmp_path / name), whole)


def test_pages_that_differ_are_left_out(tmp_path):
    pages = [np.full((20, 30), at, np.uint8) for at in range(3)]
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for page in (pages[0], np.zeros((9, 9), np.uint8), pages[1], pages[2].astype(np.uint16), pages[2]):
            writer.write(page, metadata=None, contiguous=False)
    assert every(tmp_path / "a.tif")[:, 0, 0, 0].tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("shape", "slices", "channels"),
    [
        ((40, 20, 30), 40, 1),
        ((7, 20, 30, 3), 7, 3),
        ((7, 3, 20, 30), 7, 3),
        ((2, 3, 20, 30, 5), 6, 5),
        ((8, 20, 30), 1, 8),
    ],
)
@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_arrays(tmp_path, shape, slices, channels, suffix):
    values = RNG.integers(0, 60000, shape, dtype=np.uint16)
    path = tmp_path / f"a{suffix}"
    np.save(path, values) if suffix == ".npy" else np.savez_compressed(path, stack=values)
    found = every(path)
    assert found.shape == (slices, 20, 30, channels)
    last = values.shape[-1] <= 16 or channels == 1
    expected = values.reshape(slices, 20, 30, channels) if last else np.moveaxis(values, -3, -1)
    assert np.array_equal(found, expected.reshape(found.shape))


def test_archives_of_several_arrays_are_refused(tmp_path):
    np.savez(tmp_path / "a.npz", left=np.zeros((4, 4)), right=np.zeros((4, 4)))
    with pytest.raises(UnreadableImage, match=r"a.npz holds 2 arrays \(left, right\); an image is one."):
        probe(tmp_path / "a.npz")


def test_a_slice_that_is_not_there_is_named(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((40, 20, 30)))
    for look in (probe, read_pixels, read_rgb8):
        with pytest.raises(UnreadableImage, match=r"a\.npy holds 40 slices, so there is no slice 41\."):
            look(tmp_path / "a.npy#0041")


def test_names_of_slices():
    assert slice_path("a/scan.tif", 1) == "a/scan.tif"
    assert slice_path("a/scan.tif", 12345) == "a/scan.tif#12345"
    for number in (1, 2, 9999, 10000):
        assert split_slice(slice_path("a/scan.tif", number)) == ("a/scan.tif", number)
    for plain in ("scan.tif#7", "scan.tif#0001", "scan.tif#00007", "scan#0007.tif", "#0007", "a/#0007"):
        assert split_slice(plain) == (plain, 1)
    assert without_suffix("a.b/scan.ome.tif#0007") == "a.b/scan.ome#0007"
    assert str(file_of(slice_path("/x/scan.tif", 3))) == "/x/scan.tif"


def test_scanning_names_every_slice_where_it_is_asked_to(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((20, 20, 30), np.uint8))
    tifffile.imwrite(tmp_path / "b.tif", np.zeros((3, 20, 30), np.uint8), photometric="minisblack")
    (tmp_path / "c.tif").write_bytes(b"")
    assert [found.path for found in scan(tmp_path)] == ["a.npy", "b.tif", "c.tif"]
    assert list(scan_slices(tmp_path)) == [*all_slices("a.npy", 20), "b.tif", "b.tif#0002", "b.tif#0003", "c.tif"]


def test_thousands_of_slices_are_looked_into_quickly(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for at in range(2000):
            writer.write(np.full((16, 16), at % 251, np.uint8), metadata=None, contiguous=False)
    begun = time.perf_counter()
    assert probe(tmp_path / "a.tif").pages == 2000
    assert read_pixels(tmp_path / "a.tif#1999")[0, 0, 0] == 1998 % 251
    assert time.perf_counter() - begun < 1.5
