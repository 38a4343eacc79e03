"""Runs on five bands that were cut off go on where they were: pretraining to the bit, fine-tuning from its state."""

import pytest
import torch
from safetensors.torch import load_file
from stopping import StopsAfter

from sslstudio.learning.segmentation import finetune as finetuning
from sslstudio.learning.segmentation.model import load_model
from sslstudio.learning.training.control import Control
from sslstudio.learning.training.pretrain import pretrain
from sslstudio.recipes.finetune import FinetuneRecipe
from sslstudio.recipes.methods import BEiTRecipe, MAERecipe, SimCLRRecipe
from sslstudio.recipes.pretrain import PretrainRecipe
from sslstudio.runs.request import ClassSpec, FinetuneRequest, LabelledImage, PretrainRequest

from .bands_world import CLASSES, COLOURS, write_world

METHODS = (
    (SimCLRRecipe(projection_hidden=32, projection_out=16), "test_resnet"),
    (MAERecipe(decoder_width=32, decoder_depth=1), "test_vit"),
    (BEiTRecipe(codes=32), "test_vit"),
)
NAMES = tuple(f"{n:02d}.tif" for n in range(6))


@pytest.mark.parametrize(("method", "backbone"), METHODS)
def test_two_parts_of_pretraining_are_the_whole_to_the_bit(tmp_path, method, backbone):
    images, _ = write_world(tmp_path, 5, 6)
    recipe = PretrainRecipe(method=method, backbone=backbone, channels=5, resolution=32, batch_size=4)
    asked = PretrainRequest(images_root=str(images), images=NAMES, recipe=recipe)

    def run(place, control):
        folders = {"checkpoints": place / "c", "previews": place / "p", "cache": tmp_path / "k"}
        return list(pretrain(asked, **folders, control=control, steps=10))

    run(tmp_path / "whole", Control())
    last = run(tmp_path / "parts", StopsAfter(7))[-1]
    assert last.kind == "stopped"
    assert 0 < last.result["steps"] < 10
    assert run(tmp_path / "parts", Control())[-1].kind == "finished"
    whole, parts = (load_file(tmp_path / place / "c" / "last" / "encoder.safetensors") for place in ("whole", "parts"))
    assert any(value.dim() == 4 and value.shape[1] == 5 for value in whole.values())
    assert [key for key in whole if not torch.equal(whole[key], parts[key])] == []


def test_fine_tuning_that_died_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(finetuning, "_STATE", 0.0)
    images, masks = write_world(tmp_path, 5, 4)
    project = tmp_path / "p.sslproj"
    project.mkdir()
    masks.rename(project / "masks")
    asked = FinetuneRequest(
        images_root=str(images),
        labelled=tuple(LabelledImage(image=n, mask=f"masks/{n[:2]}.png", split="train") for n in NAMES[:4]),
        classes=tuple(ClassSpec(name=n, colour=c) for n, c in zip(CLASSES, COLOURS, strict=True)),
        model="m",
        recipe=FinetuneRecipe(backbone="test_resnet", channels=5, minutes=5, crop=64, batch_size=2),
    )
    folders = {"checkpoints": tmp_path / "c", "previews": tmp_path / "v"}
    job = finetuning.finetune(asked, project=project, **folders, control=Control())
    saved = 0
    for event in job:
        saved += event.kind == "checkpoint"
        if saved == 2:
            break
    job.close()  # as a worker that dies: nothing is saved on the way out
    control, events = Control(), []
    for event in finetuning.finetune(asked, project=project, **folders, control=control):
        events.append(event)
        if event.kind == "checkpoint":
            control.stop()
    assert next(event for event in events if event.kind == "started").step == 2
    assert events[-1].result["steps"] == 3
    assert load_model(project / "models" / "m").encoder.channels == 5
