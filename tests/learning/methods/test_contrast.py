"""The InfoNCE loss, the queue of keys, and that no image is told from itself."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from lightly.loss import NTXentLoss
from torch.nn import functional as F

from sslstudio.learning.methods.contrast import EMPTY, KeyQueue, Negatives, info_nce, known_pictures, negatives_for


def unit(*shape):
    return F.normalize(torch.randn(*shape), dim=-1)


def free(*shape):
    """Nothing is forbidden."""
    return torch.zeros(shape, dtype=torch.bool)


def slow_info_nce(queries, keys, negatives, temperature, allowed, weight=1.0):
    """Equation 1 of MoCo, query by query in Python floats."""

    def dot(a, b):
        return sum(x * y for x, y in zip(a, b, strict=True))

    queries, keys, negatives = queries.double().tolist(), keys.double().tolist(), negatives.double().tolist()
    total = 0.0
    for i, query in enumerate(queries):
        top = math.exp(dot(query, keys[i]) / temperature)
        others = [math.exp(dot(query, n) / temperature) for k, n in enumerate(negatives) if allowed[i][k]]
        total -= math.log(top / (top + weight * sum(others)))
    return total / len(queries)


@pytest.mark.parametrize("temperature", [0.07, 0.2, 1.0])
def test_info_nce_is_equation_1_and_leaves_out_what_is_forbidden(temperature):
    queries, keys, negatives = unit(5, 8), unit(5, 8), unit(11, 8)
    forbidden = torch.rand(5, 11) < 0.4
    for weight in (1.0, 3.5):
        fast = info_nce(queries, keys, Negatives(negatives, forbidden, weight), temperature)
        slow = slow_info_nce(queries, keys, negatives, temperature, (~forbidden).tolist(), weight)
        assert float(fast) == pytest.approx(slow, abs=1e-5)


@pytest.mark.parametrize("temperature", [0.1, 0.2, 0.5])
def test_info_nce_with_a_queue_is_lightlys_loss_with_a_memory_bank(temperature):
    criterion = NTXentLoss(temperature=temperature, memory_bank_size=(32, 8))
    bank = criterion.memory_bank.bank.clone()
    queries, keys = torch.randn(6, 8), torch.randn(6, 8)
    ours = info_nce(F.normalize(queries, dim=1), F.normalize(keys, dim=1), Negatives(bank, free(6, 32)), temperature)
    assert float(ours) == pytest.approx(float(criterion(queries, keys)), abs=1e-5)


def test_a_batch_of_queries_with_places_is_the_same_as_one_after_the_other():
    queries, keys, negatives = unit(3, 4, 8), unit(3, 4, 8), unit(7, 8)
    forbidden = torch.rand(3, 7) < 0.3
    whole = info_nce(queries, keys, Negatives(negatives, forbidden[:, None]), 0.2)
    repeated = Negatives(negatives, forbidden.repeat_interleave(4, 0))
    flat = info_nce(queries.flatten(0, 1), keys.flatten(0, 1), repeated, 0.2)
    assert float(whole) == pytest.approx(float(flat), abs=1e-6)


def test_no_gradient_flows_into_keys_or_negatives():
    queries, keys, negatives = (torch.randn(4, 5, requires_grad=True) for _ in range(3))
    info_nce(queries, keys, Negatives(negatives, free(4, 4)), 0.2).backward()
    assert keys.grad is None
    assert negatives.grad is None
    assert queries.grad is not None


def test_without_any_negative_the_loss_is_nought_and_not_broken():
    queries = torch.randn(2, 4, requires_grad=True)
    loss = info_nce(queries, unit(2, 4), Negatives(unit(3, 4), ~free(2, 3)), 0.2)
    loss.backward()
    assert float(loss) == 0
    assert bool(queries.grad.isfinite().all())


# the queue --------------------------------------------------------------------------------------------------


def numbered(*numbers):
    """Keys that tell their picture's number, and the numbers."""
    pictures = torch.tensor(numbers)
    return torch.stack([pictures.float(), torch.ones(len(numbers))], dim=1), pictures


def test_the_queue_turns_round_and_the_oldest_go_first():
    queue = KeyQueue(5, 2)
    assert queue.pictures.tolist() == [EMPTY] * 5
    seen = []
    for batch in ((1, 2), (3, 4), (5, 6), (7, 8)):
        queue.add(*numbered(*batch))
        seen.append(queue.pictures.tolist())
        filled = queue.pictures != EMPTY
        assert torch.equal(queue.keys[filled, 0], queue.pictures[filled].float())
    assert seen == [
        [1, 2, EMPTY, EMPTY, EMPTY],
        [1, 2, 3, 4, EMPTY],
        [6, 2, 3, 4, 5],
        [6, 7, 8, 4, 5],
    ]


def test_of_a_batch_longer_than_the_queue_the_last_stay():
    queue = KeyQueue(3, 2)
    queue.add(*numbered(1, 2, 3, 4, 5))
    assert sorted(queue.pictures.tolist()) == [3, 4, 5]
    KeyQueue(0, 2).add(*numbered(1, 2))


def test_a_queue_is_kept_with_a_checkpoint():
    queue = KeyQueue(4, 2)
    queue.add(*numbered(1, 2, 3))
    again = KeyQueue(4, 2)
    again.load_state_dict(queue.state_dict())
    for both in (queue, again):
        both.add(*numbered(4, 5))
    assert again.pictures.tolist() == queue.pictures.tolist() == [5, 2, 3, 4]


def test_an_image_is_never_its_own_negative():
    queue = KeyQueue(6, 2)
    queue.add(*numbered(7, 8, 9, 7))
    keys, pictures = numbered(7, 5, 7, 9)
    found = negatives_for(pictures, keys, queue)
    negatives, forbidden = found.keys, found.forbidden
    assert negatives.shape == (10, 2)
    for row, picture in zip(forbidden, pictures.tolist(), strict=True):
        told_from = negatives[~row, 0].int().tolist()
        assert picture not in told_from
        assert 0 not in told_from  # nor an empty place
    assert negatives[~forbidden[1], 0].int().tolist() == [7, 7, 9, 7, 8, 9, 7]


def test_unknown_pictures_are_told_from_all_but_their_own_key():
    keys = unit(3, 4)
    found = negatives_for(known_pictures(None, keys), keys)
    assert torch.equal(found.forbidden, torch.eye(3, dtype=torch.bool))


def test_until_the_queue_is_full_each_negative_counts_for_several():
    """Otherwise the loss would rise while the queue fills, and look like a run that fails."""
    queue, seen = KeyQueue(8, 2), []
    for batch in ((1, 2, 3), (4, 5, 6), (7, 8, 9), (10, 11, 12)):
        keys, pictures = numbered(*batch)
        seen.append(float(negatives_for(pictures, keys, queue).weight))
        queue.add(keys, pictures)
    assert seen == pytest.approx([10 / 2, 10 / 5, 10 / 8, 1])
    assert negatives_for(pictures, keys).weight == 1
    lonely = KeyQueue(8, 2)
    assert float(negatives_for(pictures[:1], keys[:1], lonely).weight) == 8


def test_devices_share_their_keys_and_hold_the_same_queue(tmp_path):
    command = [sys.executable, str(Path(__file__).with_name("two_devices.py"))]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    both = [
        subprocess.Popen([*command, str(rank), str(tmp_path / "meeting")], env=environment, stdout=subprocess.PIPE)
        for rank in range(2)
    ]
    first, second = (json.loads(process.communicate(timeout=240)[0]) for process in both)
    # The first device has pictures 1 and 2, the second 3 and 1; 2 waited in the queue.
    assert first["told_from"] == [[2, 3, 2], [1, 3, 1]]
    assert second["told_from"] == [[1, 2, 1, 2], [2, 3, 2]]
    assert (
        first["queue"] == second["queue"] == [1, 2, 3]
    )  # of the four new keys the last three, from the second place on
    assert first["weight"] == second["weight"] == (3 + 3) / (1 + 3)
