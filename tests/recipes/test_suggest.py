"""Suggested values fit the data set, each says why, and settings given as words reach the recipe."""

import pytest

from sslstudio.errors import UserError
from sslstudio.recipes.backbones import kind_of
from sslstudio.recipes.method_rules import RULES, Situation, suggest_method
from sslstudio.recipes.methods import METHODS
from sslstudio.recipes.overrides import with_settings
from sslstudio.recipes.presets import PRESETS, likely, look_of
from sslstudio.recipes.suggest import FILLERS, doubt_of, in_words, suggest, suggest_finetune, why

SIZES = [(640, 480)] * 5


@pytest.mark.parametrize("images", [1, 7, 200, 30_000, 1_000_000])
@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("method", [None, *METHODS])
def test_every_suggestion_can_be_carried_out(images, device, method):
    for preset in PRESETS:
        recipe, reasons = suggest(images, SIZES, 3, device, 5, preset, method=method)
        assert kind_of(recipe.backbone) in METHODS[recipe.method.id].backbones
        assert recipe.batch_size <= max(2, images)
        assert recipe.resolution % 32 == 0
        assert recipe.minutes == 5
        assert all(reason.text.endswith(".") for reason in reasons)


@pytest.mark.parametrize(
    ("names", "preset"),
    [
        (["ct/IM1.DCM", "ct/IM2.dcm", "readme.png"], "xray"),
        (["a.ome.tif#0003", "a.ome.tif", "b.OME.TIFF"], "microscopy"),
        (["ct/IM0001", "ct/1.2.840.10008.5"], "xray"),
        (["a.dcm", "b.jpg"], "natural"),
        (["a.tif", "b.tif"], "natural"),
        ([], "natural"),
    ],
)
def test_some_names_say_what_kind_of_images_these_are(names, preset):
    assert likely(names) == preset


def test_small_images_are_not_blown_up():
    assert suggest(100, [(70, 90)], 3, "cuda", 5, "natural")[0].resolution == 64
    assert suggest_finetune(5, [(70, 90)], "cuda", 5, "natural")[0].crop == 96


def test_what_the_user_chose_is_kept():
    recipe, reasons = suggest(100, SIZES, 3, "cpu", 5, "natural", "convnext_atto", "dino")
    assert (recipe.backbone, recipe.method.id) == ("convnext_atto", "dino")
    assert not {"backbone", "method"} & {reason.key for reason in reasons}


def test_a_method_that_needs_a_transformer_refuses_convolutions():
    with pytest.raises(UserError, match="MAE does not work"):
        suggest(100, SIZES, 3, "cpu", 5, "natural", "resnet18", "mae")
    with pytest.raises(UserError, match="no method “moco”"):
        suggest(100, SIZES, 3, "cpu", 5, "natural", method="moco")


# the method


def test_every_rule_names_a_method_that_trains_what_it_fits():
    for images in (5, 300, 5000, 200_000):
        for side in (32, 128, 224):
            for device in ("cpu", "cuda"):
                for minutes in (1, 30, 600):
                    for backbone in ("vit", "conv"):
                        method, reason = suggest_method(Situation(images, side, device, minutes, backbone))
                        assert backbone in METHODS[method].backbones
                        assert reason.endswith(".")
                        assert "{" not in reason
    assert {rule.method for rule in RULES} <= set(METHODS)


@pytest.mark.parametrize(
    ("situation", "method"),
    [
        (Situation(50, 128, "cpu", 600, "conv"), "simclr"),
        (Situation(50_000, 224, "cpu", 600, "vit"), "simclr"),
        (Situation(50_000, 224, "cuda", 5, "vit"), "simclr"),
        (Situation(50_000, 224, "cuda", 60, "vit"), "ibot"),
        (Situation(50_000, 64, "cuda", 60, "vit"), "dino"),
        (Situation(400, 224, "cuda", 60, "vit"), "dino"),
        (Situation(50_000, 224, "cuda", 60, "conv"), "dino"),
    ],
)
def test_the_method_follows_count_size_budget_device_and_backbone(situation, method):
    assert suggest_method(situation)[0] == method


def test_the_reason_for_the_method_is_told_and_silent_where_the_user_chose():
    recipe, reasons = suggest(664, SIZES, 3, "cpu", 10, "microscopy")
    assert in_words(recipe, reasons).startswith("SimCLR on ResNet-18. ")
    assert "664 images" in why(reasons)
    chosen = suggest(664, SIZES, 3, "cpu", 10, "microscopy", "resnet18", "simclr")
    assert in_words(*chosen) == "SimCLR on ResNet-18."


def test_a_method_for_one_kind_of_backbone_gets_one():
    for name, info in METHODS.items():
        for device in ("cpu", "cuda"):
            recipe, _ = suggest(100, SIZES, 3, device, 5, "natural", method=name)
            assert kind_of(recipe.backbone) in info.backbones


# what speaks against a method


@pytest.mark.parametrize(
    ("method", "preset", "channels", "sizes", "words"),
    [
        ("rotation", "microscopy", 3, SIZES, "(microscopy) have no up and down"),
        ("rotation", "satellite", 3, SIZES, "(satellite and aerial) have no up and down"),
        ("colorization", "natural", 1, SIZES, "these images are grey"),
        ("colorization", "xray", 3, SIZES, "(X-ray, CT and ultrasound) seldom have any"),
        ("jigsaw", "natural", 3, [(90, 70)] * 3, "only about 70 pixels high"),
        ("jigsaw", "microscopy", 3, SIZES, "look alike everywhere"),
        ("jigsaw", "satellite", 3, SIZES, "look alike everywhere"),
    ],
)
def test_a_method_that_does_not_suit_the_images_is_told_in_a_sentence(method, preset, channels, sizes, words):
    recipe, reasons = suggest(300, sizes, channels, "cpu", 10, preset, method=method)
    assert recipe.method.id == method  # the user's choice is kept
    assert words in doubt_of(reasons)
    assert doubt_of(reasons) in in_words(recipe, reasons)
    assert doubt_of(reasons).endswith(".")


def test_nothing_is_said_against_a_method_that_suits_or_that_was_suggested():
    for method in ("rotation", "colorization", "jigsaw"):
        assert doubt_of(suggest(300, SIZES, 3, "cpu", 10, "natural", method=method)[1]) == ""
    assert doubt_of(suggest(300, [], 3, "cpu", 10, "natural", method="jigsaw")[1]) == ""  # sizes are not known yet
    for preset in PRESETS:
        for device in ("cpu", "cuda"):
            for channels, sizes in ((1, [(40, 40)]), (3, SIZES)):
                assert doubt_of(suggest(300, sizes, channels, device, 60, preset)[1]) == ""


# small-data values


@pytest.mark.parametrize("method", ["dino", "ibot", "dinov2"])
@pytest.mark.parametrize(
    ("images", "prototypes"), [(100, 1024), (20_000, 1024), (20_001, 2048), (50_000, 2048), (50_001, 4096)]
)
def test_prototypes_follow_the_number_of_images(method, images, prototypes):
    recipe, reasons = suggest(images, SIZES, 3, "cpu", 10, "natural", method=method)
    assert recipe.method.prototypes == prototypes
    assert f"{images} images" in next(r.text for r in reasons if r.key == "method.prototypes")
    assert 0.02 <= recipe.method.teacher_temperature <= 0.04
    assert recipe.method.freeze_last == 0.05
    assert recipe.method.momentum == (0.99 if images <= 20_000 else 0.996)


@pytest.mark.parametrize("images", [1, 100, 5000, 200_000])
def test_contrast_is_sharp_but_not_too_sharp(images):
    for name, info in METHODS.items():
        if "temperature" in info.recipe.model_fields:
            recipe, _ = suggest(images, SIZES, 3, "cpu", 10, "natural", method=name)
            assert 0.1 <= recipe.method.temperature <= 0.2, name


def test_the_learning_rate_follows_the_square_root_of_the_batch():
    few, many = (suggest(n, SIZES, 3, "cpu", 10, "natural", "resnet18", "simclr")[0] for n in (16, 1000))
    assert (few.batch_size, many.batch_size) == (16, 64)
    assert few.learning_rate == pytest.approx(many.learning_rate / 2)


@pytest.mark.parametrize("images", [1, 30, 300, 3000, 300_000])
@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_the_rate_rises_over_a_tenth_of_the_run_at_most(images, device):
    assert suggest(images, SIZES, 3, device, 10, "natural")[0].warmup <= 0.1


def test_colours_follow_the_preset_and_grey_images_have_none():
    assert look_of("xray").hue == 0
    assert look_of("xray").contrast < look_of("natural").contrast
    for name in ("satellite", "microscopy"):
        assert look_of(name).flip_vertical == 0.5
        assert look_of(name).rotate_quarter > 0.5
    assert look_of("microscopy").hue < look_of("natural").hue
    assert look_of("industrial").crop_low < min(look_of(name).crop_low for name in PRESETS if name != "industrial")
    for channels, grey in ((1, True), (3, False), (4, False)):
        recipe, reasons = suggest(100, SIZES, channels, "cpu", 10, "natural")
        assert recipe.grey is grey
        assert ("grey" in {reason.key for reason in reasons}) is grey
    look = look_of("natural", grey=True)
    assert (look.hue, look.saturation, look.grey) == (0, 0, 0)
    assert (look.brightness, look.contrast) == (look_of("natural").brightness, look_of("natural").contrast)


@pytest.mark.parametrize("method", [*FILLERS, "ibot", "simclr", ""])
def test_a_network_that_filled_gaps_is_not_left_frozen(method):
    recipe, reasons = suggest_finetune(20, SIZES, "cpu", 5, "natural", "vit_tiny_patch16_224", method)
    usual, _ = suggest_finetune(20, SIZES, "cpu", 5, "natural", "vit_tiny_patch16_224")
    told = "frozen_share" in {reason.key for reason in reasons}
    assert told is (method in FILLERS)
    assert (recipe.frozen_share < usual.frozen_share) is told
    assert recipe.unfreeze_blocks == 99


# masks


def test_few_masks_are_all_learned_from():
    assert suggest_finetune(3, SIZES, "cpu", 5, "natural")[0].validation == 0
    assert suggest_finetune(8, SIZES, "cpu", 5, "natural")[0].validation > 0


def test_settings_reach_the_recipe_and_its_method():
    recipe, _ = suggest(100, SIZES, 3, "cpu", 5, "natural", method="simclr")
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
    recipe, _ = suggest(100, SIZES, 3, "cpu", 5, "natural", method="simclr")
    with pytest.raises(UserError, match=words):
        with_settings(recipe, [pair])
