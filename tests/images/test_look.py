"""How images are shown: windows, gamma, colours; what is kept with a project."""

import json
from dataclasses import replace

import numpy as np
import pytest
import tifffile
from PIL import Image

from sslstudio.images.display import to_rgb8
from sslstudio.images.look import (
    BLUE,
    GREEN,
    RED,
    compose,
    default_look,
    look_from_json,
    render,
    shades_of,
    windows_of,
)
from sslstudio.images.picture import Picture, read_picture, windows_in
from sslstudio.images.pixel_size import PixelSize, pixel_size


def made(channels, dtype, seed=0, most=4000):
    values = np.random.default_rng(seed).integers(0, most, (60, 80, channels))
    return (values / 7 - 100).astype(np.float32) if dtype == np.float32 else values.astype(dtype)


def seen(picture, look):
    return render(picture.finite, shades_of(look, windows_of(look, picture.windows)))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("channels", [1, 2, 3, 5])
def test_at_first_an_image_is_shown_as_networks_see_it(channels, dtype):
    pixels = made(channels, dtype, most=256 if dtype == np.uint8 else 4000)
    picture = Picture(pixels)
    shown = seen(picture, default_look(channels, dtype))
    assert np.abs(shown.astype(int) - to_rgb8(pixels)).max() <= (1 if dtype == np.float32 else 0)


def test_large_16_bit_images_are_stretched_as_small_ones():
    large = np.tile(made(3, np.uint16), (10, 10, 1))
    low, high = windows_in([large])[0]
    scaled = (large.astype(np.float32) - np.float32(low)) * np.float32(255 / (high - low))
    assert np.array_equal(to_rgb8(large), (np.clip(scaled, 0, 255) + 0.5).astype(np.uint8))


def test_the_window_cuts_and_gamma_bends():
    plane = np.array([[0, 100, 200, 300, 400]], np.uint16)
    look = default_look(1, np.uint16).with_windows({0: (100, 300)}, "hand")
    shades = shades_of(look, windows_of(look, ()))
    assert compose([plane], shades)[0, :, 0].tolist() == [0, 0, 128, 255, 255]
    bent = shades_of(replace(look, gamma=0.5), windows_of(look, ()))
    assert compose([plane], bent)[0, :, 0].tolist() == [0, 0, 180, 255, 255]  # 255 × sqrt(0.5)
    assert compose([plane.astype(np.float32)], bent)[0, 2, 0] == 180


def test_one_value_only_is_grey_and_not_black():
    picture = Picture(np.full((8, 8, 1), 1234, np.uint16))
    assert (seen(picture, default_look(1, np.uint16)) == 128).all()
    floats = Picture(np.full((8, 8, 1), 0.25, np.float32))
    assert 120 <= int(seen(floats, default_look(1, np.float32))[0, 0, 0]) <= 136


def test_channels_take_any_colour_and_add_up():
    pixels = np.zeros((1, 3, 2), np.uint8)
    pixels[0, 0, 0], pixels[0, 1, 1], pixels[0, 2] = 255, 255, 255
    look = default_look(2, np.uint8).with_channel(0, colour="#ff8000").with_channel(1, colour="#0080ff")
    assert seen(Picture(pixels), look)[0].tolist() == [[255, 128, 0], [0, 128, 255], [255, 255, 255]]
    alone = look.with_channel(1, shown=False)
    assert seen(Picture(pixels), alone)[0].tolist() == [[255, 128, 0], [0, 0, 0], [255, 128, 0]]


def test_any_three_bands_become_red_green_and_blue():
    pixels = made(5, np.uint8, most=256)
    look = default_look(5, np.uint8).with_bands(4, 0, 2)
    assert look.bands() == (4, 0, 2)
    assert np.array_equal(seen(Picture(pixels), look), pixels[..., [4, 0, 2]])
    twice = default_look(5, np.uint8).with_bands(3, 3, 1)
    assert np.array_equal(seen(Picture(pixels), twice), pixels[..., [3, 3, 1]])
    none = default_look(5, np.uint8)
    for at in range(3):
        none = none.with_channel(at, shown=False)
    assert not seen(Picture(pixels), none).any()
    assert none.bands() == (-1, -1, -1)
    assert [one.colour for one in default_look(5, np.uint8).channels[:3]] == [RED, GREEN, BLUE]


def test_numbers_that_are_none_do_not_spread():
    pixels = made(1, np.float32)
    pixels[10, 10], pixels[20, 20], pixels[30, 30] = np.nan, np.inf, -np.inf
    picture = Picture(pixels)
    shown = seen(picture, default_look(1, np.float32))
    assert np.isfinite(picture.finite).all()
    assert np.isnan(picture.value_at(10, 10)[0])
    assert (shown[10, 10, 0], shown[20, 20, 0], shown[30, 30, 0]) == (0, 255, 0)
    assert picture.histogram.counts.sum() > 4700


def test_what_was_set_survives_json_and_what_does_not_fit_is_refused():
    look = default_look(3, np.uint16).with_windows({1: (5.0, 77.0)}, "hand").with_channel(0, colour="#12ab34")
    kept = json.loads(json.dumps(replace(look, gamma=0.7).to_json()))
    assert look_from_json(kept, 3, np.uint16) == replace(look, gamma=0.7)
    assert look_from_json(kept, 2, np.uint16) is None
    wrong = ({**kept, "gamma": 0}, {**kept, "contrast": "stored"}, {"channels": 3}, None, {**kept, "gamma": "x"})
    for other in wrong:
        assert look_from_json(other, 3, np.uint16) is None


def test_a_file_is_read_with_its_pixel_size(tmp_path):
    file = tmp_path / "cell.ome.tif"
    about = {"axes": "YX", "PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "µm", "PhysicalSizeY": 0.5}
    tifffile.imwrite(file, made(1, np.uint16)[..., 0], metadata=about)
    picture = read_picture(file)
    assert picture.pixel_size.x == 0.5
    assert picture.kind == "1 uint16"
    assert picture.value_at(3, 2) == (int(made(1, np.uint16)[2, 3, 0]),)


def test_dots_per_inch_are_no_size_of_a_pixel_but_metres_and_centimetres_are(tmp_path):
    grey = made(1, np.uint8)[..., 0]
    Image.fromarray(grey).save(tmp_path / "dots.png", dpi=(9600, 9600))
    tifffile.imwrite(tmp_path / "dots.tif", grey, resolution=(9600, 9600), resolutionunit="INCH")
    tifffile.imwrite(tmp_path / "cm.tif", grey, resolution=(20000, 20000), resolutionunit="CENTIMETER")
    scale = (33550, "d", 3, (0.5, 0.5, 0.0), True)
    keys = (34735, "H", 12, (1, 1, 0, 2, 1024, 0, 1, 1, 3076, 0, 1, 9001), True)
    tifffile.imwrite(tmp_path / "map.tif", grey, extratags=[scale, keys])
    assert [pixel_size(tmp_path / name) for name in ("dots.png", "dots.tif")] == [None, None]
    assert pixel_size(tmp_path / "cm.tif") == PixelSize(0.5, 0.5)
    assert pixel_size(tmp_path / "map.tif") == PixelSize(500_000, 500_000)
