"""Damaged in any place, a project is repaired as far as it can be, and says what was saved."""

import os
import shutil
import sqlite3
import subprocess
import sys

import numpy as np
import pytest
from labourer import IMAGES, Labourer, new_project

from sslstudio.errors import UserError
from sslstudio.project import backups, database
from sslstudio.project.project import Project

STROKES = 60
_LEFT_OPEN = """
import os, sys, json
sys.path.insert(0, sys.argv[2])
from pathlib import Path
from labourer import Labourer
labourer = Labourer(Path(sys.argv[1]))
for action in json.loads(sys.argv[3]):
    labourer.do(*action)
os._exit(1)
"""


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A project of many pages with some pending strokes, closed; and what is painted in it."""
    folder = tmp_path_factory.mktemp("kept")
    path, models = new_project(folder)
    labourer, rng = Labourer(path), np.random.default_rng(0)
    for number in range(STROKES):
        top, left = (int(v) for v in rng.integers(0, 12, 2))
        action = ["paint", IMAGES[number % 3], top, left, number, 20, 20]
        labourer.do(*action)
        models = models.after(action)
        if number == STROKES // 2:
            labourer.do("reopen")  # a backup of this state is kept
    labourer.project.save_masks()
    labourer.project.close()
    return folder, models


@pytest.fixture
def damaged(kept, tmp_path):
    """A copy of that project to damage: its folder, its database, and what is painted."""
    shutil.copytree(kept[0], tmp_path / "all")
    return tmp_path / "all" / "p.sslproj", tmp_path / "all" / "p.sslproj" / "project.sqlite", kept[1]


def overwrite(file, offset, size):
    with file.open("r+b") as stream:
        stream.seek(offset)
        stream.write(os.urandom(size))


def masks_are_right(project, models):
    return all((project.label_map(name).labels == model.now()).all() for name, model in models.images.items())


@pytest.mark.parametrize(("size", "what"), [(100, "the header"), (4096, "the first page")])
@pytest.mark.parametrize("backup", [True, False], ids=["backup", "no backup"])
def test_a_destroyed_beginning_loses_nothing_not_even_undo(damaged, size, what, backup):
    path, file, models = damaged
    if not backup:
        shutil.rmtree(path / "backups")
    overwrite(file, 0, size)
    with Project.open(path) as project:
        assert project.notices == ["The project's database was damaged and was repaired; everything in it was saved."]
        assert not models.difference(project)
    with Project.open(path) as project:
        assert not project.notices
        assert list((path / "backups").glob("damaged-*.sqlite"))


@pytest.mark.parametrize("place", [1, 2, 4, 6, 9, 11])
def test_a_destroyed_page_in_the_midst_keeps_every_mask(damaged, place):
    path, file, models = damaged
    pages = file.stat().st_size // 4096
    overwrite(file, 4096 * (pages * place // 12), 4096)
    with Project.open(path) as project:
        assert "was repaired" in project.notices[0]
        assert masks_are_right(project, models)
        assert [one.name for one in project.classes] == ["a", "b", "c"]
        assert sum(project.class_pixels().values()) == sum((m.now() != 255).sum() for m in models.images.values())
    Project.open(path).close()


def test_a_truncated_file_keeps_every_mask(damaged):
    path, file, models = damaged
    os.truncate(file, file.stat().st_size // 3)
    with Project.open(path) as project:
        assert "was repaired" in project.notices[0]
        assert masks_are_right(project, models)


def test_a_stroke_that_is_damaged_inside_is_found_in_use_and_mended_by_opening(damaged):
    path, _, models = damaged
    with sqlite3.connect(path / "project.sqlite") as rows:
        rows.execute("UPDATE edit SET before = CAST(substr(before, 1, 5) || x'00ff00' AS BLOB)")
    rows.close()
    with Project.open(path) as project, pytest.raises(UserError, match="damaged") as refused:
        project.undo("a.png")
    assert "open it again" in refused.value.advice
    with Project.open(path) as project:
        assert "was repaired" in project.notices[0]
        assert masks_are_right(project, models)
        assert not project.can_undo("a.png")


def left_open(path, actions):
    """Paint in a process that ends without closing anything."""
    import json

    here = os.path.dirname(__file__)  # noqa: PTH120
    done = subprocess.run([sys.executable, "-c", _LEFT_OPEN, path, here, json.dumps(actions)], check=False)
    assert done.returncode == 1


MORE = [["paint", "a.png", 0, 0, 900 + n, 25, 25] for n in range(6)]


def test_a_journal_that_is_gone_is_noticed_by_the_masks(damaged):
    path, file, models = damaged
    left_open(path, [*MORE, ["save"]])
    for action in MORE:
        models = models.after(action)
    file.with_name("project.sqlite-wal").unlink()
    with Project.open(path) as project:
        assert "lost its newest part" in project.notices[0]
        assert masks_are_right(project, models)
        assert project.image("a.png").painted == pytest.approx((models.images["a.png"].now() != 255).mean())
        labourer = Labourer.__new__(Labourer)
        labourer.project, labourer.labels, labourer.path = project, {}, path
        labourer.do("paint", "a.png", 3, 3, 5, 9, 9)
        models = models.after(["paint", "a.png", 3, 3, 5, 9, 9])
        assert masks_are_right(project, models), "the first stroke after it counts"
    with Project.open(path) as project:
        assert masks_are_right(project, models)


@pytest.mark.parametrize("offset", [0, 32 + 24 + 4096 + 500], ids=["header", "a frame"])
def test_a_damaged_journal_is_told(damaged, offset):
    path, file, models = damaged
    left_open(path, MORE)
    overwrite(file.with_name("project.sqlite-wal"), offset, 24)
    with Project.open(path) as project:
        assert "journal" in project.notices[0]
        found = project.label_map("a.png").labels
        states = [models.images["a.png"].now()]
        for action in MORE:
            models = models.after(action)
            states.append(models.images["a.png"].now())
        assert any((found == state).all() for state in states), "a state that was there once"
        assert (path / "backups" / "damaged.sqlite-wal").exists()


def test_masks_that_are_gone_are_made_anew(damaged):
    path, _, models = damaged
    shutil.rmtree(path / "masks")
    with Project.open(path) as project:
        assert "“masks” of the project was gone. 3 masks were made anew" in project.notices[0]
        assert not models.difference(project)
        assert project.mask_file("deep/c.png").exists()


def test_a_damaged_mask_of_which_not_all_strokes_are_kept_says_how_much_came_back(damaged):
    path, _, _ = damaged
    with sqlite3.connect(path / "project.sqlite") as rows:
        rows.execute("DELETE FROM edit WHERE id <= 40")
    rows.close()
    with Project.open(path) as project:
        file = project.mask_file("a.png")
        file.write_bytes(file.read_bytes()[:100])
        project.label_map("a.png")
        assert "% of what was painted" in project.notices[0]
        assert (path / "backups" / "masks" / "a.png.png").stat().st_size == 100


def test_a_mask_that_the_disk_refuses_is_not_taken_for_a_damaged_one(damaged):
    path, _, _ = damaged
    with Project.open(path) as project:
        file = project.mask_file("a.png")
        file.unlink()
        file.mkdir()  # reading it fails like a bad sector: with an error of the system
        with pytest.raises(UserError, match="could not be read"):
            project.label_map("a.png")
        assert not project.notices


def test_rolling_backups_are_kept_by_age_and_never_of_a_damaged_database(damaged):
    path, _, _ = damaged
    folder = path / "backups"
    for number in range(3):
        with Project.open(path) as project:
            project.set_setting("a", number)
    assert (folder / "last.sqlite").exists()
    assert (folder / "older.sqlite").exists()
    assert (folder / "day.sqlite").exists()
    day = (folder / "day.sqlite").read_bytes()
    for name in ("older.sqlite", "day.sqlite"):
        old = (folder / name).stat().st_mtime - 9 * 86400 * (2 if name == "day.sqlite" else 0)
        os.utime(folder / name, (old, old))
    with Project.open(path) as project:
        project.set_setting("a", 4)
    assert (folder / "week.sqlite").read_bytes() == day
    assert backups.newest(path) == folder / "last.sqlite"


def test_a_damaged_database_never_takes_the_place_of_a_sound_backup(damaged, monkeypatch):
    path, file, models = damaged
    last = path / "backups" / "last.sqlite"
    before = last.read_bytes()
    overwrite(file, file.stat().st_size // 2, 8192)
    with monkeypatch.context() as patch:
        patch.setattr(database, "_CHECKED_SIZE", 0)  # as if it were too large to be checked whole on opening
        with Project.open(path) as project:
            project.set_setting("a", 5)
    assert last.read_bytes() == before
    with Project.open(path) as project:
        assert "was repaired" in project.notices[0]
        assert masks_are_right(project, models)
