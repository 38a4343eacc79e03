"""I-JEPA: the loss, blocks and contexts that never overlap, a teacher without gradient, places in order."""

import copy
import math

import pytest
import torch

from sslstudio.errors import UserError
from sslstudio.learning.backbones.encoder import create_encoder
from sslstudio.learning.methods.base import Position
from sslstudio.learning.methods.ijepa import IJEPA, ijepa_loss, multi_block, patient_momentum, picked
from sslstudio.learning.methods.registry import create_method
from sslstudio.recipes.methods import IJEPARecipe
from sslstudio.recipes.presets import PRESETS

LOOK = PRESETS["microscopy"].augmentation


def made(resolution=96, **settings):
    return IJEPA(create_encoder("test_vit"), IJEPARecipe(**settings), resolution=resolution, look=LOOK)


def masks(batch, side, targets=4, target_scale=(0.15, 0.2), context_scale=(0.85, 1.0)):
    return multi_block(batch, side, targets, target_scale, context_scale)


def test_loss_is_the_smooth_l1_distance_to_layer_normed_targets():
    prediction, target = torch.randn(2, 3, 4, 8) * 2, torch.randn(2, 3, 4, 8) * 3 + 1
    total = 0.0
    for guess, goal in zip(prediction.reshape(-1, 8).tolist(), target.reshape(-1, 8).double().tolist(), strict=True):
        mean = sum(goal) / 8
        spread = math.sqrt(sum((v - mean) ** 2 for v in goal) / 8 + 1e-5)
        for p, g in zip(guess, goal, strict=True):
            apart = abs(p - (g - mean) / spread)
            total += 0.5 * apart**2 if apart < 1 else apart - 0.5
    assert float(ijepa_loss(prediction, target)) == pytest.approx(total / (2 * 3 * 4 * 8), abs=1e-5)


def test_no_gradient_reaches_the_targets():
    prediction, target = torch.randn(2, 8, requires_grad=True), torch.randn(2, 8, requires_grad=True)
    ijepa_loss(prediction, target).backward()
    assert target.grad is None
    assert bool((prediction.grad != 0).any())


@pytest.mark.parametrize("side", [2, 3, 4, 6, 8, 14])
def test_context_and_targets_never_overlap(side):
    for _ in range(20):
        found = masks(16, side)
        assert found.context.shape[1] >= 1
        assert found.targets.shape[:2] == (16, 4)
        for context, targets in zip(found.context.tolist(), found.targets.flatten(1).tolist(), strict=True):
            assert not set(context) & set(targets)
            assert context == sorted(set(context))
            assert 0 <= min(context + targets) <= max(context + targets) < side * side


def test_targets_are_whole_blocks_of_the_wanted_size_and_shape():
    shapes = set()
    for _ in range(200):
        targets = masks(3, 14).targets  # (3, 4, M)
        sizes = set()
        for block in targets.flatten(0, 1).tolist():
            rows, columns = {p // 14 for p in block}, {p % 14 for p in block}
            assert len(rows) * len(columns) == len(block)
            assert max(rows) - min(rows) == len(rows) - 1
            assert max(columns) - min(columns) == len(columns) - 1
            sizes.add((len(rows), len(columns)))
        assert len(sizes) == 1  # one size per batch
        shapes |= sizes
    areas = [h * w / 196 for h, w in shapes]
    assert 0.13 < min(areas) < 0.16
    assert 0.18 < max(areas) < 0.22
    ratios = [h / w for h, w in shapes]
    assert 0.65 < min(ratios) < 0.9
    assert 1.3 < max(ratios) < 1.8  # sides are whole patches


def test_contexts_lie_in_one_large_square_and_are_cut_to_one_length():
    for _ in range(20):
        found = masks(8, 14, context_scale=(0.85, 0.85))
        assert found.context.shape[0] == 8
        for context in found.context.tolist():
            rows, columns = [p // 14 for p in context], [p % 14 for p in context]
            assert max(rows) - min(rows) < 13  # 0.85 of 196 is 13 x 13
            assert max(columns) - min(columns) < 13


def test_what_is_cut_from_a_larger_context_is_drawn_from_all_of_it():
    bottom = sum(sum(p >= 98 for p in row) for _ in range(40) for row in masks(16, 14).context.tolist())
    count = sum(m.context.numel() for m in [masks(16, 14) for _ in range(40)])
    assert bottom / count == pytest.approx(0.5, abs=0.06)  # the authors' way leaves 0.4


def test_the_same_seed_draws_the_same_masks():
    torch.manual_seed(3)
    first, second = masks(4, 8), masks(4, 8)
    torch.manual_seed(3)
    again = masks(4, 8)
    assert torch.equal(first.context, again.context)
    assert torch.equal(first.targets, again.targets)
    assert first.targets.shape != second.targets.shape or not torch.equal(first.targets, second.targets)


def test_features_are_picked_where_the_targets_are():
    features = torch.arange(2 * 9.0).view(2, 9, 1).expand(-1, -1, 5)
    places = torch.tensor([[[0, 4], [8, 1]], [[2, 3], [3, 7]]])
    assert picked(features, places)[..., 0].tolist() == [[[0, 4], [8, 1]], [[11, 12], [12, 16]]]


def test_the_encoder_sees_the_context_only_and_the_teacher_sees_all():
    method = made()
    prefix = method.student.net.num_prefix_tokens
    seen = {"student": [], "encoder": []}
    for name, counts in seen.items():
        block = getattr(method, name).net.blocks[0]
        block.register_forward_hook(lambda _m, inputs, _o, counts=counts: counts.append(inputs[0].shape[1]))
    method((torch.randn(4, 3, 96, 96),))
    assert seen["encoder"] == [36 + prefix]
    assert seen["student"][0] < 30 + prefix


def test_a_prediction_depends_on_its_place_and_not_on_the_other_targets():
    method = made().eval()
    context = torch.randn(2, method.student.net.num_prefix_tokens + 5, method.student.width)
    places = torch.tensor([[0, 1, 2, 3, 4]]).expand(2, -1)
    targets = torch.tensor([[[10, 11], [20, 21]], [[10, 11], [30, 31]]])
    out = method.predictor(context, places, targets)
    assert out.shape == (2, 2, 2, method.student.width)
    other = targets.clone()
    other[:, 1] = torch.tensor([25, 26])
    again = method.predictor(context, places, other)
    assert torch.allclose(out[:, 0], again[:, 0], atol=1e-6)
    assert not torch.allclose(out[:, 1], again[:, 1], atol=1e-3)
    # Context in another order, with its places, is the same context.
    order = torch.tensor([3, 0, 4, 2, 1])
    prefix = context.shape[1] - 5
    shuffled = torch.cat([context[:, :prefix], context[:, prefix:][:, order]], dim=1)
    assert torch.allclose(method.predictor(shuffled, places[:, order], targets), out, atol=1e-5)


def test_what_is_trained_gets_a_gradient_and_the_teacher_none():
    method = made()
    method((torch.randn(4, 3, 96, 96),)).loss.backward()
    assert all(p.grad is not None for p in method.student.parameters())
    assert all(p.grad is not None for p in method.predictor.parameters())
    assert all(p.grad is None and not p.requires_grad for p in method.encoder.parameters())


@pytest.mark.parametrize(("share", "steps"), [(0.0, 100_000), (0.5, 100_000), (1.0, 100_000)])
def test_the_teacher_follows_ever_more_slowly_in_a_straight_line(share, steps):
    method = made()
    before = copy.deepcopy(method.encoder)
    with torch.no_grad():
        for p in method.student.parameters():
            p.add_(1.0)
    method.position = Position(share, steps)
    method.after_step()
    momentum = 0.996 + 0.004 * share
    for new, old, goal in zip(
        method.encoder.parameters(), before.parameters(), method.student.parameters(), strict=True
    ):
        assert torch.allclose(new, momentum * old + (1 - momentum) * goal, atol=1e-5)


def test_in_few_steps_the_teacher_looks_back_over_a_fifth_of_the_run():
    assert patient_momentum(0.996, 100) == pytest.approx(0.95)
    assert patient_momentum(0.996, 10_000) == 0.996
    assert patient_momentum(0.9, 10_000) == 0.9
    assert patient_momentum(0.996, 1) == 0.5


def test_both_encoders_begin_at_the_same_places():
    method = made()
    method.begin_from_scratch()
    assert torch.equal(method.student.net.pos_embed, method.encoder.net.pos_embed)


def test_a_convolutional_network_is_refused_with_a_way_out():
    with pytest.raises(UserError) as error:
        create_method(create_encoder("test_resnet"), IJEPARecipe(), resolution=64, look=LOOK)
    assert "I-JEPA cannot train “test_resnet”" in error.value.problem
    assert "SimCLR" in error.value.advice
