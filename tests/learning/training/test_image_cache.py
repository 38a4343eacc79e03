"""The cache: every readable image is in it, detail is kept, bad files cost only themselves."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sslstudio.errors import UserError
from sslstudio.learning.training.batches import Order, Prefetch
from sslstudio.learning.training.cache import ImageCache, cut_tiles, tile_grid, tile_side


def write(path, height, width, seed=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8))


def full(root, names, folder, **kwargs):
    cache = ImageCache(root, tuple(names), folder, side=kwargs.pop("side", 64), **kwargs)
    cache.build()
    assert cache.wait(10**9, 30)
    return cache


@given(st.integers(1, 20000), st.integers(1, 20000), st.sampled_from([64, 256, 512]), st.integers(1, 16))
def test_tiles_are_never_too_many(width, height, side, most):
    rows, columns = tile_grid(width, height, side, most)
    assert rows >= 1
    assert columns >= 1
    assert rows * columns <= most


@given(st.integers(40, 4000), st.integers(40, 4000))
def test_tiles_keep_native_detail_and_are_not_oblong(width, height):
    rows, columns = tile_grid(width, height, 64, 10**6)
    assert width / columns < 64 * 2
    assert height / rows < 64 * 2
    if min(width, height) > 128:
        assert 0.5 <= (width / columns) / (height / rows) <= 2


def test_tiles_put_together_are_the_image():
    image = np.random.default_rng(0).integers(0, 255, (128, 192, 3), dtype=np.uint8)
    tiles = [tile for tile, _ in cut_tiles(image, 2, 3, 64)]
    assert np.array_equal(np.vstack([np.hstack(tiles[:3]), np.hstack(tiles[3:])]), image)


def test_large_images_are_cut_and_small_ones_kept_whole(tmp_path):
    write(tmp_path / "in" / "large.png", 256, 256, 1)
    write(tmp_path / "in" / "small.png", 50, 60, 2)
    cache = full(tmp_path / "in", ["large.png", "small.png"], tmp_path / "cache")
    assert len(cache) == 16 + 1
    tiles, aspects = cache.read(np.arange(17))
    image = cv2.imread(str(tmp_path / "in" / "large.png"))[..., ::-1]
    assert np.array_equal(tiles[5], image[64:128, 64:128])  # pixel for pixel
    assert aspects[16] == pytest.approx(60 / 50)
    cache.close()


def test_a_finished_cache_is_found_again_and_a_changed_image_is_read_anew(tmp_path):
    names = ["a.png", "b.png"]
    for n, name in enumerate(names):
        write(tmp_path / "in" / name, 64, 64, n)
    full(tmp_path / "in", names, tmp_path / "cache").close()
    again = ImageCache(tmp_path / "in", tuple(names), tmp_path / "cache", side=64)
    again.build()
    assert again.complete  # nothing to wait for
    again.close()
    write(tmp_path / "in" / "b.png", 64, 64, 9)
    os.utime(tmp_path / "in" / "b.png", ns=(1, 1))
    third = full(tmp_path / "in", names, tmp_path / "cache")
    pixels, _ = third.read(np.array([1]))
    assert np.array_equal(pixels[0], cv2.imread(str(tmp_path / "in" / "b.png"))[..., ::-1])
    third.close()


def test_the_order_of_tiles_does_not_depend_on_threads(tmp_path):
    names = [f"{n:02}.png" for n in range(12)]
    for n, name in enumerate(names):
        write(tmp_path / "in" / name, 64 + 40 * (n % 3), 64, n)
    first, second = (full(tmp_path / "in", names, tmp_path / folder) for folder in ("one", "two"))
    every = np.arange(len(first))
    assert np.array_equal(first.read(every)[0], second.read(every)[0])
    first.close()
    second.close()


def test_bad_files_are_named_and_left_out(tmp_path):
    write(tmp_path / "in" / "good.png", 64, 64)
    (tmp_path / "in" / "empty.png").touch()
    (tmp_path / "in" / "text.jpg").write_text("not an image")
    whole = (tmp_path / "in" / "good.png").read_bytes()
    (tmp_path / "in" / "torn.png").write_bytes(whole[: len(whole) // 2])
    cache = full(tmp_path / "in", ["good.png", "empty.png", "text.jpg", "torn.png", "gone.png"], tmp_path / "cache")
    warned = {w.about: w.text for w in cache.warnings()}
    assert set(warned) == {"empty.png", "text.jpg", "torn.png", "gone.png"}
    assert all(name in text for name, text in warned.items())
    assert len(cache) == 1
    cache.close()
    again = full(tmp_path / "in", ["good.png", "empty.png", "text.jpg", "torn.png", "gone.png"], tmp_path / "cache")
    assert {w.about for w in again.warnings()} == set(warned)  # told again by the next run
    again.close()


def test_it_may_be_read_while_it_grows(tmp_path):
    names = [f"{n}.png" for n in range(60)]
    for n, name in enumerate(names):
        write(tmp_path / "in" / name, 96, 96, n)
    cache = ImageCache(tmp_path / "in", tuple(names), tmp_path / "cache", side=96)
    cache.build()
    feed = None
    try:
        assert cache.wait(4, 30)
        feed = Prefetch(cache, Order(0, 8))
        known = {cv2.imread(str(tmp_path / "in" / name))[..., ::-1].tobytes() for name in names}
        for _ in range(30):
            for tile in feed.next().tiles.numpy():
                assert tile.tobytes() in known
        assert cache.wait(60, 30)
    finally:
        if feed is not None:
            feed.close()
        cache.close()


def test_an_unfinished_cache_leaves_nothing_behind(tmp_path):
    names = [f"{n}.png" for n in range(40)]
    for n, name in enumerate(names):
        write(tmp_path / "in" / name, 300, 300, n)
    cache = ImageCache(tmp_path / "in", tuple(names), tmp_path / "cache", side=64)
    cache.build()
    cache.close()
    if not cache.complete:
        assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a disk that is always full")
def test_a_full_disk_is_one_clear_sentence(tmp_path):
    write(tmp_path / "in" / "a.png", 64, 64)
    cache = ImageCache(tmp_path / "in", ("a.png",), tmp_path / "cache", side=64)
    cache._growing = cache._growing.with_name("full")
    cache._growing.symlink_to("/dev/full")
    cache.build()
    with pytest.raises(UserError, match="No space left"):
        cache.wait(1, 30)
    cache.close()


def test_every_tile_comes_once_per_epoch_in_the_same_order_for_the_same_seed():
    def epochs(order, steps):
        return [order.next(20, whole=True) for _ in range(steps)]

    first = epochs(Order(5, 4), 10)
    assert sorted(np.concatenate(first[:5])) == list(range(20))
    assert sorted(np.concatenate(first[5:])) == list(range(20))
    assert not np.array_equal(first[0], first[5])
    resumed = Order(5, 4, epoch=1, at=8)
    assert np.array_equal(resumed.next(20, whole=True), first[7])


def test_several_devices_share_an_epoch():
    shares = [Order(5, 4, rank=rank, world=2) for rank in (0, 1)]
    seen = np.concatenate([order.next(24, whole=True) for order in shares for _ in range(3)])
    assert sorted(seen) == list(range(24))


@pytest.mark.parametrize(("resolution", "side"), [(32, 64), (128, 256), (224, 448), (512, 512), (1024, 1024)])
def test_tiles_leave_room_for_crops(resolution, side):
    assert tile_side(resolution) == side
