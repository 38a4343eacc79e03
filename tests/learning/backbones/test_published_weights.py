"""timm's published weights: fetched with progress, left and gone on with, and told in words when out of reach."""

import os
import threading

import cv2
import numpy as np
import pytest
import timm
import torch
from huggingface_hub import try_to_load_from_cache
from local_hub import serve
from safetensors.torch import save

from sslstudio.errors import UserError
from sslstudio.learning.backbones import published
from sslstudio.learning.backbones.encoder import create_encoder
from sslstudio.learning.segmentation.finetune import finetune
from sslstudio.learning.training.control import Control
from sslstudio.learning.training.pretrain import pretrain
from sslstudio.project.masks import write_mask
from sslstudio.recipes.finetune import FinetuneRecipe
from sslstudio.recipes.pretrain import PretrainRecipe
from sslstudio.runs.request import ClassSpec, FinetuneRequest, LabelledImage, PretrainRequest

NAME = "test_vit"
REPO = timm.models.get_pretrained_cfg(NAME).hf_hub_id


@pytest.fixture(scope="module")
def weights():
    torch.set_num_threads(1)
    return {key: torch.randn_like(value) for key, value in timm.create_model(NAME).state_dict().items()}


@pytest.fixture
def hub(weights, tmp_path, monkeypatch):
    with serve() as running:
        running.files[f"{REPO}/model.safetensors"] = save(weights)
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
        monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
        monkeypatch.setattr(published, "TELL_EVERY", 0.0)
        yield running


def small_chunks(monkeypatch, size=10_000):
    monkeypatch.setattr("sslstudio.learning.backbones.download.CHUNK", size)


def test_weights_arrive_with_progress_and_are_the_published_ones(hub, weights, tmp_path, monkeypatch):
    small_chunks(monkeypatch)
    events = list(published.fetched(NAME, Control()))
    shares = [event.share for event in events if event.kind == "progress"]
    assert len(shares) > 10
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert any("MB" in event.text for event in events if event.kind == "phase")
    found = create_encoder(NAME, pretrained=True).state_dict()
    assert torch.equal(found["net.blocks.0.attn.qkv.weight"], weights["blocks.0.attn.qkv.weight"])
    assert len(hub.gets()) == 1, "the second use takes what was fetched"
    theirs = try_to_load_from_cache(REPO, "model.safetensors", cache_dir=tmp_path / "hub")
    assert isinstance(theirs, str), "other programs find the file where the hub's own library keeps it"
    assert list(published.fetched(NAME, Control())) == []


def test_a_cancelled_download_goes_on_where_it_was(hub, weights, tmp_path, monkeypatch):
    small_chunks(monkeypatch)
    control = Control()
    for number, event in enumerate(published.fetched(NAME, control)):
        if event.kind == "progress" and event.share > 0.3:
            control.stop()
        assert number < 1000
    assert published.cached(NAME) is None
    part = next((tmp_path / "hub").rglob("*.part"))
    have = part.stat().st_size
    assert 0 < have < len(hub.files[f"{REPO}/model.safetensors"])
    shares = [e.share for e in published.fetched(NAME, Control()) if e.kind == "progress"]
    assert hub.gets() == ["", f"bytes={have}-"]
    assert shares[0] >= 0.3, "the bar goes on, it does not begin anew"
    found = published.load_published(NAME)
    assert torch.equal(found["pos_embed"], weights["pos_embed"])
    assert not part.exists()


def test_a_broken_connection_is_taken_up_again(hub, weights, monkeypatch):
    hub.break_after = 200_000
    assert torch.equal(published.load_published(NAME)["pos_embed"], weights["pos_embed"])
    assert len(hub.gets()) > 2
    assert all(part for part in hub.gets()[1:])


def test_a_server_without_ranges_sends_it_all_again(hub, weights, monkeypatch):
    small_chunks(monkeypatch)
    for arrived in published.fetch(NAME):
        if arrived.done:
            break
    hub.ignore_ranges = True
    assert torch.equal(published.load_published(NAME)["pos_embed"], weights["pos_embed"])


def test_a_file_that_changed_meanwhile_begins_anew(hub, weights, monkeypatch):
    small_chunks(monkeypatch)
    for arrived in published.fetch(NAME):
        if arrived.done:
            break
    hub.files[f"{REPO}/model.safetensors"] = save({key: value + 1 for key, value in weights.items()})
    assert torch.equal(published.load_published(NAME)["pos_embed"], weights["pos_embed"] + 1)


def test_a_spoilt_partial_file_is_never_taken_for_the_whole(hub, weights, tmp_path, monkeypatch):
    small_chunks(monkeypatch)
    for arrived in published.fetch(NAME):
        if arrived.done:
            break
    part = next((tmp_path / "hub").rglob("*.part"))
    part.write_bytes(b"x" * part.stat().st_size)
    with pytest.raises(UserError, match="did not arrive"):
        published.load_published(NAME)
    assert torch.equal(published.load_published(NAME)["pos_embed"], weights["pos_embed"]), "the next try mends it"


def test_without_a_network_a_sentence_says_what_to_do(hub, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(UserError) as told:
        create_encoder(NAME, pretrained=True)
    assert "127.0.0.1:9 cannot be reached" in told.value.problem
    assert "start from scratch" in told.value.advice
    assert REPO in told.value.advice
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(UserError, match="stay offline"):
        create_encoder(NAME, pretrained=True)


@pytest.mark.parametrize(("code", "words"), [(401, "agreed to their licence"), (403, "licence"), (404, "code 404")])
def test_a_refusal_is_told_as_what_it_is(hub, code, words):
    hub.refuse = code
    with pytest.raises(UserError, match=words):
        published.load_published(NAME)


def test_older_repositories_without_safetensors_are_read_and_never_run(hub, weights, tmp_path):
    file = tmp_path / "pytorch_model.bin"
    torch.save(weights, file)
    hub.files = {f"{REPO}/pytorch_model.bin": file.read_bytes()}
    assert torch.equal(published.load_published(NAME)["pos_embed"], weights["pos_embed"])

    class Touch:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path / 'was-here'}",)

    torch.save({"evil": Touch()}, file)
    hub.files = {f"{REPO}/pytorch_model.bin": file.read_bytes()}
    for blob in (tmp_path / "hub").rglob("pytorch_model.bin"):
        blob.unlink()
    with pytest.raises(UserError, match="wants to run code"):
        published.load_published(NAME)
    assert not (tmp_path / "was-here").exists()


def test_a_backbone_without_published_weights_says_so():
    with pytest.raises(UserError, match="publishes no weights"):
        published.source_of("resnet18.not_there")
    with pytest.raises(UserError, match="publishes no weights") as told:
        create_encoder("resnet18.not_there", pretrained=True)
    assert "resnet18.a1_in1k" in told.value.advice


def test_a_run_stopped_while_fetching_keeps_what_arrived_and_a_new_run_uses_it(hub, tmp_path, monkeypatch):
    small_chunks(monkeypatch)
    request = PretrainRequest(
        images_root=str(tmp_path), images=("a.png",), recipe=PretrainRecipe(backbone=NAME, start="timm")
    )
    control = Control()
    folders = {"checkpoints": tmp_path / "c", "previews": tmp_path / "p", "cache": tmp_path / "k"}
    seen = []
    for event in pretrain(request, **folders, control=control):
        seen.append(event.kind)
        if event.kind == "progress" and event.share > 0.2:
            control.stop()
    assert seen[-1] == "stopped"
    assert not (tmp_path / "c").exists(), "nothing was learned, so there is no checkpoint"
    assert list((tmp_path / "hub").rglob("*.part"))


def test_fine_tuning_fetches_first_and_the_time_of_learning_does_not_run_meanwhile(hub, tmp_path, monkeypatch):
    small_chunks(monkeypatch)
    images, project = tmp_path / "images", tmp_path / "p.sslproj"
    images.mkdir()
    (project / "masks").mkdir(parents=True)
    labels = np.zeros((64, 64), np.uint8)
    labels[:, 32:] = 1
    for name in ("a.png", "b.png"):
        cv2.imwrite(str(images / name), 200 * labels)
        write_mask(project / "masks" / f"{name}.png", labels, ("#999999", "#e69f00"))
    request = FinetuneRequest(
        images_root=str(images),
        labelled=tuple(LabelledImage(image=n, mask=f"masks/{n}.png", split="train") for n in ("a.png", "b.png")),
        classes=(ClassSpec(name="ground", colour="#999999"), ClassSpec(name="half", colour="#e69f00")),
        model="m",
        recipe=FinetuneRecipe(backbone=NAME, start="timm", minutes=0.05, crop=64, batch_size=1),
    )
    folders = {"project": project, "checkpoints": tmp_path / "c", "previews": tmp_path / "v"}
    control = Control()
    for event in finetune(request, **folders, control=control):
        if event.kind == "progress" and event.share > 0.2:
            control.stop()
    assert event.kind == "stopped"
    assert not (project / "models").exists()
    events = list(finetune(request, **folders, control=Control()))
    phases = [e.text for e in events if e.kind == "phase"]
    assert any("published weights" in text for text in phases)
    assert events[-1].kind == "finished"
    assert events[-1].result["steps"] > 0


def test_two_runs_at_once_do_not_spoil_the_file(hub, weights):
    threads = [threading.Thread(target=lambda: list(published.fetch(NAME))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert torch.equal(published.load_published(NAME)["pos_embed"], weights["pos_embed"])
