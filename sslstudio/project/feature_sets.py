"""What a network makes of every image of a project, kept in ``features/<key>/``: features, a map, groups, figures.

The window and the command line look images up here; only a run writes it. NumPy only.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from sslstudio.errors import UserError
from sslstudio.language import tr, tr_many

FOLDER, ABOUT = "features", "about.json"


@dataclass(frozen=True, eq=False)
class FeatureSet:
    """N images in the order of ``images``; ``about`` says which network, when, and how well it did."""

    key: str  # the pretraining run's id, or the backbone's name
    images: tuple[str, ...]
    features: np.ndarray  # (N, D) float32, each of length 1
    points: np.ndarray  # (N, 2) float32, 0 to 1: places on the map
    clusters: np.ndarray  # (N,) int16, from the largest group
    about: dict[str, Any] = field(default_factory=dict)

    def similar(self, image: str, count: int = 12) -> list[tuple[str, float]]:
        """The images most alike ``image``, the most alike first, with the cosine (-1 to 1); without itself."""
        try:
            place = self.images.index(image)
        except ValueError:
            raise self._missing(image) from None
        alike = self.features @ self.features[place]
        alike[place] = -np.inf
        count = min(count, len(self.images) - 1)
        best = np.argpartition(-alike, max(0, count - 1))[:count]
        best = best[np.argsort(-alike[best], kind="stable")]
        return [(self.images[at], float(alike[at])) for at in best]

    @property
    def channels(self) -> int:
        """Channels of the images that the network sees."""
        return int(self.about.get("channels", 3))

    def _missing(self, image: str) -> UserError:
        if self.channels == 3:
            return UserError(
                tr("{image} was not there when the network looked at the folder.").format(image=image),
                tr("Look at the folder again."),
            )
        return UserError(
            tr_many(
                "The network has not seen {image}: it sees images with {channels} channel, or the image came later.",
                "The network has not seen {image}: it sees images with {channels} channels, or the image came later.",
                self.channels,
            ).format(image=image, channels=self.channels),
            tr("If the image has as many, look at the folder again."),
        )


def folder_of(project: Path, key: str) -> Path:
    """Where the features of a run or backbone lie."""
    return Path(project) / FOLDER / re.sub(r"[^A-Za-z0-9._-]+", "-", key)


def write_features(project: Path, found: FeatureSet) -> Path:
    """Keep a set, replacing an older one of the same key when the new one is whole; returns its folder."""
    target = folder_of(project, found.key)
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh, old = (target.with_name(f".{target.name}.{os.getpid()}.{tail}") for tail in ("new", "old"))
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    np.save(fresh / "features.npy", found.features.astype(np.float16))
    np.save(fresh / "points.npy", found.points.astype(np.float32))
    np.save(fresh / "clusters.npy", found.clusters.astype(np.int16))
    about = {**found.about, "key": found.key, "images": list(found.images)}
    (fresh / ABOUT).write_text(json.dumps(about, ensure_ascii=False), encoding="utf-8")
    if target.exists():
        target.rename(old)
    fresh.rename(target)
    shutil.rmtree(old, ignore_errors=True)
    return target


def read_features(project: Path, key: str) -> FeatureSet | None:
    """The set of a run or backbone; None where there is none or it is damaged, so that it is made anew."""
    folder = folder_of(project, key)
    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        images = tuple(str(image) for image in about.pop("images"))
        features = np.load(folder / "features.npy").astype(np.float32)
        points, clusters = np.load(folder / "points.npy"), np.load(folder / "clusters.npy")
        named = str(about.pop("key"))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not len(features) == len(points) == len(clusters) == len(images):
        return None
    features /= np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-8)
    return FeatureSet(named, images, features, points, clusters, about)


def kept_keys(project: Path) -> tuple[str, ...]:
    """The keys of all sets, the oldest first."""
    found = []
    for file in (Path(project) / FOLDER).glob(f"[!.]*/{ABOUT}"):
        try:
            found.append((file.stat().st_mtime_ns, str(json.loads(file.read_text(encoding="utf-8"))["key"])))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return tuple(key for _, key in sorted(found))


def folder_labels(images: tuple[str, ...] | list[str]) -> tuple[tuple[str, ...], np.ndarray] | None:
    """Folder names as labels: the names, sorted, and each image's (N,) place among them, -1 for those in none.

    The name is that of the first folder level at which images differ. None where fewer than two folders hold two
    images each: then names say nothing.
    """
    parts = [image.split("/")[:-1] for image in images]
    depth = max((len(part) for part in parts), default=0)
    for level in range(depth):
        names = ["/".join(part[: level + 1]) if len(part) > level else "" for part in parts]
        kept = sorted(name for name, count in Counter(names).items() if name and count >= 2)
        if len(kept) >= 2:
            place = {name: at for at, name in enumerate(kept)}
            return tuple(kept), np.array([place.get(name, -1) for name in names])
    return None
