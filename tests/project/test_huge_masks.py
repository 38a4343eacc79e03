"""Labels by tiles are the same labels, whatever is done to them; their files are plain PNG."""

import contextlib
import io
import shutil
import sqlite3
import time

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mask_model import Model
from PIL import Image

from sslstudio.images import limits
from sslstudio.project import sparse_labels
from sslstudio.project.label_map import LabelMap, Patch, patch_of, trim
from sslstudio.project.mask_rows import read_rows, write_rows
from sslstudio.project.masks import read_mask, read_noted, write_mask
from sslstudio.project.packing import pack, unpack
from sslstudio.project.project import Project
from sslstudio.project.sparse_labels import Pieces, SparseLabels, pieces_of, sparse_of

HEIGHT, WIDTH = 37, 45

rectangles = st.tuples(
    st.integers(0, HEIGHT - 1), st.integers(0, WIDTH - 1), st.integers(1, HEIGHT), st.integers(1, WIDTH)
)
strokes = st.tuples(st.sampled_from(["paint", "speckle", "tiles"]), rectangles, st.sampled_from([0, 1, 2, 255]))
others = st.sampled_from(["undo", "redo", "save", "reopen", "swap"]).map(lambda what: (what, None, None))


@pytest.fixture
def small_tiles(monkeypatch):
    """Tiles of 8 pixels, of which two stay open, and every image is huge: all that happens on 30,000 x 30,000."""
    monkeypatch.setattr(sparse_labels, "TILE", 8)
    monkeypatch.setattr(sparse_labels, "_OPEN_TILES", 2)
    monkeypatch.setattr("sslstudio.project.mask_rows.TILE", 8)
    monkeypatch.setattr(limits, "HUGE_PIXELS", 0)


@pytest.fixture
def tiny_images(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    Image.new("L", (WIDTH, HEIGHT)).save(folder / "a.png")
    return folder


def speckles(shape, seed):
    return np.random.default_rng(seed).choice([0, 1, 2, 255], shape).astype(np.uint8)


def pieces_between(before, labels):
    """The stroke that led from some labels to others, as tiles."""
    places = list(labels.places())
    whole = [Pieces(one.shape, {place: one.cell(place) for place in places}) for one in (before, labels)]
    return trim(patch_of(whole[0]), patch_of(whole[1]))


@given(st.lists(st.one_of(strokes, strokes, others), max_size=25))
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_sequence_of_edits_undos_redos_saves_and_restarts(small_tiles, tiny_images, tmp_path_factory, actions):
    path = tmp_path_factory.mktemp("p") / "p.sslproj"
    project, model = Project.create(path, tiny_images, ["a", "b", "c"]), Model((HEIGHT, WIDTH))
    shown = project.label_map("a.png")
    assert isinstance(shown.labels, SparseLabels)
    for number, (what, rectangle, label) in enumerate(actions):
        if what in ("paint", "speckle", "tiles"):
            before, old = shown.cut(*rectangle), sparse_of(shown.labels[:, :])
            shape = before.labels.shape
            new = speckles(shape, number) if what == "speckle" else np.full(shape, label, np.uint8)
            shown.put(Patch(before.top, before.left, new))
            if what == "tiles":
                patches = pieces_between(old, shown.labels)
                if patches is not None:
                    project.add_edit("a.png", *patches)
            else:
                project.add_edit("a.png", before, shown.cut(*rectangle))
            model.paint(shown.labels[:, :])
        elif what == "save":
            project.save_masks()
            file = project.mask_file("a.png")
            assert not file.exists() or np.array_equal(np.array(Image.open(file)), model.now())
        elif what == "reopen":
            project.close()
            project = Project.open(path)
            shown = project.label_map("a.png")
        elif what == "swap":
            shown = LabelMap(shown.labels.mapped(np.array([1, 0, *range(2, 256)], np.uint8)))
            project.set_mask("a.png", shown.labels)
            model.paint(shown.labels[:, :])
        else:
            patch = getattr(project, what)("a.png")
            assert (patch is not None) == model.can(what)
            if patch is not None:
                shown.put(patch)
            model.step(what)
        assert np.array_equal(shown.labels[:, :], model.now())
        assert np.array_equal(project.label_map("a.png").labels[:, :], model.now())
    counts = np.bincount(model.now().ravel(), minlength=256)
    assert list(project.class_pixels().values()) == counts[:3].tolist()
    project.close()


def test_a_class_taken_away_leaves_the_other_labels_right(small_tiles, tiny_images, tmp_path):
    project = Project.create(tmp_path / "p", tiny_images, ["a", "b", "c"])
    labels = speckles((HEIGHT, WIDTH), 3)
    project.set_mask("a.png", labels)
    project.remove_class(1)
    expected = labels.copy()
    expected[labels == 1], expected[labels == 2] = 255, 1
    assert np.array_equal(project.label_map("a.png").labels[:, :], expected)
    project.save_masks()
    assert np.array_equal(read_mask(project.mask_file("a.png")), expected)
    project.undo("a.png")
    assert (project.label_map("a.png").labels[:, :] == 255).all()
    project.close()


@given(st.integers(1, 300), st.integers(1, 300), st.integers(0, 5), st.integers(1, 40))
@settings(max_examples=60, deadline=None)
def test_packed_labels_come_back(height, width, seed, grain):
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 4, (height // grain + 1, width // grain + 1)).astype(np.uint8)
    labels = np.kron(coarse, np.ones((grain, grain), np.uint8))[:height, :width]
    assert np.array_equal(unpack(pack(labels), labels.shape), labels)
    assert pack(labels) == pack(labels.copy())


def test_a_repair_keeps_strokes_of_tiles_that_were_not_saved_yet(small_tiles, tiny_images, tmp_path):
    project = Project.create(tmp_path / "p", tiny_images, ["ground", "thing"])
    project.check_files()
    labels = project.label_map("a.png").labels
    assert isinstance(labels, SparseLabels)
    before = pieces_of(labels)
    labels[3:30, 5:40] = 1
    project.add_edit("a.png", patch_of(before), patch_of(pieces_of(labels)))
    killed = shutil.copytree(project.path, tmp_path / "killed.sslproj")  # the mask's file knows nothing of it
    project.close()
    with contextlib.closing(sqlite3.connect(killed / "project.sqlite")) as rows:
        rows.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (page,) = rows.execute("SELECT rootpage FROM sqlite_master WHERE name = 'setting'").fetchone()
        (size,) = rows.execute("PRAGMA page_size").fetchone()
    with (killed / "project.sqlite").open("r+b") as stream:
        stream.seek((page - 1) * size)
        stream.write(b"\xff" * size)
    with Project.open(killed) as repaired:
        assert "was repaired" in repaired.notices[0]
        assert (repaired.label_map("a.png").labels[3:30, 5:40] == 1).all()


def test_damaged_tiles_are_noticed():
    pieces = Pieces((600, 600), {(0, 0): 1, (1, 1): pack(np.eye(88, dtype=np.uint8))})
    data = bytearray(pieces.to_bytes())
    assert Pieces.from_bytes(bytes(data)).cells == pieces.cells
    data[20] ^= 1
    with pytest.raises(ValueError, match="no tiles"):
        Pieces.from_bytes(bytes(data))
    with pytest.raises(ValueError, match="packed"):
        unpack(pieces.cells[1, 1][:-3], (88, 88))


@pytest.mark.parametrize("shape", [(37, 45), (8, 8), (1, 100), (64, 1)])
def test_a_huge_mask_is_a_png_for_everybody(small_tiles, shape):
    labels = speckles(shape, 1)
    labels[: shape[0] // 2] = 255
    file = io.BytesIO()
    write_rows(file, sparse_of(labels), bytes(range(256)) * 3, {"SSL Studio": "a note"})
    with Image.open(file) as image:
        image.verify()
    with Image.open(file) as image:
        assert image.mode == "P"
        assert image.info["SSL Studio"] == "a note"
        assert np.array_equal(np.array(image), labels)
    assert np.array_equal(read_rows(file)[:, :], labels)


def test_pixels_that_another_program_changed_count(small_tiles, tmp_path):
    labels, file = speckles((37, 45), 1), tmp_path / "m.png"
    write_mask(file, sparse_of(labels), ["#ff0000"], note="n")
    assert np.array_equal(read_noted(file)[0][:, :], labels)
    data = file.read_bytes()
    other = speckles((37, 45), 2)
    write_mask(file, sparse_of(other), ["#ff0000"])
    changed = file.read_bytes()
    tiles = slice(data.index(b"slTL") - 4, data.index(b"IEND") - 4)
    old, new = data[tiles], slice(changed.index(b"slTL") - 4, changed.index(b"IEND") - 4)
    file.write_bytes(changed[: new.start] + old + changed[new.stop :])  # the tiles of before beside pixels of now
    assert np.array_equal(read_noted(file)[0][:, :], other)
    cut = changed[: len(changed) // 2]
    file.write_bytes(cut)
    with pytest.raises(Exception, match="cannot be read"):
        read_noted(file)


@pytest.mark.parametrize("level", [0, 9])
def test_masks_of_other_programs_are_read_by_rows(small_tiles, tmp_path, level):
    labels, file = speckles((37, 45), 4), tmp_path / "m.png"
    image = Image.fromarray(labels)
    image.putpalette(bytes(range(256)) * 3)
    image.save(file, compress_level=level)
    assert np.array_equal(read_mask(file), labels)


def test_nine_hundred_megapixels_of_labels_take_little_memory_and_time(tmp_path):
    labels = LabelMap.empty(30_000, 30_000).labels
    assert isinstance(labels, SparseLabels)
    for at in range(0, 3000, 1000):
        labels[at : at + 500, at : at + 500] = at % 7
    begun = time.perf_counter()
    write_mask(tmp_path / "m.png", labels, ["#ff0000"])
    again = read_noted(tmp_path / "m.png")[0]
    taken = time.perf_counter() - begun
    assert np.array_equal(again[1000:3000, 1000:3000], labels[1000:3000, 1000:3000])
    assert np.array_equal(again.counts(), labels.counts())
    assert labels.nbytes < 10 << 20
    assert taken < 20
