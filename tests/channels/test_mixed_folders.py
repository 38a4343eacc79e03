"""Folders with grey, colour and many bands, of mixed size: a sensible choice, told in a clear sentence."""

import numpy as np
import pytest
from PIL import Image

from sslstudio.errors import UserError
from sslstudio.learning.training.control import Control
from sslstudio.learning.training.pretrain import pretrain
from sslstudio.project.project import Project
from sslstudio.recipes.overrides import with_settings
from sslstudio.recipes.suggest import suggest, suggest_finetune, why, why_channels
from sslstudio.runs.prepare import default_finetune_recipe, default_pretrain_recipe, finetune_request, pretrain_request

from .bands_world import scene, write_bands

SIZES = [(640, 480)]
SMALL = ["resolution=32", "batch_size=4", "backbone=test_resnet"]


EACH = "and the network sees every channel"
COLOURS = "seen as colours ({} first three channels), so that none is left out."
ITS, THEIR = COLOURS.format("its"), COLOURS.format("their")


@pytest.mark.parametrize(
    ("counts", "channels", "sentence"),
    [
        ([5, 5, 5], 5, f"All images have 5 channels, {EACH}."),
        ([5, 5, 3], 5, f"2 of 3 images have 5 channels, {EACH}; the other image is left out."),
        ([4] * 5 + [3, 1], 4, f"5 of 7 images have 4 channels, {EACH}; the other 2 images are left out."),
        ([3, 1, 5], 3, f"1 of 3 images has 5 channels and is {ITS}"),
        ([3, 3, 5, 5], 3, f"2 of 4 images have 5 channels and are {THEIR}"),
        ([4, 5, 8], 3, f"3 of 3 images have 4, 5 or 8 channels and are {THEIR}"),
        ([3, 3, 2], 3, "1 of 3 images has 2 channels and is seen as colours, so that none is left out."),
        ([100, 100], 3, "A network sees 64 channels at most, so only the first three of 100 are seen."),
        ([3, 1, 1, 0], 3, ""),
    ],
)
def test_the_choice_and_its_sentence(counts, channels, sentence):
    recipe, reasons = suggest(100, SIZES, counts, "cpu", 10, "natural")
    assert (recipe.channels, why_channels(reasons)) == (channels, sentence)
    assert why(reasons).endswith(sentence)
    tuned, reasons = suggest_finetune(5, SIZES, "cpu", 5, "natural", channels=counts)
    assert (tuned.channels, why_channels(reasons)) == (channels, sentence)


def mixed(folder, *, grey, colour, bands):
    """A folder with so many images of each kind, each of another size; names begin with their kind."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for n in range(grey):
        Image.fromarray(rng.integers(0, 256, (60 + n, 80), np.uint8)).save(folder / f"grey{n}.png")
    for n in range(colour):
        Image.fromarray(rng.integers(0, 256, (90, 70 + n, 3), np.uint8)).save(folder / f"colour{n}.jpg")
    for n in range(bands):
        write_bands(folder / f"bands{n}.tif", scene(n, 5, side=64 + 8 * n)[0])
    return folder


def learn(project, place, *changes):
    """The events of three steps of pretraining as it is suggested for the project, and its request."""
    recipe = with_settings(default_pretrain_recipe(project, 1, "natural", "test_resnet", "simclr")[0], SMALL)
    asked = pretrain_request(project, with_settings(recipe, list(changes)))
    folders = {"checkpoints": place / "c", "previews": place / "p", "cache": place / "k"}
    return asked, list(pretrain(asked, **folders, control=Control(), steps=3))


def test_where_most_are_grey_or_colour_all_are_learned_from(tmp_path):
    images = mixed(tmp_path / "in", grey=3, colour=3, bands=4)
    with Project.create(tmp_path / "p", images) as project:
        project.check_files()
        asked, events = learn(project, tmp_path / "run")
    assert asked.recipe.channels == 3
    assert events[-1].kind == "finished"
    assert [event.text for event in events if event.kind == "warning"] == []


def test_where_most_have_bands_the_others_are_left_out_by_name(tmp_path):
    images = mixed(tmp_path / "in", grey=1, colour=2, bands=5)
    with Project.create(tmp_path / "p", images) as project:
        project.check_files()
        asked, events = learn(project, tmp_path / "run")
    assert asked.recipe.channels == 5
    assert {name[:5] for name in asked.pinned} == {"bands"}, "previews are of images that the network sees"
    assert events[-1].kind == "finished"
    told = {event.about: event for event in events if event.kind == "warning"}
    assert set(told) == {"grey0.png", "colour0.jpg", "colour1.jpg"}
    assert "colour0.jpg has 3 channels, but the network is set to 5 channels" in told["colour0.jpg"].text
    assert "change the setting “Channels”" in told["colour0.jpg"].advice


def test_one_channel_is_learned_from_grey_and_colour_alike(tmp_path):
    images = mixed(tmp_path / "in", grey=3, colour=3, bands=1)
    with Project.create(tmp_path / "p", images) as project:
        project.check_files()
        asked, events = learn(project, tmp_path / "run", "channels=1")
    assert asked.recipe.channels == 1
    assert events[-1].kind == "finished"
    assert [event.about for event in events if event.kind == "warning"] == ["bands0.tif"]


def test_painting_only_what_does_not_fit_is_told_before_fine_tuning(tmp_path):
    images = mixed(tmp_path / "in", grey=0, colour=2, bands=5)
    with Project.create(tmp_path / "p", images, ["ground", "marked"]) as project:
        project.check_files()
        for name in ("colour0.jpg", "colour1.jpg"):
            record = project.image(name)
            labels = np.zeros((record.height, record.width), np.uint8)
            labels[:20] = 1
            project.set_mask(name, labels)
        recipe, _ = default_finetune_recipe(project, 1, "natural", "test_resnet")
        with pytest.raises(UserError, match="No image has 5 channels; most have 3") as refused:
            finetune_request(project, recipe)
        assert refused.value.advice == "Set “Channels” to 3."
        assert finetune_request(project, with_settings(recipe, ["channels=3"])).preview == "colour0.jpg"
