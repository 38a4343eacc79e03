"""Likeness in a made world: discs of one colour, squares of another, on a ground; a click on one finds its like."""

import numpy as np
import pytest

from sslstudio.errors import UserError
from sslstudio.learning.assist.likeness import Places, likeness, places_of
from sslstudio.learning.assist.places_cache import PlacesCache
from sslstudio.queries.messages import Example

DISCS, SQUARES = ((40, 40), (150, 60), (60, 150)), ((100, 100), (160, 160))


@pytest.fixture(scope="module")
def world():
    """An image (200, 200, 3) uint8, where the discs are, and where the squares are."""
    y, x = np.mgrid[:200, :200]
    image = np.full((200, 200, 3), (90, 110, 90), np.uint8)
    image += np.random.default_rng(0).integers(0, 12, image.shape, np.uint8)
    discs = np.any([(x - cx) ** 2 + (y - cy) ** 2 < 18**2 for cx, cy in DISCS], axis=0)
    squares = np.any([(abs(x - cx) < 14) & (abs(y - cy) < 14) for cx, cy in SQUARES], axis=0)
    image[discs], image[squares] = (200, 60, 60), (60, 60, 210)
    return image, discs, squares


def encoder(name="resnet18"):
    import torch

    from sslstudio.learning.backbones.encoder import create_encoder

    torch.manual_seed(0)
    return create_encoder(name).eval()


def click(x, y, wanted=True):
    return Example(x, y, x, y, wanted)


def large(found):
    import cv2

    return cv2.resize(found, (200, 200), interpolation=cv2.INTER_LINEAR)


@pytest.mark.parametrize("name", ["resnet18", "vit_tiny_patch16_224"])
def test_a_click_on_a_disc_finds_all_discs_and_no_square(world, name):
    image, discs, _ = world
    found = large(likeness(places_of(encoder(name), image), [click(*DISCS[0])]))
    assert found.dtype == np.float32
    assert found.max() <= 1.001
    inner = [found[y, x] for x, y in DISCS]
    assert min(inner) > max(found[y, x] for x, y in SQUARES) + 0.2
    assert min(inner) > found[10, 110] + 0.2
    best = max(((found > t) & discs).sum() / ((found > t) | discs).sum() for t in np.linspace(0, 0.9, 19))
    assert best > (0.75 if name == "resnet18" else 0.5)


def test_a_second_example_adds_and_an_unwanted_one_takes_away(world):
    image, discs, squares = world
    places = places_of(encoder(), image)
    one = large(likeness(places, [click(*DISCS[0])]))
    both = large(likeness(places, [click(*DISCS[0]), click(*SQUARES[0])]))
    less = large(likeness(places, [click(*DISCS[0]), click(*SQUARES[0]), click(*SQUARES[1], wanted=False)]))
    assert one[squares].mean() < 0.4 < both[squares].mean()
    assert less[squares].mean() < 0.6 * both[squares].mean()
    assert less[discs].mean() > 0.8 * both[discs].mean()


def test_a_box_means_what_is_in_it_on_average(world):
    image, discs, squares = world
    found = large(likeness(places_of(encoder(), image), [Example(30, 30, 50, 50)]))
    assert found[discs].mean() > found[squares].mean() + 0.4
    assert found[discs].mean() > found[~discs].mean() + 0.4


def test_examples_of_one_image_find_their_like_in_another(world):
    image, _, _ = world
    network = encoder()
    source, other = places_of(network, image), places_of(network, image[::-1, ::-1].copy())
    found = large(likeness(other, [click(*DISCS[0])], source))[::-1, ::-1]
    assert min(found[y, x] for x, y in DISCS) > max(found[y, x] for x, y in SQUARES) + 0.2


def test_what_cannot_be_compared_says_so(world):
    with pytest.raises(UserError, match=r"too small.*8 × 200"):
        places_of(encoder(), world[0][:, :8])
    with pytest.raises(UserError, match="Nothing was pointed at"):
        likeness(places_of(encoder(), world[0]), [click(3, 3, wanted=False)])


def test_a_file_that_was_torn_off_is_as_good_as_none(world, tmp_path):
    """As a full disk or a lost connection leaves it."""
    cache = PlacesCache(tmp_path)
    cache.keep("one", places_of(encoder(), world[0]))
    (file,) = tmp_path.glob("*.npz")
    whole = file.read_bytes()
    for share in (0, 0.1, 0.5, 0.99):
        file.write_bytes(whole[: int(share * len(whole))])
        assert cache.read("one") is None, share
    file.write_bytes(whole)
    assert cache.read("one") is not None


def test_kept_places_give_the_same_likeness_and_old_ones_make_room(world, tmp_path):
    places = places_of(encoder(), world[0])
    cache = PlacesCache(tmp_path / "cache")
    assert cache.read("one") is None
    cache.keep("one", places)
    again = cache.read("one")
    assert isinstance(again, Places)
    plain, kept = (large(likeness(found, [click(*DISCS[0])], places)) for found in (places, again))
    assert np.abs(plain - kept).mean() < 0.1
    assert plain.mean() == pytest.approx(kept.mean(), abs=0.01), "a threshold means the same"
    size = next((tmp_path / "cache").glob("*.npz")).stat().st_size
    assert size < 1_200_000
    small = PlacesCache(tmp_path / "cache", most=2 * size + 100)
    for name in ("two", "three", "four"):
        small.keep(name, places)
        small.trim()
    assert small.read("one") is None
    assert small.read("four") is not None
    next((tmp_path / "cache").glob("*.npz")).write_bytes(b"damaged")
    assert [small.read(name) for name in ("one", "two", "three", "four")].count(None) >= 3
