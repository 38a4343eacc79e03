"""In a project each slice of a stack is an image: painted, saved, refreshed, kept; and old projects become such."""

import os
import sqlite3
from contextlib import closing

import numpy as np
import pytest
import tifffile
from PIL import Image

from sslstudio.errors import UserError
from sslstudio.project import schema
from sslstudio.project.dataset import labelled_images
from sslstudio.project.label_map import UNPAINTED
from sslstudio.project.masks import read_mask
from sslstudio.project.project import Project


def write_stack(path, slices=4, side=(20, 30)):
    tifffile.imwrite(path, np.full((slices, *side), 7, np.uint8), photometric="minisblack")
    return path


def rewrite(path, slices):
    """The same stack with another number of slices, surely changed."""
    write_stack(path, slices)
    facts = path.stat()
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns + 10**9))


@pytest.fixture
def folder(tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    write_stack(images / "scan.tif")
    Image.new("RGB", (30, 20)).save(images / "zebra.png")
    return images


@pytest.fixture
def project(folder, tmp_path):
    with Project.create(tmp_path / "p", folder, ["background", "cell"]) as opened:
        opened.check_files()
        yield opened


def paths(project):
    return [record.path for record in project.images()]


SLICES = ["scan.tif", "scan.tif#0002", "scan.tif#0003", "scan.tif#0004"]
LABELS = np.zeros((20, 30), np.uint8)


def test_every_slice_is_an_image(project):
    assert paths(project) == [*SLICES, "zebra.png"]
    assert [(record.slice, record.slices) for record in project.images()] == [(1, 4), (2, 4), (3, 4), (4, 4), (1, 1)]
    third = project.image(SLICES[2])
    assert (third.width, third.height, third.channels, third.dtype, third.problem) == (30, 20, 1, "uint8", "")


def test_slices_are_painted_and_saved_one_by_one(project):
    for number, path in enumerate(SLICES):
        labels = LABELS.copy()
        labels[number] = 1
        project.set_mask(path, labels)
    project.save_masks()
    for number, path in enumerate(SLICES):
        assert project.label_map(path).labels[number].all()
        assert read_mask(project.mask_file(path))[number].all()
    assert {file.name for file in (project.path / "masks").glob("*.png")} == {f"{path}.png" for path in SLICES}
    project.undo(SLICES[2])
    assert (project.label_map(SLICES[2]).labels == UNPAINTED).all()
    assert (project.label_map(SLICES[1]).labels != UNPAINTED).all()


def test_a_refresh_leaves_slices_alone(project):
    project.set_mask(SLICES[1], LABELS)
    assert not project.refresh()
    project.check_files()
    assert paths(project) == [*SLICES, "zebra.png"]


def test_a_stack_that_grows_or_shrinks(project, folder):
    project.set_mask(SLICES[3], LABELS)
    rewrite(folder / "scan.tif", 6)
    assert project.refresh().changed == 1
    project.check_files()
    assert paths(project) == [*SLICES, "scan.tif#0005", "scan.tif#0006", "zebra.png"]
    assert project.image(SLICES[3]).painted == 1
    rewrite(folder / "scan.tif", 2)
    project.refresh()
    project.check_files()
    assert paths(project) == [SLICES[0], SLICES[1], SLICES[3], "zebra.png"]
    assert "not in the image folder any more; its mask is kept" in project.image(SLICES[3]).problem
    rewrite(folder / "scan.tif", 4)
    project.refresh()
    project.check_files()
    assert paths(project) == [*SLICES, "zebra.png"]
    assert project.image(SLICES[3]).problem == ""
    assert (project.label_map(SLICES[3]).labels == LABELS).all()


def test_a_stack_that_is_gone_and_comes_back(project, folder):
    project.set_mask(SLICES[2], LABELS)
    kept = (folder / "scan.tif").read_bytes()
    (folder / "scan.tif").unlink()
    project.refresh()
    assert paths(project) == [SLICES[2], "zebra.png"]
    (folder / "scan.tif").write_bytes(kept)
    project.refresh()
    project.check_files()
    assert paths(project) == [*SLICES, "zebra.png"]
    assert project.image(SLICES[2]).problem == ""


def test_slices_of_another_size_say_so(project, folder):
    project.set_mask(SLICES[2], LABELS)
    write_stack(folder / "scan.tif", 4, (25, 30))
    project.refresh()
    project.check_files()
    assert "is now 30 × 25 pixels" in project.image(SLICES[2]).problem
    assert project.image(SLICES[1]).problem == ""
    (folder / "scan.tif").write_bytes(b"II*\0")
    project.refresh()
    project.check_files()
    assert all(project.image(path).problem for path in SLICES)


def test_slices_that_are_too_large_say_so(folder, tmp_path, monkeypatch):
    from sslstudio.images import reader

    monkeypatch.setattr(reader, "MAX_PIXELS", 500)
    with Project.create(tmp_path / "p", folder) as project:
        project.check_files()
        assert all("is too large to open at once" in project.image(path).problem for path in SLICES)


def test_no_file_is_taken_for_a_slice(folder, tmp_path):
    write_stack(folder / "scan.tif#0002.tif", 1)
    (folder / "scan.tif#0003").write_bytes((folder / "scan.tif").read_bytes())
    with Project.create(tmp_path / "p", folder) as project:
        project.check_files()
        assert set(paths(project)) == {*SLICES, "scan.tif#0002.tif", "zebra.png"}
        assert len({project.mask_file(path) for path in paths(project)}) == 6


def test_an_old_project_keeps_the_masks_of_its_stacks(folder, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:  # as an older program made it: one image per file
        patch.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:1])
        path = tmp_path / "old.sslproj"
        path.mkdir()
        from sslstudio.project.database import Database

        Database(path, create=True).close()
    labels = LABELS.copy()
    labels[3:9, 4:10] = 1
    facts = (folder / "scan.tif").stat()
    with closing(sqlite3.connect(path / "project.sqlite")) as database, database:
        database.execute("INSERT INTO class VALUES (0, 'background', '#999999'), (1, 'cell', '#e69f00')")
        database.execute("INSERT INTO setting VALUES ('images', ?)", (f'"{folder.as_posix()}"',))
        database.execute(
            "INSERT INTO image (path, sort_key, width, height, channels, dtype, size, mtime_ns, probed, painted, "
            "mask_width, mask_height) VALUES ('scan.tif', 'scan.tif', 30, 20, 1, 'uint8', ?, ?, 1, 600, 30, 20)",
            (facts.st_size, facts.st_mtime_ns),
        )
    from sslstudio.project import places
    from sslstudio.project.masks import write_mask

    with closing(Database(path)) as database:
        places.store_images(database, path, folder)
    write_mask(path / "masks" / "scan.tif.png", labels, ["#999999", "#e69f00"])
    with Project.open(path) as project:
        assert (path / "backups" / f"before-format-{len(schema.MIGRATIONS)}.sqlite").exists()
        project.refresh()
        project.check_files()
        assert paths(project) == [*SLICES, "zebra.png"]
        assert (project.label_map("scan.tif").labels == labels).all()
        assert (project.label_map("scan.tif#0002").labels == UNPAINTED).all()


def test_slices_of_one_stack_stay_in_one_part(tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    for name in "abcd":
        write_stack(images / f"{name}.tif", 5)
    with Project.create(tmp_path / "p", images, ["background", "cell"]) as project:
        project.check_files()
        for path in paths(project):
            project.set_mask(path, LABELS)
        parts = {}
        for item in labelled_images(project, 0.25, 0):
            parts.setdefault(item.image.partition("#")[0], set()).add(item.split)
    assert all(len(split) == 1 for split in parts.values())
    assert sum(split == {"validation"} for split in parts.values()) == 1


@pytest.mark.parametrize("seed", range(6))
def test_a_large_stack_is_not_kept_aside_whole(tmp_path, seed):
    images = tmp_path / "images"
    images.mkdir()
    write_stack(images / "large.tif", 9)
    write_stack(images / "small.tif", 2)
    with Project.create(tmp_path / "p", images, ["background", "cell"]) as project:
        project.check_files()
        for path in paths(project):
            project.set_mask(path, LABELS)
        aside = {item.image for item in labelled_images(project, 0.1, seed) if item.split == "validation"}
    assert aside == {"small.tif", "small.tif#0002"}


def test_one_stack_alone_is_still_judged(project):
    for path in SLICES:
        project.set_mask(path, LABELS)
    assert {item.split for item in labelled_images(project, 0.25, 0)} == {"train", "validation"}


def test_an_unknown_slice_is_no_image(project):
    with pytest.raises(UserError, match=r"There is no image “scan\.tif#0009”"):
        project.image("scan.tif#0009")


def test_a_stack_of_which_a_later_slice_is_painted_is_looked_into_at_once(project, folder):
    project.set_mask(SLICES[2], LABELS)
    write_stack(folder / "scan.tif", 4, (25, 35))
    project.refresh()
    assert "is now 35 × 25 pixels" in project.image(SLICES[2]).problem
    with pytest.raises(UserError, match="is now 35 × 25 pixels"):
        project.set_mask(SLICES[2], LABELS)
    project.set_mask(SLICES[1], np.zeros((25, 35), np.uint8))  # not painted before: at its size of now


def test_nobody_paints_at_the_size_that_a_file_had_before(project, folder):
    Image.new("RGB", (31, 21)).save(folder / "zebra.png")
    assert project.refresh().changed == 1
    with pytest.raises(UserError, match="30 × 20"):
        project.set_mask("zebra.png", LABELS)
    project.set_mask("zebra.png", np.zeros((21, 31), np.uint8))


def test_a_stack_that_cannot_be_read_and_then_is_a_single_image(project, folder):
    project.set_mask(SLICES[2], LABELS)
    (folder / "scan.tif").write_bytes(b"II*\0")
    project.refresh()
    assert all("scan.tif" in project.image(path).problem for path in SLICES)
    Image.new("L", (30, 20)).save(folder / "scan.tif")
    project.refresh()
    project.check_files()
    assert paths(project) == [SLICES[0], SLICES[2], "zebra.png"]
    assert project.image(SLICES[0]).problem == ""
    assert "not in the image folder any more; its mask is kept" in project.image(SLICES[2]).problem
    rewrite(folder / "scan.tif", 4)
    project.refresh()
    project.check_files()
    assert paths(project) == [*SLICES, "zebra.png"]
    assert (project.label_map(SLICES[2]).labels == LABELS).all()


def test_a_files_own_troubles_are_not_those_of_a_file_with_a_similar_name(folder, tmp_path):
    Image.new("L", (30, 20)).save(folder / "scan.tif#a.png")
    with Project.create(tmp_path / "p", folder) as project:
        project.check_files()
        project.set_mask("scan.tif#a.png", LABELS)
        rewrite(folder / "scan.tif", 3)
        project.refresh()
        assert set(paths(project)) == {*SLICES[:3], "scan.tif#a.png", "zebra.png"}
        write_stack(folder / "scan.tif", 3, (25, 35))
        project.refresh()
        assert project.image("scan.tif#a.png").problem == ""
        (folder / "scan.tif").write_bytes(b"II*\0")
        project.refresh()
        assert project.image("scan.tif#a.png").problem == ""
