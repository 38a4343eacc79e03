"""Networks learn from huge images and segment them, by parts."""

import cv2
import numpy as np
import pytest
import tifffile
import torch

from sslstudio.errors import UserError
from sslstudio.images import limits
from sslstudio.images.bands import read_bands8
from sslstudio.images.huge_reading import HugeBands, huge_bands
from sslstudio.learning.backbones.encoder import create_encoder
from sslstudio.learning.segmentation import labelled, predict
from sslstudio.learning.segmentation.model import SegmentationModel, load_model, save_model
from sslstudio.learning.segmentation.tiles import segment_labels
from sslstudio.learning.training.cache import ImageCache
from sslstudio.learning.training.control import Control
from sslstudio.learning.training.threads import ThreadPace
from sslstudio.project.label_map import as_labels
from sslstudio.project.masks import read_mask, write_mask
from sslstudio.runs.request import EvaluateRequest, LabelledImage, PredictRequest

SIDE = 700


@pytest.fixture
def slide(monkeypatch, tmp_path):
    """A huge image, by a lowered limit."""
    monkeypatch.setattr(limits, "HUGE_PIXELS", 100_000)
    noise = np.random.default_rng(0).normal(size=(SIDE, SIDE, 3)).astype(np.float32)
    pixels = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 9), None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)
    tifffile.imwrite(tmp_path / "slide.tif", pixels, tile=(128, 128), photometric="rgb", compression="zlib")
    return tmp_path, pixels


def test_parts_are_what_networks_get_of_the_whole(slide):
    folder, pixels = slide
    found = huge_bands(folder / "slide.tif", 3)
    assert isinstance(found, HugeBands)
    assert np.array_equal(found.size(0)[100:300, 50:650], pixels[100:300, 50:650])
    small = read_bands8(folder / "slide.tif", 3, longest=90)
    assert small.shape == (90, 90, 3)
    assert np.abs(small.astype(int) - cv2.resize(pixels, (90, 90), interpolation=cv2.INTER_AREA)).max() <= 6
    with pytest.raises(UserError, match="channels"):
        huge_bands(folder / "slide.tif", 5)


def test_pretraining_gets_tiles_of_a_huge_image(slide, tmp_path):
    folder, pixels = slide
    cache = ImageCache(folder, ("slide.tif",), tmp_path / "cache", side=64)
    cache.build()
    assert cache.wait(10_000, 60)
    tiles = cache.read(np.arange(len(cache)))[0]
    cache.close()
    assert tiles.shape[1:] == (64, 64, 3)
    assert abs(float(tiles.mean()) - float(pixels.mean())) < 3


def test_a_huge_image_is_segmented_block_by_block(slide, monkeypatch):
    folder, pixels = slide
    monkeypatch.setattr(predict, "_BLOCK", 256)
    monkeypatch.setattr(predict, "_AROUND", 128)
    torch.manual_seed(0)
    model = SegmentationModel(create_encoder("test_resnet"), "linear", 3, crop=32).eval()
    found = huge_bands(folder / "slide.tif", 3)
    parts = list(predict._predict_huge(model, found, folder / "out" / "m.png", ["#ff0000"] * 3, False))
    assert (len(parts), sum(part.pixels for part in parts), parts[-1].done) == (9, SIDE * SIDE, 1.0)
    labels = read_mask(folder / "out" / "m.png")
    whole = segment_labels(model, pixels, flips=True)
    assert labels.shape == whole.shape
    assert (labels == whole).mean() > 0.85  # tiles lie elsewhere, and an untrained network is undecided
    with pytest.raises(UserError, match="probabilities"):
        list(predict._predict_huge(model, found, folder / "out" / "m.png", ["#ff0000"] * 3, True))


class PausesTwice(Control):
    """Wishes a pause after the third and the fifth look, and a stop after so many looks."""

    def __init__(self, stop_after=10**9):
        super().__init__()
        self.looks, self.stop_after = 0, stop_after

    def paused(self):
        self.looks += 1
        return self.looks in (3, 5)

    def wait_while_paused(self):
        pass

    def stopped(self):
        return self.looks > self.stop_after


def predicted(folder, control):
    """All events of segmenting the slide, whose parts are of 256 pixels, with a made model."""
    torch.manual_seed(0)
    model = SegmentationModel(create_encoder("test_resnet"), "linear", 2, crop=32).eval()
    classes = [{"name": name, "colour": "#ffffff"} for name in ("a", "b")]
    save_model(model, folder / "models" / "m", {"classes": classes})
    asked = PredictRequest(model="m", images_root=str(folder), images=("slide.tif",), out="out")
    return list(predict.predict(asked, project=folder, control=control))


def test_predicting_a_huge_image_tells_how_far_it_is_and_pauses_between_its_parts(slide, monkeypatch):
    folder, _ = slide
    monkeypatch.setattr(predict, "_BLOCK", 256)
    monkeypatch.setattr(predict, "_TELL_EVERY", 0.0)
    took = []
    monkeypatch.setattr(ThreadPace, "step_took", lambda self, seconds, work: took.append(work))
    events = predicted(folder, PausesTwice())
    kinds = [event.kind for event in events]
    assert kinds.count("paused") == kinds.count("resumed") == 2
    shares = [event.share for event in events if event.kind == "progress"]
    assert len(shares) == 9
    assert shares == sorted(shares)
    assert shares[0] == pytest.approx(256 * 256 / SIDE**2)
    assert shares[-1] == 1.0
    assert len(took) == 9, "each part says how fast the threads are"
    assert sum(took) == pytest.approx(SIDE**2 / 1e6)
    assert read_mask(folder / "out" / "slide.png").shape == (SIDE, SIDE)


def test_a_huge_image_that_is_stopped_leaves_no_mask(slide, monkeypatch):
    folder, _ = slide
    monkeypatch.setattr(predict, "_BLOCK", 256)
    events = predicted(folder, PausesTwice(stop_after=4))
    assert (events[-1].kind, events[-1].result["count"]) == ("stopped", 0)
    assert not (folder / "out" / "slide.png").exists()


def test_an_ordinary_image_can_be_paused_between_its_rows_of_tiles(slide, monkeypatch):
    folder, pixels = slide
    monkeypatch.setattr(limits, "HUGE_PIXELS", 10**9)
    monkeypatch.setattr(predict, "_TELL_EVERY", 0.0)
    events = predicted(folder, PausesTwice())
    kinds = [event.kind for event in events]
    assert kinds.count("paused") == 2
    assert kinds.count("progress") > 5
    whole = segment_labels(load_model(folder / "models" / "m"), pixels, flips=True)
    assert np.array_equal(read_mask(folder / "out" / "slide.png"), whole)


def test_finetuning_reads_the_painted_blocks(slide, monkeypatch):
    folder, pixels = slide
    monkeypatch.setattr(labelled, "_BLOCK", 256)
    labels = np.full((SIDE, SIDE), 255, np.uint8)
    labels[300:400, 300:350], labels[600:650, 20:60] = 1, 0
    write_mask(folder / "m.png", as_labels(labels), ["#ff0000", "#00ff00"])
    asked = EvaluateRequest.model_construct(
        images_root=str(folder),
        labelled=(LabelledImage(image="slide.tif", mask="m.png", split="train"),),
        classes=("a", "b"),
    )
    found = list(labelled.read_labelled(asked, folder, folder / "spill", 3))
    assert [one.pixels.shape for one in found] == [(256, 256, 3), (188, 256, 3)]
    assert np.array_equal(found[0].pixels, pixels[256:512, 256:512])
    assert np.array_equal(found[0].labels, labels[256:512, 256:512])
    assert np.array_equal(found[1].labels, labels[512:, :256])
