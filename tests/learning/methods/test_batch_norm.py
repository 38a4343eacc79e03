"""The ways round what batch norm would give away."""

import pytest
import torch

from sslstudio.errors import UserError
from sslstudio.learning.backbones.encoder import create_encoder
from sslstudio.learning.methods.batch_norm import has_batch_norm, in_shuffled_groups, refuse_single


def test_which_networks_have_batch_norm():
    assert has_batch_norm(create_encoder("test_resnet"))
    assert not has_batch_norm(create_encoder("test_vit"))


@pytest.mark.parametrize(("images", "sizes"), [(2, [2]), (15, [15]), (16, [8, 8]), (33, [9, 8, 8, 8]), (64, [16] * 4)])
def test_groups_are_drawn_anew_and_come_back_in_order(images, sizes):
    seen = []

    def network(group):
        seen.append(group.flatten().tolist())
        return group * 2, group + 1

    x = torch.arange(images).float()[:, None]
    twice, more = in_shuffled_groups(network, x)
    assert torch.equal(twice, x * 2)
    assert torch.equal(more, x + 1)
    assert [len(group) for group in seen] == sizes
    first, seen = seen, []
    in_shuffled_groups(network, x)
    for groups in (first, seen):
        assert sorted(number for group in groups for number in group) == x.flatten().tolist()
    if images > 2:
        assert first != seen


def test_statistics_are_those_of_the_group():
    norm = torch.nn.BatchNorm1d(1, affine=False)
    x = torch.randn(32, 1)
    groups = []

    def network(group):
        groups.append(group)
        return (norm(group),)

    in_shuffled_groups(network, x)
    whole = (x - x.mean()) / x.std(unbiased=False)
    (out,) = in_shuffled_groups(network, x)
    assert not torch.allclose(out, whole, atol=1e-2)
    assert len({round(float(g.mean()), 5) for g in groups}) == 8


def test_a_single_image_is_refused_in_words():
    refuse_single(2)
    with pytest.raises(UserError, match="single image") as error:
        refuse_single(1)
    assert "batch of 2" in error.value.advice
