"""What BYOL and SimSiam compare with, and that nothing flows back into a target."""

import math

import pytest
import torch
from lightly.loss import NegativeCosineSimilarity

from sslstudio.learning.methods.siamese import across, negative_cosine


def slow_negative_cosine(predictions, targets):
    """Equation 1 of SimSiam, row by row in Python floats."""
    total = 0.0
    for p, z in zip(predictions.double().tolist(), targets.double().tolist(), strict=True):
        dot = sum(a * b for a, b in zip(p, z, strict=True))
        total -= dot / math.sqrt(sum(a * a for a in p) * sum(b * b for b in z))
    return total / len(predictions)


def test_negative_cosine_is_equation_1_and_lightlys():
    predictions, targets = torch.randn(6, 9), torch.randn(6, 9) * 3
    ours = float(negative_cosine(predictions, targets))
    assert ours == pytest.approx(slow_negative_cosine(predictions, targets), abs=1e-5)
    assert ours == pytest.approx(float(NegativeCosineSimilarity()(predictions, targets)), abs=1e-5)


def test_across_is_the_mean_of_both_ways():
    predictions, targets = torch.randn(8, 5), torch.randn(8, 5)
    criterion = NegativeCosineSimilarity()
    (first, second), (left, right) = predictions.chunk(2), targets.chunk(2)
    both = (criterion(first, right) + criterion(second, left)) / 2
    assert float(across(predictions, targets)) == pytest.approx(float(both), abs=1e-6)


def test_no_gradient_flows_into_targets():
    predictions, targets = (torch.randn(4, 5, requires_grad=True) for _ in range(2))
    across(predictions, targets).backward()
    assert targets.grad is None
    assert predictions.grad.abs().sum() > 0
