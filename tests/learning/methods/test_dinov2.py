"""DINOv2: what it adds to iBOT, which are separate heads, balanced prototypes and KoLeo."""

import pytest
import torch

from sslstudio.errors import UserError
from sslstudio.learning.backbones.encoder import create_encoder
from sslstudio.learning.methods.dinov2 import DINOv2
from sslstudio.learning.methods.registry import create_method
from sslstudio.learning.methods.self_distillation import koleo
from sslstudio.recipes.methods import DINOv2Recipe
from sslstudio.recipes.presets import PRESETS

LOOK = PRESETS["microscopy"].augmentation


def made(**settings):
    torch.manual_seed(0)
    recipe = DINOv2Recipe(**{"prototypes": 64, "local_crops": 2, **settings})
    return DINOv2(create_encoder("test_vit"), recipe, resolution=64, look=LOOK)


def batch_for(method, images=4):
    return tuple(torch.randn(spec.count * images, 3, spec.size, spec.size) for spec in method.views)


def same_dice(method, views):
    torch.manual_seed(5)
    return method(views)


def test_it_has_two_heads_and_balances_unless_told_otherwise():
    method = made()
    assert len(method.student_heads) == 2
    assert method.view_targets.balanced
    assert method.patch_targets.balanced
    assert not made(centring="softmax").view_targets.balanced


def test_a_centre_moves_only_where_it_is_used():
    for centring, moves in (("sinkhorn", False), ("softmax", True)):
        method = made(centring=centring)
        method(batch_for(method))
        assert bool(method.view_targets.centre.abs().sum() > 0) is moves
        assert bool(method.patch_targets.centre.abs().sum() > 0) is moves


def test_koleo_spreads_the_first_large_views_of_the_students_images():
    method, without = made(koleo_weight=0.3), made(koleo_weight=0.0)
    views = batch_for(method)
    seen = []
    method.student_heads[0].register_forward_hook(lambda _m, inputs, _o: seen.append(inputs[0].detach()))
    loss = float(same_dice(method, views).loss.detach())
    plain = float(same_dice(without, views).loss.detach())
    assert loss - plain == pytest.approx(0.3 * float(koleo(seen[0][:4])), abs=1e-5)


def test_images_that_are_all_the_same_have_a_finite_loss_and_gradient():
    method = made()
    loss = method(tuple(torch.zeros_like(view) for view in batch_for(method))).loss
    loss.backward()
    assert bool(loss.isfinite())
    assert all(bool(p.grad.isfinite().all()) for p in method.parameters() if p.grad is not None)


def test_the_teacher_uses_more_prototypes_when_they_are_balanced():
    used = {}
    for centring in ("sinkhorn", "softmax"):
        method, found = made(centring=centring), []
        method.view_targets.register_forward_hook(lambda _m, _i, out, found=found: found.append(out))
        method(batch_for(method, images=32))
        used[centring] = float(torch.special.entr(found[0].mean(0)).sum().exp())
    assert used["sinkhorn"] > 1.5 * used["softmax"]


def test_a_convolutional_network_is_refused_with_a_way_out():
    with pytest.raises(UserError) as error:
        create_method(create_encoder("test_resnet"), DINOv2Recipe(), resolution=64, look=LOOK)
    assert "DINOv2 cannot train “test_resnet”" in error.value.problem
    assert "DINO" in error.value.advice
