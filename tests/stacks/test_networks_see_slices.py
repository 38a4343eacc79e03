"""Networks get each slice as an image: in the cache of pretraining, in answers, in requests for whole folders."""

import numpy as np
import pytest
import tifffile

from sslstudio.images.slices import all_slices
from sslstudio.learning.backbones.encoder import create_encoder
from sslstudio.learning.segmentation.model import SegmentationModel, save_model
from sslstudio.learning.segmentation.predict import predict
from sslstudio.learning.training.cache import ImageCache
from sslstudio.learning.training.control import Control
from sslstudio.project.masks import read_mask
from sslstudio.project.project import Project
from sslstudio.runs.events import Finished
from sslstudio.runs.prepare import predict_request


@pytest.fixture
def folder(tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    stack = np.stack([np.full((64, 64), 40 * at, np.uint8) for at in range(5)])
    tifffile.imwrite(images / "scan.tif", stack, photometric="minisblack")
    return images


def test_the_cache_holds_every_slice(folder, tmp_path):
    cache = ImageCache(folder, tuple(all_slices("scan.tif", 5)), tmp_path / "cache", side=64)
    cache.build()
    assert cache.wait(5, 60)
    tiles, _ = cache.read(np.arange(5))
    assert sorted(tile.mean() for tile in tiles) == [0, 40, 80, 120, 160]
    cache.close()


def test_whole_folders_are_segmented_slice_by_slice(folder, tmp_path):
    with Project.create(tmp_path / "p", folder, ["background", "cell"]) as project:
        model = SegmentationModel(create_encoder("convnext_atto"), "multilevel", 2, crop=64).eval()
        classes = [{"name": one.name, "colour": one.colour} for one in project.classes]
        save_model(model, project.path / "models" / "m", {"name": "m", "classes": classes, "metrics": {}})
        own = predict_request(project, "m")
        other = predict_request(project, "m", folder, tmp_path / "out")
        assert own.images == other.images == tuple(all_slices("scan.tif", 5))
        for request in (own, other):
            last = list(predict(request, project=project.path, control=Control()))[-1]
            assert isinstance(last, Finished)
            assert (last.result["count"], last.result["problems"]) == (5, [])
        project.note_predictions()
        assert all(record.predicted for record in project.images())
        assert read_mask(project.prediction_file("m", "scan.tif#0004")).shape == (64, 64)
    assert {file.name for file in (tmp_path / "out").iterdir()} == {
        "scan.png",
        *(f"scan#{number:04d}.png" for number in range(2, 6)),
    }
