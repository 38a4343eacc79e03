"""The shipped catalogue says what timm says: a sample of its rows is made anew and compared."""

import csv
import importlib.util
from pathlib import Path

import pytest
import timm
import torch

from sslstudio.errors import UserError
from sslstudio.learning.backbones.create import create
from sslstudio.recipes.backbones import check_backbone
from sslstudio.recipes.catalogue import FILE, LEFT_OUT, left_out, made_with

ROOT = Path(__file__).parents[3]
SAMPLE = (
    "resnet18",
    "vit_tiny_patch16_224",
    "vit_small_patch16_dinov3",
    "convnext_atto",
    "beit_base_patch16_224",
    "swinv2_tiny_window8_256",
    "xcit_nano_12_p16_224",
    "vgg11_bn",
    "vit_relpos_small_patch16_224",
)


@pytest.fixture(scope="module")
def maker():
    torch.set_num_threads(1)
    found = importlib.util.spec_from_file_location("maker", ROOT / "packaging" / "backbone_catalogue.py")
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def rows():
    lines = [line for line in FILE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return {row["name"]: row for row in csv.DictReader(lines)}


@pytest.mark.parametrize("name", SAMPLE)
def test_a_row_made_anew_is_the_row_that_is_shipped(maker, rows, name):
    if timm.__version__ != made_with():
        pytest.skip(f"the catalogue was made with timm {made_with()}, here is {timm.__version__}")
    made = {key: str(value) for key, value in maker.row(name).items()}
    assert made == rows[name], "run packaging/backbone_catalogue.py again"


def test_names_are_timms_and_unique(rows):
    assert set(rows) <= set(timm.list_models())
    assert len(rows) > 1200


def test_every_network_of_timm_is_in_it_or_left_out_with_a_reason(rows):
    if timm.__version__ != made_with():
        pytest.skip(f"the catalogue was made with timm {made_with()}, here is {timm.__version__}")
    known = set(rows) | set(left_out())
    assert {name for name in timm.list_models() if not name.startswith("test_")} == known
    assert not set(rows) & set(left_out())
    assert all(reason and not reason.endswith(".") for reason in left_out().values())


def test_what_is_left_out_cannot_be_used_indeed(maker):
    by_reason = {reason: name for name, reason in left_out().items()}  # one of each
    for reason, name in by_reason.items():
        assert maker._row_or_reason(name) == f"{LEFT_OUT}{name}: {reason}"
        with pytest.raises(UserError, match="cannot be used"):
            check_backbone(name)


def test_an_interrupted_making_goes_on_where_it_was(maker, tmp_path, monkeypatch):
    file = tmp_path / "backbones.csv"
    monkeypatch.setattr(maker, "FILE", file)
    asked = []
    monkeypatch.setattr(maker, "rows", lambda names: asked.append(names) or map(maker._row_or_reason, names))
    left = next(iter(left_out()))
    for names in (["resnet18", left], ["vgg11", "resnet18", left]):
        monkeypatch.setattr(maker.timm, "list_models", lambda names=names: names)
        maker.main([])
    assert sorted(asked[0]) == sorted(["resnet18", left])
    assert asked[1] == ["vgg11"]
    lines = file.read_text().splitlines()
    assert [line.split(",")[0] for line in lines[1:4]] == ["name", "resnet18", "vgg11"]
    assert lines[4].startswith(f"{LEFT_OUT}{left}: ")


FACES = ("deit_tiny_distilled_patch16_224", "swin_tiny_patch4_window7_224", "vit_small_patch16_rope_mixed_224")


@pytest.mark.parametrize("name", [*FACES, "vit_relpos_small_patch16_224", "eva02_tiny_patch14_224"])
def test_networks_of_every_make_take_images_of_any_size(name):
    encoder = create(name).eval()
    height, width = 4 * encoder.stride, 6 * encoder.stride
    with torch.no_grad():
        levels = encoder.feature_levels(torch.randn(2, 3, height, width))
        pooled = encoder(torch.randn(2, 3, height, width))
    assert [tuple(level.shape) for level in levels] == [(2, w, height // s, width // s) for w, s in encoder.levels]
    assert pooled.shape == (2, encoder.width)


def test_rotary_networks_give_timms_tokens_attention_and_hidden_patches():
    encoder = create("vit_small_patch16_dinov3").eval()
    images = torch.randn(1, 3, 64, 96)
    with torch.no_grad():
        assert torch.allclose(encoder.tokens(images), encoder.net.forward_features(images), atol=1e-4)
        weights, grid = encoder.attention(images)
        every = torch.arange(24)[None]
        assert torch.allclose(encoder.tokens(images, keep=every), encoder.tokens(images), atol=1e-4)
    assert grid == (4, 6)
    assert torch.allclose(weights.sum(-1), torch.ones_like(weights.sum(-1)), atol=1e-5)


def test_a_network_without_maps_is_refused_in_words():
    with pytest.raises(UserError, match="There is no backbone"):
        create("resnet_of_nobody")
