"""What an untrained network finds alike is never taken for what the published one finds: in the window's process."""

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save

sys.path.append(str(Path(__file__).parents[1] / "backbones"))
from local_hub import serve

from sslstudio.learning.assist import places_cache
from sslstudio.learning.backbones import published
from sslstudio.queries.messages import Example, SimilarQuery
from sslstudio.workers.answers import Answers

NAME = "test_vit"
REPO = timm.models.get_pretrained_cfg(NAME).hf_hub_id


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A hub on this machine that has the weights; not to be reached until ``HF_HUB_OFFLINE`` is lifted."""
    torch.manual_seed(5)
    weights = {key: torch.randn_like(value) for key, value in timm.create_model(NAME).state_dict().items()}
    with serve() as running:
        running.files[f"{REPO}/model.safetensors"] = save(weights)
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
        yield running


def test_places_of_an_untrained_network_are_not_kept_as_those_of_the_published_one(hub, tmp_path, monkeypatch):
    pixels = np.random.default_rng(0).integers(0, 255, (64, 80, 3), dtype=np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), pixels)
    asked = SimilarQuery(str(tmp_path / "a.png"), NAME, (Example(5, 5, 9, 9),), cache=str(tmp_path / "places"))
    untrained = Answers().arrays(asked)["likeness"]
    (kept,) = (tmp_path / "places").glob("*.npz")

    answers = Answers()
    read = []
    monkeypatch.setattr(places_cache.np, "load", lambda file, load=np.load: read.append(file) or load(file))
    assert np.abs(answers.arrays(asked)["likeness"] - untrained).max() < 0.1
    assert read == [kept], "asked again without weights, it is found again"

    monkeypatch.delenv("HF_HUB_OFFLINE")
    published.load_published(NAME)  # as a run fetches them
    for one in (answers, Answers()):
        learned = one.arrays(asked)["likeness"]
        assert learned.shape == untrained.shape
        assert np.abs(learned - untrained).max() > 0.2, "what it found before it had weights is not told again"
    assert len(list((tmp_path / "places").glob("*.npz"))) == 2
