"""A map of the folder: images that the network finds alike lie close together; and groups of such images."""

from __future__ import annotations

import numpy as np

MOST_NEIGHBOUR_EMBEDDED = 20_000  # above that t-SNE takes many minutes; two main directions take a second
_PERPLEXITY = 30.0
_DIRECTIONS = 50  # kept before t-SNE: distances hardly change, and it takes a tenth of the time


def layout(features: np.ndarray, *, seed: int = 0) -> np.ndarray:
    """Places (N, 2) float32 within 0 to 1 for (N, D) features; the same for the same seed on one machine.

    t-SNE (van der Maaten and Hinton 2008) from scikit-learn; the two main directions for few and for very many.
    """
    features = _unit(features)
    if len(features) < 8 or len(features) > MOST_NEIGHBOUR_EMBEDDED:
        return _framed(main_directions(features, 2))
    from sklearn.manifold import TSNE

    reduced = main_directions(features, min(_DIRECTIONS, *features.shape))
    if np.ptp(reduced, axis=0).max() < 1e-6:  # all images alike
        return np.full((len(features), 2), 0.5, np.float32)
    # Places to begin with are parted a little: scikit-learn's tree of places never ends where all are the same.
    begin = reduced[:, :2] / max(float(reduced[:, 0].std()), 1e-9) * 1e-4
    begin = begin + np.random.default_rng(seed).normal(0, 1e-6, begin.shape)
    begin = np.pad(begin, ((0, 0), (0, 2 - begin.shape[1]))).astype(np.float32)
    tsne = TSNE(perplexity=min(_PERPLEXITY, (len(features) - 1) / 3), init=begin, random_state=seed)
    return _framed(tsne.fit_transform(reduced))


def main_directions(features: np.ndarray, count: int) -> np.ndarray:
    """The ``count`` directions in which (N, D) features differ most (PCA), as (N, count) float32; signs are fixed."""
    centred = features.astype(np.float64)
    centred -= centred.mean(axis=0)
    _, _, directions = np.linalg.svd(centred, full_matrices=False) if len(centred) <= 2048 else _from_moments(centred)
    chosen = directions[:count]
    chosen = chosen * np.where(np.take_along_axis(chosen, np.abs(chosen).argmax(1)[:, None], 1) < 0, -1.0, 1.0)
    shown = centred @ chosen.T
    return np.pad(shown, ((0, 0), (0, count - shown.shape[1]))).astype(np.float32)


def clusters(features: np.ndarray, *, seed: int = 0) -> np.ndarray:
    """A group (N,) int16 for each image by k-means on unit features; between 2 and 12 groups, the largest first."""
    features = _unit(features)
    count = int(np.clip(round(np.sqrt(len(features) / 8)), 2, 12))
    if len(np.unique(features.round(5), axis=0)) < count:
        return np.zeros(len(features), np.int16)
    from sklearn.cluster import KMeans

    found = KMeans(count, n_init=4, random_state=seed).fit_predict(features)
    order = np.argsort(-np.bincount(found, minlength=count), kind="stable")
    rank = np.empty(count, np.int16)
    rank[order] = np.arange(count)
    return rank[found]


def _unit(features: np.ndarray) -> np.ndarray:
    features = np.asarray(features, np.float32)
    return features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-8)


def _from_moments(centred: np.ndarray) -> tuple[None, None, np.ndarray]:
    _, directions = np.linalg.eigh(centred.T @ centred)
    return None, None, directions.T[::-1]


def _framed(places: np.ndarray) -> np.ndarray:
    """Places moved and scaled into 0 to 1, both axes alike."""
    low, high = places.min(axis=0), places.max(axis=0)
    extent = max(float((high - low).max()), 1e-9)
    return ((places - (low + high) / 2) / extent + 0.5).astype(np.float32)
