"""Full, read-only and damaged disks: a clear sentence, and nothing that was saved is lost."""

import contextlib
import os
import shutil
import sqlite3
import subprocess

import numpy as np
import pytest
from PIL import Image

from sslstudio.errors import UserError
from sslstudio.project import schema
from sslstudio.project.database import on_network
from sslstudio.project.label_map import Patch
from sslstudio.project.project import ImagesMoved, Project


@pytest.fixture
def small_disk(tmp_path):
    """A function that mounts a real disk of some KiB; skips where that needs rights we lack."""
    mounted = []

    def mount(kib):
        point = tmp_path / f"disk{len(mounted)}"
        point.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kib}k", "tmpfs", point], capture_output=True)
        if done.returncode:
            pytest.skip("mounting a small disk needs root")
        mounted.append(point)
        return point

    if os.name != "posix" or os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("mounting a small disk needs root")
    yield mount
    for point in mounted:
        subprocess.run(["umount", "-l", point], check=True)


def stroke(project, rng, labels, size=28):
    before = labels.cut(0, 0, size, size)
    labels.put(Patch(0, 0, rng.integers(0, 2, before.labels.shape, dtype=np.uint8)))
    project.add_edit("cell_1.png", before, labels.cut(0, 0, size, size))


def fill(disk, keep=0):
    """Leave only ``keep`` bytes free."""
    with (disk / "filler").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    if keep:
        os.truncate(disk / "filler", max(0, (disk / "filler").stat().st_size - keep))


def test_a_disk_that_fills_up_while_painting(small_disk, image_folder):
    disk = small_disk(2048)
    project = Project.create(disk / "p", image_folder, ["a", "b"])
    rng, labels = np.random.default_rng(0), project.label_map("cell_1.png")
    stroke(project, rng, labels)
    fill(disk, keep=64 << 10)
    refused, saved = None, labels.labels.copy()
    for _ in range(1000):
        try:
            stroke(project, rng, labels)
        except UserError as error:
            refused = error
            break
        saved = labels.labels.copy()
    assert "disk is full" in refused.problem
    assert "Make room" in refused.advice
    assert (project.label_map("cell_1.png").labels == saved).all()
    with pytest.raises(UserError, match="full"):
        project.save_masks()
    (disk / "filler").unlink()
    labels = project.label_map("cell_1.png")
    stroke(project, rng, labels)  # works again at once
    project.close()
    with Project.open(disk / "p.sslproj") as again:
        assert (again.label_map("cell_1.png").labels == labels.labels).all()


def test_closing_on_a_full_disk_says_so_and_keeps_the_strokes(small_disk, image_folder):
    disk = small_disk(2048)
    project = Project.create(disk / "p", image_folder, ["a", "b"])
    labels = project.label_map("cell_1.png")
    stroke(project, np.random.default_rng(0), labels)
    fill(disk)
    with pytest.raises(UserError, match="could not be written: the disk is full"):
        project.close()
    (disk / "filler").unlink()
    with Project.open(disk / "p.sslproj") as again:
        assert (again.label_map("cell_1.png").labels == labels.labels).all()


def test_no_room_for_a_new_project(small_disk, image_folder):
    disk = small_disk(64)
    fill(disk)
    with pytest.raises(UserError, match="full"):
        Project.create(disk / "p", image_folder)
    assert not (disk / "p.sslproj").exists()


def test_a_read_only_disk_can_be_looked_at_but_not_painted(small_disk, image_folder):
    disk = small_disk(2048)
    project = Project.create(disk / "p", image_folder, ["a", "b"])
    labels = project.label_map("cell_1.png")
    stroke(project, np.random.default_rng(0), labels)
    project.close()
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    with pytest.raises(UserError, match="could not be written: the disk is read-only"):
        Project.open(disk / "p.sslproj")
    with Project.open(disk / "p.sslproj", write=False) as reader:
        assert (reader.label_map("cell_1.png").labels == labels.labels).all()
        assert len(reader.images()) == 6
        with pytest.raises(UserError, match="may only be read"):
            reader.set_setting("a", 1)
    with pytest.raises(UserError, match="could not be written"):
        Project.create(disk / "q", image_folder)


@pytest.fixture
def painted(tmp_path, image_folder):
    """The folder of a project with strokes, closed, and the labels of one image."""
    with Project.create(tmp_path / "p", image_folder, ["a", "b"]) as project:
        labels = project.label_map("cell_1.png")
        stroke(project, np.random.default_rng(0), labels)
    return tmp_path / "p.sslproj", labels.labels


@pytest.mark.parametrize("harm", ["overwritten", "emptied", "shortened", "removed"])
def test_a_damaged_database_opens_from_its_backup(painted, harm):
    path, labels = painted
    file = path / "project.sqlite"
    with Project.open(path) as project:
        stroke(project, np.random.default_rng(1), newer := project.label_map("cell_1.png"))
        project.save_masks()
        shutil.copytree(path / "backups", path.parent / "old backups")
    shutil.rmtree(path / "backups")
    shutil.copytree(path.parent / "old backups", path / "backups")
    data = file.read_bytes()
    match harm:
        case "overwritten":
            file.write_bytes(data[:4096] + os.urandom(len(data) - 4096))
        case "emptied":
            file.write_bytes(b"")
        case "shortened":
            file.write_bytes(data[: len(data) // 2])
        case "removed":
            file.unlink()
    with Project.open(path) as project:
        assert "was repaired; the last backup filled the holes. 1 masks were saved" in project.notices[0]
        assert (project.label_map("cell_1.png").labels == newer.labels).all()
        assert project.image("cell_1.png").painted == pytest.approx((newer.labels != 255).mean())
        assert not project.can_undo("cell_1.png")
        stroke(project, np.random.default_rng(2), newer)
        assert (project.label_map("cell_1.png").labels == newer.labels).all()
    assert not (newer.labels == labels).all()
    Project.open(path).close()


def test_a_database_that_is_gone_without_a_backup_is_made_anew_from_the_masks(painted, image_folder):
    path, labels = painted
    shutil.rmtree(path / "backups")
    (path / "project.sqlite").write_bytes(b"this is no database at all, only some text" * 100)
    with pytest.raises(ImagesMoved, match=r"Where the images of p\.sslproj are is not known any more"):
        Project.open(path)
    with Project.relocate(path, image_folder) as project:
        assert "was repaired; there was no backup. 1 masks were saved" in project.notices[0]
        assert (project.label_map("cell_1.png").labels == labels).all()
        assert [one.name for one in project.classes] == ["class 0", "class 1"]
        assert len(project.images()) == 6
    Project.open(path).close()


def test_nothing_to_repair_it_from_is_said(painted):
    path, _ = painted
    shutil.rmtree(path / "backups")
    shutil.rmtree(path / "masks")
    (path / "project.sqlite").write_bytes(b"this is no database at all, only some text" * 100)
    with pytest.raises(UserError, match=r"project\.sqlite in p\.sslproj is damaged"):
        Project.open(path)


def test_damage_found_late_is_a_sentence_too(painted):
    path, _ = painted
    with Project.open(path) as project:
        other = sqlite3.connect(path / "project.sqlite")
        other.execute("DROP TABLE edit")
        other.close()
        with pytest.raises(UserError, match="damaged"):
            project.undo("cell_1.png")


def test_a_project_of_a_newer_program_is_refused_unchanged(painted):
    path, _ = painted
    with sqlite3.connect(path / "project.sqlite") as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    for write in (True, False):
        with pytest.raises(UserError, match="newer SSL Studio") as refused:
            Project.open(path, write=write)
        assert "newest" in refused.value.advice


def test_an_older_project_is_brought_up_to_date_after_a_backup(painted, monkeypatch):
    path, labels = painted
    addition = "ALTER TABLE class ADD COLUMN note TEXT NOT NULL DEFAULT '';"
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, addition))
    with Project.open(path) as project:
        assert (project.label_map("cell_1.png").labels == labels).all()
    with sqlite3.connect(path / "project.sqlite") as database:
        assert database.execute("PRAGMA user_version").fetchone() == (len(schema.MIGRATIONS),)
        assert "note" in [row[1] for row in database.execute("PRAGMA table_info(class)")]
    database.close()
    with sqlite3.connect(path / "backups" / f"before-format-{len(schema.MIGRATIONS)}.sqlite") as backup:
        assert backup.execute("PRAGMA user_version").fetchone() == (len(schema.MIGRATIONS) - 1,)
    backup.close()


def test_a_migration_that_fails_changes_nothing(painted, monkeypatch):
    path, labels = painted
    with monkeypatch.context() as patch:
        patch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, "DROP TABLE tally; DROP TABLE nonsense;"))
        with pytest.raises(UserError):
            Project.open(path)
    with Project.open(path) as project:
        assert (project.label_map("cell_1.png").labels == labels).all()
        assert project.class_pixels()["b"] > 0


def test_a_damaged_png_is_rebuilt_from_the_strokes(painted):
    path, labels = painted
    with Project.open(path) as project:
        file = project.mask_file("cell_1.png")
        file.write_bytes(file.read_bytes()[:60])
        assert (project.label_map("cell_1.png").labels == labels).all()


def test_a_file_that_stops_being_an_image_is_a_sentence(painted, image_folder):
    path, _ = painted
    Image.new("L", (1, 1)).save(image_folder / "cell_2.png")
    with Project.open(path) as project:
        (image_folder / "cell_2.png").write_bytes(b"")
        with pytest.raises(UserError, match=r"cell_2\.png is empty"):
            project.label_map("cell_2.png")


def test_ordinary_folders_are_not_taken_for_network_drives(tmp_path):
    assert not on_network(tmp_path)
