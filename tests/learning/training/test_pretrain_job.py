"""The whole job on small real files: events, resuming to the bit, stopping, pausing, bad input, running out."""

import json
import threading
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from stopping import StopsAfter

from sslstudio.errors import UserError
from sslstudio.learning.backbones.checkpoints import load_encoder
from sslstudio.learning.methods.simclr import SimCLR
from sslstudio.learning.training.control import Control
from sslstudio.learning.training.pretrain import pretrain
from sslstudio.recipes.methods import METHODS, DenseCLRecipe, DINORecipe, MAERecipe, MoCoV2Recipe, SimCLRRecipe
from sslstudio.recipes.pretrain import PretrainRecipe
from sslstudio.runs.request import PretrainRequest

RECIPES = {
    "simclr": SimCLRRecipe(projection_hidden=32, projection_out=16),
    "mae": MAERecipe(decoder_width=32, decoder_depth=1),
    "dino": DINORecipe(prototypes=64, local_crops=2),
}


@pytest.fixture(autouse=True)
def _threads():
    torch.set_num_threads(1)


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for n in range(20):
        small = rng.integers(0, 255, (5, 6, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / f"{n:02}.png"), cv2.resize(small, (90, 70), interpolation=cv2.INTER_CUBIC))
    return folder


def request(folder, *, method="simclr", backbone="test_vit", images=None, pinned=(), **recipe):
    names = images if images is not None else tuple(sorted(p.name for p in folder.iterdir()))
    settings = {"resolution": 32, "batch_size": 8, "minutes": 0.05, **recipe}
    return PretrainRequest(
        images_root=str(folder),
        images=names,
        pinned=pinned,
        recipe=PretrainRecipe(method=RECIPES[method], backbone=backbone, **settings),
    )


def run(asked, place, *, control=None, steps=None):
    return list(
        pretrain(
            asked,
            checkpoints=place / "checkpoints",
            previews=place / "previews",
            cache=place.parent / "cache",
            control=control or Control(),
            steps=steps,
        )
    )


def of(events, kind):
    return [event for event in events if event.kind == kind]


@pytest.mark.parametrize(
    ("method", "backbone"),
    [
        ("simclr", "test_vit"),
        ("simclr", "test_resnet"),
        ("mae", "test_vit"),
        ("dino", "test_vit"),
        ("dino", "test_resnet"),
        ("dino", "test_convnext"),
    ],
)
def test_every_method_trains_every_backbone_it_claims(tmp_path, pictures, method, backbone):
    asked = request(pictures, method=method, backbone=backbone, pinned=("03.png", "gone.png"), resolution=64)
    events = run(asked, tmp_path / "run", steps=3)
    assert events[-1].kind == "finished"
    result = events[-1].result
    assert result["steps"] == 3
    assert result["encoder"] == "checkpoints/last"
    assert result["effective_rank"] >= 1
    assert np.isfinite(result["loss"])
    values = {key for event in of(events, "metric") for key in event.values}
    assert {"loss", "images_per_second", "data_wait", "learning_rate", "effective_rank"} <= values
    assert ("teacher_entropy" in values) == (method == "dino")
    widths = {event.values["feature_width"] for event in of(events, "metric") if "effective_rank" in event.values}
    shown = of(events, "preview")
    assert {event.image for event in shown} == {"03.png"}
    picture = cv2.imread(str(tmp_path / "run" / shown[-1].file))
    assert picture.shape == (70, 90, 3)
    encoder = load_encoder(tmp_path / "run" / result["encoder"])
    assert encoder(torch.zeros(1, 3, 64, 64)).shape == (1, encoder.width)
    assert widths == {encoder.width}  # the window tells the rank as a part of it
    about = json.loads((tmp_path / "run" / result["encoder"] / "encoder.json").read_text())
    assert about["name"] == backbone
    assert about["step"] == 3


@pytest.mark.parametrize(("method", "backbone"), [("simclr", "test_resnet"), ("mae", "test_vit"), ("dino", "test_vit")])
def test_twenty_steps_are_ten_and_ten_to_the_bit(tmp_path, pictures, method, backbone):
    asked = request(pictures, method=method, backbone=backbone)
    run(asked, tmp_path / "whole", steps=12)
    place = tmp_path / "parts"
    last = run(asked, place, control=StopsAfter(9), steps=12)[-1]
    assert last.kind == "stopped"
    assert 0 < last.result["steps"] < 12
    again = run(asked, place, steps=12)
    assert again[-1].kind == "finished"
    assert not [e for e in of(again, "metric") if e.step < last.result["steps"]]
    for name in ("encoder.safetensors", "state.safetensors"):
        whole = load_file(tmp_path / "whole" / "checkpoints" / "last" / name)
        parts = load_file(place / "checkpoints" / "last" / name)
        assert set(whole) == set(parts)
        assert [key for key in whole if not torch.equal(whole[key], parts[key])] == []


def test_a_budget_in_minutes_is_kept(tmp_path, pictures):
    began = None
    for event in pretrain(
        request(pictures, minutes=0.1),
        checkpoints=tmp_path / "c",
        previews=tmp_path / "p",
        cache=tmp_path / "cache",
        control=Control(),
    ):
        if event.kind == "phase" and event.text == "Training":
            began = cv2.getTickCount()
        last = event
    seconds = (cv2.getTickCount() - began) / cv2.getTickFrequency()
    assert last.kind == "finished"
    assert seconds == pytest.approx(6.0, rel=0.1, abs=0.6)
    numbers = json.loads((tmp_path / "c" / "last" / "state.json").read_text())
    assert numbers["elapsed"] == pytest.approx(6.0, rel=0.1)


def test_stopping_keeps_and_resuming_has_only_the_rest_of_the_time(tmp_path, pictures):
    control, asked = Control(), request(pictures, minutes=10)
    kinds = []
    for event in pretrain(
        asked, checkpoints=tmp_path / "c", previews=tmp_path / "p", cache=tmp_path / "cache", control=control
    ):
        kinds.append(event.kind)
        if event.kind == "metric" and event.step >= 2:
            control.stop()
    assert kinds[-1] == "stopped"
    assert kinds[-2] == "checkpoint"
    assert load_encoder(tmp_path / "c" / "last").name == "test_vit"


def test_a_pause_holds_still_and_costs_no_time(tmp_path, pictures):
    control, kinds, waited = Control(), [], threading.Timer(1.5, lambda: control.resume())
    for event in pretrain(
        request(pictures),
        checkpoints=tmp_path / "c",
        previews=tmp_path / "p",
        cache=tmp_path / "cache",
        control=control,
        steps=6,
    ):
        kinds.append(event.kind)
        if event.kind == "metric" and "paused" not in kinds and not waited.is_alive():
            control.pause()
            waited.start()
    assert kinds.index("paused") + 1 == kinds.index("resumed")
    assert kinds[-1] == "finished"
    waited.join()


def test_stop_ends_a_pause(tmp_path, pictures):
    control = Control()
    for event in pretrain(
        request(pictures),
        checkpoints=tmp_path / "c",
        previews=tmp_path / "p",
        cache=tmp_path / "cache",
        control=control,
        steps=1000,
    ):
        if event.kind == "metric":
            control.pause()
        if event.kind == "paused":
            threading.Timer(0.2, control.stop).start()
    assert event.kind == "stopped"


def test_bad_images_are_named_and_left_out(tmp_path, pictures):
    (pictures / "zero.png").touch()
    (pictures / "words.jpg").write_text("hello")
    names = (*sorted(p.name for p in pictures.iterdir()), "gone.png")
    events = run(request(pictures, images=names), tmp_path / "run", steps=1)
    assert events[-1].kind == "finished"
    about = {event.about for event in of(events, "warning")}
    assert {"zero.png", "words.jpg", "gone.png"} <= about


def test_an_image_deleted_between_scan_and_training_is_skipped(tmp_path, pictures):
    asked = request(pictures)
    (pictures / "07.png").unlink()
    events = run(asked, tmp_path / "run", steps=1)
    assert [event.about for event in of(events, "warning")] == ["07.png"]
    assert events[-1].kind == "finished"


def test_many_bad_images_do_not_flood_the_list(tmp_path, pictures):
    for n in range(60):
        (pictures / f"bad{n}.png").touch()
    warned = of(run(request(pictures), tmp_path / "run", steps=1), "warning")
    assert len(warned) < 30
    assert any("more images" in event.text for event in warned)


def test_no_usable_image_is_an_error(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").touch()
    with pytest.raises(UserError, match="None of the 1 images"):
        run(request(tmp_path / "in"), tmp_path / "run", steps=1)
    with pytest.raises(UserError, match="no images"):
        run(request(tmp_path / "in", images=()), tmp_path / "run", steps=1)


@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("method", ["simclr", "mae", "dino"])
def test_few_images_lower_the_batch_and_say_so(tmp_path, pictures, count, method):
    asked = request(pictures, images=tuple(f"{n:02}.png" for n in range(count)), method=method, batch_size=64)
    events = run(asked, tmp_path / "run", steps=2)
    assert events[-1].kind == "finished"
    assert np.isfinite(events[-1].result["loss"])
    assert "batch_size" in {event.about for event in of(events, "warning")}


def test_mae_with_a_convolutional_network_is_refused_before_anything_is_written(tmp_path, pictures):
    with pytest.raises(UserError, match="MAE cannot train"):
        run(request(pictures, method="mae", backbone="test_resnet"), tmp_path / "run", steps=1)
    assert not (tmp_path / "run" / "checkpoints").exists()


def test_a_loss_that_is_no_number_stops_with_the_good_checkpoint_kept(tmp_path, pictures):
    asked = request(pictures, backbone="test_resnet", learning_rate=1.0, clip=0.0, warmup=0.0)
    place = tmp_path / "run"
    run(request(pictures, backbone="test_resnet"), place, steps=1)
    good = (place / "checkpoints" / "last" / "encoder.safetensors").read_bytes()
    state = place / "checkpoints" / "last" / "state.safetensors"
    # Weights that overflow at the next step.
    tensors = load_file(state)
    save_file({k: v * 1e30 if k.startswith("method.head") else v for k, v in tensors.items()}, state)
    with pytest.raises(UserError) as error:
        run(asked, place, steps=200)
    assert "no longer a number" in error.value.problem
    assert "learning rate" in error.value.advice
    assert (place / "checkpoints" / "last" / "encoder.safetensors").read_bytes() == good


class Hungry(SimCLR):
    """Wants more memory than any machine has for more than four images at once."""

    def forward(self, views):
        if len(views[0]) > 8:
            torch.empty(len(views[0]) << 50)
        return super().forward(views)


def test_memory_that_runs_out_is_told_once_and_the_run_goes_on(tmp_path, pictures, monkeypatch):
    monkeypatch.setitem(METHODS, "simclr", replace(METHODS["simclr"], where=f"{__name__}:Hungry"))
    events = run(request(pictures, batch_size=16), tmp_path / "run", steps=3)
    assert events[-1].kind == "finished"
    (warning,) = [event for event in of(events, "warning") if "Memory ran out" in event.text]
    assert "in 4 parts" in warning.text
    assert "smaller batch" in warning.advice
    events = run(request(pictures, batch_size=16), tmp_path / "run", steps=5)  # it is known when it goes on
    assert [event for event in of(events, "warning") if "Memory" in event.text] == []


@pytest.mark.parametrize(("queue", "told"), [(100, True), (20, False)])
@pytest.mark.parametrize("method", [MoCoV2Recipe, DenseCLRecipe])
def test_a_queue_longer_than_the_folder_is_told_and_does_no_harm(tmp_path, pictures, method, queue, told):
    asked = request(pictures, backbone="test_resnet")
    small = method(queue=queue, projection_hidden=32, projection_out=16)
    asked = asked.model_copy(update={"recipe": asked.recipe.model_copy(update={"method": small})})
    events = run(asked, tmp_path / "run", steps=8)  # each picture comes three times
    assert np.isfinite(events[-1].result["loss"])
    found = [event for event in of(events, "warning") if event.about == "method.queue"]
    assert len(found) == told
    assert all("only 20 pictures" in event.text and "queue to 12" in event.advice for event in found)


def test_a_foreign_checkpoint_is_the_start(tmp_path, pictures):
    run(request(pictures), tmp_path / "first", steps=2)
    start = str(tmp_path / "first" / "checkpoints" / "last" / "encoder.safetensors")
    run(request(pictures, start=start, learning_rate=1e-7), tmp_path / "second", steps=1)
    first = load_file(start)
    second = load_file(tmp_path / "second" / "checkpoints" / "last" / "encoder.safetensors")
    assert all(torch.allclose(first[key], second[key], atol=1e-4) for key in first)
    with pytest.raises(UserError, match="There is no checkpoint"):
        run(request(pictures, start="/nowhere.pth"), tmp_path / "third", steps=1)


def test_another_method_does_not_resume_this_run(tmp_path, pictures):
    run(request(pictures), tmp_path / "run", steps=1)
    with pytest.raises(UserError, match="made with simclr"):
        run(request(pictures, method="dino"), tmp_path / "run", steps=2)


def test_a_run_killed_while_saving_still_resumes(tmp_path, pictures):
    place = tmp_path / "run"
    run(request(pictures), place, steps=2)
    last = place / "checkpoints" / "last"
    last.rename(last.with_name(".last.old"))  # killed between the two renames
    (place / "checkpoints" / ".last.new").mkdir()
    events = run(request(pictures), place, steps=4)
    assert min(event.step for event in of(events, "metric")) > 2
    assert sorted(p.name for p in (place / "checkpoints").iterdir() if p.name != "past") == ["last"]


def test_originals_are_never_touched(tmp_path, pictures):
    before = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in pictures.iterdir()}
    run(request(pictures), tmp_path / "run", steps=1)
    assert {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in pictures.iterdir()} == before


def test_real_nuclei_train(tmp_path, data_folder: Path):
    folder = data_folder / "dsb2018_nuclei" / "images"
    names = tuple(sorted(p.name for p in folder.iterdir())[:40])
    events = run(request(folder, images=names, resolution=64, preset="microscopy"), tmp_path / "run", steps=4)
    assert events[-1].kind == "finished"
