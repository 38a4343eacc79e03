"""Hidden patches: the exact share, in blocks where blocks are promised, and the same again from the same seed."""

import pytest
import torch

from sslstudio.learning.methods.patch_masks import ASPECT, _blocks, block_masks, uniform_masks


def neighbours_hidden_too(masks, rows, columns):
    """Share of hidden patches whose right neighbour is hidden as well."""
    grid = masks.view(-1, rows, columns)
    left, right = grid[:, :, :-1], grid[:, :, 1:]
    return float((left & right).sum() / left.sum())


@pytest.mark.parametrize("make", [block_masks, uniform_masks])
@pytest.mark.parametrize("share", [0.0, 0.15, 0.4, 0.6, 0.95, 1.0])
@pytest.mark.parametrize(("rows", "columns"), [(8, 8), (14, 14), (2, 2), (6, 10), (1, 5)])
def test_every_picture_hides_exactly_its_share(make, share, rows, columns):
    masks = make(33, rows, columns, share)
    assert masks.shape == (33, rows * columns)
    assert masks.dtype == torch.bool
    assert masks.sum(1).tolist() == [round(share * rows * columns)] * 33


@pytest.mark.parametrize("make", [block_masks, uniform_masks])
def test_every_picture_may_have_a_share_of_its_own(make):
    shares = torch.tensor([0.0, 0.1, 0.25, 0.5])
    assert make(4, 10, 10, shares).sum(1).tolist() == [0, 10, 25, 50]


def test_blocks_hold_together_and_single_patches_do_not():
    blocks = neighbours_hidden_too(block_masks(200, 14, 14, 0.4), 14, 14)
    single = neighbours_hidden_too(uniform_masks(200, 14, 14, 0.4), 14, 14)
    assert single == pytest.approx(0.4, abs=0.03)
    assert blocks > 0.7


def test_blocks_have_the_wanted_size_and_shape():
    least, spare = 16, 40
    grids = _blocks(60, 60, torch.full((500,), spare), least, ASPECT)
    heights, widths = grids.any(2).sum(1).double(), grids.any(1).sum(1).double()
    assert torch.equal(heights * widths, grids.sum((1, 2)).double())  # whole rectangles
    sizes = heights * widths
    assert sizes.min() >= 0.6 * least  # sides are rounded to patches
    assert sizes.max() <= 1.3 * (least + spare)
    ratios = heights / widths
    assert 0.2 < ratios.min() < 0.4
    assert 2.5 < ratios.max() < 5
    assert (ratios > 1).double().mean() == pytest.approx(0.5, abs=0.12)  # lying as often as standing


def test_every_place_is_hidden_about_as_often():
    often = uniform_masks(4000, 8, 8, 0.4).double().mean(0)
    assert often.min() > 0.35
    assert often.max() < 0.45
    often = block_masks(4000, 8, 8, 0.4).double().mean(0).view(8, 8)
    assert often.min() > 0.05  # corners lie in fewer rectangles
    assert torch.allclose(often, often.flip(0), atol=0.06)  # no end of the picture is preferred
    assert torch.allclose(often, often.flip(1), atol=0.06)


def test_units_are_hidden_as_a_whole():
    masks = uniform_masks(20, 8, 8, 0.6, unit=2)
    units = masks.view(20, 4, 2, 4, 2).permute(0, 1, 3, 2, 4).flatten(3)  # (20, 4, 4, 4)
    assert torch.equal(units.all(-1), units.any(-1))
    assert units.all(-1).sum((1, 2)).tolist() == [10] * 20  # 60 % of 16
    assert uniform_masks(3, 7, 5, 0.5, unit=2).shape == (3, 35)  # squares at the border are cut off


@pytest.mark.parametrize("make", [block_masks, uniform_masks])
def test_the_same_seed_hides_the_same_patches(make):
    torch.manual_seed(5)
    first, second = make(6, 9, 9, 0.4), make(6, 9, 9, 0.4)
    torch.manual_seed(5)
    assert torch.equal(make(6, 9, 9, 0.4), first)
    assert not torch.equal(first, second)
    assert not torch.equal(first[0], first[1])


@pytest.mark.parametrize("make", [block_masks, uniform_masks])
def test_masks_go_to_the_device_that_is_asked_for(make):
    assert make(2, 4, 4, 0.5).device.type == "cpu"
    assert make(2, 4, 4, 0.5, device=torch.device("meta")).device.type == "meta"
