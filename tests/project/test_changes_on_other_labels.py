"""A change made on some labels is put on others: only what it changed, whether they are one array or tiles."""

import numpy as np
import pytest

from sslstudio.project.label_map import UNPAINTED, LabelMap, Patch, rebased, whole_patch
from sslstudio.project.sparse_labels import SparseLabels, pieces_of


@pytest.mark.parametrize("huge", [False, True])
def test_a_change_is_put_on_other_labels(huge):
    """The same for labels in one array and by tiles: only what changed is put."""
    shape = (700, 900)
    old, new, other = (np.full(shape, label, np.uint8) for label in (UNPAINTED, UNPAINTED, 3))
    new[100:600, 200:210] = 1
    if huge:
        pieces = [pieces_of(sparse(labels)) for labels in (old, new)]
        before, after = (Patch(0, 0, one) for one in pieces)
        labels = LabelMap(sparse(other))
    else:
        before, after, labels = whole_patch(old), whole_patch(new), LabelMap(other.copy())
    was, becomes = rebased(labels, before, after)
    labels.put(becomes)
    assert np.array_equal(labels.labels[:, :], np.where(new == 1, 1, other))
    labels.put(was)
    assert np.array_equal(labels.labels[:, :], other)


def sparse(labels):
    made = SparseLabels(*labels.shape, UNPAINTED)
    made[:, :] = labels
    return made
