"""k-NN, linear probe, few-shot and their intervals, against slow transcriptions and scikit-learn."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import binomtest
from sklearn.linear_model import LogisticRegression

from sslstudio.learning.evaluation import intervals
from sslstudio.learning.evaluation.few_shot import balanced, few_shot
from sslstudio.learning.evaluation.neighbours import guesses
from sslstudio.learning.evaluation.probe import cross_validated, fit, folds
from sslstudio.learning.evaluation.scores import knowledge
from sslstudio.learning.evaluation.words import knowledge_rows


def heaps(count: int, classes: int, apart: float, width: int = 10, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % classes
    middles = apart * torch.randn(classes, width, generator=random)
    return middles[labels] + torch.randn(count, width, generator=random), labels


def slow_vote(features, labels, at, count, temperature, groups):
    alike = []
    for other in range(len(features)):
        if groups[other] != groups[at]:
            cosine = float(torch.dot(features[at], features[other]) / features[at].norm() / features[other].norm())
            alike.append((cosine, int(labels[other])))
    alike.sort(reverse=True)
    votes: dict[int, float] = {}
    for cosine, label in alike[:count]:
        votes[label] = votes.get(label, 0) + math.exp(cosine / temperature)
    return max(votes, key=lambda label: votes[label])


def test_neighbours_vote_as_in_the_paper_and_never_for_their_own_image():
    features, labels = heaps(60, 3, 0.7)
    for groups in (torch.arange(60), torch.arange(60) // 4):
        found = guesses(features, labels, groups, count=7, temperature=0.1)
        slow = [slow_vote(features, labels, at, 7, 0.1, groups) for at in range(60)]
        assert found.tolist() == slow
    assert guesses(features, labels, torch.zeros(60, dtype=torch.long)).unique().tolist() == [-1]


def test_the_probe_is_logistic_regression():
    features, labels = heaps(90, 3, 0.5)
    ours = fit(features, labels, 3)
    theirs = LogisticRegression(C=1.0, tol=1e-8, max_iter=2000).fit(features.numpy(), labels.numpy())
    assert np.allclose(ours.weights.numpy(), theirs.coef_, atol=2e-3)
    assert np.array_equal(ours.guesses(features).numpy(), theirs.predict(features.numpy()))


def test_no_sample_teaches_the_probe_that_tests_it():
    labels = torch.arange(40) % 2
    features = torch.eye(40)  # each sample has a direction of its own, so that only itself could tell its label
    assert float((cross_validated(features, labels) == labels).float().mean()) < 0.7
    groups = np.arange(40) // 8
    fold_of = folds(labels.numpy(), groups)
    assert all(len(set(fold_of[groups == group])) == 1 for group in range(5))
    dealt = folds(labels.numpy())
    assert all(abs(np.bincount(dealt[labels == label], minlength=5) - 4).max() == 0 for label in (0, 1))


def test_more_examples_teach_more_and_what_classes_cannot_give_is_left_out():
    features, labels = heaps(300, 3, 0.6)
    found = {row.shots: row.value for row in few_shot(features, labels)}
    assert sorted(found) == [1, 5, 10]  # a hundred of each leave none to test
    assert found[1].value < found[5].value < found[10].value
    assert all(value.low <= value.value <= value.high for value in found.values())
    noise = torch.randn(300, 10, generator=torch.Generator().manual_seed(1))
    assert few_shot(noise, labels)[-1].value.value == pytest.approx(1 / 3, abs=0.06)
    assert few_shot(features[:6], labels[:6])[0].draws == 10


@pytest.mark.parametrize("stacked", [False, True])
def test_up_to_a_hundred_masks_of_each_class_teach_where_there_are_so_many(stacked):
    features, labels = heaps(900, 3, 0.6)
    groups = torch.arange(900) // 9 if stacked else None  # half of 100 images teaches: 150 examples of each class
    rows = few_shot(features, labels, groups, draws=5)
    assert [row.shots for row in rows] == [1, 5, 10, 100]
    assert all(row.draws == 5 for row in rows)
    values = [row.value.value for row in rows]
    assert values == sorted(values)
    hundred = rows[-1].value
    assert hundred.value > values[0] + 0.1
    assert hundred.low <= hundred.value <= hundred.high
    words = {row.id: row for row in knowledge_rows("painted", knowledge(features, labels, ("a", "b", "c"), groups))}
    assert "100: " in words["painted_few_shot"].value
    assert "with 100, " in words["painted_few_shot"].sentence


def test_pixels_of_one_image_are_no_evidence_about_its_other_pixels():
    random = torch.Generator().manual_seed(0)
    groups = torch.arange(400) // 20
    labels = torch.arange(400) % 2
    # Each image has its own colour and, by chance, one way of showing each class: nothing carries over.
    own = 3 * torch.randn(20, 2, 64, generator=random)
    features = own[groups, labels] + 0.1 * torch.randn(400, 64, generator=random)
    honest = knowledge(features, labels, ("a", "b"), groups)
    blind = knowledge(features, labels, ("a", "b"))
    assert honest.knn.value < 0.75 < blind.knn.value
    assert honest.probe.value < 0.75 < blind.probe.value
    assert honest.count == 20
    assert honest.knn.low <= honest.chance + 0.2
    assert honest.knn.high - honest.knn.low > 3 * (blind.knn.high - blind.knn.low)


def test_a_large_class_cannot_hide_a_lost_one():
    truth = np.array([0] * 95 + [1] * 5)
    assert balanced(truth, np.zeros(100, int)) == 0.5
    features, labels = heaps(200, 2, 4.0)
    sure = knowledge(features, labels, ("a", "b"))
    assert sure.probe.value > 0.95
    assert sure.chance == 0.5


def test_intervals_are_those_of_the_books():
    ours, theirs = intervals.share(9, 12), binomtest(9, 12).proportion_ci(method="wilson")
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-6)
    assert intervals.share(0, 10).low == 0
    found = intervals.mean([1.0, 2.0, 3.0])
    assert (found.low, found.high) == pytest.approx((2 - 4.3027 / 3**0.5, 2 + 4.3027 / 3**0.5), abs=1e-3)
    assert intervals.mean([1.0]).high == math.inf
    plain = intervals.mean([0.1, 0.2, 0.3])
    corrected = intervals.paired([0.1, 0.2, 0.3], [0.0, 0.0, 0.0], test_share=1 / 3)
    assert corrected.value == pytest.approx(plain.value)
    wider = ((1 / 3 + 0.5) / (1 / 3)) ** 0.5
    assert corrected.high - corrected.low == pytest.approx(wider * (plain.high - plain.low))
    assert not intervals.paired([0.5], [0.1], test_share=0.5).excludes_zero


def test_luck_is_rarely_taken_for_a_difference():
    rng = np.random.default_rng(0)
    claims = 0
    for _ in range(400):
        scores = rng.normal(0.6, 0.05, (2, 5))
        claims += intervals.paired(scores[0], scores[1], test_share=0.2).excludes_zero
    assert claims / 400 < 0.05
