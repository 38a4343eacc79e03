"""Fine-tuning keeps its promises: time, events, bad input, stopping, resuming."""

import json
import sys
import threading
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))
from painted_world import CLASSES, request, run, scene, world, write_labels

from sslstudio.errors import UserError
from sslstudio.learning.backbones.encoder import create_encoder
from sslstudio.learning.segmentation.crops import Batch
from sslstudio.learning.segmentation.finetune import finetune
from sslstudio.learning.segmentation.labelled import Painted
from sslstudio.learning.segmentation.learner import Learner, make_accelerator
from sslstudio.learning.segmentation.measure import Examiner, figures
from sslstudio.learning.segmentation.metrics import Confusion
from sslstudio.learning.segmentation.model import SegmentationModel, load_model, read_about
from sslstudio.learning.segmentation.predict import predict, prediction_names
from sslstudio.learning.segmentation.schedule import plan
from sslstudio.learning.segmentation.state import read_state
from sslstudio.learning.segmentation.tiles import segment_labels
from sslstudio.learning.training.control import Control
from sslstudio.project.masks import read_mask
from sslstudio.recipes.finetune import FinetuneRecipe
from sslstudio.runs.request import PredictRequest

MINUTES = 0.3  # of the run that others look at: enough for a small network even on a busy machine


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A model of a whole run: (folder, images, project, events, seconds)."""
    folder = tmp_path_factory.mktemp("trained")
    images, project = world(folder, 8)
    began = time.perf_counter()
    asked = request(images, 6, 2, minutes=MINUTES, batch_size=4, preview="0.png", backbone="test_resnet")
    events = run(finetune, folder, asked, project)
    return folder, images, project, events, time.perf_counter() - began


def of(events, kind):
    return [event for event in events if event.kind == kind]


def test_a_model_learns_to_tell_squares_from_discs_on_images_it_never_saw(trained):
    _, _, project, _, _ = trained
    model = load_model(project / "models" / "m")
    confusion = Confusion(3)
    for seed in range(100, 110):
        pixels, labels = scene(seed)
        confusion.add(labels, segment_labels(model, pixels))
    assert confusion.miou() > 0.7, confusion.iou()


def test_the_time_is_kept_and_everything_is_reported(trained):
    folder, _, project, events, seconds = trained
    assert abs(seconds - MINUTES * 60) < 0.1 * MINUTES * 60 + 3
    assert next(e.text for e in of(events, "phase")) == "Reading masks"
    assert [e.text for e in of(events, "phase")][-1] == "Measuring"
    result = events[-1].result
    assert events[-1].kind == "finished"
    assert result["model"] == "m"
    assert result["validation_images"] == ["6.png", "7.png"]
    assert set(result["iou"]) <= {"ground", "square", "disc"}
    assert any("miou" in e.values for e in of(events, "metric"))
    assert any({"loss", "images_per_second", "learning_rate"} <= set(e.values) for e in of(events, "metric"))
    overlay = of(events, "preview")[-1]
    assert read_mask(folder / "run" / overlay.file).shape == (96, 96)
    about = read_about(project / "models" / "m")
    assert about["metrics"]["miou"] == result["miou"]
    assert about["metrics"]["measured_images"] == 2
    assert about["metrics"]["measured_painted"] == 1.0
    assert sum(about["data"]["pixels"].values()) == 6 * 96 * 96
    assert sorted(f.name for f in (project / "models").iterdir()) == ["m"]


def test_predictions_are_palette_masks_and_bad_images_are_named(trained, tmp_path):
    _, images, project, _, _ = trained
    (images / "bad.png").write_bytes(b"")
    cv2.imwrite(str(images / "wide.jpg"), np.full((40, 333, 3), 120, np.uint8))
    asked = PredictRequest(
        model="m",
        images_root=str(images),
        images=("0.png", "bad.png", "gone.png", "wide.jpg"),
        out=str(tmp_path / "out"),
    )
    events = list(predict(asked, project=project, control=Control()))
    assert events[-1].kind == "finished"
    assert events[-1].result["count"] == 2
    assert [p["image"] for p in events[-1].result["problems"]] == ["bad.png", "gone.png"]
    assert sorted(f.name for f in (tmp_path / "out").iterdir()) == ["0.png", "wide.png"]
    assert read_mask(tmp_path / "out" / "wide.png").shape == (40, 333)
    inside = asked.model_copy(update={"out": "predictions/m", "images": ("0.png",)})
    list(predict(inside, project=project, control=Control()))
    assert (project / "predictions" / "m" / "0.png.png").exists()


def test_predicting_where_nothing_can_be_written_or_read_is_no_success(trained, tmp_path):
    _, images, project, _, _ = trained
    (tmp_path / "taken").write_text("a file")
    asked = PredictRequest(model="m", images_root=str(images), images=("0.png",), out=str(tmp_path / "taken" / "out"))
    with pytest.raises(UserError, match="Nothing can be written into"):
        list(predict(asked, project=project, control=Control()))
    gone = asked.model_copy(update={"images": ("gone.png",), "out": str(tmp_path / "out")})
    with pytest.raises(UserError, match=r"None of the 1 .* The first: gone\.png is not there"):
        list(predict(gone, project=project, control=Control()))


def test_images_with_one_stem_do_not_overwrite_each_other():
    names = prediction_names(("a/x.tif", "a/x.png", "y.tif"), in_project=False)
    assert names == {"a/x.tif": "a/x.tif.png", "a/x.png": "a/x.png.png", "y.tif": "y.png"}


def test_masks_that_do_not_fit_are_left_out_with_a_reason(tmp_path):
    images, project = world(tmp_path, 6)
    write_labels(project, "0.png", np.zeros((10, 12), np.uint8))
    bad = scene(1)[1]
    bad[0, 0] = 9
    write_labels(project, "1.png", bad)
    (images / "2.png").unlink()
    (images / "3.png").write_bytes(b"not an image")
    events = run(finetune, tmp_path, request(images, 6, 0, minutes=0.03), project)
    said = {e.about: e.text for e in of(events, "warning")}
    assert set(said) == {"0.png", "1.png", "2.png", "3.png"}
    assert "12 × 10" in said["0.png"]
    assert "96 × 96" in said["0.png"]
    assert "9" in said["1.png"]
    assert events[-1].kind == "finished"


def test_nothing_usable_and_only_one_class_are_said_plainly(tmp_path):
    images, project = world(tmp_path, 2)
    for name in ("0.png", "1.png"):
        write_labels(project, name, np.ones((96, 96), np.uint8))
    with pytest.raises(UserError, match="Only “square” is painted"):
        run(finetune, tmp_path, request(images, 2, 0), project)
    for name in ("0.png", "1.png"):
        (images / name).unlink()
    with pytest.raises(UserError, match="None of the painted images"):
        run(finetune, tmp_path, request(images, 2, 0), project)


def test_a_class_nobody_painted_is_kept_but_warned_about(tmp_path):
    images, project = world(tmp_path, 2)
    for name in ("0.png", "1.png"):
        labels = scene(int(name[0]))[1]
        labels[labels == 2] = 255
        write_labels(project, name, np.minimum(labels, 255))
    labels = scene(0)[1]
    labels[:20, :20] = 1
    labels[labels == 2] = 255
    write_labels(project, "0.png", labels)
    events = run(finetune, tmp_path, request(images, 1, 1, minutes=0.03), project)
    assert [e.about for e in of(events, "warning")] == ["disc"]
    assert load_model(project / "models" / "m").classes == 3
    assert events[-1].result["validation_images"] == []  # two images are too few to set one aside


def test_stopping_keeps_the_model_and_pausing_costs_no_time(tmp_path):
    images, project = world(tmp_path, 3)
    control = Control()
    control.pause()
    waker = threading.Timer(1.5, control.resume)
    kinds = []
    began = time.perf_counter()
    for event in finetune(
        request(images, 3, 0, minutes=5),
        project=project,
        checkpoints=tmp_path / "run" / "checkpoints",
        previews=tmp_path / "run" / "previews",
        control=control,
    ):
        kinds.append(event.kind)
        if event.kind == "paused":
            waker.start()
        if event.kind == "metric":
            control.stop()
    seconds = time.perf_counter() - began
    assert kinds.index("paused") < kinds.index("resumed") < kinds.index("metric")
    assert kinds[-1] == "stopped"
    assert load_model(project / "models" / "m").classes == 3
    assert read_about(project / "models" / "m")["training"]["minutes"] * 60 < seconds - 1.2


def test_an_interrupted_run_goes_on_from_its_last_state(tmp_path, monkeypatch):
    from sslstudio.learning.segmentation import finetune as module

    monkeypatch.setattr(module, "_STATE", 0.0)
    images, project = world(tmp_path, 3)
    asked = request(images, 3, 0, minutes=5)
    folders = {"checkpoints": tmp_path / "run" / "checkpoints", "previews": tmp_path / "run" / "previews"}
    job = finetune(asked, project=project, **folders, control=Control())
    saved = 0
    for event in job:
        saved += event.kind == "checkpoint"
        if saved == 2:
            break
    job.close()  # as a worker that dies: nothing is saved on the way out
    assert not (project / "models").exists()
    before = read_state(folders["checkpoints"], asked)
    assert before["learner"]["steps"] == 2
    control = Control()
    events = []
    for event in finetune(asked, project=project, **folders, control=control):
        events.append(event)
        if event.kind == "checkpoint":
            control.stop()
    assert of(events, "started")[0].step == 2
    assert events[-1].result["steps"] == 3
    assert read_about(project / "models" / "m")["training"]["minutes"] * 60 > before["elapsed"] - 1
    other = asked.model_copy(update={"model": "another"})
    assert read_state(folders["checkpoints"], other) is None


def learner(backbone="test_resnet", **settings):
    recipe = FinetuneRecipe(**settings)
    made = Learner(
        SegmentationModel(create_encoder(backbone), "linear", 2, crop=64), torch.ones(2), recipe, make_accelerator()
    )
    made.unfreeze(99, 1.0)
    return made


def crops(count):
    torch.manual_seed(1)
    labels = torch.zeros(count, 64, 64, dtype=torch.uint8)
    labels[:, 20:] = 1
    return Batch(torch.randint(0, 255, (count, 3, 64, 64), dtype=torch.uint8), labels)


def test_weights_that_are_no_numbers_stop_it_and_never_replace_a_good_state(tmp_path, monkeypatch):
    from sslstudio.learning.segmentation import finetune as module

    monkeypatch.setattr(module, "_STATE", 0.0)
    images, project = world(tmp_path, 3)
    asked = request(images, 3, 0, minutes=5, backbone="test_resnet")
    whole, spoilt = Learner._update, []

    def overflows(self, batch):
        value = whole(self, batch)
        if self.steps == 3:
            spoilt.append(self.steps)
            next(self.model.parameters()).data.fill_(torch.inf)
        return value

    monkeypatch.setattr(Learner, "_update", overflows)
    with pytest.raises(UserError, match="no longer a number") as told:
        run(finetune, tmp_path, asked, project)
    assert "Lower the learning rate" in told.value.advice
    assert spoilt == [3]
    assert read_state(tmp_path / "run" / "checkpoints", asked)["learner"]["steps"] == 2
    assert not (project / "models").exists()


def test_a_loss_that_overflows_is_no_number_either():
    made = learner()
    for parameter in made.model.decoder.parameters():
        parameter.data.fill_(1e38)
    with pytest.raises(UserError, match="no longer a number"):
        made.step(crops(2), 1.0)


def test_where_memory_runs_out_the_crops_are_worked_through_in_parts(monkeypatch):
    """A batch of four where there is room for two gives nearly the step of the whole batch."""
    torch.manual_seed(0)
    whole = learner(learning_rate=1e-3)
    torch.manual_seed(0)
    parts = learner(learning_rate=1e-3)
    forward = parts.model.forward

    def hungry(images):
        if len(images) > 2:
            torch.empty(len(images) << 50)
        return forward(images)

    monkeypatch.setattr(parts.model, "forward", hungry)
    losses = whole.step(crops(4), 1.0), parts.step(crops(4), 1.0)
    assert (parts.pieces, parts.out_of_memory, parts.steps) == (2, True, 1)
    assert losses[0] == pytest.approx(losses[1], rel=0.1)
    monkeypatch.setattr(parts.model, "forward", lambda images: torch.empty(1 << 55))
    with pytest.raises(UserError, match="not enough memory"):
        parts.step(crops(4), 1.0)


def test_memory_that_runs_out_is_told(tmp_path, monkeypatch):
    images, project = world(tmp_path, 3)
    forward = SegmentationModel.forward

    def hungry(self, pixels):
        if self.training and len(pixels) > 1:
            torch.empty(len(pixels) << 50)
        return forward(self, pixels)

    monkeypatch.setattr(SegmentationModel, "forward", hungry)
    events = run(finetune, tmp_path, request(images, 3, 0, minutes=0.02, backbone="test_resnet"), project)
    assert events[-1].kind == "finished"
    assert [e.about for e in of(events, "warning") if "worked through in 2 parts" in e.text] == ["batch_size"]


def test_single_crops_with_a_single_place_are_refused_where_batch_norm_needs_more(tmp_path):
    images, project = world(tmp_path, 3, side=32)
    asked = request(images, 3, 0, minutes=0.02, backbone="resnet18", crop=32, batch_size=1)
    with pytest.raises(UserError, match="cannot learn from single crops of 32 pixels") as told:
        run(finetune, tmp_path, asked, project)
    assert "batch of 2" in told.value.advice
    for fits in ({"batch_size": 2}, {"crop": 64}, {"backbone": "test_vit"}):
        place = tmp_path / next(iter(fits))
        recipe = asked.recipe.model_copy(update=fits)
        events = run(finetune, place, asked.model_copy(update={"recipe": recipe}), project)
        assert events[-1].kind == "finished"


def test_frozen_parts_stand_still_and_the_last_blocks_learn_afterwards():
    from sslstudio.learning.segmentation.crops import Batch

    torch.manual_seed(0)
    recipe = FinetuneRecipe(minutes=1, unfreeze_blocks=1)
    learner = Learner(
        SegmentationModel(create_encoder("resnet18"), "multilevel", 2), torch.ones(2), recipe, make_accelerator()
    )
    batch = Batch(torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8), torch.randint(0, 2, (2, 64, 64)))
    net = learner.model.encoder.net
    before = {k: v.clone() for k, v in net.state_dict().items()}
    learner.unfreeze(0, 0.3)
    learner.step(batch, 1.0)
    assert all(torch.equal(v, before[k]) for k, v in net.state_dict().items())  # statistics of norms too
    first = learner.optimiser
    learner.unfreeze(1, 0.3)
    assert learner.optimiser is not first
    learner.step(batch, 1.0)
    changed = {k.split(".")[0] for k, v in net.state_dict().items() if not torch.equal(v, before[k])}
    assert changed == {"layer4"}


def test_the_plan_freezes_only_what_has_learned_something():
    assert [s.blocks for s in plan(FinetuneRecipe(), trained=True).stages] == [0, 99]
    fresh = plan(FinetuneRecipe(), trained=False)
    assert [s.blocks for s in fresh.stages] == [99]
    assert fresh.backbone_rate == 1.0
    assert [s.blocks for s in plan(FinetuneRecipe(unfreeze_blocks=0), trained=True).stages] == [0]
    rates = [fresh.rate(share / 100) for share in range(101)]
    assert max(rates) > 0.95
    assert rates[0] < 0.1
    assert rates[-1] < 0.02


def test_every_decoder_takes_every_encoder_and_size():
    for name in ("resnet18", "convnext_atto", "vit_tiny_patch16_224"):
        for decoder in ("multilevel", "linear"):
            model = SegmentationModel(create_encoder(name), decoder, 4).eval()
            with torch.inference_mode():
                assert model(torch.randn(2, 3, 45, 70)).shape == (2, 4, 45, 70)


def test_the_model_says_what_it_is_in_plain_json(trained):
    _, _, project, _, _ = trained
    about = json.loads((project / "models" / "m" / "model.json").read_text())
    assert about["classes"] == [{"name": c.name, "colour": c.colour} for c in CLASSES]
    assert about["backbone"] == "test_resnet"


def test_figures_say_how_much_of_the_images_was_judged():
    torch.manual_seed(0)
    model = SegmentationModel(create_encoder("test_resnet"), "linear", 2, crop=32).eval()
    labels = np.full((32, 32), 255, np.uint8)
    labels[:8] = 1
    pairs = [Painted(name, np.zeros((32, 32, 3), np.uint8), labels) for name in ("a.png", "b.png")]
    examiner = Examiner(pairs, ["ground", "thing"])
    examiner.measure(model)
    assert (examiner.measured, examiner.painted) == (2, 0.25)
    examiner.measure(model, seconds=0)  # no time: one image at least
    assert (examiner.measured, examiner.painted) == (1, 0.25)


def test_a_class_that_no_kept_aside_image_shows_does_not_count_in_the_mean():
    confusion = Confusion(["ground", "square", "disc"])
    truth = np.array([[0, 0, 1, 1]])
    confusion.add(truth, np.array([[0, 0, 1, 2]]))  # one stray pixel of a class that is not there
    found = figures(confusion)
    assert found["miou"] == pytest.approx((1.0 + 0.5) / 2)
    assert "recall/disc" not in found
