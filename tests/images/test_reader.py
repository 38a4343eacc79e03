"""Any image file becomes the right array, or one plain sentence."""

import io
import struct

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from sslstudio.images.huge_picture import HugePicture
from sslstudio.images.picture import read_picture
from sslstudio.images.reader import EXTENSIONS, UnreadableImage, probe, read_pixels, read_rgb8

RNG = np.random.default_rng(1)
GREY8 = RNG.integers(0, 256, (20, 30), dtype=np.uint8)
RGB8 = RNG.integers(0, 256, (20, 30, 3), dtype=np.uint8)
RGB16 = RNG.integers(0, 65536, (20, 30, 3), dtype=np.uint16)


def agree(path):
    """The pixels, after checking that the header promised exactly them."""
    info, pixels = probe(path), read_pixels(path)
    assert (info.height, info.width, info.channels, info.dtype) == (*pixels.shape, pixels.dtype.name)
    shown = read_rgb8(path)
    assert shown.shape == (*pixels.shape[:2], 3)
    assert shown.dtype == np.uint8
    assert shown.flags.c_contiguous
    return pixels


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".webp", ".ppm"])
def test_lossless_colour_comes_back_exactly(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    Image.fromarray(RGB8).save(path, **({"lossless": True} if suffix == ".webp" else {}))
    assert (agree(path) == RGB8).all()
    assert (read_rgb8(path) == RGB8).all()


@pytest.mark.parametrize("suffix", [".png", ".tif", ".gif", ".pgm"])
def test_grey_keeps_one_channel_and_is_shown_as_three(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    Image.fromarray(GREY8).save(path)
    pixels = agree(path)
    assert (read_rgb8(path) == GREY8[..., None]).all()
    assert pixels.shape[2] == 1 or suffix == ".gif"


def test_sixteen_bit_colour_png_is_not_cut_to_eight(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(imagecodecs.png_encode(RGB16))
    assert (agree(path) == RGB16).all()


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_sixteen_bit_png_drops_only_alpha(tmp_path, channels):
    values = RNG.integers(0, 65536, (20, 30, channels), dtype=np.uint16)
    path = tmp_path / "a.png"
    path.write_bytes(imagecodecs.png_encode(values))
    assert (agree(path) == values[..., : {1: 1, 2: 1, 4: 3}[channels]]).all()


@pytest.mark.parametrize(("mode", "channels"), [("1", 1), ("L", 1), ("LA", 1), ("P", 3), ("RGBA", 3)])
def test_png_modes(tmp_path, mode, channels):
    path = tmp_path / "a.png"
    Image.fromarray(RGB8).convert(mode).save(path)
    pixels = agree(path)
    assert pixels.shape[2] == channels
    if mode == "1":
        assert set(np.unique(pixels)) == {0, 255}


def test_palette_becomes_its_colours(tmp_path):
    path = tmp_path / "a.png"
    image = Image.fromarray(np.array([[0, 1], [1, 0]], np.uint8))
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.save(path)
    assert agree(path).tolist() == [[[10, 20, 30], [200, 100, 50]], [[200, 100, 50], [10, 20, 30]]]


def test_alpha_is_dropped_not_blended(tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(np.dstack([RGB8, np.full((20, 30), 10, np.uint8)])).save(path)
    assert (agree(path) == RGB8).all()


@pytest.mark.parametrize("suffix", [".jpg", ".tif"])
def test_cmyk_becomes_rgb(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    red = Image.new("RGB", (16, 16), (250, 10, 10))
    red.convert("CMYK").save(path)
    assert np.abs(agree(path).astype(int) - (250, 10, 10)).max() < 12


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif"])
def test_orientation_is_applied_everywhere(tmp_path, turn, suffix):
    upright = np.zeros((40, 60, 3), np.uint8)
    upright[:20, :30] = 250  # bright at the upper left, as a person sees it
    undo = {1: 0, 2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180}
    undo |= {4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90}
    undo |= {7: Image.Transpose.TRANSVERSE, 8: Image.Transpose.ROTATE_270}
    stored = Image.fromarray(upright)
    stored = stored if turn == 1 else stored.transpose(undo[turn])
    path = tmp_path / f"a{suffix}"
    exif = Image.Exif()
    exif[274] = turn
    stored.save(path, exif=exif)
    assert (agree(path) > 128).tolist() == (upright > 128).tolist()
    assert (read_rgb8(path, longest=30) > 128).tolist() == (upright[::2, ::2] > 128).tolist()


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "int16", "uint32", "float64"])
@pytest.mark.parametrize("layout", ["grey", "colour", "planar", "tiled", "six bands"])
def test_tiff_of_every_kind(tmp_path, dtype, layout):
    shape = {"grey": (32, 48), "planar": (3, 32, 48), "six bands": (32, 48, 6)}.get(layout, (32, 48, 3))
    values = RNG.integers(0, 100, shape).astype(dtype)
    path = tmp_path / "a.tif"
    options = {"tile": (16, 16)} if layout == "tiled" else {}
    if layout == "planar":
        options["planarconfig"] = "separate"
    if len(shape) == 3:
        options["photometric"] = "minisblack" if layout == "six bands" else "rgb"
        options.setdefault("planarconfig", "contig")
    tifffile.imwrite(path, values, **options)
    pixels = agree(path)
    expected = np.moveaxis(values, 0, -1) if layout == "planar" else values
    assert (pixels == expected.reshape(pixels.shape)).all()
    assert pixels.dtype == {"uint8": "uint8", "uint16": "uint16"}.get(dtype, "float32")


@pytest.mark.parametrize("photometric", ["minisblack", "miniswhite"])
def test_one_bit_tiff_is_black_and_white_as_pillow_sees_it(tmp_path, photometric):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, GREY8 > 99, photometric=photometric)
    pixels = agree(path)
    assert ((pixels[..., 0] == 255) == ((GREY8 > 99) == (photometric == "minisblack"))).all()
    assert (pixels[..., 0] == np.array(Image.open(path).convert("L"))).all()


def test_first_page_of_many(tmp_path):
    path = tmp_path / "a.tif"
    stack = RNG.integers(0, 60000, (5, 32, 48), dtype=np.uint16)
    tifffile.imwrite(path, stack, photometric="minisblack", metadata=None)
    assert (agree(path)[..., 0] == stack[0]).all()
    assert probe(path).pages == 5


@pytest.mark.parametrize("shape", [(20, 30), (20, 30, 3), (5, 20, 30)])
def test_numpy_arrays(tmp_path, shape):
    path = tmp_path / "a.npy"
    values = RNG.random(shape)
    np.save(path, values)
    expected = np.moveaxis(values, 0, -1) if shape[0] == 5 else values
    pixels = agree(path)
    assert (pixels == expected.astype(np.float32).reshape(pixels.shape)).all()


def test_numpy_objects_are_refused_unopened(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    for look in (probe, read_pixels, read_rgb8):
        with pytest.raises(UnreadableImage, match=r"a\.npy holds Python objects"):
            look(path)


def test_a_dim_16_bit_image_is_stretched_and_keeps_its_colours(tmp_path):
    path = tmp_path / "a.tif"
    dim = np.zeros((50, 50, 3), np.uint16)
    dim[..., 0] = np.linspace(100, 900, 50)[None]
    dim[..., 1] = 500
    tifffile.imwrite(path, dim, photometric="rgb")
    shown = read_rgb8(path)
    assert shown[..., 0].max() == 255
    assert shown[..., 2].max() == 0
    assert abs(int(shown[0, 0, 1]) - 142) < 4  # 500 of 0..900


def test_not_a_number_and_constant_images_are_shown_black(tmp_path):
    path = tmp_path / "a.tif"
    values = np.full((8, 8), np.nan, np.float32)
    tifffile.imwrite(path, values)
    assert (read_rgb8(path) == 0).all()
    values[0, 0], values[1, 1], values[2, 2] = 1, 2, np.inf
    tifffile.imwrite(path, values)
    assert read_rgb8(path)[0, 0, 0] == 0
    assert read_rgb8(path)[1, 1, 0] == 255


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_longest_shrinks_by_area_and_never_enlarges(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    Image.fromarray(RGB8).resize((400, 300), Image.Resampling.BICUBIC).save(path, quality=95)
    small = read_rgb8(path, longest=100)
    assert small.shape == (75, 100, 3)
    whole = read_rgb8(path).astype(float)
    assert np.abs(small - whole.reshape(75, 4, 100, 4, 3).mean((1, 3))).mean() < 4
    assert read_rgb8(path, longest=1000).shape == (300, 400, 3)


def test_content_counts_not_the_name(tmp_path):
    path = tmp_path / "really_a_jpeg.png"
    Image.fromarray(RGB8).save(path, "JPEG")
    assert agree(path).shape == (20, 30, 3)


def reason(path):
    """Why a file is refused; the header alone must be enough to know."""
    with pytest.raises(UnreadableImage) as refused:
        probe(path)
    with pytest.raises(UnreadableImage):
        read_pixels(path)
    assert path.name in refused.value.problem
    assert refused.value.advice
    return refused.value.problem


def test_plain_sentences_for_hopeless_files(tmp_path):
    (tmp_path / "scan_07.png").touch()
    assert reason(tmp_path / "scan_07.png") == "scan_07.png is empty (0 bytes)."
    (tmp_path / "notes.png").write_text("these are notes\n")
    assert "is a text file" in reason(tmp_path / "notes.png")
    (tmp_path / "zeros.tif").write_bytes(bytes(1000))
    assert "only zeros" in reason(tmp_path / "zeros.tif")
    assert "not there any more" in reason(tmp_path / "gone.png")
    (tmp_path / "folder.png").mkdir()
    assert "is not a file" in reason(tmp_path / "folder.png")


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif", ".bmp", ".gif", ".npy", ".ppm"])
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_cut_off_files_are_found_by_looking_at_the_header(tmp_path, suffix, share):
    whole = tmp_path / f"whole{suffix}"
    picture = RNG.integers(0, 256, (300, 400, 3), dtype=np.uint8)
    if suffix == ".npy":
        np.save(whole, picture)
    else:
        Image.fromarray(picture).save(whole)
    data = whole.read_bytes()
    path = tmp_path / f"cut{suffix}"
    path.write_bytes(data[: int(len(data) * share)])
    assert "cut off" in reason(path) or "damaged" in reason(path)


def test_a_bomb_is_refused_before_it_is_decoded_but_can_be_looked_at(tmp_path):
    path = tmp_path / "bomb.png"
    data = io.BytesIO()
    Image.new("1", (30000, 30000)).save(data, "PNG", compress_level=1)
    path.write_bytes(data.getvalue())
    assert (probe(path).width, probe(path).height) == (30000, 30000)
    for look in (read_pixels, read_rgb8, lambda path: read_rgb8(path, longest=100)):
        with pytest.raises(UnreadableImage, match="too large to open at once"):
            look(path)


def test_every_extension_is_lower_case():
    assert all(one == one.lower() and one.startswith(".") for one in EXTENSIONS)


LAYERS = np.random.default_rng(4).integers(0, 60000, (5, 64, 80), dtype=np.uint16)
WAYS = {
    "imagej": (LAYERS, {"imagej": True, "metadata": {"axes": "CYX"}}),
    "ome": (LAYERS, {"ome": True, "metadata": {"axes": "CYX"}}),
    "ome stack": (np.stack([LAYERS, LAYERS // 2], 1), {"ome": True, "metadata": {"axes": "CZYX"}}),
    "imagej stack": (np.stack([LAYERS, LAYERS // 2]), {"imagej": True, "metadata": {"axes": "ZCYX"}}),
    "numpy": (np.moveaxis(LAYERS, 0, -1), {}),
    "planar": (LAYERS, {"planarconfig": "separate", "photometric": "minisblack"}),
}


@pytest.mark.parametrize("way", WAYS)
def test_channels_in_pages_of_their_own_are_one_image(tmp_path, way):
    pixels, words = WAYS[way]
    tifffile.imwrite(tmp_path / "a.tif", pixels, **words)
    info = probe(tmp_path / "a.tif")
    assert (info.width, info.height, info.channels, info.dtype) == (80, 64, 5, "uint16")
    assert np.array_equal(read_pixels(tmp_path / "a.tif"), np.moveaxis(LAYERS, 0, -1))


def test_slices_and_frames_stay_pages(tmp_path):
    tifffile.imwrite(tmp_path / "z.tif", LAYERS, imagej=True, metadata={"axes": "ZYX"})
    tifffile.imwrite(tmp_path / "plain.tif", LAYERS)
    for name in ("z.tif", "plain.tif"):
        info = probe(tmp_path / name)
        assert (info.width, info.channels, info.pages) == (80, 1, 5)
        assert np.array_equal(read_pixels(tmp_path / name)[..., 0], LAYERS[0])


def test_an_unknown_compression_is_not_called_damage(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, GREY8, compression="zlib")
    with tifffile.TiffFile(path) as tiff:
        place = tiff.pages[0].tags["Compression"].offset + 8
    with path.open("r+b") as file:
        file.seek(place)
        file.write(struct.pack("<H", 34661))
    assert "compressed in a way that cannot be read (JBIG)" in reason(path)


DEEP = (np.add.outer(np.arange(20), np.arange(30)) * 20).astype(np.uint16)  # 0 to 960


@pytest.mark.parametrize("suffix", [".jp2", ".j2k"])
@pytest.mark.parametrize("kind", ["10 bits", "15 bits", "16 bits", "signed", "colours", "five bands"])
def test_deep_jpeg_2000_keeps_its_numbers(tmp_path, suffix, kind):
    path, bands = tmp_path / f"a{suffix}", {"colours": 3, "five bands": 5}.get(kind, 1)
    pixels = DEEP[..., None] + np.arange(bands, dtype=np.uint16) * 7
    if kind == "signed":
        pixels = pixels.astype(np.int16) - 500
    depth = int(kind[:2]) if kind.endswith("bits") else 16
    how = {"level": 0, "reversible": True, "codecformat": suffix[1:], "bitspersample": depth}
    path.write_bytes(imagecodecs.jpeg2k_encode(np.squeeze(pixels), **how))
    assert np.array_equal(agree(path), pixels)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    assert "cut off" in reason(path) or "damaged" in reason(path)


def test_alpha_of_deep_jpeg_2000_is_dropped(tmp_path):
    pixels = np.dstack([DEEP, DEEP + 3])
    data = imagecodecs.jpeg2k_encode(pixels, level=0, reversible=True, codecformat="jp2")
    place = data.index(b"jp2h")
    told = struct.pack(">I4sH6H", 22, b"cdef", 2, 0, 0, 1, 1, 1, 0)
    length = struct.unpack(">I", data[place - 4 : place])[0]
    end = place - 4 + length
    grown = data[: place - 4] + struct.pack(">I", length + 22) + data[place:end] + told + data[end:]
    (tmp_path / "a.jp2").write_bytes(grown)
    assert np.array_equal(agree(tmp_path / "a.jp2")[..., 0], DEEP)


NOTHING = [
    ("float32", -9999.0, "-9999"),
    ("float32", -3.4028234663852886e38, "-3.4028234663852886e+38"),
    ("float64", -1.7976931348623157e308, "-1.7976931348623157e+308"),
    ("int16", -32768, "-32768"),
    ("uint16", 65535, "65535"),
    ("uint32", 4294967295, "4294967295"),
]


@pytest.mark.parametrize(("dtype", "nothing", "told"), NOTHING)
@pytest.mark.parametrize("way", [{}, {"tile": (64, 64), "compression": "zlib"}])
@pytest.mark.parametrize("huge", [False, True])
def test_where_a_geotiff_holds_nothing_spoils_no_contrast(tmp_path, monkeypatch, dtype, nothing, told, way, huge):
    heights = np.add.outer(np.arange(200), np.arange(300)) + 1000.0
    heights[:, :100] = nothing
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, heights.astype(dtype), extratags=[(42113, "s", 0, told, True)], **way)
    if huge:
        monkeypatch.setattr("sslstudio.images.limits.HUGE_PIXELS", 50_000)
    picture = read_picture(path)
    assert isinstance(picture, HugePicture) == huge
    assert probe(path).dtype == "float32"
    low, high = picture.windows[0]
    assert 1090 < low < 1130
    assert 1470 < high < 1500
    seen = np.asarray(picture.rgb8[100:101, 0:300])[0, :, 0]
    assert seen[0] == 0
    assert seen[-1] - seen[101] > 80
    if not huge:
        assert np.isnan(read_pixels(path)[:, :100]).all()
        assert np.array_equal(read_pixels(path)[:, 100:, 0], heights[:, 100:])


def test_what_is_said_to_be_nothing_in_whole_numbers_stays_where_it_harms_nothing(tmp_path):
    values = RNG.integers(0, 250, (20, 30), dtype=np.uint8)
    for dtype, told in (("uint8", "0"), ("uint8", "249"), ("uint16", "0"), ("uint16", "-9999"), ("uint16", "none")):
        path = tmp_path / "a.tif"
        tifffile.imwrite(path, values.astype(dtype), extratags=[(42113, "s", 0, told, True)])
        assert read_pixels(path).dtype == probe(path).dtype == dtype
        assert np.array_equal(read_pixels(path)[..., 0], values)
