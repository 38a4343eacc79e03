"""Suggested values fit the data set, each says why, and settings given as words reach the recipe."""

import pytest

from sslstudio.errors import UserError
from sslstudio.recipes.backbones import kind_of
from sslstudio.recipes.methods import METHODS
from sslstudio.recipes.overrides import with_settings
from sslstudio.recipes.presets import PRESETS
from sslstudio.recipes.suggest import suggest_finetune, suggest_pretrain

SIZES = [(640, 480)] * 5


@pytest.mark.parametrize("images", [1, 7, 200, 30_000, 1_000_000])
@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("method", [None, *METHODS])
def test_every_suggestion_can_be_carried_out(images, device, method):
    for preset in PRESETS:
        recipe, reasons = suggest_pretrain(images, SIZES, device, 5, preset, method=method)
        assert kind_of(recipe.backbone) in METHODS[recipe.method.id].backbones
        assert recipe.batch_size <= max(2, images)
        assert recipe.resolution % 32 == 0
        assert recipe.minutes == 5
        assert all(reason.text.endswith(".") for reason in reasons)


def test_small_images_are_not_blown_up():
    assert suggest_pretrain(100, [(70, 90)], "cuda", 5, "natural")[0].resolution == 64
    assert suggest_finetune(5, [(70, 90)], "cuda", 5, "natural")[0].crop == 96


def test_what_the_user_chose_is_kept():
    recipe, reasons = suggest_pretrain(100, SIZES, "cpu", 5, "natural", "convnext_atto", "dino")
    assert (recipe.backbone, recipe.method.id) == ("convnext_atto", "dino")
    assert not {"backbone", "method"} & {reason.key for reason in reasons}


def test_a_method_that_needs_a_transformer_refuses_convolutions():
    with pytest.raises(UserError, match="MAE does not work"):
        suggest_pretrain(100, SIZES, "cpu", 5, "natural", "resnet18", "mae")
    with pytest.raises(UserError, match="no method “moco”"):
        suggest_pretrain(100, SIZES, "cpu", 5, "natural", method="moco")


def test_few_masks_are_all_learned_from():
    assert suggest_finetune(3, SIZES, "cpu", 5, "natural")[0].validation == 0
    assert suggest_finetune(8, SIZES, "cpu", 5, "natural")[0].validation > 0


def test_settings_reach_the_recipe_and_its_method():
    recipe, _ = suggest_pretrain(100, SIZES, "cpu", 5, "natural", method="simclr")
    changed = with_settings(recipe, ["batch_size=16", "temperature=0.3", "method.projection_out=64"])
    assert (changed.batch_size, changed.method.temperature, changed.method.projection_out) == (16, 0.3, 64)


@pytest.mark.parametrize(
    ("pair", "words"),
    [
        ("bach_size=3", "Did you mean “batch_size”"),
        ("temprature=3", "Did you mean “temperature”"),
        ("temperature=30", "less than or equal to 1"),
        ("batch_size=many", "batch_size"),
        ("batch_size", "is not a setting"),
        ("id=dino", "no setting “id”"),
    ],
)
def test_a_wrong_setting_is_told_with_a_hint(pair, words):
    recipe, _ = suggest_pretrain(100, SIZES, "cpu", 5, "natural", method="simclr")
    with pytest.raises(UserError, match=words):
        with_settings(recipe, [pair])
