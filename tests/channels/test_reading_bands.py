"""Bands as 8 bit: each by its own percentiles, 8-bit ones as they are; what does not fit is named."""

import sys

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from sslstudio.images.bands import read_bands8, resized
from sslstudio.images.reader import UnreadableImage, probe, read_rgb8
from sslstudio.learning.training.cache import ImageCache

from .bands_world import scene, write_bands


def test_each_band_is_stretched_on_its_own(tmp_path):
    pixels, labels = scene(0, 5)
    write_bands(tmp_path / "a.tif", pixels)
    assert probe(tmp_path / "a.tif").channels == 5
    bands = read_bands8(tmp_path / "a.tif", 5)
    assert (bands.shape, bands.dtype, bands.flags.c_contiguous) == ((96, 96, 5), np.uint8, True)
    last = bands[..., 4].astype(int)
    assert last[labels == 1].mean() - last[labels == 0].mean() > 120, "the dark band is as clear as the others"
    for band in range(5):
        assert (bands[..., band].min(), bands[..., band].max()) == (0, 255)


def test_bands_of_8_bit_stay_as_they_are(tmp_path):
    pixels = np.random.default_rng(0).integers(40, 90, (30, 20, 6), np.uint8)
    np.save(tmp_path / "a.npy", pixels)
    assert (read_bands8(tmp_path / "a.npy", 6) == pixels).all()


def test_three_channels_are_what_people_see_for_any_image(tmp_path):
    pixels, _ = scene(0, 5)
    write_bands(tmp_path / "a.tif", pixels)
    Image.fromarray(np.arange(120, dtype=np.uint8).reshape(10, 12)).save(tmp_path / "grey.png")
    for name in ("a.tif", "grey.png"):
        assert (read_bands8(tmp_path / name, 3) == read_rgb8(tmp_path / name)).all()


def test_one_channel_is_grey_and_colours_become_it(tmp_path):
    grey = np.arange(120, dtype=np.uint8).reshape(10, 12)
    Image.fromarray(grey).save(tmp_path / "grey.png")
    Image.fromarray(np.repeat(grey[..., None], 3, 2)).save(tmp_path / "rgb.png")
    for name in ("grey.png", "rgb.png"):
        assert (read_bands8(tmp_path / name, 1)[..., 0] == grey).all()
    assert read_bands8(tmp_path / "rgb.png", 1, longest=6).shape == (5, 6, 1)


@pytest.mark.parametrize(("has", "wanted"), [(3, 5), (1, 5), (5, 2), (2, 1)])
def test_another_number_of_channels_is_refused_by_name(tmp_path, has, wanted):
    np.save(tmp_path / "odd.npy", np.zeros((20, 20, has), np.uint8))
    with pytest.raises(UnreadableImage, match=f"odd.npy has {has} channels?, but the network is set to {wanted}"):
        read_bands8(tmp_path / "odd.npy", wanted)


@pytest.mark.parametrize("channels", [1, 2, 4, 5, 13])
def test_shrinking_averages_every_channel_alike(tmp_path, channels):
    pixels = np.random.default_rng(0).integers(0, 256, (60, 90, channels), np.uint8)
    np.save(tmp_path / "a.npy", pixels)
    small = read_bands8(tmp_path / "a.npy", channels, longest=30)
    assert small.shape == (20, 30, channels)
    mean = pixels.reshape(20, 3, 30, 3, channels).mean((1, 3))
    assert np.abs(small - mean).max() <= 0.5001
    assert resized(pixels, (45, 30), cv2.INTER_LINEAR).shape == (30, 45, channels)


def test_the_cache_keeps_bands_and_leaves_out_what_does_not_fit(tmp_path):
    (tmp_path / "in").mkdir()
    for number in range(3):
        write_bands(tmp_path / "in" / f"{number}.tif", scene(number, 5)[0])
    Image.fromarray(np.zeros((40, 40, 3), np.uint8)).save(tmp_path / "in" / "colour.png")
    names = ("0.tif", "1.tif", "2.tif", "colour.png")
    tiles = {}
    for channels in (5, 3):  # both in one folder, side by side
        cache = ImageCache(tmp_path / "in", names, tmp_path / "cache", side=64, channels=channels)
        cache.build()
        assert cache.wait(sys.maxsize, 60), "until the last file is read, not until there are tiles enough"
        tiles[channels], _ = cache.read(np.arange(len(cache)))
        told = [(warning.about, "has 3 channels" in warning.text) for warning in cache.warnings()]
        assert told == ([("colour.png", True)] if channels == 5 else [])
        cache.close()
    assert tiles[5].shape[1:] == (64, 64, 5)
    assert tiles[3].shape[1:] == (64, 64, 3)
    assert len(tiles[3]) == len(tiles[5]) + 1, "the photograph is seen with three channels only"
    assert tiles[5][..., 4].std() > 40
    again = ImageCache(tmp_path / "in", names, tmp_path / "cache", side=64, channels=5)
    again.build()
    assert again.complete
    assert (again.read(np.arange(len(again)))[0] == tiles[5]).all()
    again.close()


def test_an_alpha_channel_is_no_band(tmp_path):
    tifffile.imwrite(
        tmp_path / "a.tif", np.zeros((20, 30, 4), np.uint8), photometric="rgb", extrasamples=["unassalpha"]
    )
    assert probe(tmp_path / "a.tif").channels == 3
