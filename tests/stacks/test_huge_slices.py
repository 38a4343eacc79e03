"""A slice of a huge stack is read by parts, as any huge image is; limits are lowered for it."""

import numpy as np
import pytest
import tifffile

from sslstudio.images import limits
from sslstudio.images.huge import open_huge
from sslstudio.images.huge_picture import HugePicture
from sslstudio.images.picture import read_picture
from sslstudio.images.reader import read_pixels, read_rgb8

STACK = np.random.default_rng(0).integers(0, 60000, (20, 400, 500), dtype=np.uint16)


@pytest.fixture(autouse=True)
def lowered(monkeypatch):
    monkeypatch.setattr(limits, "HUGE_PIXELS", 100_000)


def write_tiff(path):
    tifffile.imwrite(path, STACK, tile=(128, 128), compression="zlib", photometric="minisblack")


def write_plain(path):
    tifffile.imwrite(path, STACK, photometric="minisblack")


def write_pages(path):
    with tifffile.TiffWriter(path) as writer:
        for page in STACK:
            writer.write(page, metadata=None, rowsperstrip=50, contiguous=False)


@pytest.mark.parametrize(
    ("name", "write"),
    [
        *(("a.tif", write_tiff), ("b.tif", write_plain), ("c.tif", write_pages)),
        ("d.npy", lambda path: np.save(path, STACK)),
    ],
)
def test_a_part_of_a_slice(tmp_path, name, write):
    write(tmp_path / name)
    for number in (1, 2, 20):
        path = tmp_path / (name if number == 1 else f"{name}#{number:04d}")
        image = open_huge(path)
        assert image is not None
        assert np.array_equal(image.read(0, 100, 300, 50, 400)[..., 0], STACK[number - 1][100:300, 50:400])
        assert isinstance(read_picture(path, tmp_path / "cache", path.name), HugePicture)
        assert np.array_equal(read_pixels(path)[..., 0], STACK[number - 1])
        assert read_rgb8(path, longest=64).shape == (51, 64, 3)
