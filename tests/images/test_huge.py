"""A huge image is read by parts and gives the same pixels as reading it whole; limits are lowered for it."""

import errno
import functools
import gc
import os
import threading
import time

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from sslstudio.errors import UserError
from sslstudio.images import huge, limits, tile_cache
from sslstudio.images.errors import UnreadableImage
from sslstudio.images.huge import HugeImage, open_huge
from sslstudio.images.huge_picture import HugePicture
from sslstudio.images.huge_reading import huge_bands
from sslstudio.images.levels import levels_of
from sslstudio.images.picture import read_picture
from sslstudio.images.reader import read_pixels
from sslstudio.images.thumbnails import thumbnail
from sslstudio.images.tile_cache import TileCache
from sslstudio.project.project import Project

HEIGHT, WIDTH = 550, 703


@pytest.fixture(autouse=True)
def lowered(monkeypatch):
    monkeypatch.setattr(limits, "HUGE_PIXELS", 100_000)
    monkeypatch.setattr(huge, "OVERVIEW", 128)


@functools.cache
def soft(channels=3, dtype="uint8"):
    noise = np.random.default_rng(0).normal(size=(HEIGHT, WIDTH, channels)).astype(np.float32)
    planes = [cv2.GaussianBlur(noise[..., at], (0, 0), 12) for at in range(channels)]
    soft = np.stack(planes, axis=2)
    high = {"uint8": 255, "uint16": 4000}.get(np.dtype(dtype).name, 1)
    return ((soft - soft.min()) / np.ptp(soft) * high).astype(dtype)


def made(image):
    """Have its halvings made, and wait for them."""
    image.make_halvings()
    until(lambda: image.whole)
    return image


def until(done):
    end = time.monotonic() + 60
    while not done():
        assert time.monotonic() < end
        threading.Event().wait(0.01)


KINDS = {
    "tiles": {"tile": (256, 256), "compression": "zlib"},
    "odd tiles": {"tile": (112, 240), "compression": "lzw"},
    "strips": {"rowsperstrip": 7, "compression": "zlib"},
    "long strips": {"rowsperstrip": 150, "compression": "zlib"},
    "plain": {},
    "plain strips": {"rowsperstrip": 50},
    "planes": {"tile": (256, 256), "planarconfig": "separate", "compression": "zlib"},
    "plain planes": {"planarconfig": "separate"},
    "big-endian": {"byteorder": ">"},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_parts_are_what_the_whole_file_holds(tmp_path, kind, dtype):
    options, file = KINDS[kind], tmp_path / "a.tif"
    pixels = soft(3, dtype)
    stored = np.moveaxis(pixels, -1, 0) if "planarconfig" in options else pixels
    tifffile.imwrite(file, stored, photometric="rgb", **options)
    image = open_huge(file)
    assert image.shape == (HEIGHT, WIDTH, 3)
    assert np.array_equal(image.read(0, 0, HEIGHT, 0, WIDTH), pixels)
    assert np.array_equal(image.read(0, 333, 500, 100, WIDTH), read_pixels(file)[333:500, 100:])


@pytest.mark.parametrize("kind", ["grey", "palette", "alpha", "white is zero", "jpeg", "layers"])
def test_colours_are_those_of_the_usual_reader(tmp_path, kind):
    file = tmp_path / "a.tif"
    if kind == "palette":
        Image.fromarray(soft(1)[..., 0]).convert("P").save(file)
    elif kind == "alpha":
        tifffile.imwrite(file, soft(4), photometric="rgb", extrasamples=["unassalpha"], tile=(128, 128))
    elif kind == "white is zero":
        tifffile.imwrite(file, soft(1)[..., 0], photometric="miniswhite", tile=(128, 128))
    elif kind == "jpeg":
        tifffile.imwrite(file, soft(), tile=(256, 256), compression="jpeg", photometric="rgb")
    elif kind == "layers":
        layers = np.moveaxis(soft(5, "uint16"), -1, 0)
        tifffile.imwrite(file, layers, ome=True, metadata={"axes": "CYX"}, photometric="minisblack", tile=(256, 256))
    else:
        tifffile.imwrite(file, soft(1)[..., 0], tile=(128, 128), compression="zlib")
    image = open_huge(file)
    assert np.array_equal(image.read(0, 0, HEIGHT, 0, WIDTH), read_pixels(file))


def test_numpy_arrays_are_read_by_parts(tmp_path):
    pixels = soft(4, "uint16")
    np.save(tmp_path / "a.npy", pixels)
    np.save(tmp_path / "b.npy", np.moveaxis(pixels, -1, 0))
    for name in ("a.npy", "b.npy"):
        assert np.array_equal(open_huge(tmp_path / name).read(0, 100, 400, 0, WIDTH), pixels[100:400])


def test_halvings_are_averages_and_are_found_again(tmp_path):
    file, pixels = tmp_path / "a.tif", soft()
    tifffile.imwrite(file, pixels, tile=(256, 256), photometric="rgb")
    image = open_huge(file)
    image.begin(tmp_path / "cache", "a.tif")
    assert not image.whole
    made(image)
    for number in range(1, image.coarsest + 1):
        height, width = image.size(number)
        size = width * 2**number, height * 2**number
        padded = np.pad(pixels, ((0, size[1] - HEIGHT), (0, size[0] - WIDTH), (0, 0)), mode="edge")
        expected = cv2.resize(padded, (width, height), interpolation=cv2.INTER_AREA)
        part = image.read(number, 0, height, 0, width)
        assert part.shape == expected.shape
        assert np.abs(part.astype(int) - expected).max() <= 2  # rounded at each halving
    again = open_huge(file)
    again.begin(tmp_path / "cache", "a.tif")
    assert again.whole
    assert np.array_equal(again.overview, image.overview)
    file.touch()  # another state of the file: nothing old is believed
    changed = open_huge(file)
    changed.begin(tmp_path / "cache", "a.tif")
    assert not changed.whole


@pytest.mark.parametrize("kind", ["tiles", "strips", "plain"])
def test_the_first_picture_is_near_the_truth_and_comes_before_the_halvings(tmp_path, kind):
    file, pixels = tmp_path / "a.tif", soft()
    tifffile.imwrite(file, pixels, photometric="rgb", **KINDS[kind])
    image = open_huge(file)
    image.begin(tmp_path / "cache", "a.tif")
    assert image.overview.shape[:2] == image.size(image.coarsest)
    truth = cv2.resize(pixels, image.overview.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(image.overview.astype(int) - truth).mean() < 25


def test_a_files_own_halvings_are_used(tmp_path):
    file, pixels = tmp_path / "a.tif", soft()
    with tifffile.TiffWriter(file) as tiff:
        tiff.write(pixels, tile=(256, 256), photometric="rgb", subifds=3)
        for number in (1, 2, 3):
            small = np.full((HEIGHT // 2**number, WIDTH // 2**number, 3), 10 * number, np.uint8)  # to be told apart
            tiff.write(small, tile=(128, 128), photometric="rgb", subfiletype=1)
    image = open_huge(file)
    image.begin(tmp_path / "cache", "a.tif")
    assert image.whole
    assert not (tmp_path / "cache").exists()
    for number in (1, 2, 3):
        assert (image.read(number, 0, image.size(number)[0], 0, image.size(number)[1]) == 10 * number).all()
    assert (image.overview == 30).all()


def test_smaller_sizes_that_are_cut_off_are_made_anew(tmp_path):
    file, pixels = tmp_path / "a.tif", soft()
    with tifffile.TiffWriter(file) as tiff:
        tiff.write(pixels, tile=(256, 256), photometric="rgb", subifds=1, compression="zlib")
        tiff.write(pixels[::2, ::2].copy(), tile=(128, 128), photometric="rgb", subfiletype=1, compression="zlib")
    data = file.read_bytes()
    for lacking in (100, 20_000, 60_000):
        file.write_bytes(data[:-lacking])
        image = open_huge(file)
        image.begin(tmp_path / f"{lacking}", "a.tif")
        made(image)
        height, width = image.size(1)
        assert np.abs(image.read(1, 0, height, 0, width).astype(int) - pixels[::2, ::2]).max() <= 30


def test_a_files_own_halving_may_be_rounded_down(tmp_path, monkeypatch):
    monkeypatch.setattr(huge, "OVERVIEW", 16)
    file, pixels = tmp_path / "a.tif", np.ascontiguousarray(soft()[:545, :689])
    with tifffile.TiffWriter(file) as tiff:
        tiff.write(pixels, tile=(256, 256), photometric="rgb", subifds=1)
        small = cv2.resize(pixels[:544, :688], (344, 272), interpolation=cv2.INTER_AREA)
        tiff.write(small, tile=(128, 128), photometric="rgb", subfiletype=1)
    image = open_huge(file)
    image.begin(tmp_path / "cache", "a.tif")
    made(image)
    for number, level in image.halvings.levels.items():
        height, width = image.size(number)
        assert (level.height, level.width) == (height, width)
        assert (image.halvings.folder / f"{number}.raw").stat().st_size == height * width * 3
    finest = min(image.halvings.levels)
    height, width = image.size(finest)
    truth = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
    assert np.abs(image.read(finest, 0, height, 0, width).astype(int) - truth).mean() < 8  # sheared it is 16


def test_whoever_cannot_hear_of_a_tile_keeps_none_of_another_image_from_coming():
    cache, came = TileCache(), threading.Event()

    def gone():
        raise RuntimeError("the window of that image is gone")

    for number in range(4):  # as many as there are threads, and more
        cache.want(("gone", 0, number, 0), lambda: np.zeros((8, 8, 1), np.uint8), gone)
        until(lambda: cache.idle)
    cache.want(("here", 0, 0, 0), lambda: np.ones((8, 8, 1), np.uint8), came.set)
    assert came.wait(20)
    until(lambda: cache.idle)


def test_the_pixel_under_the_cursor_of_a_tile_that_cannot_be_read_is_unknown(tmp_path):
    file = tmp_path / "a.tif"
    tifffile.imwrite(file, soft(), tile=(256, 256), photometric="rgb", compression="zlib")
    image = open_huge(file)
    image.begin(tmp_path / "cache", "a.tif")
    image.forget()
    with tifffile.TiffFile(file) as tiff:
        offset = tiff.pages[0].dataoffsets[4]  # the second row's second tile of three
    with file.open("r+b") as stream:
        stream.seek(offset)
        stream.write(b"\xff" * 64)
    for _ in range(2):  # asked for, and come to nothing
        assert image.at_hand(300, 300) is None
        until(lambda: image.cache.idle)
    assert image.at_hand(600, 500) is None
    until(lambda: image.cache.idle)
    assert np.array_equal(image.at_hand(600, 500), soft()[500, 600])


def test_looking_never_waits_and_is_coarse_first(tmp_path):
    file, pixels = tmp_path / "a.tif", soft()
    tifffile.imwrite(file, pixels, tile=(256, 256), photometric="rgb")
    image = open_huge(file)
    image.begin(tmp_path / "cache", "a.tif")
    made(image)
    image.forget()
    came = threading.Event()
    image.on_arrival = lambda part: came.set()
    first = image.look(0, 300, 500, 300, 500)
    assert first.shape == (200, 200, 3)
    assert np.abs(first.astype(int) - pixels[300:500, 300:500]).mean() < 30  # coarse, not blank
    assert came.wait(20)
    until(lambda: image.cache.idle)
    assert np.array_equal(image.look(0, 300, 500, 300, 500), pixels[300:500, 300:500])


def test_tiles_in_memory_stay_within_their_limit(tmp_path):
    file = tmp_path / "a.tif"
    tifffile.imwrite(file, soft(), tile=(128, 128), photometric="rgb")
    cache = TileCache(limit=200_000)
    image = HugeImage(file, levels_of(file), cache)
    image.read(0, 0, HEIGHT, 0, WIDTH)
    assert 0 < cache.nbytes <= 200_000


def test_making_halvings_ends_with_the_image(tmp_path):
    file = tmp_path / "a.tif"
    tifffile.imwrite(file, soft(), tile=(16, 16), photometric="rgb", compression="zlib")
    image = open_huge(file)
    image.begin(tmp_path / "cache", "a.tif")
    image.make_halvings()
    del image
    gc.collect()
    until(lambda: not any(thread.name == "halvings" for thread in threading.enumerate()))
    assert not list((tmp_path / "cache").rglob("levels.json"))


def test_a_huge_picture_knows_what_a_picture_knows(tmp_path):
    file, pixels = tmp_path / "a.tif", soft(3, "uint16")
    tifffile.imwrite(file, pixels, tile=(256, 256), photometric="rgb")
    picture = read_picture(file, tmp_path / "cache", "a.tif")
    assert isinstance(picture, HugePicture)
    assert picture.kind == "3 uint16"
    assert picture.windows[0] == pytest.approx(np.percentile(pixels, (0.1, 99.9)), rel=0.2, abs=200)
    assert picture.histogram.counts.shape == (3, 128)
    assert picture.rgb8[10:20, 30:50].shape == (10, 20, 3)
    picture.value_at(600, 500)
    until(lambda: picture.value_at(600, 500) != ())
    assert picture.value_at(600, 500) == tuple(pixels[500, 600].tolist())


def test_one_compressed_piece_is_read_whole_while_there_is_room(tmp_path, monkeypatch):
    file, pixels = tmp_path / "a.tif", soft()
    tifffile.imwrite(file, pixels, rowsperstrip=HEIGHT, compression="zlib", photometric="rgb")
    monkeypatch.setattr("sslstudio.images.segments._MOST_DECODED", 1 << 18)
    assert not isinstance(read_picture(file, tmp_path / "cache", "a.tif"), HugePicture)
    monkeypatch.setattr("sslstudio.images.reader.MAX_PIXELS", 200_000)
    with pytest.raises(UserError, match="one piece") as caught:
        read_picture(file, tmp_path / "cache", "a.tif")
    assert "tiles" in caught.value.advice


def test_a_project_says_what_to_do_with_what_cannot_be_read_by_parts(tmp_path, monkeypatch):
    monkeypatch.setattr("sslstudio.images.reader.MAX_PIXELS", 200_000)
    images = tmp_path / "images"
    images.mkdir()
    Image.fromarray(soft()).save(images / "whole.png")
    tifffile.imwrite(images / "slide.tif", soft(), tile=(128, 128), photometric="rgb")
    with Project.create(tmp_path / "p", images, ["a", "b"]) as project:
        problems = {record.path: record.problem for record in project.check_files()}
        assert list(problems) == ["whole.png"]
        assert "a TIFF with tiles is read by parts" in problems["whole.png"]
        assert project.look_closely(["slide.tif"]) == 0
    with pytest.raises(UserError, match="needs all of it at once"):
        read_pixels(images / "slide.tif")


def test_a_thumbnail_is_kept_once_it_is_more_than_a_sketch(tmp_path):
    file, cache = tmp_path / "a.tif", tmp_path / "cache"
    tifffile.imwrite(file, soft(), tile=(128, 128), photometric="rgb", compression="zlib")
    about = {"mtime_ns": 1, "size": 1, "key": "a.tif"}
    assert thumbnail(file, cache, 100, **about).shape == (78, 100, 3)
    assert not list(cache.rglob("*.jpg"))
    image = open_huge(file)
    image.begin(cache, "a.tif")
    made(image)
    small = thumbnail(file, cache, 100, **about)
    assert list(cache.rglob("*.jpg"))
    assert np.abs(small.astype(int) - cv2.resize(soft(), (100, 78), interpolation=cv2.INTER_AREA)).mean() < 5


def damaged(file, *tiles):
    """Write rubbish over some tiles of a TIFF, all of them where none is named."""
    with tifffile.TiffFile(file) as tiff:
        page = tiff.pages[0]
        places = list(zip(page.dataoffsets, page.databytecounts, strict=True))
    with file.open("r+b") as out:
        for at in tiles or range(len(places)):
            out.seek(places[at][0])
            out.write(b"\x55" * places[at][1])


@pytest.mark.parametrize("compression", ["zlib", "jpeg"])
@pytest.mark.parametrize("tile", [0, 7])
def test_a_damaged_tile_stays_coarse_and_all_others_are_seen(tmp_path, compression, tile):
    file = tmp_path / "a.tif"
    tifffile.imwrite(file, soft(), tile=(128, 128), photometric="rgb", compression=compression)
    whole = read_pixels(file)
    damaged(file, tile)
    picture = read_picture(file, tmp_path / "cache", "a.tif")
    image = made(picture.image)
    part = np.s_[:128, :128] if tile == 0 else np.s_[128:256, 128:256]  # 6 tiles lie side by side
    image.look(0, 0, HEIGHT, 0, WIDTH)
    until(lambda: image.cache.idle)
    seen = image.look(0, 0, HEIGHT, 0, WIDTH)
    differs = (seen != whole).any(axis=2)
    assert differs[part].any()
    differs[part] = False
    assert not differs.any()
    assert thumbnail(file, tmp_path / "cache", 100, mtime_ns=1, size=1, key="a.tif").shape == (78, 100, 3)


def test_who_needs_a_damaged_tile_is_told(tmp_path):
    file = tmp_path / "a.tif"
    tifffile.imwrite(file, soft(), tile=(128, 128), photometric="rgb", compression="zlib")
    damaged(file, 7)
    with pytest.raises(UnreadableImage, match=r"a\.tif is damaged"):
        open_huge(file).read(0, 0, HEIGHT, 0, WIDTH)
    bands = huge_bands(file, 3).size(0)
    assert bands[:128, :128].shape == (128, 128, 3)
    with pytest.raises(UnreadableImage, match=r"a\.tif is damaged"):
        bands[128:256, 128:256]
    damaged(file)
    for read in (read_picture, lambda file: huge_bands(file, 3), lambda file: open_huge(file).begin()):
        with pytest.raises(UnreadableImage, match=r"a\.tif is damaged"):
            read(file)


def test_what_the_disk_refused_for_a_moment_is_read_later(tmp_path, monkeypatch):
    file, pixels = tmp_path / "a.tif", soft()
    tifffile.imwrite(file, pixels, tile=(128, 128), photometric="rgb", compression="zlib")
    image = open_huge(file)
    image.begin(tmp_path / "cache", "a.tif")
    image.forget()
    away = OSError(errno.EIO, os.strerror(errno.EIO))
    monkeypatch.setattr(tile_cache, "LATER", 0.05)
    with monkeypatch.context() as broken:
        broken.setattr(os, "pread", refusing(away))
        image.look(0, 0, HEIGHT, 0, WIDTH)
        until(lambda: image.cache.idle)
        with pytest.raises(UnreadableImage, match="could not be opened"):
            image.read(0, 0, 10, 0, 10)
        with pytest.raises(UnreadableImage, match="could not be opened"):
            open_huge(file).begin(tmp_path / "other", "a.tif")
    asked = threading.Event()
    image.on_arrival = lambda part: asked.set()  # as the canvas does, which then looks again
    assert asked.wait(20)
    until(lambda: np.array_equal(image.look(0, 0, HEIGHT, 0, WIDTH), pixels))


def refusing(error):
    def refuse(*_):
        raise error

    return refuse


def test_a_file_is_opened_again_when_its_drive_is_back(tmp_path, monkeypatch):
    file, pixels = tmp_path / "a.tif", soft()
    tifffile.imwrite(file, pixels, tile=(128, 128), photometric="rgb", compression="zlib")
    image = open_huge(file)
    stale, read = image._levels[0]._handle._files[0].fileno(), os.pread

    def pread(number, *rest):
        if number == stale:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return read(number, *rest)

    monkeypatch.setattr(os, "pread", pread)
    assert np.array_equal(image.read(0, 0, HEIGHT, 0, WIDTH), pixels)
    file.write_bytes(b"another file")
    monkeypatch.setattr(os, "pread", refusing(OSError(errno.EIO, os.strerror(errno.EIO))))
    image.forget()
    with pytest.raises(UnreadableImage, match="could not be opened"):
        image.read(0, 0, HEIGHT, 0, WIDTH)
