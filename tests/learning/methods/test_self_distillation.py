"""What DINO, iBOT and DINOv2 share: targets, the patch loss, KoLeo and hidden patches."""

import math
import warnings

import pytest
import torch

from sslstudio.learning.methods.base import Position
from sslstudio.learning.methods.self_distillation import (
    Targets,
    centred,
    hide,
    koleo,
    move_centre,
    patch_loss,
    sinkhorn,
    warmed,
)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from lightly.loss import IBOTPatchLoss, KoLeoLoss
    from lightly.loss.swav_loss import sinkhorn as lightly_sinkhorn

CPU = torch.device("cpu")


# Sinkhorn-Knopp


def slow_sinkhorn(scores, temperature, rounds):
    """The matrix of exponentials, its columns and then its rows divided by their sums, in Python floats."""
    q = [[math.exp(v / temperature) for v in row] for row in scores.double().tolist()]
    for _ in range(rounds):
        for k in range(len(q[0])):
            total = sum(row[k] for row in q)
            for row in q:
                row[k] /= total
        q = [[v / sum(row) for v in row] for row in q]
    return torch.tensor(q)


@pytest.mark.parametrize("rounds", [1, 3])
def test_sinkhorn_is_its_slow_transcription_and_lightlys(rounds):
    scores = torch.randn(6, 4) * 0.1
    ours = sinkhorn(scores, 0.05, rounds)
    assert torch.allclose(ours, slow_sinkhorn(scores, 0.05, rounds).float(), atol=1e-5)
    assert torch.allclose(ours, lightly_sinkhorn(scores, iterations=rounds, epsilon=0.05), atol=1e-5)


def test_sinkhorn_gives_every_row_one_and_every_prototype_its_share():
    scores = torch.randn(64, 16) * 0.1
    rows = sinkhorn(scores, 0.05)
    assert torch.allclose(rows.sum(1), torch.ones(64), atol=1e-5)
    many = sinkhorn(scores, 0.05, rounds=50)
    assert torch.allclose(many.sum(0), torch.full((16,), 4.0), atol=1e-2)
    # Three rounds already share out far better than a softmax does.
    plain = (scores / 0.05).softmax(1)
    assert (rows.sum(0) - 4).abs().max() < 0.5 * (plain.sum(0) - 4).abs().max()


@pytest.mark.parametrize("temperature", [0.005, 0.04])
def test_sinkhorn_stays_finite_for_sharp_equal_and_missing_rows(temperature):
    for scores in (torch.eye(5) * 2 - 1, torch.zeros(3, 7), torch.ones(1, 4), torch.randn(2, 4096)):
        found = sinkhorn(scores, temperature)
        assert bool(found.isfinite().all())
        assert torch.allclose(found.sum(1), torch.ones(len(scores)), atol=1e-4)
    assert sinkhorn(torch.zeros(0, 4), temperature).shape == (0, 4)


# the centre


def test_a_balanced_teacher_needs_no_centre_and_the_other_moves_it():
    scores = torch.randn(6, 8)
    balanced, plain = Targets(8, 0.7, balanced=True), Targets(8, 0.7)
    assert torch.equal(balanced(scores, 0.1), sinkhorn(scores, 0.1))
    assert torch.equal(balanced.centre, torch.zeros(1, 8))
    assert torch.equal(plain(scores, 0.1), centred(scores, torch.zeros(1, 8), 0.1))
    assert torch.allclose(plain.centre, 0.3 * scores.mean(0, keepdim=True), atol=1e-6)
    before = plain.centre.clone()
    plain.eval()(scores, 0.1)
    assert torch.equal(plain.centre, before)


def test_no_scores_leave_the_centre_where_it_is():
    centre = torch.ones(1, 4)
    move_centre(centre, torch.zeros(0, 4), 0.9)
    assert torch.equal(centre, torch.ones(1, 4))


@pytest.mark.parametrize(("share", "wanted"), [(0.0, 0.02), (0.05, 0.03), (0.1, 0.04), (0.7, 0.04)])
def test_the_temperature_moves_on_a_line(share, wanted):
    assert warmed(0.02, 0.04, 0.1, Position(share, 100)) == pytest.approx(wanted)
    assert warmed(0.02, 0.04, 0.0, Position(share, 100)) == 0.04


# the patch loss


def test_the_patch_loss_is_equation_2_and_lightlys():
    mask = torch.tensor([[[1, 0], [1, 1]], [[0, 0], [0, 0]], [[0, 1], [0, 0]]], dtype=torch.bool)
    student, teacher = torch.randn(4, 6), torch.randn(4, 6)
    centre = torch.randn(1, 6) * 0.1
    counts = mask.sum((1, 2)).clamp(min=1)
    weight = torch.tensor([1 / (int(counts[view]) * 3) for view in (0, 0, 0, 2)])
    ours = patch_loss(student, centred(teacher, centre, 0.3), weight, 0.1)
    other = IBOTPatchLoss(output_dim=6, teacher_temp=0.3, student_temp=0.1)
    other.center.center.copy_(centre)
    assert float(ours) == pytest.approx(float(other(teacher, student, mask)), abs=1e-5)
    total = 0.0
    for view, rows in ((0, (0, 1, 2)), (2, (3,))):
        for row in rows:
            p = ((teacher[row] - centre[0]) / 0.3).double().softmax(0).tolist()
            q = (student[row] / 0.1).double().softmax(0).tolist()
            total += -sum(a * math.log(b) for a, b in zip(p, q, strict=True)) / int(counts[view]) / 3
    assert float(ours) == pytest.approx(total, abs=1e-5)


def test_no_gradient_reaches_the_patches_targets():
    student, target = torch.randn(3, 5, requires_grad=True), torch.rand(3, 5, requires_grad=True)
    patch_loss(student, target, torch.ones(3), 0.1).backward()
    assert target.grad is None
    assert student.grad is not None


def test_no_hidden_patch_costs_nothing():
    student = torch.zeros(0, 5, requires_grad=True)
    loss = patch_loss(student, torch.zeros(0, 5), torch.zeros(0), 0.1)
    loss.backward()
    assert float(loss) == 0


# KoLeo


def slow_koleo(features):
    """Equation 2 of the paper, row by row in Python floats."""
    rows = [[v / math.sqrt(sum(x * x for x in row)) for v in row] for row in features.double().tolist()]
    total = 0.0
    for i, row in enumerate(rows):
        total += math.log(min(math.dist(row, other) for j, other in enumerate(rows) if j != i))
    return -total / len(rows)


def test_koleo_is_its_slow_transcription_and_lightlys():
    features = torch.randn(7, 5)
    assert float(koleo(features)) == pytest.approx(slow_koleo(features), abs=1e-5)
    assert float(koleo(features)) == pytest.approx(float(KoLeoLoss()(features)), abs=1e-5)


@pytest.mark.parametrize(
    "features",
    [
        torch.ones(4, 5),
        torch.zeros(3, 5),
        torch.cat([torch.randn(2, 5)] * 2),
        torch.ones(4, 5) + 1e-6 * torch.randn(4, 5),
        torch.randn(1, 5),
    ],
    ids=["same", "zero", "pairs", "nearly the same", "alone"],
)
def test_koleo_and_its_gradient_stay_finite_and_modest(features):
    features = features.clone().requires_grad_()
    loss = koleo(features)
    loss.backward()
    assert bool(loss.isfinite())
    assert float(loss) < 10
    assert bool(features.grad.isfinite().all())
    # Not so steep that two images which look alike drown all else.
    unit = features.detach().norm(dim=1).clamp(min=1e-3)
    assert float((features.grad.norm(dim=1) * unit).max()) < 1e3


def test_koleo_drives_rows_apart():
    features = (torch.ones(6, 4) + 0.05 * torch.randn(6, 4)).requires_grad_()
    before = float(koleo(features))
    for _ in range(50):
        (gradient,) = torch.autograd.grad(koleo(features), features)
        features = (features - 0.05 * gradient / gradient.norm()).detach().requires_grad_()
    assert float(koleo(features)) < before - 0.5


# hidden patches


@pytest.mark.parametrize("chance", [0.0, 0.5, 1.0])
def test_the_share_of_views_and_of_patches_is_met(chance):
    hidden = hide(16, 14, 14, chance=chance, low=0.1, high=0.5, device=CPU)
    counts = hidden.mask.sum(1)
    assert int((counts > 0).sum()) == round(16 * chance)
    assert all(round(0.1 * 196) <= int(c) <= round(0.5 * 196) for c in counts[counts > 0])
    assert len(set(counts[counts > 0].tolist())) > 1 or chance == 0
    assert torch.equal(hidden.mask.flatten().nonzero().flatten(), hidden.where)
    assert float(hidden.weight.sum()) == pytest.approx(chance, abs=1e-5)


def test_every_view_weighs_the_same_however_much_it_hides():
    hidden = hide(8, 8, 8, chance=0.5, low=0.1, high=0.9, device=CPU)
    sums = torch.zeros(8).index_add_(0, hidden.where // 64, hidden.weight)
    assert torch.allclose(sums, (hidden.mask.any(1)).float() / 8, atol=1e-6)


def test_what_is_hidden_lies_in_blocks():
    torch.manual_seed(1)
    grid = hide(20, 14, 14, chance=1.0, low=0.3, high=0.3, device=CPU).mask.view(20, 14, 14)
    alike = (grid[:, :, 1:] == grid[:, :, :-1]).float().mean()
    assert float(alike) > 0.8  # one by one it would be 0.58
