"""Checkpoints: our own come back exactly; other people's are fitted, and never run."""

import argparse
import os
import pickle

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file

from sslstudio.errors import UserError
from sslstudio.learning.backbones.checkpoints import load_encoder, save_encoder
from sslstudio.learning.backbones.encoder import create_encoder
from sslstudio.learning.backbones.foreign import load_foreign


@pytest.fixture(autouse=True)
def _threads():
    torch.set_num_threads(1)


def same(a, b):
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


@pytest.mark.parametrize("name", ["test_vit", "test_resnet", "test_convnext"])
def test_an_encoder_comes_back_as_it_was(tmp_path, name):
    encoder = create_encoder(name).to(memory_format=torch.channels_last).eval()
    save_encoder(encoder, tmp_path / "last", {"step": 3})
    again = load_encoder(tmp_path / "last")
    assert again.name == name
    assert same(encoder, again)
    images = torch.randn(2, 3, 64, 64)
    assert torch.allclose(encoder(images), again(images), atol=1e-5)


def test_a_broken_encoder_folder_is_a_clear_sentence(tmp_path):
    save_encoder(create_encoder("test_vit"), tmp_path / "last", {})
    (tmp_path / "last" / "encoder.safetensors").write_bytes(b"torn")
    with pytest.raises(UserError, match="cannot be read"):
        load_encoder(tmp_path / "last")
    with pytest.raises(UserError, match="cannot be read"):
        load_encoder(tmp_path / "nowhere")


LAYOUTS = {
    "plain": lambda s: s,
    "state_dict + module": lambda s: {"state_dict": {f"module.{k}": v for k, v in s.items()}, "epoch": 3},
    "model + head": lambda s: {"model": {**s, "head.weight": torch.zeros(9, 64), "head.bias": torch.zeros(9)}},
    "student and teacher": lambda s: {
        "student": {f"module.backbone.{k}": torch.zeros_like(v) for k, v in s.items()},
        "teacher": {f"backbone.{k}": v for k, v in s.items()} | {"head.mlp.0.weight": torch.zeros(3, 3)},
        "args": argparse.Namespace(lr=1),
    },
    "lightning": lambda s: {"state_dict": {f"model.encoder.{k}": v for k, v in s.items()}, "global_step": 5},
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", ["test_vit", "test_resnet", "test_convnext"])
def test_every_usual_layout_is_understood(tmp_path, layout, name):
    theirs = timm.create_model(name, num_classes=0)
    state = {k: torch.randn_like(v) if v.is_floating_point() else v for k, v in theirs.state_dict().items()}
    torch.save(LAYOUTS[layout](state), tmp_path / "x.pth")
    encoder = create_encoder(name)
    report = load_foreign(encoder, tmp_path / "x.pth")
    assert report.missing == ()
    own = encoder.state_dict()
    taken = {torch.as_tensor(v).double().sum().item() for v in own.values()}
    assert taken <= {v.double().sum().item() for v in state.values()}
    assert len(report.used) == len(own)
    assert all("head" in name or "student" in name or name not in report.used for name in report.unused)


def test_safetensors_and_our_own_folders_are_understood(tmp_path):
    theirs = create_encoder("test_vit")
    save_file({f"backbone.{k}": v for k, v in theirs.net.state_dict().items()}, tmp_path / "x.safetensors")
    save_encoder(theirs, tmp_path / "run" / "checkpoints" / "last", {})
    for source in (tmp_path / "x.safetensors", tmp_path / "run", tmp_path / "run" / "checkpoints" / "last"):
        encoder = create_encoder("test_vit")
        assert not same(encoder, theirs)
        assert load_foreign(encoder, source).missing == ()
        assert same(encoder, theirs)


def test_positions_are_resampled(tmp_path):
    theirs = timm.create_model("test_vit", num_classes=0, img_size=224)  # a grid of 14, ours has 10
    with torch.no_grad():
        theirs.pos_embed.copy_(
            torch.linspace(0, 1, 14).repeat(14)[None, :, None].expand(1, 196, 64)
            if theirs.pos_embed.shape[1] == 196
            else theirs.pos_embed
        )
        theirs.pos_embed[:, -196:] = torch.linspace(0, 1, 14).repeat(14)[None, :, None]
    torch.save(theirs.state_dict(), tmp_path / "x.pth")
    encoder = create_encoder("test_vit")
    assert load_foreign(encoder, tmp_path / "x.pth").missing == ()
    grid = encoder.net.pos_embed[0, -100:, 0].reshape(10, 10)
    assert torch.allclose(grid[0], grid[9], atol=1e-3)  # columns count, rows do not: the order is kept
    assert bool((grid[0].diff() > 0.05).all())


def test_a_grey_stem_is_spread_over_colours(tmp_path):
    theirs = timm.create_model("test_resnet", num_classes=0, in_chans=1)
    torch.save(theirs.state_dict(), tmp_path / "x.pth")
    encoder = create_encoder("test_resnet")
    assert load_foreign(encoder, tmp_path / "x.pth").missing == ()


@pytest.mark.parametrize("legacy", [False, True])
def test_a_checkpoint_with_code_is_refused_by_name_and_not_run(tmp_path, legacy):
    target = tmp_path / "was-here"

    class Touch:
        def __reduce__(self):
            return os.system, (f"touch {target}",)

    state = {"state_dict": create_encoder("test_vit").net.state_dict(), "hook": Touch()}
    torch.save(state, tmp_path / "evil.pth", _use_new_zipfile_serialization=not legacy)
    with pytest.raises(UserError) as error:
        load_foreign(create_encoder("test_vit"), tmp_path / "evil.pth")
    assert "evil.pth" in error.value.problem
    assert "system" in error.value.problem
    assert not target.exists()


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_a_raw_pickle_is_refused_as_code_and_the_way_out_is_named(tmp_path, protocol):
    state = create_encoder("test_vit").net.state_dict()
    (tmp_path / "weights.pkl").write_bytes(pickle.dumps({"model": state}, protocol))
    with pytest.raises(UserError) as error:
        load_foreign(create_encoder("test_vit"), tmp_path / "weights.pkl")
    assert "code" in error.value.problem
    assert "refused" in error.value.problem
    assert "UnpicklingError" not in error.value.problem
    assert "state_dict" in error.value.advice
    assert "safetensors" in error.value.advice


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", pickle.dumps({"a": 1}), b"PK\x03\x04torn"])
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_files_that_are_no_checkpoints_are_refused(tmp_path, content, suffix):
    file = tmp_path / f"x{suffix}"
    file.write_bytes(content)
    with pytest.raises(UserError, match=r"x\."):
        load_foreign(create_encoder("test_vit"), file)


def test_the_wrong_backbone_is_refused(tmp_path):
    torch.save(timm.create_model("test_resnet", num_classes=0).state_dict(), tmp_path / "x.pth")
    encoder = create_encoder("test_vit")
    before = {k: v.clone() for k, v in encoder.state_dict().items()}
    with pytest.raises(UserError, match="does not fit"):
        load_foreign(encoder, tmp_path / "x.pth")
    assert all(torch.equal(v, before[k]) for k, v in encoder.state_dict().items())


def test_numpy_checkpoints_do_no_harm(tmp_path):
    torch.save({"a": np.zeros(3)}, tmp_path / "x.pth")
    with pytest.raises(UserError):
        load_foreign(create_encoder("test_vit"), tmp_path / "x.pth")
