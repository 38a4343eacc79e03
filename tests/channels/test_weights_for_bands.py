"""Weights made for colours as a start for bands: timm's published ones from a hub, and a file of somebody else."""

import sys
from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import load_file, save

from sslstudio.learning.backbones.encoder import create_encoder
from sslstudio.learning.backbones.foreign import load_foreign
from sslstudio.learning.backbones.stem import adapt_channels
from sslstudio.learning.segmentation.finetune import finetune
from sslstudio.learning.training.control import Control
from sslstudio.learning.training.pretrain import pretrain
from sslstudio.recipes.finetune import FinetuneRecipe
from sslstudio.recipes.methods import SimCLRRecipe
from sslstudio.recipes.pretrain import PretrainRecipe
from sslstudio.runs.request import ClassSpec, FinetuneRequest, LabelledImage, PretrainRequest

from .bands_world import CLASSES, COLOURS, write_world

sys.path.insert(0, str(Path(__file__).parents[1] / "learning" / "backbones"))
from local_hub import serve

STEMS = {"test_vit": ("patch_embed.proj.weight", "net.patch_embed.proj.weight"),
         "test_resnet": ("conv1.0.weight", "net.conv1.0.weight")}  # fmt: skip


@pytest.fixture(params=STEMS)
def published(request, tmp_path, monkeypatch):
    """A hub with weights of a small network; its name, the weights, and the names of the first layer there and here."""
    name = request.param
    weights = {
        key: 0.1 * torch.randn_like(value) if value.is_floating_point() and "running" not in key else value
        for key, value in timm.create_model(name).state_dict().items()
    }
    with serve() as hub:
        hub.files[f"{timm.models.get_pretrained_cfg(name).hf_hub_id}/model.safetensors"] = save(weights)
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
        monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
        yield name, weights, *STEMS[name]


@pytest.mark.parametrize("channels", [1, 2, 5])
def test_published_weights_and_a_file_give_the_same_adapted_first_layer(published, tmp_path, channels):
    name, weights, theirs, ours = published
    torch.save({"state_dict": weights}, tmp_path / "x.pth")
    fetched = create_encoder(name, pretrained=True, channels=channels)
    filled = create_encoder(name, channels=channels)
    assert load_foreign(filled, tmp_path / "x.pth").channels == (3, channels)
    for encoder in (fetched, filled):
        found = encoder.state_dict()
        assert torch.allclose(found[ours], adapt_channels(weights[theirs], channels), atol=1e-6)
        assert all(
            torch.equal(value, weights[key.removeprefix("net.")])
            for key, value in found.items()
            if key != ours and key.removeprefix("net.") in weights
        )
    if channels == 1:  # a grey image gives what it gave as three equal channels
        grey, rgb = torch.rand(1, 1, 64, 64), create_encoder(name, pretrained=True).eval()
        with torch.no_grad():
            assert torch.allclose(fetched.eval()(grey), rgb(grey.expand(1, 3, 64, 64)), atol=1e-3)


@pytest.mark.parametrize("where", ["timm", "file"])
def test_pretraining_starts_from_them_and_tells(published, tmp_path, where):
    name, weights, theirs, ours = published
    torch.save(weights, tmp_path / "x.pth")
    images, _ = write_world(tmp_path, 5, 4)
    recipe = PretrainRecipe(
        method=SimCLRRecipe(projection_hidden=32, projection_out=16),
        backbone=name,
        start="timm" if where == "timm" else str(tmp_path / "x.pth"),
        channels=5,
        resolution=32,
        batch_size=4,
        learning_rate=1e-7,
    )
    asked = PretrainRequest(images_root=str(images), images=tuple(f"{n:02d}.tif" for n in range(4)), recipe=recipe)
    folders = {"checkpoints": tmp_path / "c", "previews": tmp_path / "p", "cache": tmp_path / "k"}
    events = list(pretrain(asked, **folders, control=Control(), steps=2))
    assert events[-1].kind == "finished"
    told = [event.text for event in events if event.kind == "warning" and "made for 3 channels" in event.text]
    assert len(told) == 1
    assert "repeated in turn and scaled for 5 channels" in told[0]
    kept = load_file(tmp_path / "c" / "last" / "encoder.safetensors")
    assert torch.allclose(kept[ours], adapt_channels(weights[theirs], 5), atol=1e-4), "hardly a step away from them"


@pytest.mark.parametrize("where", ["timm", "file"])
def test_fine_tuning_starts_from_them_and_tells(published, tmp_path, where):
    name, weights, _, _ = published
    torch.save(weights, tmp_path / "x.pth")
    images, masks = write_world(tmp_path, 5, 4)
    project = tmp_path / "p.sslproj"
    project.mkdir()
    masks.rename(project / "masks")
    asked = FinetuneRequest(
        images_root=str(images),
        labelled=tuple(LabelledImage(image=f"{n:02d}.tif", mask=f"masks/{n:02d}.png", split="train") for n in range(4)),
        classes=tuple(ClassSpec(name=n, colour=c) for n, c in zip(CLASSES, COLOURS, strict=True)),
        model="m",
        recipe=FinetuneRecipe(
            backbone=name,
            start="timm" if where == "timm" else str(tmp_path / "x.pth"),
            channels=5,
            minutes=0.03,
            crop=64,
            batch_size=2,
        ),
    )
    folders = {"checkpoints": tmp_path / "c", "previews": tmp_path / "v"}
    events = list(finetune(asked, project=project, **folders, control=Control()))
    assert events[-1].kind == "finished"
    (told,) = [event.text for event in events if event.kind == "warning"]
    assert "made for 3 channels: they were repeated in turn and scaled for 5 channels" in told
