"""What every method of the table promises, on every kind of backbone that it says it works with.

A method is checked here as soon as it has its row: nothing in this file names one.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import pytest
import timm
import torch
from safetensors.torch import load_file

from sslstudio.cli import main
from sslstudio.errors import UserError
from sslstudio.learning.backbones.checkpoints import load_encoder
from sslstudio.learning.backbones.encoder import Encoder, create_encoder
from sslstudio.learning.evaluation.attention import attention_maps, feature_colours
from sslstudio.learning.export.backbone import timm_state
from sslstudio.learning.export.export import export
from sslstudio.learning.export.onnx import Deployable
from sslstudio.learning.methods.base import Position
from sslstudio.learning.methods.registry import create_method
from sslstudio.learning.segmentation.model import SegmentationModel, save_model
from sslstudio.learning.training.batches import Batch
from sslstudio.learning.training.budget import StepBudget
from sslstudio.learning.training.control import Control
from sslstudio.learning.training.devices import make_accelerator
from sslstudio.learning.training.loop import Rates, Trainer
from sslstudio.learning.training.optimiser import make_optimiser
from sslstudio.learning.training.pretrain import pretrain
from sslstudio.recipes.methods import METHODS, Folder
from sslstudio.recipes.presets import PRESETS
from sslstudio.recipes.pretrain import PretrainRecipe
from sslstudio.recipes.settings import build, settings_of
from sslstudio.runs.request import ExportRequest, PretrainRequest

LOOK = PRESETS["natural"].augmentation
BACKBONES = {"vit": "test_vit", "conv": "test_resnet"}
PAIRS = [(name, BACKBONES[kind]) for name, info in METHODS.items() for kind in info.backbones]
REFUSED = [(n, BACKBONES[k]) for n, info in METHODS.items() for k in BACKBONES if k not in info.backbones]
STEPS, MANY_STEPS = 6, 20  # of a run; the many only among the slow tests

every_pair = pytest.mark.parametrize(("method", "backbone"), PAIRS)


def small(name, **changes):
    """A method's settings with everything that only costs time made small: widths, prototypes, queues, crops."""
    values = {
        entry.key: int(max(entry.low or 0, min(entry.default, 64 if entry.default > 8 else 2)))
        for entry in settings_of(METHODS[name].recipe)
        if entry.kind == "int"
    }
    return build(METHODS[name].recipe, {**values, **changes})


def made(name, backbone, resolution=64):
    """The method around a new encoder, as a run from scratch builds it."""
    method = create_method(create_encoder(backbone), small(name), resolution=resolution, look=LOOK)
    method.begin_from_scratch()
    return method.train()


def batch_for(method, images=4):
    """Made views of smooth colours and edges, as many and as large as the method wants."""
    found = []
    for spec in method.views:
        coarse = torch.randn(spec.count * images, 3, 5, 5)
        view = torch.nn.functional.interpolate(coarse, size=(spec.size, spec.size), mode="bicubic")
        found.append((view + 0.1 * torch.randn_like(view)).clamp(-2, 2))
    return tuple(found)


# the table --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", METHODS)
def test_a_row_tells_a_person_what_it_is(name):
    info = METHODS[name]
    assert info.id == name == info.recipe.model_fields["id"].default
    assert info.summary.endswith(".")
    assert info.paper.startswith("https://")
    assert 2012 <= info.year <= 2030
    assert info.backbones
    assert all(0 < rate < 0.1 for rate in info.rates)


@pytest.mark.parametrize("name", METHODS)
def test_every_setting_has_a_label_and_a_help_and_a_default_within_its_range(name):
    settings = settings_of(METHODS[name].recipe)
    assert {entry.key for entry in settings} == set(METHODS[name].recipe.model_fields) - {"id"}
    for entry in settings:
        assert entry.label
        assert entry.help.endswith("."), entry.key
        if entry.kind in ("int", "float"):
            assert entry.low is not None, entry.key
            assert entry.low <= entry.default <= entry.high, entry.key


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("images", [1, 40, 600, 30_000, 90_000, 2_000_000])
def test_fitted_settings_can_be_set_and_say_why(name, images):
    for kind in METHODS[name].backbones:
        for device in ("cpu", "cuda"):
            for preset in PRESETS:
                fitted = METHODS[name].recipe.fitted(Folder(images, min(64, images), device, 5, preset, kind))
                build(METHODS[name].recipe, {entry.key: entry.value for entry in fitted})
                assert all(entry.reason.endswith(".") for entry in fitted)


def test_the_command_line_lists_them_all(capsys):
    assert main(["methods", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out.splitlines()[-1])["methods"]
    assert [row["id"] for row in rows] == list(METHODS)


@pytest.mark.parametrize("name", METHODS)
def test_the_file_opens_with_its_paper_and_what_differs_from_it(name):
    module = METHODS[name].where.split(":")[0]
    head = Path(__file__).parents[3].joinpath(*module.split(".")).with_suffix(".py").read_text().split('"""')[1]
    assert METHODS[name].paper.split("/")[-1] in head
    assert "iffer" in head  # “Differs from the paper: …”


@pytest.mark.parametrize("name", METHODS)
def test_the_manual_has_a_section_for_it(name):
    manual = (Path(__file__).parents[3] / "docs" / "methods.md").read_text()
    assert f"\n## {METHODS[name].name}" in manual


# one step ---------------------------------------------------------------------------------------------------


def _learned(method, images=4, steps=5, rate=1e-3):
    """Names of trained parameters that had a gradient other than zero in one of some steps over a whole run."""
    optimiser = torch.optim.SGD([p for p in method.parameters() if p.requires_grad], rate)
    moved = set()
    for number in range(steps):
        method.position = Position(number / steps, steps)
        loss = method(batch_for(method, images)).loss
        assert loss.shape == ()
        assert bool(loss.isfinite())
        optimiser.zero_grad()
        loss.backward()
        moved |= {n for n, p in method.named_parameters() if p.grad is not None and bool((p.grad != 0).any())}
        assert all(bool(p.grad.isfinite().all()) for p in method.parameters() if p.grad is not None)
        method.before_update()
        optimiser.step()
        method.after_step()
    return moved


def standing(method):
    """Names of what is not trained in the trained encoder."""
    trained = getattr(method, "student", method.encoder)
    return [name for name, p in trained.named_parameters() if not p.requires_grad]


@every_pair
def test_every_trained_parameter_learns_and_nothing_else(method, backbone):
    built = made(method, backbone)
    moved = _learned(built)
    assert [name for name, p in built.named_parameters() if p.requires_grad and name not in moved] == []
    assert [name for name, p in built.named_parameters() if not p.requires_grad and p.grad is not None] == []
    # What is trained is the whole encoder, save its first layer where the method's paper keeps that as it is.
    assert [name for name in standing(built) if not name.startswith("net.patch_embed.")] == []


@every_pair
def test_a_slow_copy_follows_without_a_gradient(method, backbone):
    built = made(method, backbone)
    trained = getattr(built, "student", built.encoder)
    copies = [part for part in built.children() if isinstance(part, Encoder) and part is not trained]
    before = [[p.clone() for p in copy.parameters()] for copy in copies]
    assert not any(p.requires_grad for copy in copies for p in copy.parameters())
    with torch.no_grad():
        for p in trained.parameters():
            p.add_(1.0)
    built.position = Position(0.2, 1000)
    built(batch_for(built)).loss.backward()
    assert all(p.grad is None for copy in copies for p in copy.parameters())
    built.after_step()
    for copy, olds in zip(copies, before, strict=True):
        for old, now, goal in zip(olds, copy.parameters(), trained.parameters(), strict=True):
            assert bool(((goal - now).abs() < (goal - old).abs()).all())


@every_pair
def test_two_images_are_enough_for_a_step(method, backbone):
    _learned(made(method, backbone), images=2, steps=2)


@every_pair
def test_a_step_in_short_numbers_still_has_a_finite_loss(method, backbone):
    built = made(method, backbone)
    with torch.autocast("cpu", torch.bfloat16):
        loss = built(batch_for(built)).loss
    loss.backward()
    assert loss.dtype == torch.float32
    assert bool(loss.isfinite())


@every_pair
def test_identical_images_do_not_break_the_loss(method, backbone):
    built = made(method, backbone)
    loss = built(tuple(torch.zeros_like(view) for view in batch_for(built))).loss
    loss.backward()
    assert bool(loss.isfinite())
    assert all(bool(p.grad.isfinite().all()) for p in built.parameters() if p.grad is not None)


@every_pair
@pytest.mark.parametrize("resolution", [32, 50, 96])
def test_views_suit_the_backbone(method, backbone, resolution):
    encoder = create_encoder(backbone)
    built = create_method(encoder, small(method), resolution=resolution, look=LOOK)
    for spec in built.views:
        assert spec.size % encoder.stride == 0
        assert spec.count >= 1
        assert 0 < spec.crop[0] <= spec.crop[1] <= 1
    assert bool(built(batch_for(built)).loss.isfinite())


@pytest.mark.parametrize(("method", "backbone"), REFUSED)
def test_a_pair_that_cannot_work_is_refused_with_a_way_out(method, backbone, tmp_path, pictures):
    with pytest.raises(UserError) as error:
        create_method(create_encoder(backbone), small(method), resolution=64, look=LOOK)
    assert f"{METHODS[method].name} cannot train “{backbone}”" in error.value.problem
    assert error.value.advice.endswith(".")
    with pytest.raises(UserError, match="cannot train"):
        run(request(pictures, method, backbone), tmp_path / "run")
    assert not (tmp_path / "run" / "checkpoints").exists()


# whole runs -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("every") / "pictures"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(12):
        coarse = rng.integers(0, 255, (5, 6, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / f"{number:02}.png"), cv2.resize(coarse, (72, 60), interpolation=cv2.INTER_CUBIC))
    return folder


def request(folder, method, backbone, **recipe):
    settings = {"resolution": 32, "batch_size": 4, "minutes": 1, **recipe}
    return PretrainRequest(
        images_root=str(folder),
        images=tuple(sorted(p.name for p in folder.iterdir())),
        recipe=PretrainRecipe(method=small(method), backbone=backbone, **settings),
    )


class StopsAfter(Control):
    """Wishes a stop after so many steps: the loop asks once before each."""

    def __init__(self, steps):
        super().__init__()
        self.left, self.counting = steps, False

    def stopped(self):
        if self.counting:
            self.left -= 1
        return self.left < 0


def run(asked, place, control=None, steps=STEPS):
    """The last event of a real run on the pictures of ``asked``."""
    control = control or StopsAfter(10**9)
    for event in pretrain(
        asked,
        checkpoints=place / "checkpoints",
        previews=place / "previews",
        cache=Path(asked.images_root).parent / "cache",
        control=control,
        steps=steps,
    ):
        control.counting = control.counting or (event.kind == "phase" and event.text == "Training")
    return event


@dataclass(frozen=True)
class Trained:
    """A finished run: its last event and its checkpoint."""

    end: object
    folder: Path


@pytest.fixture(scope="module")
def trained(tmp_path_factory, pictures):
    """Trains a pair once, however many tests want it."""
    kept = {}

    def get(method, backbone, steps=STEPS):
        if (method, backbone, steps) not in kept:
            place = tmp_path_factory.mktemp("whole")
            end = run(request(pictures, method, backbone), place, steps=steps)
            kept[method, backbone, steps] = Trained(end, place / "checkpoints" / "last")
        return kept[method, backbone, steps]

    return get


@every_pair
@pytest.mark.parametrize("steps", [STEPS, pytest.param(MANY_STEPS, marks=pytest.mark.slow)])
def test_a_run_in_two_halves_is_the_whole_run_to_the_bit(method, backbone, steps, tmp_path, pictures, trained):
    whole = trained(method, backbone, steps).folder
    asked = request(pictures, method, backbone)
    first = run(asked, tmp_path, StopsAfter(steps // 2), steps)
    assert (first.kind, first.result["steps"]) == ("stopped", steps // 2)
    second = run(asked, tmp_path, steps=steps)
    assert (second.kind, second.result["steps"]) == ("finished", steps)
    for name in ("encoder.safetensors", "state.safetensors"):
        once, parts = load_file(whole / name), load_file(tmp_path / "checkpoints" / "last" / name)
        assert set(once) == set(parts)
        assert [key for key in once if not torch.equal(once[key], parts[key])] == []


@every_pair
def test_what_is_kept_serves_like_any_other_encoder(method, backbone, trained):
    done = trained(method, backbone)
    assert done.end.kind == "finished"
    assert np.isfinite(done.end.result["loss"])
    encoder = load_encoder(done.folder)
    assert not encoder.training
    fresh = create_encoder(backbone)
    assert set(encoder.state_dict()) == set(fresh.state_dict())  # nothing of the method is left in it
    images = torch.randn(2, 3, 64, 96)
    with torch.no_grad():
        assert encoder(images).shape == (2, encoder.width)
        assert bool(encoder(images).isfinite().all())
        for level, (channels, stride) in zip(encoder.feature_levels(images), encoder.levels, strict=True):
            assert level.shape == (2, channels, 64 // stride, 96 // stride)
    assert set(timm_state(encoder)) <= set(encoder.net.state_dict()) or encoder.kind == "conv"
    picture = np.random.default_rng(0).integers(0, 255, (60, 72, 3), dtype=np.uint8)
    if encoder.kind == "vit":
        maps = attention_maps(encoder, picture)
        assert maps.ndim == 3
        assert bool(np.isfinite(maps).all())
    else:
        assert feature_colours(encoder, picture).dtype == np.uint8


def exported(folder, kind, place):
    """A model around a kept encoder, and the file that exporting it to ``place`` leaves."""
    model = SegmentationModel(load_encoder(folder), "linear", 2, crop=32).eval()
    about = {"classes": [{"name": name, "colour": "#ffffff"} for name in ("a", "b")], "metrics": {}}
    save_model(model, place / "models" / "m", about)
    *_, last = export(ExportRequest(model="m", format=kind, out=kind), project=place, control=Control())
    assert last.kind == "finished"
    return model, place / kind


@every_pair
def test_what_is_kept_leaves_the_program_as_weights_that_timm_takes(method, backbone, trained, tmp_path):
    model, file = exported(trained(method, backbone).folder, "backbone", tmp_path)
    encoder = model.encoder
    net = timm.create_model(backbone, num_classes=0).eval()
    net.load_state_dict(load_file(file), strict=True)
    images = torch.randn(1, 3, 160, 160)
    with torch.inference_mode():
        inside = encoder.tokens(images) if encoder.kind == "vit" else encoder.feature_levels(images)[-1]
        assert torch.allclose(net.forward_features(images), inside, atol=1e-4)


@pytest.mark.slow  # writing ONNX takes some seconds for each
@every_pair
def test_a_model_around_what_is_kept_says_the_same_as_onnx(method, backbone, trained, tmp_path):
    model, file = exported(trained(method, backbone).folder, "onnx", tmp_path)
    pixels = np.random.default_rng(0).integers(0, 256, (1, 3, 64, 64)).astype(np.float32)
    with torch.inference_mode():
        wanted = Deployable(model)(torch.from_numpy(pixels)).numpy()
    session = onnxruntime.InferenceSession(str(file))
    np.testing.assert_allclose(session.run(None, {"images": pixels})[0], wanted, atol=1e-4)


@every_pair
def test_a_run_moves_the_encoder_that_is_kept(method, backbone, trained):
    torch.manual_seed(0)
    kept = load_file(trained(method, backbone).folder / "encoder.safetensors")
    built = made(method, backbone)
    fresh, still = built.encoder.state_dict(), standing(built)
    matrices = [key for key, value in kept.items() if value.dim() >= 2 and value.is_floating_point()]
    assert [key for key in matrices if torch.equal(kept[key], fresh[key]) and key not in still] == []


@every_pair
def test_one_image_is_learned_from_too(method, backbone, tmp_path, pictures):
    few = tmp_path / "few"
    few.mkdir()
    (few / "00.png").write_bytes((pictures / "00.png").read_bytes())
    end = run(request(few, method, backbone, batch_size=64), tmp_path / "run", steps=2)
    assert end.kind == "finished"
    assert np.isfinite(end.result["loss"])


@every_pair
def test_memory_that_runs_out_once_only_divides_the_batch(method, backbone):
    built = made(method, backbone, resolution=32)
    optimiser = make_optimiser(built, learning_rate=1e-4, weight_decay=0.0)
    trainer = Trainer(
        built, optimiser, make_accelerator(), StepBudget(2), Rates(1e-4, 0.0, 3.0), torch.Generator().manual_seed(0)
    )
    whole, calls = trainer._update, []

    def once(batch):
        calls.append(trainer.pieces)
        if len(calls) == 1:
            raise torch.OutOfMemoryError
        return whole(batch)

    trainer._update = once
    batch = Batch(torch.randint(0, 255, (4, 40, 40, 3), dtype=torch.uint8), torch.ones(4), (0, 4))
    losses = [step.loss for step in trainer.run(lambda: batch)]
    assert calls[:2] == [1, 2]
    assert trainer.out_of_memory
    assert np.isfinite(losses).all()
