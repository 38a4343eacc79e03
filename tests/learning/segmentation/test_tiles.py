"""Tiling is invisible: any size, no seams, no more memory than a row of tiles."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from sslstudio.learning.backbones.encoder import create_encoder
from sslstudio.learning.segmentation import tiles
from sslstudio.learning.segmentation.model import SegmentationModel


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return SegmentationModel(create_encoder("resnet18"), "linear", 3, crop=64).eval()


@pytest.mark.parametrize("size", [(1, 1), (5, 300), (64, 64), (129, 131), (260, 90)])
def test_every_size_gets_probabilities_that_sum_to_one(model, size):
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    found = tiles.segment(model, pixels)
    assert found.shape == (3, *size)
    assert np.allclose(found.sum(0), 1, atol=1e-3)
    assert np.array_equal(tiles.segment_labels(model, pixels), found.argmax(0))


def test_a_pixelwise_model_gives_the_same_with_and_without_tiles():
    class Pixelwise(SegmentationModel):
        def forward(self, images):
            return images * torch.tensor([1.0, 2.0, 3.0]).view(1, 3, 1, 1)

    model = Pixelwise(create_encoder("resnet18"), "linear", 3, crop=32).eval()
    pixels = np.random.default_rng(0).integers(0, 256, (200, 170, 3), np.uint8)
    whole = tiles.tile_probabilities(model, torch.from_numpy(pixels.transpose(2, 0, 1)[None].copy()))[0].numpy()
    assert np.allclose(tiles.segment(model, pixels), whole, atol=1e-5)
    assert np.allclose(tiles.segment(model, pixels, flips=True), whole, atol=1e-5)
    model.shrink = 3
    even = np.full((100, 90, 3), 77, np.uint8)
    found = tiles.segment(model, even)
    assert found.shape == (3, 100, 90)
    assert np.ptp(found.reshape(3, -1), axis=1).max() < 1e-5


def test_enlarging_band_by_band_shows_no_seam():
    planes = np.random.default_rng(0).random((2, 12, 7)).astype(np.float32)
    parts = iter([tiles.Band(0, planes[:, :5]), tiles.Band(5, planes[:, 5:6]), tiles.Band(6, planes[:, 6:])])
    found = np.concatenate([b.probabilities for b in tiles._enlarged(parts, 4, 46, 27)], 1)
    whole = torch.nn.functional.interpolate(torch.from_numpy(planes)[None], scale_factor=4.0, mode="bilinear")
    assert np.allclose(found, whole[0, :, :46, :27].numpy(), atol=1e-5)


def test_tiles_cover_everything_with_overlap():
    for length in (64, 65, 100, 1000):
        starts = tiles.tile_starts(length, 64, 16)
        assert starts[0] == 0
        assert starts[-1] + 64 == length
        assert all(b - a <= 48 for a, b in pairwise(starts))


def test_bands_of_a_large_image_hold_one_row_of_tiles(model):
    pixels = np.zeros((1000, 200, 3), np.uint8)
    heights = [band.probabilities.shape[1] for band in tiles.bands(model, pixels)]
    assert sum(heights) == 1000
    assert max(heights) <= tiles.tile_side(model)


def test_the_rim_of_an_image_is_judged_like_its_middle():
    torch.manual_seed(1)
    model = SegmentationModel(create_encoder("resnet18"), "multilevel", 3, crop=128).eval()
    even = np.full((160, 160, 3), 120, np.uint8)

    def stray(probabilities):
        """How far the outermost pixels are from the middle, where every pixel of an even image is the same."""
        middle = probabilities[:, 80, 80][:, None]
        return np.abs(probabilities[:, 0] - middle).mean() + np.abs(probabilities[:, :, -1] - middle).mean()

    bare = tiles.tile_probabilities(model, torch.from_numpy(even.transpose(2, 0, 1)[None].copy()))[0].numpy()
    assert stray(tiles.segment(model, even)) < 0.5 * stray(bare)
