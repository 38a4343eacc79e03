"""DINO: the loss against a slow transcription, the teacher, the centre and the crops."""

import math
import warnings

import pytest
import torch

from sslstudio.learning.backbones.encoder import create_encoder
from sslstudio.learning.methods.base import Position
from sslstudio.learning.methods.dino import DINO
from sslstudio.learning.methods.self_distillation import centred, multi_crop, undecided, view_loss
from sslstudio.recipes.methods import DINORecipe
from sslstudio.recipes.presets import PRESETS, Augmentation

LOOK = PRESETS["microscopy"].augmentation


def dino_loss(student, teacher, centre, *, student_temperature, teacher_temperature):
    """As the method puts it together: the teacher's targets, then the loss over pairs of views."""
    return view_loss(student, centred(teacher, centre, teacher_temperature), student_temperature)


def softmax(row):
    top = max(row)
    e = [math.exp(v - top) for v in row]
    return [v / sum(e) for v in e]


def slow_dino(student, teacher, centre, ts, tt):
    """Algorithm 1 of DINO with multi-crop (equation 3), pair by pair in Python floats."""
    student, teacher, centre = student.double().tolist(), teacher.double().tolist(), centre.double().tolist()[0]
    losses = []
    for t, large in enumerate(teacher):
        for s, view in enumerate(student):
            if s == t:
                continue
            for b in range(len(view)):
                p = softmax([(v - c) / tt for v, c in zip(large[b], centre, strict=True)])
                q = softmax([v / ts for v in view[b]])
                losses.append(-sum(x * math.log(y) for x, y in zip(p, q, strict=True)))
    return sum(losses) / len(losses)


@pytest.mark.parametrize("views", [2, 4])
def test_dino_loss_is_equation_3(views):
    student, teacher = torch.randn(views, 3, 6), torch.randn(2, 3, 6)
    centre = torch.randn(1, 6) * 0.1
    fast = dino_loss(student, teacher, centre, student_temperature=0.1, teacher_temperature=0.3)
    assert float(fast) == pytest.approx(slow_dino(student, teacher, centre, 0.1, 0.3), abs=1e-5)


@pytest.mark.parametrize("views", [2, 6])
def test_dino_loss_agrees_with_lightly(views):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from lightly.loss import DINOLoss
    student, teacher, centre = torch.randn(views, 3, 6), torch.randn(2, 3, 6), torch.randn(1, 6) * 0.1
    other = DINOLoss(output_dim=6, teacher_temp=0.04, student_temp=0.1)
    other.center.copy_(centre[None])
    ours = dino_loss(student, teacher, centre, student_temperature=0.1, teacher_temperature=0.04)
    assert float(ours) == pytest.approx(float(other(list(teacher), list(student))), abs=1e-5)


def test_the_teachers_entropy_is_a_share_of_the_largest():
    teacher, centre = torch.randn(3, 8), torch.randn(1, 8) * 0.1
    slow = [softmax([(v - c) / 0.5 for v, c in zip(row, centre[0].tolist(), strict=True)]) for row in teacher.tolist()]
    entropy = sum(-sum(p * math.log(p) for p in row) for row in slow) / 3 / math.log(8)
    assert float(undecided(centred(teacher, centre, 0.5))) == pytest.approx(entropy, abs=1e-5)
    assert float(undecided(centred(torch.zeros(3, 8), torch.zeros(1, 8), 0.04))) == pytest.approx(1)
    assert float(undecided(centred(torch.eye(8), torch.zeros(1, 8), 0.01))) == pytest.approx(0, abs=1e-6)


def batch_for(method, images=4):
    return tuple(torch.randn(spec.count * images, 3, spec.size, spec.size) for spec in method.views)


@pytest.mark.parametrize("backbone", ["test_vit", "test_resnet"])
def test_dino_teacher_gets_no_gradient_and_student_all(backbone):
    method = DINO(create_encoder(backbone), DINORecipe(prototypes=64), resolution=64, look=LOOK)
    method(batch_for(method)).loss.backward()
    for module in (method.encoder, method.teacher_head):
        assert all(p.grad is None and not p.requires_grad for p in module.parameters())
    for module in (method.student, method.student_head):
        assert all(p.grad is not None for p in module.parameters())


def test_no_gradient_flows_into_the_teachers_answer():
    student, teacher = torch.randn(4, 2, 5, requires_grad=True), torch.randn(2, 2, 5, requires_grad=True)
    dino_loss(student, teacher, torch.zeros(1, 5), student_temperature=0.1, teacher_temperature=0.04).backward()
    assert teacher.grad is None
    assert student.grad is not None


def test_the_centre_follows_the_teachers_mean():
    method = DINO(create_encoder("test_vit"), DINORecipe(prototypes=64, centre_momentum=0.7), resolution=64, look=LOOK)
    views = batch_for(method)
    with torch.no_grad():
        mean = method.teacher_head(method.encoder(views[0])).mean(0, keepdim=True)
    method(views)
    assert torch.allclose(method.centre, 0.3 * mean, atol=1e-5)


def test_the_last_layer_stands_still_in_the_first_share():
    method = DINO(create_encoder("test_vit"), DINORecipe(prototypes=64, freeze_last=0.1), resolution=64, look=LOOK)
    optimiser = torch.optim.AdamW([p for p in method.parameters() if p.requires_grad], 0.1, weight_decay=0.5)
    start = method.student_head.last.weight.clone()
    for share, still in ((0.05, True), (0.2, False)):
        method.position = Position(share, 100)
        method(batch_for(method)).loss.backward()
        method.before_update()
        optimiser.step()
        assert torch.equal(method.student_head.last.weight, start) is still


@pytest.mark.parametrize("stride", [8, 16, 32])
@pytest.mark.parametrize("resolution", [64, 96, 128, 224])
def test_crops_suit_the_backbone(stride, resolution):
    large, small = multi_crop(Augmentation(), resolution, stride, 4)
    assert large.size % stride == small.size % stride == 0
    assert 2 * stride <= small.size <= large.size
    assert small.crop[1] <= large.crop[0] < large.crop[1] == 1.0


def test_the_teachers_temperature_warms_up_where_that_is_asked_for():
    recipe = DINORecipe(prototypes=64, temperature_start=0.02, teacher_temperature=0.04, temperature_warmup=0.2)
    method = DINO(create_encoder("test_vit"), recipe, resolution=64, look=LOOK).eval()
    views, entropies = batch_for(method), []
    for share in (0.0, 0.1, 0.2, 1.0):
        method.position = Position(share, 100)
        entropies.append(float(method(views).figures["teacher_entropy"]))
    # The weights stand still, so that only the sharpness differs.
    assert entropies[0] < entropies[1] < entropies[2] == entropies[3]
    constant = DINO(create_encoder("test_vit"), DINORecipe(prototypes=64), resolution=64, look=LOOK)
    assert constant.recipe.temperature_warmup == 0


def test_a_sharper_teacher_is_more_decided_and_the_centre_takes_away_what_all_share():
    scores = torch.randn(5, 16)
    assert float(undecided(centred(scores, torch.zeros(1, 16), 0.02))) < float(
        undecided(centred(scores, torch.zeros(1, 16), 0.2))
    )
    liked = scores + 10 * torch.eye(16)[0]  # a prototype that every view likes
    assert bool((centred(liked, torch.zeros(1, 16), 0.1).argmax(1) == 0).all())
    again = centred(liked, liked.mean(0, keepdim=True), 0.1)
    assert torch.allclose(again, centred(scores, scores.mean(0, keepdim=True), 0.1), atol=1e-4)
