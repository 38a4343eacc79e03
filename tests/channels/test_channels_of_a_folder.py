"""Which number of channels is suggested, and what is refused before a run starts."""

import pytest

from sslstudio.errors import UserError
from sslstudio.project.project import Project
from sslstudio.recipes.overrides import with_settings
from sslstudio.recipes.pretrain import PretrainRecipe
from sslstudio.recipes.settings import settings_of
from sslstudio.recipes.suggest import suggest, suggest_finetune, why
from sslstudio.runs.prepare import default_finetune_recipe, default_pretrain_recipe, pretrain_request

from .bands_world import write_world

SIZES = [(640, 480)]


@pytest.mark.parametrize(
    ("counts", "channels"),
    [
        ([5, 5, 5], 5),
        ([5, 5, 3], 5),
        ([3, 3, 5], 3),
        ([2, 2], 2),
        ([4, 4, 4, 3], 4),
        ([3, 3, 3], 3),
        ([1, 1, 1], 3),
        ([0, 0], 3),
        ([], 3),
        ([0, 8], 8),
        (13, 13),
    ],
)
def test_the_suggestion_follows_what_most_images_have(counts, channels):
    recipe, reasons = suggest(100, SIZES, counts, "cpu", 10, "natural")
    assert recipe.channels == channels
    assert (f"have {channels} channels" in why(reasons)) is (channels != 3)
    assert suggest_finetune(5, SIZES, "cpu", 5, "natural", channels=counts)[0].channels == channels


def test_grey_is_for_folders_of_grey_images_only():
    assert suggest(9, SIZES, [1, 1], "cpu", 10, "natural")[0].grey
    assert not suggest(9, SIZES, [1, 3], "cpu", 10, "natural")[0].grey


def test_a_method_that_needs_colours_gets_them():
    recipe, reasons = suggest(9, SIZES, [5, 5], "cpu", 10, "natural", method="colorization")
    assert recipe.channels == 3
    assert "needs colours" in why(reasons)


def test_the_setting_is_declared_like_every_other():
    declared = {entry.key: entry for entry in settings_of(PretrainRecipe)}["channels"]
    assert (declared.kind, declared.default, declared.low) == ("int", 3, 1)
    assert with_settings(PretrainRecipe(), ["channels=5"]).channels == 5
    with pytest.raises(UserError, match="channels"):
        with_settings(PretrainRecipe(), ["channels=0"])


def test_a_projects_own_images_decide_and_what_cannot_work_is_said_at_once(tmp_path):
    images, _ = write_world(tmp_path, 5, 3)
    with Project.create(tmp_path / "p", images) as project:
        project.check_files()
        recipe, _ = default_pretrain_recipe(project, 1, "natural")
        assert recipe.channels == 5
        assert default_finetune_recipe(project, 1, "natural")[0].channels == 5
        assert pretrain_request(project, recipe).recipe.channels == 5
        with pytest.raises(UserError, match="No image has 7 channels; most have 5") as refused:
            pretrain_request(project, with_settings(recipe, ["channels=7"]))
        assert "to 5" in refused.value.advice
        colouring, _ = default_pretrain_recipe(project, 1, "natural", method="colorization")
        with pytest.raises(UserError, match="learns from colours"):
            pretrain_request(project, with_settings(colouring, ["channels=5"]))
        assert pretrain_request(project, with_settings(recipe, ["channels=3"])).recipe.channels == 3
