"""Undo gives back every earlier mask, whatever happens in between."""

import threading

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mask_model import Model
from PIL import Image

from sslstudio.errors import UserError
from sslstudio.project.label_map import LabelMap, Patch
from sslstudio.project.masks import read_mask, write_mask
from sslstudio.project.project import Project

HEIGHT, WIDTH = 9, 12

rectangles = st.tuples(
    st.integers(0, HEIGHT - 1), st.integers(0, WIDTH - 1), st.integers(1, HEIGHT), st.integers(1, WIDTH)
)
strokes = st.tuples(st.just("paint"), rectangles, st.sampled_from([0, 1, 2, 255]))
WORDS = ("undo", "redo", "save", "reopen", "fill", "shape", "lose", "drop first", "drop last")
others = st.sampled_from(WORDS).map(lambda what: (what, None, None))
steps = st.lists(st.one_of(strokes, strokes, others), max_size=25)


@pytest.fixture(scope="module")
def tiny_images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny") / "images"
    folder.mkdir()
    Image.new("L", (WIDTH, HEIGHT)).save(folder / "a.png")
    return folder


@given(steps)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_sequence_of_edits_undos_redos_saves_and_restarts(tiny_images, tmp_path_factory, actions):
    path = tmp_path_factory.mktemp("p") / "p.sslproj"
    project, model = Project.create(path, tiny_images, ["a", "b", "c"]), Model((HEIGHT, WIDTH))
    shown = project.label_map("a.png")
    for what, rectangle, label in actions:
        if what == "paint":
            label = label if label == 255 else min(label, len(project.classes) - 1)
            before = shown.cut(*rectangle)
            shown.put(Patch(before.top, before.left, np.full_like(before.labels, label)))
            project.add_edit("a.png", before, shown.cut(*rectangle))
            model.paint(shown.labels.copy())
        elif what == "fill":
            filled = np.where(model.now() == 255, len(project.classes) - 1, model.now()).astype(np.uint8)
            project.set_mask("a.png", filled)
            model.paint(filled)
            shown = project.label_map("a.png")
        elif what == "shape":  # the whole image at once, as growing, smoothing and removing specks do
            new = np.pad(model.now(), 1, mode="edge")[2:, 1:-1].copy()
            project.add_edit("a.png", Patch(0, 0, shown.labels.copy()), Patch(0, 0, new))
            shown.put(Patch(0, 0, new))
            model.paint(new)
        elif what in ("undo", "redo"):
            possible = model.at > 0 if what == "undo" else model.at + 1 < len(model.states)
            assert (project.can_undo if what == "undo" else project.can_redo)("a.png") == possible
            patch = getattr(project, what)("a.png")
            assert (patch is not None) == possible
            if patch is not None:
                shown.put(patch)
                model.at += 1 if what == "redo" else -1
        elif what.startswith("drop"):
            if len(project.classes) < 2:
                continue
            at = 0 if what == "drop first" else len(project.classes) - 1
            project.remove_class(at)
            model.drop(at)
            shown = project.label_map("a.png")
        elif what == "save":
            project.save_masks()
        elif what == "lose":  # somebody removes the PNG: the strokes still know
            project.mask_file("a.png").unlink(missing_ok=True)
        else:
            project.close()
            project = Project.open(path)
        assert (shown.labels == model.now()).all()
        assert (project.label_map("a.png").labels == model.now()).all()
    painted = int((model.now() != 255).sum())
    assert project.image("a.png").painted == pytest.approx(painted / (HEIGHT * WIDTH))
    counted = np.bincount(model.now().ravel(), minlength=256)
    assert list(project.class_pixels().values()) == counted[: len(project.classes)].tolist()
    project.save_masks()
    if project.mask_file("a.png").exists():
        assert (read_mask(project.mask_file("a.png")) == model.now()).all()
    project.close()


@given(st.lists(st.tuples(rectangles, st.sampled_from([0, 1, 255])), min_size=1, max_size=8), st.data())
@settings(max_examples=40, deadline=None)
def test_a_png_newer_than_the_record_changes_nothing(tiny_images, tmp_path_factory, painted, data):
    """Killed between replacing the PNG and recording it: replaying old strokes on it must do no harm."""
    path = tmp_path_factory.mktemp("p") / "p.sslproj"
    with Project.create(path, tiny_images, ["a", "b"]) as project:
        shown, states = project.label_map("a.png"), []
        for rectangle, label in painted:
            before = shown.cut(*rectangle)
            shown.put(Patch(before.top, before.left, np.full_like(before.labels, label)))
            project.add_edit("a.png", before, shown.cut(*rectangle))
            states.append(shown.labels.copy())
        for _ in range(data.draw(st.integers(0, 3))):
            patch = project.undo("a.png")
            if patch:
                shown.put(patch)
                states.append(shown.labels.copy())
        written = data.draw(st.sampled_from(states))
        write_mask(project.mask_file("a.png"), written, ["#000000"])
        assert (project.label_map("a.png").labels == states[-1]).all()


def test_cut_and_put_copy_and_stay_inside():
    labels = LabelMap.empty(4, 6)
    patch = labels.cut(-2, 4, 4, 9)
    assert (patch.top, patch.left, patch.labels.shape) == (0, 4, (2, 2))
    patch.labels[:] = 1
    assert (labels.labels == 255).all()
    labels.put(patch)
    assert (labels.labels == 1).sum() == 4


def test_a_stroke_outside_the_image_or_of_two_sizes_is_a_bug(tiny_images, tmp_path):
    with Project.create(tmp_path / "p", tiny_images) as project:
        small, large = np.zeros((1, 1), np.uint8), np.zeros((HEIGHT + 1, 1), np.uint8)
        with pytest.raises(ValueError, match="leaves the image"):
            project.add_edit("a.png", Patch(0, 0, large), Patch(0, 0, large))
        with pytest.raises(ValueError, match="same rectangle"):
            project.add_edit("a.png", Patch(0, 0, small), Patch(0, 0, large))
        assert not project.can_undo("a.png")


def test_only_the_touched_rectangle_is_stored(tiny_images, tmp_path):
    Image.new("L", (2000, 2000)).save(tiny_images / "big.png")
    with Project.create(tmp_path / "p", tiny_images) as project:
        rng = np.random.default_rng(0)
        labels = project.label_map("big.png").labels
        before = Patch(0, 0, labels.copy())
        labels[100:120, 300:330] = rng.integers(0, 2, (20, 30))
        project.add_edit("big.png", before, Patch(0, 0, labels))
        patch = project.undo("big.png")
        assert (patch.top, patch.left, patch.labels.shape) == (100, 300, (20, 30))
    (tiny_images / "big.png").unlink()


def test_a_mask_of_another_size_names_both(tiny_images, tmp_path):
    with Project.create(tmp_path / "p", tiny_images) as project:
        with pytest.raises(UserError, match=r"5 × 4 pixels, but a\.png has 12 × 9"):
            project.set_mask("a.png", np.zeros((4, 5), np.uint8))
        project.mask_file("a.png").parent.mkdir(exist_ok=True)
        write_mask(project.mask_file("a.png"), np.zeros((4, 5), np.uint8), [])
        with pytest.raises(UserError, match="5 × 4 pixels, but the image has 12 × 9"):
            project.label_map("a.png")


def test_painting_and_saving_at_the_same_time_loses_nothing(tiny_images, tmp_path):
    with Project.create(tmp_path / "p", tiny_images, ["a", "b", "c"]) as project:
        shown, done, failures = project.label_map("a.png"), threading.Event(), []

        def keep(action):
            try:
                while not done.is_set():
                    action()
            except BaseException as error:
                failures.append(error)
                raise

        savers = [threading.Thread(target=keep, args=(project.save_masks,)) for _ in range(2)]
        savers.append(threading.Thread(target=keep, args=(lambda: project.label_map("a.png"),)))
        for saver in savers:
            saver.start()
        rng = np.random.default_rng(0)
        for _ in range(60):
            top, left = rng.integers(0, HEIGHT - 2), rng.integers(0, WIDTH - 2)
            before = shown.cut(top, left, 2, 2)
            shown.put(Patch(before.top, before.left, rng.integers(0, 3, (2, 2), dtype=np.uint8)))
            project.add_edit("a.png", before, shown.cut(top, left, 2, 2))
            assert (project.label_map("a.png").labels == shown.labels).all()
        done.set()
        for saver in savers:
            saver.join()
        assert not failures
        project.save_masks()
        assert (read_mask(project.mask_file("a.png")) == shown.labels).all()


def test_masks_are_palette_pngs_that_any_tool_reads(tmp_path):
    path = tmp_path / "m.png"
    labels = np.array([[0, 1, 255], [1, 0, 254]], np.uint8)
    write_mask(path, labels, ["#999999", "#e69f00"])
    with Image.open(path) as image:
        assert image.mode == "P"
        assert image.convert("RGB").getpixel((1, 0)) == (0xE6, 0x9F, 0)
        assert image.convert("RGB").getpixel((2, 0)) == (0, 0, 0)
    assert (read_mask(path) == labels).all()
    assert [one.name for one in tmp_path.iterdir()] == ["m.png"]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: path.touch(), "is empty"),
        (lambda path: path.write_text("text"), "cannot be read"),
        (lambda path: Image.new("RGB", (3, 3)).save(path), "is a colour picture"),
        (lambda path: Image.fromarray(np.full((3, 3), 900, np.uint16)).save(path), "the value 900"),
        (lambda path: None, "not there any more"),
    ],
)
def test_files_that_are_no_masks(tmp_path, make, words):
    make(tmp_path / "m.png")
    with pytest.raises(UserError, match=words):
        read_mask(tmp_path / "m.png")


def test_a_class_goes_and_everything_else_stays(tmp_path, image_folder):
    with Project.create(tmp_path / "p", image_folder, ["a", "b", "c"]) as project:
        for path, labels in (("cell_1.png", [0, 1, 2]), ("cell_2.png", [1, 1, 1]), ("deep/cell_1.jpg", [0, 0, 255])):
            project.set_mask(path, np.resize(np.repeat(np.array(labels, np.uint8), 48), (32, 48)))
        project.save_masks()
        written = project.mask_file("deep/cell_1.jpg").stat().st_mtime_ns
        assert project.class_images(1) == 2
        project.remove_class(1, ["old"])
        assert [one.name for one in project.classes] == ["a", "c"]
        assert set(np.unique(project.label_map("cell_1.png").labels)) == {0, 1, 255}
        assert (project.label_map("cell_2.png").labels == 255).all()
        assert project.image("cell_2.png").painted == 0
        assert list(project.places_of("old")[[0, 1, 2, 255]]) == [0, 255, 1, 255]
        assert list(project.places_of("newer")[[0, 1, 2, 255]]) == [0, 1, 2, 255]
        project.remove_class(0, ["old", "newer"])
        assert list(project.places_of("old")[[0, 1, 2, 255]]) == [255, 255, 0, 255]
        project.save_masks()
        assert set(np.unique(read_mask(project.mask_file("cell_1.png")))) == {0, 255}
        assert project.mask_file("deep/cell_1.jpg").stat().st_mtime_ns != written
        project.undo("cell_1.png")
        assert (project.label_map("cell_1.png").labels == 255).all()
        project.redo("cell_1.png")
        assert set(np.unique(project.label_map("cell_1.png").labels)) == {0, 255}


def test_a_mask_that_cannot_be_read_keeps_the_class_from_going_half_way(tmp_path, image_folder):
    with Project.create(tmp_path / "p", image_folder, ["a", "b", "c"]) as project:
        for path in ("cell_1.png", "cell_2.png"):
            project.set_mask(path, np.full((32, 48), 2, np.uint8))
        project.save_masks()
        write_mask(project.mask_file("cell_2.png"), np.zeros((3, 3), np.uint8), ["#000000"])
        with pytest.raises(UserError, match=r"cell_2"):
            project.remove_class(0)
        assert len(project.classes) == 3
        assert (project.label_map("cell_1.png").labels == 2).all()
