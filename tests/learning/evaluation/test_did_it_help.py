"""The check “did it help?”: honest when nothing differs, sure when much does, within its time, on real files."""

import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from painted_world import CLASSES, world
from stopping import StopsAfter

from sslstudio.errors import UserError
from sslstudio.images.slices import slice_path, split_slice
from sslstudio.learning.backbones.checkpoints import save_encoder
from sslstudio.learning.backbones.encoder import create_encoder
from sslstudio.learning.evaluation import did_it_help as did_it_help_module
from sslstudio.learning.evaluation.did_it_help import Arm, did_it_help
from sslstudio.learning.evaluation.verdict import compare, primary
from sslstudio.learning.segmentation.labelled import read_labelled
from sslstudio.learning.training.control import Control
from sslstudio.recipes.finetune import FinetuneRecipe
from sslstudio.recipes.pretrain import PretrainRecipe
from sslstudio.runs.enough_masks import check_enough
from sslstudio.runs.folder import RunFolder
from sslstudio.runs.request import HelpRequest, LabelledImage, PretrainRequest

BACKBONE = "test_resnet"
OURS = "pretraining on your images"


@pytest.fixture(autouse=True)
def _threads():
    torch.set_num_threads(1)


def question(images, count, encoder_run="", **settings) -> HelpRequest:
    values = {"minutes": 0.2, "crop": 64, "batch_size": 2, "preset": "microscopy", "backbone": BACKBONE, **settings}
    return HelpRequest(
        images_root=str(images),
        labelled=tuple(LabelledImage(image=f"{n}.png", mask=f"masks/{n}.png.png", split="train") for n in range(count)),
        classes=CLASSES,
        encoder_run=encoder_run,
        recipe=FinetuneRecipe(**values),
    )


def random_arm(name: str, seed: int) -> Arm:
    def make(fold: int):
        torch.manual_seed(seed + fold)
        return create_encoder(BACKBONE)

    return Arm(name, make, trained=False)


def answer(asked, project, folder, **more) -> dict:
    events = list(did_it_help(asked, project=project, spill=folder / "spill", control=Control(), **more))
    assert events[-1].kind == "finished"
    return events[-1].result


def test_random_against_random_weights_is_no(tmp_path):
    images, project = world(tmp_path, 6)
    arms = (random_arm("random", 0), random_arm("domain", 500))
    result = answer(question(images, 6), project, tmp_path, arms=arms, steps=8)
    assert not result["shown"]
    assert result["answer"].startswith("No difference could be shown with 6 masks: ")
    assert "±" in result["answer"]
    assert (result["masks"], result["rounds"], result["steps"]) == (6, 5, 8)


def test_the_same_weights_give_exactly_no_difference(tmp_path):
    images, project = world(tmp_path, 4)
    arms = (random_arm("random", 7), random_arm("domain", 7))
    result = answer(question(images, 4), project, tmp_path, arms=arms, steps=4)
    assert result["difference"] == 0
    assert result["arms"][0]["rounds"] == result["arms"][1]["rounds"]
    assert len(result["arms"][0]["rounds"]) == 4


def test_a_network_that_is_broken_is_told_from_a_sound_one(tmp_path):
    images, project = world(tmp_path, 6)

    def broken(fold: int):
        encoder = create_encoder(BACKBONE)
        with torch.no_grad():
            for weight in encoder.parameters():
                weight.zero_()
        return encoder.requires_grad_(False)

    arms = (Arm("random", broken, trained=False), replace(random_arm("domain", 0), trained=False))
    asked = question(images, 6, decoder="linear", learning_rate=5e-3)
    result = answer(asked, project, tmp_path, arms=arms, steps=40)
    assert result["shown"], result
    assert result["answer"].startswith("Yes: compared with random weights, pretraining on your images helped by +")


def a_run(project, start="scratch") -> str:
    """A pretraining run that has left an encoder, and that began from ``start``."""
    asked = PretrainRequest(images_root="x", images=("a",), recipe=PretrainRecipe(backbone=BACKBONE, start=start))
    run = RunFolder.create(project, asked, "simclr")
    torch.manual_seed(1)
    save_encoder(create_encoder(BACKBONE), run.checkpoints / "last", {"step": 1})
    return run.id


def test_it_keeps_within_its_minutes(tmp_path):
    images, project = world(tmp_path, 5)
    asked = question(images, 5, a_run(project), minutes=0.15)
    began = time.perf_counter()
    result = answer(asked, project, tmp_path)
    assert time.perf_counter() - began < 60 * 0.15 * 1.3 + 3
    assert result["rounds"] >= 1
    assert result["steps"] >= 1
    assert [arm["id"] for arm in result["arms"]] == ["random", "domain"]


def test_what_a_run_began_from_is_compared_too(tmp_path):
    images, project = world(tmp_path, 4)
    begun = save_encoder(create_encoder(BACKBONE), tmp_path / "begun", {"step": 0})
    assert begun is None
    run = a_run(project, start=str(tmp_path / "begun" / "encoder.safetensors"))
    result = answer(question(images, 4, run), project, tmp_path, steps=3)
    assert [arm["id"] for arm in result["arms"]] == ["random", "start", "domain"]
    pairs = [(found["better"], found["than"]) for found in result["comparisons"]]
    assert pairs == [("start", "random"), ("domain", "random"), ("domain", "start")]
    assert result["answer"] == result["comparisons"][-1]["sentence"]
    gone = a_run(project, start=str(tmp_path / "gone.safetensors"))
    events = list(did_it_help(question(images, 4, gone), project=project, spill=tmp_path, control=Control(), steps=2))
    assert [arm["id"] for arm in events[-1].result["arms"]] == ["random", "domain"]
    assert any(event.kind == "warning" and event.about == "start" for event in events)


def test_with_three_masks_it_says_why_there_is_no_answer(tmp_path):
    images, project = world(tmp_path, 3)
    with pytest.raises(UserError, match="Only 3 images are painted, and this check needs at least 4"):
        answer(question(images, 3), project, tmp_path)
    check_enough(["a.png", "b.png", "c.png", "d.png"])
    for painted, words in (([], "No image is painted"), (["a.png"], "1 image is painted")):
        with pytest.raises(UserError, match=words) as error:
            check_enough(painted)
        assert "stack" not in error.value.problem


def test_slices_of_one_stack_and_parts_of_one_image_are_one_mask():
    slices = [slice_path("scan.tif", number) for number in range(1, 12)]
    for painted in (slices, ["huge.tif"] * 12, [*slices, "a.png", "b.png"]):
        with pytest.raises(UserError, match="needs at least 4") as error:
            check_enough(painted)
        assert "count as one" in error.value.problem
    check_enough([*slices, "a.png", "b.png", "c.png"])


def test_a_stack_is_never_on_both_sides_of_a_round(tmp_path, monkeypatch):
    images, project = world(tmp_path, 10)
    asked = question(images, 10)
    begun = did_it_help_module._Check._learner
    seen = []

    def watched(self, arm, fold, test):
        seen.append((tuple(pair.image for pair in self.painted), test.copy()))
        return begun(self, arm, fold, test)

    monkeypatch.setattr(did_it_help_module._Check, "_learner", watched)
    # What stands in the files is the same; their names say that 0 to 5 are slices of two stacks.
    named = [slice_path(f"{'ab'[n // 3]}.tif", n % 3 + 1) if n < 6 else f"{n}.png" for n in range(10)]

    def renamed(*words):
        for number, item in enumerate(read_labelled(*words)):
            yield replace(item, image=named[number])

    monkeypatch.setattr(did_it_help_module, "read_labelled", renamed)
    result = answer(asked, project, tmp_path, arms=(random_arm("random", 0), random_arm("domain", 1)), steps=1)
    assert (result["masks"], result["rounds"]) == (6, 5)
    assert len(seen) == 10
    for images_, test in seen:
        files = np.array([split_slice(name)[0] for name in images_])
        assert not set(files[test]) & set(files[~test])
        assert test.any()


def test_a_stopped_check_tells_what_it_has(tmp_path):
    images, project = world(tmp_path, 4)
    arms = (random_arm("random", 0), random_arm("domain", 500))
    job = did_it_help(question(images, 4), project=project, spill=tmp_path, control=StopsAfter(20), arms=arms, steps=6)
    last = list(job)[-1]
    assert last.kind == "stopped"
    assert last.result["rounds"] == 1
    assert "proves nothing" in last.result["answer"]
    assert last.result["comparisons"][0]["low"] is None


def test_the_words_claim_no_more_than_the_figures():
    def told(ours, theirs):
        return compare({"random": theirs, "domain": ours}, "domain", "random", masks=8, test_share=0.2)

    sure = told([0.70, 0.71, 0.72, 0.70, 0.71], [0.60, 0.61, 0.61, 0.60, 0.62])
    assert sure.sentence.startswith("Yes: compared with random weights, pretraining on your images helped by +10.0 ± ")
    assert sure.sentence.endswith(" points (overlap 61 % → 71 %).")
    harm = told([0.60, 0.61, 0.61, 0.60, 0.62], [0.70, 0.71, 0.72, 0.70, 0.71])
    assert harm.sentence.startswith("No: compared with random weights, pretraining on your images did harm by -10.0 ± ")
    unclear = told([0.6, 0.8, 0.5, 0.7, 0.6], [0.7, 0.6, 0.6, 0.6, 0.68])
    assert (
        unclear.sentence
        == f"No difference could be shown with 8 masks: +0.4 ± {100 * (unclear.high - 0.004):.1f} points."
    )
    assert primary([unclear, replace(sure, than="start")]).than == "start"


def test_luck_is_told_as_a_difference_in_fewer_than_one_case_in_twenty():
    rng = np.random.default_rng(0)
    claims = 0
    for _ in range(300):
        folds_ = rng.normal(0.6, 0.1, 5)  # some folds are harder, for both alike
        scores = {name: list(folds_ + rng.normal(0, 0.03, 5)) for name in ("random", "domain")}
        claims += compare(scores, "domain", "random", masks=10, test_share=0.2).shown
    assert claims / 300 < 0.05
