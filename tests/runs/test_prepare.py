"""Requests say everything that a worker needs, and what is missing is told in plain words."""

import json

import numpy as np
import pytest
from PIL import Image

from sslstudio.errors import UserError
from sslstudio.project.project import Project
from sslstudio.recipes.finetune import FinetuneRecipe
from sslstudio.recipes.methods import METHODS
from sslstudio.recipes.pretrain import PretrainRecipe
from sslstudio.runs.folder import RunFolder
from sslstudio.runs.prepare import (
    default_finetune_recipe,
    default_pretrain_recipe,
    encoder_folder,
    export_request,
    finetune_request,
    latest_encoder,
    models_of,
    new_model_name,
    predict_request,
    pretrain_request,
)
from sslstudio.runs.prepare_evaluation import evaluate_request
from sslstudio.ui.history import past_run


@pytest.fixture
def project(tmp_path, image_folder):
    with Project.create(tmp_path / "p", image_folder, ("background", "cell")) as project:
        yield project


def paint(project, *paths):
    project.check_files()  # sizes are known from here on
    for path in paths:
        record = project.image(path)
        labels = np.full((record.height, record.width), 255, np.uint8)
        labels[:10], labels[10:20] = 0, 1
        project.set_mask(path, labels)


def make_model(project, name):
    folder = project.path / "models" / name
    folder.mkdir(parents=True)
    classes = [{"name": "background", "colour": "#999999"}, {"name": "cell", "colour": "#e69f00"}]
    (folder / "model.json").write_text(json.dumps({"name": name, "classes": classes, "metrics": {"miou": 0.5}}))
    return folder


def test_pretraining_takes_all_usable_images(project, image_folder):
    (image_folder / "broken.png").write_bytes(b"no picture")
    project.refresh()
    request = pretrain_request(project, PretrainRecipe())
    assert len(request.images) == 6
    assert "broken.png" not in request.images
    assert set(request.pinned) <= set(request.images)
    assert 1 <= len(request.pinned) <= 4


@pytest.mark.parametrize(
    ("name", "problem", "advice"),
    [
        ("resnet19", "There is no backbone “resnet19”", "resnet18"),
        ("nonsense", "There is no backbone “nonsense”", "sslstudio backbones --all"),
        ("resnet18.of_nobody", "no weights “of_nobody” of the backbone “resnet18”", "resnet18.a1_in1k"),
        ("volo_no", "There is no backbone", "Similar names: volo"),
    ],
)
def test_a_backbone_that_does_not_exist_is_refused_before_there_is_a_run(project, name, problem, advice):
    paint(project, "cell_1.png")
    askings = (
        lambda: pretrain_request(project, PretrainRecipe(backbone=name, method=METHODS["rotation"].recipe())),
        lambda: default_pretrain_recipe(project, 1, "natural", name, "rotation"),
        lambda: finetune_request(project, FinetuneRecipe(backbone=name)),
        lambda: evaluate_request(project, backbone=name),
    )
    for ask in askings:
        with pytest.raises(UserError) as told:
            ask()
        assert problem in told.value.problem
        assert advice in told.value.advice
    assert not list((project.path / "runs").glob("*"))


def test_published_weights_and_networks_of_every_family_are_let_through(project):
    for name in ("resnet18", "resnet18.a1_in1k", "vit_small_patch16_dinov3.lvd1689m", "test_vit"):
        assert pretrain_request(project, PretrainRecipe(backbone=name)).recipe.backbone == name


def test_fine_tuning_takes_what_is_painted_and_the_masks_are_on_disk(project):
    paths = ["cell_1.png", "cell_2.png", "cell_3.png", "cell_4.png", "deep/cell_1.jpg"]
    paint(project, *paths)
    request = finetune_request(project, FinetuneRecipe(validation=0.2), "some-run")
    assert sorted(item.image for item in request.labelled) == sorted(paths)
    assert {item.split for item in request.labelled} == {"train", "validation"}
    assert all((project.path / item.mask).exists() for item in request.labelled)
    assert [entry.name for entry in request.classes] == ["background", "cell"]
    assert (request.encoder_run, request.model) == ("some-run", "model-1")


def test_fine_tuning_without_masks_says_what_to_do(project):
    with pytest.raises(UserError) as told:
        finetune_request(project, FinetuneRecipe())
    assert "paint" in str(told.value).lower()


def test_a_model_is_not_overwritten_and_its_name_stays_a_name(project):
    make_model(project, "good")
    paint(project, "cell_1.png")
    with pytest.raises(UserError, match="already"):
        finetune_request(project, FinetuneRecipe(), model="good")
    with pytest.raises(UserError, match="cannot be the name"):
        finetune_request(project, FinetuneRecipe(), model="../good")
    make_model(project, "model-1")
    assert new_model_name(project.path) == "model-2"


def test_predicting_takes_the_newest_model_and_the_projects_own_images(project, tmp_path, image_folder):
    with pytest.raises(UserError, match="no model yet"):
        predict_request(project)
    make_model(project, "a")
    assert [(model.name, model.metrics["miou"]) for model in models_of(project.path)] == [("a", 0.5)]
    own = predict_request(project)
    assert (own.model, own.out, len(own.images)) == ("a", "predictions/a", 6)
    other = predict_request(project, "a", image_folder / "deep", tmp_path / "out")
    assert sorted(other.images) == ["cell_1.jpg", "cell_2.jpg"]
    assert other.out == str(tmp_path / "out")
    with pytest.raises(UserError, match="Known models: a"):
        export_request(project, "b")


def test_suggestions_know_the_projects_images(project):
    recipe, _ = default_pretrain_recipe(project, 2, "microscopy")
    assert recipe.resolution == 32  # the pictures are 48 x 32
    assert recipe.batch_size <= 6
    paint(project, "cell_1.png")
    assert default_finetune_recipe(project, 2, "microscopy")[0].validation == 0


def test_suggestions_know_whether_the_images_are_grey(project, tmp_path):
    assert not default_pretrain_recipe(project, 2, "natural")[0].grey
    folder = tmp_path / "grey"
    folder.mkdir()
    for number in range(3):
        Image.fromarray(np.full((40, 40), 60 * number, np.uint8)).save(folder / f"{number}.png")
    with Project.create(tmp_path / "grey_project", folder) as grey:
        grey.check_files()
        assert default_pretrain_recipe(grey, 2, "natural")[0].grey


def test_the_newest_encoder_is_one_with_a_checkpoint(project):
    assert latest_encoder(project.path) is None
    first = RunFolder.create(project.path, pretrain_request(project, PretrainRecipe()), "a")
    RunFolder.create(project.path, pretrain_request(project, PretrainRecipe()), "b")
    (first.checkpoints / "last").mkdir()
    (first.checkpoints / "last" / "encoder.json").write_text('{"name": "resnet18"}')
    assert latest_encoder(project.path).id == first.id


def test_a_run_that_died_before_it_learned_is_no_pretraining(project):
    learned, died = (RunFolder.create(project.path, pretrain_request(project, PretrainRecipe()), n) for n in "ab")
    for run, step in ((learned, 40), (died, 0)):  # each run begins by keeping what it begins with
        (run.checkpoints / "last").mkdir()
        (run.checkpoints / "last" / "encoder.json").write_text(f'{{"name": "resnet18", "step": {step}}}')
    assert latest_encoder(project.path).id == learned.id, "random weights must not take the place of learned ones"
    assert past_run(learned).encoder == learned.checkpoints / "last"
    assert past_run(died).encoder is None
    with pytest.raises(UserError, match="no checkpoint yet"):
        encoder_folder(died)


def test_a_start_that_is_not_there_is_told_before_any_run(project, tmp_path, monkeypatch):
    with pytest.raises(UserError, match="no checkpoint"):
        pretrain_request(project, PretrainRecipe(start=str(tmp_path / "gone.pth")))
    (tmp_path / "mine.safetensors").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    request = pretrain_request(project, PretrainRecipe(start="mine.safetensors"))
    assert request.recipe.start == str(tmp_path / "mine.safetensors")
