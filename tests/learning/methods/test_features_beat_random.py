"""Every method learns something on two cores in two minutes: its features beat those of the network it began as.

Run with ``./studio test --methods``. A real pretraining run on made pictures, whose class is the motif alone (see
``motif_world``); then pictures that it has never seen are named by the 20 nearest of those it has. The steps of a run
are fixed, so that it repeats; that they fit into the two minutes is checked by the processor's time.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np
import pytest
import torch
from motif_world import MOTIFS, SIDE, make_world
from torch.nn import functional as F

from sslstudio.images.reader import read_rgb8
from sslstudio.learning.backbones.checkpoints import load_encoder
from sslstudio.learning.backbones.encoder import create_encoder
from sslstudio.learning.evaluation.attention import to_input
from sslstudio.learning.training.control import Control
from sslstudio.learning.training.pretrain import pretrain
from sslstudio.recipes.methods import METHODS
from sslstudio.recipes.settings import with_changes
from sslstudio.recipes.suggest import suggest
from sslstudio.runs.request import PretrainRequest

SEEN, UNSEEN = 640, 320
CPU_SECONDS = 2 * 120  # two minutes on two cores
NEIGHBOURS, TEMPERATURE = 20, 0.07


@dataclass(frozen=True)
class Case:
    """What a method trains, for how many steps, and by how much (0 to 1) its accuracy must beat the beginning's.

    The margins are about half of what was measured (``measured``: before and after, seed 0), so that another
    processor's roundings do not fail the test, and a method that stops learning does.
    """

    backbone: str
    resolution: int
    steps: int
    margin: float
    measured: tuple[float, float]
    run: dict = field(default_factory=dict)  # settings of the run that differ from what is suggested
    method: dict = field(default_factory=dict)  # and of the method


CASES = {
    "jigsaw": Case("test_resnet", 64, 80, 0.03, (0.381, 0.444)),
    "simclr": Case("test_resnet", 64, 150, 0.2, (0.381, 0.825)),
    "moco_v2": Case("test_resnet", 64, 80, 0.05, (0.381, 0.491)),
    "byol": Case("test_resnet", 64, 80, 0.03, (0.381, 0.447)),
    "simsiam": Case("test_resnet", 64, 80, 0.08, (0.381, 0.544)),
    "barlow_twins": Case("test_resnet", 64, 80, 0.1, (0.381, 0.597)),
    "densecl": Case("test_resnet", 64, 80, 0.07, (0.381, 0.534)),
    "dino": Case("test_resnet", 64, 80, 0.05, (0.381, 0.491)),
}


@pytest.mark.methods
@pytest.mark.parametrize("method", METHODS)
def test_every_method_has_a_case(method):
    assert method in CASES, "measure it: how many steps, which accuracy before and after, and half of the gain"
    assert CASES[method].margin >= 0.03


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Folders of seen and unseen pictures with their labels."""
    root = tmp_path_factory.mktemp("world")
    seen, unseen = make_world(root / "seen", SEEN, seed=0), make_world(root / "unseen", UNSEEN, seed=1)
    return root, torch.tensor(seen), torch.tensor(unseen)


@torch.no_grad()
def features(encoder, folder, resolution):
    """The mean of the deepest dense features of every picture, (N, D): what a decoder will see."""
    found = []
    for file in sorted(folder.iterdir()):
        image = to_input(read_rgb8(file), encoder.stride, resolution)
        found.append(encoder.feature_levels(image)[-1].mean(dim=(2, 3)))
    return torch.cat(found)


def accuracy(encoder, world, resolution):
    """Share of the unseen pictures that the nearest seen ones name rightly (k-NN as in DINO, section 4.1)."""
    root, seen, unseen = world
    gallery = F.normalize(features(encoder, root / "seen", resolution), dim=1)
    asked = F.normalize(features(encoder, root / "unseen", resolution), dim=1)
    alike, which = (asked @ gallery.T).topk(NEIGHBOURS, dim=1)
    votes = torch.zeros(len(asked), len(MOTIFS)).scatter_add_(1, seen[which], (alike / TEMPERATURE).exp())
    return float((votes.argmax(1) == unseen).float().mean())


def trained(method, case, world, place):
    """The encoder that a real run leaves, and the processor's seconds of the run."""
    folder = world[0] / "seen"
    usual = "vit_tiny_patch16_224" if case.backbone == "test_vit" else "resnet18"
    recipe, _ = suggest(SEEN, [(SIDE, SIDE)], 3, "cpu", 2, "natural", usual, method)
    own = {"method": {**recipe.method.model_dump(), **case.method}}
    changes = {"backbone": case.backbone, "resolution": case.resolution, **case.run, **own}
    recipe = with_changes(recipe, changes)
    began = time.process_time()
    events = list(
        pretrain(
            PretrainRequest(
                images_root=str(folder), images=tuple(sorted(p.name for p in folder.iterdir())), recipe=recipe
            ),
            checkpoints=place / "checkpoints",
            previews=place / "previews",
            cache=world[0] / "cache",
            control=Control(),
            steps=case.steps,
        )
    )
    assert events[-1].kind == "finished"
    assert not [e for e in events if e.kind == "warning" and e.about == "effective_rank"]
    return load_encoder(place / "checkpoints" / "last"), time.process_time() - began


@pytest.mark.methods
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("method", CASES)
def test_features_beat_those_of_the_random_network(method, world, tmp_path, record_property):
    case = CASES[method]
    torch.set_num_threads(1)
    torch.manual_seed(0)
    before = accuracy(create_encoder(case.backbone).eval(), world, case.resolution)
    encoder, seconds = trained(method, case, world, tmp_path)
    after = accuracy(encoder, world, case.resolution)
    print(f"{method:14} {case.backbone:12} {case.steps:4} steps {seconds:4.0f} s  k-NN {before:.3f} to {after:.3f}")
    assert np.isfinite(after)
    assert after > before + case.margin
    assert seconds < CPU_SECONDS
