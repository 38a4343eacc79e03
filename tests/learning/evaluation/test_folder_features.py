"""Features of a folder and of painted pixels, from real files; and where they are kept."""

import cv2
import numpy as np
import pytest
import torch

from sslstudio.errors import UserError
from sslstudio.learning.backbones.encoder import create_encoder
from sslstudio.learning.evaluation.features import PIXELS_PER_CLASS, dense, painted_pixels, pooled
from sslstudio.learning.segmentation.labelled import Painted
from sslstudio.project.feature_sets import FeatureSet, folder_labels, kept_keys, read_features, write_features


@pytest.fixture(scope="module")
def encoder():
    torch.manual_seed(0)
    return create_encoder("convnext_atto").eval()


def test_every_readable_image_has_one_vector_and_the_others_a_reason(encoder, image_folder):
    (image_folder / "broken.png").write_bytes(b"no picture")
    names = sorted(p.relative_to(image_folder).as_posix() for p in image_folder.rglob("*.*")) * 4
    parts = list(pooled(encoder, image_folder, names, side=64))
    told = [name for part in parts for name in part.images]
    assert told == [name for name in names if name != "broken.png"]
    features = torch.cat([part.features for part in parts])
    assert features.shape == (len(told), encoder.width)
    first, again = [at for at, name in enumerate(told) if name == "cell_1.png"][:2]
    assert torch.allclose(features[first], features[again], atol=1e-3)
    assert not torch.allclose(features[0], features[1], atol=1e-3)
    assert {name for part in parts for name, _ in part.problems} == {"broken.png"}


def test_painted_pixels_are_looked_up_where_they_are(encoder):
    pixels = np.zeros((96, 160, 3), np.uint8)
    cv2.rectangle(pixels, (0, 0), (79, 95), (255, 255, 255), -1)
    labels = np.full((96, 160), 255, np.uint8)
    labels[10:80, 10:60], labels[10:80, 100:150] = 1, 0
    (found,) = painted_pixels(encoder, [Painted("a.png", pixels, labels)])
    assert found.features.shape == (2 * PIXELS_PER_CLASS, sum(width for width, _ in encoder.levels))
    assert np.bincount(found.labels).tolist() == [PIXELS_PER_CLASS] * 2
    # The finest level tells white from black: pixels of a class are alike, and unlike those of the other.
    fine = found.features[:, : encoder.levels[0][0]]
    white, black = fine[found.labels == 1].mean(0), fine[found.labels == 0].mean(0)
    assert (white - black).norm() > 5 * fine[found.labels == 1].std(0).norm()
    level = dense(encoder, pixels)[0]
    assert level.shape[-2:] == (96 // 4, 160 // 4)


def test_a_set_is_kept_read_and_asked_for_what_is_alike(tmp_path):
    rng = np.random.default_rng(0)
    features = rng.normal(size=(30, 8)).astype(np.float32)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    features[7] = features[3] + 0.01
    images = tuple(f"{number}.png" for number in range(30))
    points, groups = rng.random((30, 2)).astype(np.float32), np.zeros(30, np.int16)
    for version in (1, 2):
        write_features(tmp_path, FeatureSet("run/1", images, features, points, groups, {"version": version}))
    found = read_features(tmp_path, "run/1")
    assert found is not None
    assert found.about["version"] == 2
    assert np.abs(found.features - features).max() < 0.02
    slow = sorted(((float(features[at] @ found.features[3]), at) for at in range(30) if at != 3), reverse=True)
    alike = found.similar("3.png", 5)
    assert alike[0][0] == "7.png"
    assert [name for name, _ in alike] == [f"{at}.png" for _, at in slow[:5]]
    assert len(found.similar("3.png", 99)) == 29
    with pytest.raises(UserError, match="was not there"):
        found.similar("new.png")
    assert kept_keys(tmp_path) == ("run/1",)
    (tmp_path / "features" / "run-1" / "points.npy").unlink()
    assert read_features(tmp_path, "run/1") is None


def test_folder_names_are_labels_only_where_they_say_something():
    assert folder_labels(["a.png", "b.png"]) is None
    assert folder_labels(["x/a.png", "x/b.png"]) is None
    names, labels = folder_labels(["x/a.png", "x/b.png", "y/a.png", "y/b.png", "z/lonely.png", "top.png"])
    assert names == ("x", "y")
    assert labels.tolist() == [0, 0, 1, 1, -1, -1]
    names, _ = folder_labels([f"all/{part}/{number}.png" for part in ("in", "out") for number in range(3)])
    assert names == ("all/in", "all/out")
