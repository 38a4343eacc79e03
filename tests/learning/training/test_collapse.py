"""A run whose answers fall into one point is noticed and told while it trains; a good one is left in peace."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from torch.nn import functional as F

from sslstudio.learning.methods import dino, simsiam
from sslstudio.learning.methods.base import Method, StepResult, two_views
from sslstudio.learning.methods.likeness import IMAGES, VIEWS, of_images, of_images_and_views
from sslstudio.learning.training.collapse import FIRST, LASTING, Answers
from sslstudio.learning.training.control import Control
from sslstudio.learning.training.pretrain import pretrain
from sslstudio.recipes.methods import METHODS, SimCLRRecipe
from sslstudio.recipes.pretrain import PretrainRecipe
from sslstudio.recipes.settings import build
from sslstudio.recipes.suggest import suggest
from sslstudio.runs.request import PretrainRequest

NETS = ("test_resnet", "test_vit")
QUICK = {"local_crops": 0, "prototypes": 512}


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


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("collapse") / "pictures"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(48):
        coarse = rng.integers(0, 255, (int(rng.integers(2, 12)), 6, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / f"{number:02}.png"), cv2.resize(coarse, (48, 48), interpolation=cv2.INTER_CUBIC))
    return folder


def events_of(pictures, place, steps, method="simclr", own=None, **recipe):
    """What a run of so many steps tells."""
    settings = {"resolution": 32, "batch_size": 16, "minutes": 1, "backbone": "test_vit", **recipe}
    own = SimCLRRecipe(projection_hidden=64, projection_out=32) if method == "simclr" else own or {}
    chosen = own if isinstance(own, SimCLRRecipe) else build(METHODS[method].recipe, own)
    return list(
        pretrain(
            PretrainRequest(
                images_root=str(pictures),
                images=tuple(sorted(p.name for p in pictures.iterdir())),
                recipe=PretrainRecipe(method=chosen, **settings),
            ),
            checkpoints=place / "checkpoints",
            previews=place / "previews",
            cache=place / "cache",
            control=Control(),
            steps=steps,
        )
    )


def warnings_of(pictures, place, steps, method="simclr", **recipe):
    """The warnings about the features' health in a run of so many steps."""
    events = events_of(pictures, place, steps, method, **recipe)
    found = [event for event in events if event.kind == "warning" and event.about == "effective_rank"]
    flags = [event.values["collapsed"] for event in events if event.kind == "metric" and "collapsed" in event.values]
    assert flags[-1] == bool(found)
    return found


def calm_rate(method, backbone):
    """The learning rate that the program suggests for sixteen images per step."""
    known = {"test_vit": "vit_tiny_patch16_224", "test_resnet": "resnet18"}[backbone]
    rate = suggest(1000, [(48, 48)], 3, "cpu", 1, "natural", known, method)[0]
    return rate.learning_rate * (16 / rate.batch_size) ** 0.5


def told(found):
    (warning,) = found
    assert "same answer for every image" in warning.text
    assert "learning rate" in warning.advice


def test_a_network_that_answers_everything_alike_is_told(tmp_path, pictures, monkeypatch):
    broken = replace(METHODS["simclr"], where=f"{__name__}:Agreeing")
    monkeypatch.setitem(METHODS, "simclr", broken)
    told(warnings_of(pictures, tmp_path, 60, learning_rate=0.003))


def test_an_absurd_learning_rate_is_told(tmp_path, pictures):
    told(warnings_of(pictures, tmp_path, 30, learning_rate=1.0, clip=0.0, warmup=0.0))


@pytest.mark.parametrize("backbone", NETS)
def test_simsiam_without_its_stop_gradient_is_told_although_batch_norm_hides_it(
    tmp_path, pictures, monkeypatch, backbone
):
    def both_ways(predictions, targets):
        return -F.cosine_similarity(predictions, targets.roll(len(targets) // 2, dims=0), dim=1).mean()

    monkeypatch.setattr(simsiam, "across", both_ways)
    events = events_of(pictures, tmp_path, 90, "simsiam", backbone=backbone, learning_rate=1e-3)
    told([event for event in events if event.kind == "warning" and event.about == "effective_rank"])
    if backbone == "test_resnet":  # its features alone would pass
        assert events[-1].result["effective_rank"] > 8


@pytest.mark.parametrize("backbone", NETS)
def test_dino_without_its_centre_is_told(tmp_path, pictures, monkeypatch, backbone):
    monkeypatch.setattr(dino, "move_centre", lambda *_: None)
    rate = calm_rate("dino", backbone)
    told(warnings_of(pictures, tmp_path, 82, "dino", own=QUICK, backbone=backbone, learning_rate=rate))


@pytest.mark.parametrize("backbone", NETS)
def test_byol_that_learns_far_too_fast_is_told(tmp_path, pictures, backbone):
    told(warnings_of(pictures, tmp_path, 90, "byol", backbone=backbone, learning_rate=0.3, clip=0.0))


@pytest.mark.parametrize("backbone", NETS)
def test_vicreg_without_what_keeps_images_apart_is_told(tmp_path, pictures, backbone):
    own = {"variance": 0.0, "covariance": 0.0, "out": 256}
    told(warnings_of(pictures, tmp_path, 90, "vicreg", own=own, backbone=backbone, learning_rate=2e-3))


HEALTHY = [
    *((method, net) for method in ("simclr", "simsiam", "byol", "vicreg", "dino") for net in NETS),
    ("ibot", "test_vit"),
    ("mae", "test_vit"),
]


@pytest.mark.parametrize(("method", "backbone"), HEALTHY)
def test_a_healthy_run_is_left_in_peace(tmp_path, pictures, method, backbone):
    own = QUICK if method in ("dino", "ibot") else {"out": 256} if method == "vicreg" else {}
    rate = calm_rate(method, backbone)
    for steps in (31, 82):  # the first judgement of features, and of answers
        recipe = {"own": own, "backbone": backbone, "learning_rate": rate}
        assert warnings_of(pictures, tmp_path / str(steps), steps, method, **recipe) == []


# what is judged ---------------------------------------------------------------------------------------------


def test_likeness_is_the_mean_cosine_of_pairs():
    answers = torch.randn(10, 7)
    unit = F.normalize(answers, dim=1)
    pairs = [float(unit[i] @ unit[j]) for i in range(10) for j in range(10) if i != j]
    assert float(of_images(answers)[IMAGES]) == pytest.approx(np.mean(pairs), abs=1e-5)
    found = of_images_and_views(answers)
    other = [float(unit[i] @ unit[5 + j]) for i in range(5) for j in range(5) if i != j]
    assert float(found[IMAGES]) == pytest.approx(np.mean(other), abs=1e-5)
    same = [float(unit[i] @ unit[5 + i]) for i in range(5)]
    assert float(found[VIEWS]) == pytest.approx(np.mean(same), abs=1e-5)
    assert of_images(answers[:3]) == of_images_and_views(answers[:6]) == {}  # too few pairs to say anything


def judged(figures):
    answers = Answers()
    for step, values in enumerate(figures, 1):
        answers.add(step, values)
    return answers.collapsed()


def test_only_what_lasts_is_judged_and_nothing_at_the_start():
    same, apart = {IMAGES: 1.0}, {IMAGES: 0.99}
    assert not judged([same] * (FIRST + LASTING - 1))
    assert judged([same] * (FIRST + LASTING))
    assert not judged([same] * (FIRST + LASTING - 5) + [apart] + [same] * 4)
    assert not judged([{}] * 500)  # a method that compares nothing


@pytest.mark.parametrize(
    ("images", "views", "collapsed"),
    [
        (0.95, 0.955, True),
        (0.95, 0.99, False),
        (0.3, 0.31, False),
        (0.9, 0.9, True),
        (1.0, 1.0, True),
        (0.986, 0.9905, True),
        (0.986, 0.996, False),
    ],
)
def test_alike_images_are_a_collapse_only_where_views_are_no_more_alike(images, views, collapsed):
    assert judged([{IMAGES: images, VIEWS: views}] * (FIRST + LASTING)) is collapsed
