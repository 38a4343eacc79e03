"""What leaves the program says the same as PyTorch, loads elsewhere, and the card's code runs."""

import contextlib
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import tifffile
import timm
import torch
from PIL import Image
from safetensors.torch import load_file

from sslstudio.errors import UserError
from sslstudio.images.bands import read_bands8
from sslstudio.learning.backbones.encoder import create_encoder
from sslstudio.learning.export.backbone import timm_state
from sslstudio.learning.export.export import export
from sslstudio.learning.export.onnx import Deployable, check_onnx, export_onnx
from sslstudio.learning.segmentation.model import SegmentationModel, load_model, save_model
from sslstudio.learning.training.control import Control
from sslstudio.runs.request import ExportRequest

BACKBONES = ("resnet18", "convnext_atto", "vit_tiny_patch16_224")
ABOUT = {
    "classes": [{"name": "ground", "colour": "#999999"}, {"name": "nucleus", "colour": "#e69f00"}],
    "metrics": {"miou": 0.8, "iou/ground": 0.9, "iou/nucleus": 0.7},
    "encoder_run": "",
    "recipe": {"minutes": 5.0},
    "data": {
        "training_images": ["a.png"],
        "validation_images": ["b.png"],
        "pixels": {"ground": 1234567, "nucleus": 89},
    },
    "versions": {"torch": torch.__version__},
}


def trained(name: str, decoder: str, **more) -> SegmentationModel:
    """A model whose norms have seen something, so that a forgotten eval mode would show."""
    torch.manual_seed(0)
    model = SegmentationModel(create_encoder(name), decoder, 2, crop=64, **more)
    model.train()
    model(torch.randn(2, 3, 64, 64))
    return model.eval()


@pytest.mark.parametrize(
    ("name", "decoder"), [*((name, "multilevel") for name in BACKBONES), ("vit_tiny_patch16_224", "linear")]
)
def test_onnx_says_what_pytorch_says_at_any_size(name, decoder, tmp_path):
    model = trained(name, decoder)
    file = tmp_path / "m.onnx"
    export_onnx(model, file, ["ground", "nucleus"])
    assert [f.name for f in tmp_path.iterdir()] == ["m.onnx"]
    session = onnxruntime.InferenceSession(str(file))
    for shape in ((1, 3, 64, 64), (3, 3, 33, 70), (1, 3, 7, 9), (1, 3, 224, 224)):
        pixels = np.random.default_rng(1).integers(0, 256, shape).astype(np.float32)
        (found,) = session.run(None, {"images": pixels})
        with torch.inference_mode():
            wanted = Deployable(model)(torch.from_numpy(pixels)).numpy()
        assert found.shape == (shape[0], 2, *shape[2:])
        np.testing.assert_allclose(found, wanted, atol=1e-4)
    facts = {entry.key: entry.value for entry in onnx.load(str(file)).metadata_props}
    assert json.loads(facts["classes"]) == ["ground", "nucleus"]


def test_a_model_of_shrunk_images_takes_full_size_ones(tmp_path):
    model = trained("resnet18", "multilevel", shrink=3)
    export_onnx(model, tmp_path / "m.onnx", ["a", "b"])
    pixels = np.random.default_rng(1).integers(0, 256, (1, 3, 100, 131)).astype(np.float32)
    (found,) = onnxruntime.InferenceSession(str(tmp_path / "m.onnx")).run(None, {"images": pixels})
    assert found.shape == (1, 2, 100, 131)


def test_a_file_that_says_something_else_is_not_called_done(tmp_path):
    model = trained("resnet18", "linear")
    export_onnx(model, tmp_path / "m.onnx", ["a", "b"])
    with torch.no_grad():
        model.decoder.heads[0].bias += torch.tensor([0.0, 3.0])
    with pytest.raises(UserError, match="differs"):
        check_onnx(Deployable(model).eval(), tmp_path / "m.onnx")


@pytest.mark.parametrize("name", BACKBONES)
def test_timm_loads_the_backbone_with_nothing_missing(name, tmp_path):
    encoder = create_encoder(name).eval()
    state = timm_state(encoder)
    net = timm.create_model(name)
    missing, unexpected = net.load_state_dict(state, strict=False)
    assert not unexpected
    heads = ("head.", "fc.", "fc_norm.", "norm_head")
    assert [key for key in missing if not key.startswith(heads)] == []
    net.eval()
    images = torch.randn(1, 3, 224, 224)
    with torch.inference_mode():
        features = net.forward_features(images)
        if encoder.kind == "vit":
            assert torch.allclose(features, encoder.tokens(images), atol=1e-4)
        else:
            assert torch.allclose(features, encoder.feature_levels(images)[-1], atol=1e-4)


def test_the_whole_export_leaves_files_and_a_card_whose_code_runs(tmp_path):
    save_model(trained("resnet18", "multilevel"), tmp_path / "models" / "m", ABOUT)
    events = list(export(ExportRequest(model="m", format="all", out="out"), project=tmp_path, control=Control()))
    assert events[-1].kind == "finished"
    agreement = events[-1].result["agreement"]
    assert 0 <= agreement["difference"] < 1e-3
    assert len(set(agreement["sizes"])) == 2
    out = tmp_path / "out"
    assert sorted(f.name for f in out.iterdir()) == ["backbone.safetensors", "model.onnx", "model_card.md"]
    assert load_file(out / "backbone.safetensors")
    card = (out / "model_card.md").read_text()
    assert "1,234,567" in card
    assert "0.800" in card
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (50, 70, 3), np.uint8)).save(out / "image.png")
    blocks = re.findall(r"```python\n(.*?)```", card, re.S)
    assert len(blocks) == 3
    deep = blocks.pop(1)
    assert len(blocks[0].strip().splitlines()) == 5
    for block, tail in zip(blocks, ("print(labels.shape)", "print('ok')"), strict=True):
        done = subprocess.run([sys.executable, "-c", block + tail], cwd=out, capture_output=True, text=True, check=True)
        assert done.stdout.strip() in ("(50, 70)", "ok")
    # Of 16 bits: the card's code makes of a file what the network was shown of it.
    for pixels in (rng.integers(300, 5000, (40, 60), np.uint16), rng.integers(0, 65000, (40, 60, 3), np.uint16)):
        tifffile.imwrite(out / "image.tif", pixels)
        found: dict = {}
        with contextlib.chdir(out):
            exec(deep, found)
        wanted = read_bands8(out / "image.tif", 3).transpose(2, 0, 1)[None]
        assert found["pixels"].dtype == np.float32
        assert np.abs(found["pixels"] - wanted).max() <= 1


def test_one_format_goes_to_one_file(tmp_path):
    save_model(trained("resnet18", "linear"), tmp_path / "models" / "m", ABOUT)
    target = tmp_path / "elsewhere" / "b.safetensors"
    asked = ExportRequest(model="m", format="backbone", out=str(target))
    events = list(export(asked, project=tmp_path, control=Control()))
    assert events[-1].result["files"] == {"backbone": str(target)}
    assert target.exists()


def test_a_place_that_cannot_be_written_is_blamed_and_not_the_backbone(tmp_path):
    save_model(trained("resnet18", "linear"), tmp_path / "models" / "m", ABOUT)
    (tmp_path / "taken").write_text("a file")
    asked = ExportRequest(model="m", format="onnx", out=str(tmp_path / "taken" / "m.onnx"))
    with pytest.raises(UserError, match=r"Nothing can be written into .*taken"):
        list(export(asked, project=tmp_path, control=Control()))


def test_an_unknown_model_is_said_plainly(tmp_path):
    with pytest.raises(UserError, match="no model"):
        list(export(ExportRequest(model="nope"), project=tmp_path, control=Control()))


def test_a_saved_model_loads_as_it_was(tmp_path):
    model = trained("vit_tiny_patch16_224", "multilevel", shrink=2)
    save_model(model, tmp_path / "models" / "m", ABOUT)
    save_model(model, tmp_path / "models" / "m", ABOUT)  # replaces the older one
    assert [f.name for f in Path(tmp_path / "models").iterdir()] == ["m"]
    again = load_model(tmp_path / "models" / "m")
    assert (again.shrink, again.crop, again.classes) == (2, 64, 2)
    images = torch.randn(1, 3, 50, 40)
    with torch.inference_mode():
        assert torch.equal(again(images), model(images))
