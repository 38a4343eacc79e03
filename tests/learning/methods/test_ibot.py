"""iBOT: two losses on the right tokens, gaps for the student only, shared or separate heads."""

import pytest
import torch

from sslstudio.errors import UserError
from sslstudio.learning.backbones.encoder import create_encoder
from sslstudio.learning.methods.base import Position
from sslstudio.learning.methods.ibot import IBOT
from sslstudio.learning.methods.registry import create_method
from sslstudio.learning.methods.self_distillation import Hidden, centred, view_loss
from sslstudio.recipes.methods import IBOTRecipe
from sslstudio.recipes.presets import PRESETS

LOOK = PRESETS["microscopy"].augmentation


def made(**settings):
    recipe = IBOTRecipe(**{"prototypes": 64, "local_crops": 2, **settings})
    return IBOT(create_encoder("test_vit"), recipe, resolution=64, look=LOOK)


def batch_for(method, images=4):
    return tuple(torch.randn(spec.count * images, 3, spec.size, spec.size) for spec in method.views)


def seen_by(encoder):
    """Records the images' shapes and the gaps with which an encoder makes tokens."""
    seen, whole = [], encoder.tokens

    def tokens(images, keep=None, hidden=None, stand_in=None):
        seen.append((images.shape, None if hidden is None else hidden.clone()))
        return whole(images, keep=keep, hidden=hidden, stand_in=stand_in)

    encoder.tokens = tokens
    return seen


def test_only_the_student_sees_gaps_and_only_in_large_views():
    method = made()
    student, teacher = seen_by(method.student), seen_by(method.encoder)
    method(batch_for(method))
    assert [(shape[0], gaps is None) for shape, gaps in student] == [(8, False), (8, True)]
    assert [(shape[0], gaps is None) for shape, gaps in teacher] == [(8, True)]
    assert int(student[0][1].any(1).sum()) == 4  # half of the large views


def test_the_loss_is_dinos_plus_the_cross_entropy_at_hidden_patches():
    method = made().eval()
    gaps = torch.zeros(8, 16, dtype=torch.bool)
    gaps[0, :4] = gaps[5, 10] = True
    where = gaps.flatten().nonzero().flatten()
    method._hide = lambda views, device: Hidden(gaps, where, torch.tensor([1 / 32] * 4 + [1 / 8]))
    views = batch_for(method)
    figures = method(views).figures
    with torch.no_grad():
        clear = method.encoder.tokens(views[0])
        guess = method.student.tokens(views[0], hidden=gaps, stand_in=method.mask_token)
        small = method.student(views[1])
        head, slow = method.student_heads[0], method.teacher_heads[0]
        target = centred(slow(clear[:, 0]), method.view_targets.centre, 0.04)
        student = head(torch.cat([guess[:, 0], small]))
        image = view_loss(student.unflatten(0, (4, 4)), target.unflatten(0, (2, 4)), 0.1)
        total = 0.0
        for view in (0, 5):
            places = [p for p in range(16) if gaps[view, p]]
            for place in places:
                p = centred(slow(clear[view, 1 + place][None]), method.patch_targets.centre, 0.04)[0]
                q = (head(guess[view, 1 + place][None])[0] / 0.1).log_softmax(0)
                total += float(-(p * q).sum()) / len(places) / 8
    assert float(figures["image_loss"]) == pytest.approx(float(image), abs=1e-5)
    assert float(figures["patch_loss"]) == pytest.approx(total, abs=1e-5)
    assert float(method(views).loss) == pytest.approx(float(image) + total, abs=1e-5)


def test_a_shared_head_is_one_and_separate_heads_are_two():
    shared, apart = made(), made(shared_head=False)
    assert (len(shared.student_heads), len(apart.student_heads)) == (1, 2)
    for method in (shared, apart):
        method(batch_for(method)).loss.backward()
        for module in (method.encoder, method.teacher_heads):
            assert all(p.grad is None and not p.requires_grad for p in module.parameters())
        for module in (method.student, method.student_heads):
            assert all(p.grad is not None for p in module.parameters())
        assert bool(method.mask_token.grad.abs().sum() > 0)


def test_images_and_patches_have_their_own_centre():
    method = made(centre_momentum=0.0)
    method(batch_for(method))
    assert bool(method.view_targets.centre.abs().sum() > 0)
    assert bool(method.patch_targets.centre.abs().sum() > 0)
    assert not torch.allclose(method.view_targets.centre, method.patch_targets.centre)
    assert {"view_targets.centre", "patch_targets.centre"} <= set(method.state_dict())


def test_without_gaps_it_is_dino():
    method = made(masked_views=0.0)
    result = method(batch_for(method))
    assert float(result.figures["patch_loss"]) == 0
    assert float(result.loss) == pytest.approx(float(result.figures["image_loss"]))
    result.loss.backward()


@pytest.mark.parametrize("shared", [True, False])
def test_the_prototypes_stand_still_in_the_first_share(shared):
    method = made(freeze_last=0.1, shared_head=shared)
    optimiser = torch.optim.AdamW([p for p in method.parameters() if p.requires_grad], 0.1, weight_decay=0.5)
    start = [head.last.weight.clone() for head in method.student_heads]
    for share, still in ((0.05, True), (0.2, False)):
        method.position = Position(share, 100)
        method(batch_for(method)).loss.backward()
        method.before_update()
        optimiser.step()
        assert all(
            torch.equal(head.last.weight, old) is still for head, old in zip(method.student_heads, start, strict=True)
        )


def test_a_vit_without_a_class_token_learns_too():
    method = IBOT(create_encoder("test_vit3"), IBOTRecipe(prototypes=64, local_crops=0), resolution=64, look=LOOK)
    assert method.student.net.cls_token is None
    assert bool(method(batch_for(method)).loss.isfinite())


def test_a_convolutional_network_is_refused_with_a_way_out():
    with pytest.raises(UserError) as error:
        create_method(create_encoder("test_resnet"), IBOTRecipe(), resolution=64, look=LOOK)
    assert "iBOT cannot train “test_resnet”" in error.value.problem
    assert "DINO" in error.value.advice
