"""An unpainted pixel does not exist for any loss; figures match slow computations."""

import numpy as np
import torch

from sslstudio.learning.segmentation.losses import class_weights, dice_loss, segmentation_loss, weighted_cross_entropy


def case(seed=0):
    rng = torch.Generator().manual_seed(seed)
    logits = torch.randn(2, 3, 6, 5, generator=rng, requires_grad=True)
    labels = torch.randint(0, 3, (2, 6, 5), generator=rng).to(torch.uint8)
    labels[0, :3] = 255
    return logits, labels


def test_no_gradient_at_all_reaches_unpainted_pixels():
    logits, labels = case()
    segmentation_loss(logits, labels, torch.tensor([1.0, 2.0, 0.5]), dice=1.0).backward()
    assert (logits.grad.abs().sum(1)[labels == 255] == 0).all()
    assert (logits.grad.abs().sum(1)[labels != 255] > 0).all()


def test_what_unpainted_pixels_hold_changes_nothing():
    logits, labels = case()
    weights = torch.ones(3)
    other = logits.detach().clone()
    other[0, :, :3] = 50.0 * torch.randn(3, 3, 5)
    assert torch.equal(segmentation_loss(logits, labels, weights, 1.0), segmentation_loss(other, labels, weights, 1.0))


def test_cross_entropy_and_dice_are_what_a_slow_sum_gives():
    logits, labels = case()
    weights = torch.tensor([1.0, 2.0, 0.5])
    logits = logits.detach()
    guess = logits.softmax(1)
    total = weight = 0.0
    overlap, sizes, counts = [0.0] * 3, [0.0] * 3, [0] * 3
    for b in range(2):
        for y in range(6):
            for x in range(5):
                t = int(labels[b, y, x])
                if t == 255:
                    continue
                total -= float(weights[t] * guess[b, t, y, x].log())
                weight += float(weights[t])
                counts[t] += 1
                overlap[t] += float(guess[b, t, y, x])
                for k in range(3):
                    sizes[k] += float(guess[b, k, y, x])
    slow = [1 - (2 * o + 1) / (s + c + 1) for o, s, c in zip(overlap, sizes, counts, strict=True) if c]
    assert abs(float(weighted_cross_entropy(logits, labels, weights)) - total / weight) < 1e-5
    assert abs(float(dice_loss(logits, labels)) - sum(slow) / len(slow)) < 1e-5


def test_nothing_painted_is_no_loss_and_no_nan():
    logits, labels = case()
    loss = segmentation_loss(logits, torch.full_like(labels, 255), torch.ones(3), 1.0)
    loss.backward()
    assert float(loss.detach()) == 0
    assert (logits.grad == 0).all()


def test_class_weights_go_from_uniform_to_inverse_frequency():
    pixels = np.array([900, 100, 0])
    assert class_weights(pixels, 0.0).tolist() == [1.0, 1.0, 0.0]
    equal = class_weights(pixels, 1.0).numpy() * pixels
    assert np.isclose(equal[0], equal[1])
    assert np.isclose((class_weights(pixels, 0.5).numpy() * pixels).sum() / pixels.sum(), 1)
