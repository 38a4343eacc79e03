"""The slow copies of networks."""

import pytest
import torch

from sslstudio.learning.backbones.encoder import create_encoder
from sslstudio.learning.methods.base import Position
from sslstudio.learning.methods.dino import DINO
from sslstudio.learning.methods.momentum import follow, queue_momentum, steady_momentum
from sslstudio.recipes.methods import DINORecipe
from sslstudio.recipes.presets import PRESETS

LOOK = PRESETS["microscopy"].augmentation


def test_the_teacher_follows_by_the_momentum():
    teacher, student = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
    before = [p.clone() for p in teacher.parameters()]
    follow(teacher, student, 0.9)
    for old, new, goal in zip(before, teacher.parameters(), student.parameters(), strict=True):
        assert torch.allclose(new, 0.9 * old + 0.1 * goal, atol=1e-6)


def test_the_teachers_momentum_rises_to_one_and_suits_short_runs():
    method = DINO(create_encoder("test_vit"), DINORecipe(prototypes=64), resolution=64, look=LOOK)
    with torch.no_grad():
        for p in method.student.parameters():
            p.add_(1.0)
    name, _ = next(iter(method.encoder.named_parameters()))
    gap = []
    for share in (0.0, 0.5, 1.0):
        method.position = Position(share, 200)
        before = method.encoder.get_parameter(name).clone()
        method.after_step()
        student = method.student.get_parameter(name)
        after = method.encoder.get_parameter(name)
        gap.append(((after - before) / (student - before)).mean().item())
    assert gap == pytest.approx([0.1, 0.05, 0.0], abs=1e-4)  # 1 - 20/200 at the start
    assert steady_momentum(0.99, 100_000) == 0.99


def test_keys_in_a_queue_come_from_nearly_one_network():
    """The slow copy looks back three times as long as the oldest key is old, in steps 1 / (1 - momentum)."""
    assert queue_momentum(0.999, 300, 64) == pytest.approx(1 - 1 / 100)  # a third of the run, not 192
    assert queue_momentum(0.999, 1000, 64) == pytest.approx(1 - 1 / 192)
    assert queue_momentum(0.999, 100_000, 64) == 0.999  # long runs have the paper's
    assert queue_momentum(0.999, 300, 2) == steady_momentum(0.999, 300)
    assert queue_momentum(0.9, 1000, 64) == 0.9  # never slower than what was asked for
    assert 0 <= queue_momentum(0.999, 1, 0) < 1
