"""Encoders, methods, models and exports for images with any number of channels."""

import json
import re
import subprocess
import sys

import numpy as np
import onnxruntime
import pytest
import torch
from safetensors.torch import load_file

from sslstudio.errors import UserError
from sslstudio.learning.backbones.checkpoints import encoder_channels, load_encoder, save_encoder
from sslstudio.learning.backbones.encoder import create_encoder
from sslstudio.learning.backbones.foreign import load_foreign
from sslstudio.learning.backbones.stem import adapt_channels
from sslstudio.learning.evaluation.attention import attention_maps, feature_colours
from sslstudio.learning.evaluation.features import pooled
from sslstudio.learning.export.export import export
from sslstudio.learning.methods.registry import create_method
from sslstudio.learning.segmentation.model import SegmentationModel, load_model, save_model
from sslstudio.learning.segmentation.tiles import segment
from sslstudio.learning.training.control import Control
from sslstudio.recipes.methods import METHODS
from sslstudio.recipes.presets import PRESETS
from sslstudio.recipes.settings import build, settings_of
from sslstudio.runs.request import ExportRequest

from .bands_world import CLASSES, COLOURS, scene, write_bands

BACKBONES = {"vit": "test_vit", "conv": "test_resnet"}
LEARNING = [(name, BACKBONES[k]) for name, row in METHODS.items() for k in row.backbones if name != "colorization"]
ABOUT = {"classes": [{"name": n, "colour": c} for n, c in zip(CLASSES, COLOURS, strict=True)], "metrics": {}}


def small(name):
    values = {
        entry.key: int(max(entry.low or 0, min(entry.default, 64 if entry.default > 8 else 2)))
        for entry in settings_of(METHODS[name].recipe)
        if entry.kind == "int"
    }
    return build(METHODS[name].recipe, values)


@pytest.mark.parametrize(("method", "backbone"), LEARNING)
@pytest.mark.parametrize("channels", [2, 5])
def test_every_method_learns_from_bands(method, backbone, channels):
    look = PRESETS["natural"].augmentation
    made = create_method(create_encoder(backbone, channels=channels), small(method), resolution=64, look=look).train()
    made.begin_from_scratch()
    views = tuple(torch.randn(4 * spec.count, channels, spec.size, spec.size) for spec in made.views)
    loss = made(views).loss
    loss.backward()
    made.before_update()
    assert torch.isfinite(loss)
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in made.parameters())


def test_colorization_refuses_what_has_no_colours():
    with pytest.raises(UserError, match="learns from colours, and images with 5 channels have none"):
        create_method(
            create_encoder("test_resnet", channels=5), small("colorization"), resolution=64,
            look=PRESETS["natural"].augmentation,
        )  # fmt: skip


@pytest.mark.parametrize("name", ["test_vit", "test_resnet", "convnext_atto"])
def test_an_encoder_keeps_its_channels_and_is_adapted_to_others(tmp_path, name):
    encoder = create_encoder(name, channels=5).eval()
    save_encoder(encoder, tmp_path, {"step": 1})
    assert json.loads((tmp_path / "encoder.json").read_bytes())["channels"] == encoder_channels(tmp_path) == 5
    images = torch.randn(1, 5, 64, 64)
    with torch.no_grad():
        assert torch.equal(load_encoder(tmp_path)(images), encoder(images))
    for channels in (1, 3, 8):
        other = load_encoder(tmp_path, channels=channels)
        assert other.channels == channels
        ours, theirs = other.state_dict(), encoder.state_dict()
        changed = [key for key in ours if ours[key].shape != theirs[key].shape]
        assert len(changed) == 1
        assert torch.equal(ours[changed[0]], adapt_channels(theirs[changed[0]], channels))
        assert all(torch.equal(ours[key], theirs[key]) for key in ours if key not in changed)


def test_an_encoder_of_before_has_three_channels(tmp_path):
    save_encoder(create_encoder("test_vit"), tmp_path, {})
    about = json.loads((tmp_path / "encoder.json").read_bytes())
    del about["channels"]
    (tmp_path / "encoder.json").write_text(json.dumps(about))
    assert load_encoder(tmp_path).channels == 3


def test_the_report_on_a_file_tells_of_other_channels(tmp_path):
    torch.save(create_encoder("test_resnet").net.state_dict(), tmp_path / "x.pth")
    report = load_foreign(create_encoder("test_resnet", channels=5), tmp_path / "x.pth")
    assert report.channels == (3, 5)
    assert "made for 3 channels: they were repeated in turn and scaled for 5 channels" in report.sentence()
    assert load_foreign(create_encoder("test_resnet"), tmp_path / "x.pth").channels == ()
    torch.save(create_encoder("test_resnet", channels=9).net.state_dict(), tmp_path / "y.pth")
    assert load_foreign(create_encoder("test_resnet", channels=6), tmp_path / "y.pth").channels == (9, 6)


@pytest.mark.parametrize("channels", [1, 2, 5])
def test_attention_colours_and_features_of_bands(tmp_path, channels):
    pixels = np.random.default_rng(0).integers(0, 256, (64, 80, channels), np.uint8)
    vit, conv = (create_encoder(name, channels=channels) for name in ("test_vit", "test_resnet"))
    assert attention_maps(vit, pixels).ndim == 3
    assert feature_colours(conv, pixels).shape[2] == 3
    np.save(tmp_path / "a.npy", pixels)
    np.save(tmp_path / "b.npy", np.zeros((64, 80, 7), np.uint8))
    (found,) = pooled(conv, tmp_path, ["a.npy", "b.npy"], side=64)
    assert found.images == ("a.npy",)
    assert "b.npy has 7 channels" in found.problems[0][1]


@pytest.mark.parametrize(("name", "decoder"), [("convnext_atto", "multilevel"), ("test_vit", "linear")])
@pytest.mark.parametrize("channels", [1, 2, 5])
def test_a_model_keeps_its_channels(tmp_path, name, decoder, channels):
    torch.manual_seed(0)
    encoder = create_encoder(name, channels=channels)
    model = SegmentationModel(encoder, decoder, 2, crop=64, shrink=2).eval()
    save_model(model, tmp_path / "m", ABOUT)
    again = load_model(tmp_path / "m")
    assert again.encoder.channels == channels
    pixels = np.random.default_rng(0).integers(0, 256, (100, 130, channels), np.uint8)
    found = segment(again, pixels, flips=True)
    assert found.shape == (2, 100, 130)
    assert np.allclose(found, segment(model, pixels, flips=True))


@pytest.mark.parametrize("channels", [5, pytest.param(2, marks=pytest.mark.slow)])
def test_the_export_has_the_bands_and_the_cards_code_reads_them(tmp_path, channels):
    torch.manual_seed(0)
    model = SegmentationModel(create_encoder("convnext_atto", channels=channels), "multilevel", 2, crop=64).eval()
    save_model(model, tmp_path / "models" / "m", ABOUT)
    list(export(ExportRequest(model="m", format="all", out="out"), project=tmp_path, control=Control()))
    out = tmp_path / "out"
    session = onnxruntime.InferenceSession(str(out / "model.onnx"), providers=["CPUExecutionProvider"])
    assert session.get_inputs()[0].shape[1] == channels
    assert f"{channels} bands" in session.get_modelmeta().custom_metadata_map["input"]
    assert load_file(out / "backbone.safetensors")["stem.0.weight"].shape[1] == channels
    pixels, _ = scene(0, channels)
    write_bands(out / "image.tif", pixels)
    first, second = re.findall(r"```python\n(.*?)```", (out / "model_card.md").read_text(), re.S)
    tail = "np.save('labels.npy', labels)"
    subprocess.run([sys.executable, "-c", first + tail], cwd=out, capture_output=True, text=True, check=True)
    subprocess.run([sys.executable, "-c", second], cwd=out, capture_output=True, text=True, check=True)
    from sslstudio.images.bands import read_bands8

    ours = segment(model, read_bands8(out / "image.tif", channels)).argmax(0)
    assert (np.load(out / "labels.npy") == ours).mean() > 0.99, "the card stretches bands as the program does"
