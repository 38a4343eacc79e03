"""Thumbnails are small, kept, renewed when the image changes, and never in the way."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from sslstudio.images.reader import UnreadableImage
from sslstudio.images.thumbnails import thumbnail


def test_small_kept_and_renewed(tmp_path):
    source, cache = tmp_path / "a.jpg", tmp_path / "cache"
    Image.new("RGB", (640, 320), (200, 30, 30)).save(source)
    first = thumbnail(source, cache, 160, mtime_ns=1, size=1)
    assert first.shape == (80, 160, 3)
    assert abs(int(first[0, 0, 0]) - 200) < 4
    source.unlink()
    kept = thumbnail(source, cache, 160, mtime_ns=1, size=1)
    assert np.abs(kept.astype(int) - first).max() < 6
    with pytest.raises(UnreadableImage):
        thumbnail(source, cache, 160, mtime_ns=2, size=1)


def test_a_torn_or_unwritable_cache_costs_no_picture(tmp_path):
    source, cache = tmp_path / "a.png", tmp_path / "cache"
    Image.new("RGB", (40, 20), (0, 255, 0)).save(source)
    thumbnail(source, cache, mtime_ns=1, size=1)
    for file in cache.rglob("*.jpg"):
        file.write_bytes(file.read_bytes()[:100])
    assert thumbnail(source, cache, mtime_ns=1, size=1).shape == (20, 40, 3)
    (tmp_path / "file").touch()
    assert thumbnail(source, tmp_path / "file", mtime_ns=1, size=1).shape == (20, 40, 3)


def test_the_relative_path_keeps_it_when_the_folder_moves(tmp_path):
    source, cache = tmp_path / "a.png", tmp_path / "cache"
    Image.new("RGB", (40, 20), (0, 255, 0)).save(source)
    thumbnail(source, cache, mtime_ns=1, size=1, key="a.png")
    assert thumbnail(tmp_path / "moved" / "a.png", cache, mtime_ns=1, size=1, key="a.png").shape == (20, 40, 3)


def test_many_threads_may_ask_for_the_same(tmp_path):
    source, cache = tmp_path / "a.jpg", tmp_path / "cache"
    Image.new("RGB", (640, 320), (200, 30, 30)).save(source)
    with ThreadPoolExecutor(8) as pool:
        shapes = list(pool.map(lambda _: thumbnail(source, cache, mtime_ns=1, size=1).shape, range(64)))
    assert set(shapes) == {(80, 160, 3)}
    assert not list(cache.rglob("*.tmp"))
