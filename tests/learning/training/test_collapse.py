"""A run whose features fall into one point is noticed and told while it trains; a good one is left in peace."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from torch.nn import functional as F

from sslstudio.learning.methods.base import Method, StepResult, two_views
from sslstudio.learning.training.control import Control
from sslstudio.learning.training.pretrain import pretrain
from sslstudio.recipes.methods import METHODS, SimCLRRecipe
from sslstudio.recipes.pretrain import PretrainRecipe
from sslstudio.runs.request import PretrainRequest


class Agreeing(Method):
    """SimSiam without its predictor and stop-gradient: two views must agree, and nothing keeps images apart."""

    def __init__(self, encoder, recipe, *, resolution, look):
        super().__init__()
        self.encoder = encoder
        self.views = two_views(encoder, resolution, look)

    def forward(self, views):
        left, right = self.encoder(views[0]).float().chunk(2)
        return StepResult(-F.cosine_similarity(left, right).mean())


@pytest.fixture(autouse=True)
def _threads():
    torch.set_num_threads(1)


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(48):
        coarse = rng.integers(0, 255, (int(rng.integers(2, 12)), 6, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / f"{number:02}.png"), cv2.resize(coarse, (48, 48), interpolation=cv2.INTER_CUBIC))
    return folder


def warnings_of(pictures, place, steps, **recipe):
    """The warnings about the features' health in a run of so many steps."""
    settings = {"resolution": 32, "batch_size": 16, "minutes": 1, "backbone": "test_vit", **recipe}
    events = pretrain(
        PretrainRequest(
            images_root=str(pictures),
            images=tuple(sorted(p.name for p in pictures.iterdir())),
            recipe=PretrainRecipe(method=SimCLRRecipe(projection_hidden=64, projection_out=32), **settings),
        ),
        checkpoints=place / "checkpoints",
        previews=place / "previews",
        cache=place / "cache",
        control=Control(),
        steps=steps,
    )
    return [event for event in events if event.kind == "warning" and event.about == "effective_rank"]


def test_a_network_that_answers_everything_alike_is_told(tmp_path, pictures, monkeypatch):
    broken = replace(METHODS["simclr"], where=f"{__name__}:Agreeing")
    monkeypatch.setitem(METHODS, "simclr", broken)
    (warning,) = warnings_of(pictures, tmp_path, 60, learning_rate=0.003)
    assert "same answer for every image" in warning.text
    assert warning.advice.endswith(".")


def test_a_network_that_tells_images_apart_is_not(tmp_path, pictures):
    assert warnings_of(pictures, tmp_path, 60, learning_rate=0.003) == []


def test_an_absurd_learning_rate_is_told(tmp_path, pictures):
    assert warnings_of(pictures, tmp_path, 30, learning_rate=1.0, clip=0.0, warmup=0.0) != []
