"""A scanner's series of single files is a stack: in the order of its slices, whatever the files are called."""

import contextlib
import os
import random
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from sslstudio.images.reader import probe
from sslstudio.project import index, schema, series
from sslstudio.project.database import Database
from sslstudio.project.dataset import labelled_images
from sslstudio.project.project import Project

AXIAL, TILTED, SAGITTAL = (1, 0, 0, 0, 1, 0), (1, 0, 0, 0, 0.8, 0.6), (0, 1, 0, 0, 0, -1)
GREY = np.arange(20 * 30, dtype=np.uint16).reshape(20, 30)
LABELS = np.zeros((20, 30), np.uint8)
UID = "1.2.826.0.1.3680043.8.498.1"


@pytest.fixture
def folder(tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    return images


@pytest.fixture
def slice_(dicom, folder):
    """Write one slice: its name, its depth in mm (None: untold), its number (None: untold)."""

    def write(name, depth=None, number=None, *, uid=UID, facing=AXIAL, pixels=GREY, **values):
        a, b, c, d, e, f = facing
        normal = b * f - c * e, c * d - a * f, a * e - b * d
        if depth is not None:
            values["ImageOrientationPatient"] = list(facing)
            values["ImagePositionPatient"] = [round(-100 + depth * n, 6) for n in normal]
        if number is not None:
            values["InstanceNumber"] = number
        (folder / name).parent.mkdir(exist_ok=True)
        return dicom(folder / name, pixels, SeriesInstanceUID=uid, **values)

    return write


def opened(folder):
    path = folder.parent / "p.sslproj"
    project = Project.open(path) if path.exists() else Project.create(path, folder, ["background", "cell"])
    project.check_files()
    return project


def listed(folder):
    """(path, slice, slices) of all images, as they are listed."""
    with opened(folder) as project:
        return [(one.path, one.slice, one.slices) for one in project.images()]


def stack(*paths):
    return [(path, at, len(paths)) for at, path in enumerate(paths, start=1)]


def test_shuffled_names_are_put_in_the_order_of_their_positions(slice_, folder):
    names = [f"IM{number:04d}" for number in range(12)]
    random.Random(3).shuffle(names)
    for at, name in enumerate(names):
        slice_(name, 2.5 * at, number=100 - at)
    for name in ("apple.png", "zebra.png"):
        Image.new("L", (30, 20)).save(folder / name)
    assert listed(folder) == [("apple.png", 1, 1), *stack(*names), ("zebra.png", 1, 1)]


def test_reversed_positions_count_more_than_numbers_and_names(slice_, folder):
    for at in range(1, 6):
        slice_(f"{at}.dcm", -3.0 * at, number=at)
    assert listed(folder) == stack("5.dcm", "4.dcm", "3.dcm", "2.dcm", "1.dcm")


@pytest.mark.parametrize("facing", [TILTED, SAGITTAL])
def test_slices_are_ordered_along_the_direction_that_they_face(slice_, folder, facing):
    for name, depth in (("a", 4), ("b", -4), ("c", 0), ("d", -8)):
        slice_(f"{name}.dcm", depth, facing=facing)
    assert listed(folder) == stack("d.dcm", "b.dcm", "c.dcm", "a.dcm")


def test_without_positions_the_numbers_count_and_then_the_names(slice_, folder):
    for name, number in (("a", 12), ("b", 2), ("c", None), ("d", 1)):
        slice_(f"{name}.dcm", number=number)
    slice_("odd.dcm", uid="1.2.9", number=None)
    slice_("odd2.dcm", uid="1.2.9", number=None)
    assert listed(folder) == [*stack("d.dcm", "b.dcm", "a.dcm", "c.dcm"), *stack("odd.dcm", "odd2.dcm")]


def test_one_missing_position_leaves_the_slice_in_its_stack(slice_, folder):
    for at, name in enumerate("dacb"):
        slice_(f"{name}.dcm", None if name == "c" else 5.0 * at, number=at + 1)
    assert listed(folder) == stack("d.dcm", "a.dcm", "c.dcm", "b.dcm")


def test_nonsense_in_the_header_costs_the_order_and_not_the_picture(slice_, folder):
    slice_("a.dcm", number=2, ImageOrientationPatient=[0] * 6, ImagePositionPatient=[0] * 3)
    broken = slice_("b.dcm", 3.0, number=1)
    data = broken.read_bytes()
    assert data.count(b"-100.0\\-100.0") == 1
    broken.write_bytes(data.replace(b"-100.0\\-100.0", b"-1e00x\\-100.0"))
    assert probe(broken).place.pose == ()
    assert listed(folder) == stack("b.dcm", "a.dcm")


def test_other_sizes_and_directions_are_stacks_of_their_own(slice_, folder):
    for at in range(4):
        slice_(f"IM{at}.dcm", 5.0 * at, number=at)
    for at in range(2):
        slice_(f"IM{4 + at}.dcm", 5.0 * at, number=at, pixels=GREY[:10])
        slice_(f"IM{6 + at}.dcm", 5.0 * at, number=at, facing=SAGITTAL)
    slice_("IM8.dcm", 0.0, number=9, pixels=GREY[:, :10])
    names = [f"IM{at}.dcm" for at in range(9)]
    assert listed(folder) == [*stack(*names[:4]), *stack(*names[4:6]), *stack(*names[6:8]), (names[8], 1, 1)]


def test_directions_that_differ_in_their_last_digits_are_the_same(slice_, folder):
    for at, name in enumerate("cab"):
        slice_(f"{name}.dcm", 5.0 * at, facing=(1, 1e-4 * at, 0, 0, 0.99999, -1e-4 * at))
    assert listed(folder) == stack("c.dcm", "a.dcm", "b.dcm")


def test_two_series_in_one_folder_and_one_series_in_two_folders(slice_, folder):
    for at in range(3):
        slice_(f"IM{2 * at}", 5.0 * at)
        slice_(f"IM{2 * at + 1}", -5.0 * at, uid="1.2.9")
        slice_(f"copy/IM{2 * at}", 5.0 * at)
    assert listed(folder) == [
        *stack("copy/IM0", "copy/IM2", "copy/IM4"),
        *stack("IM0", "IM2", "IM4"),
        *stack("IM5", "IM3", "IM1"),
    ]


def test_each_round_through_the_same_places_is_a_stack(slice_, folder):
    for phase in range(2):
        for at in range(3):
            slice_(f"{phase}{2 - at}.dcm", 8.0 * at + 1e-4 * phase, number=2 * at + phase)
    for phase in range(3):
        slice_(f"x{phase}.dcm", 8.0, number=3 - phase, uid="1.2.9")
    assert listed(folder) == [
        *stack("02.dcm", "01.dcm", "00.dcm"),
        *stack("12.dcm", "11.dcm", "10.dcm"),
        *stack("x2.dcm", "x1.dcm", "x0.dcm"),  # one place only: a film
    ]


def test_a_damaged_file_in_the_middle_stays_out(slice_, folder):
    for at, name in enumerate("dacb"):
        path = slice_(f"{name}.dcm", 5.0 * at)
        if name == "c":
            path.write_bytes(path.read_bytes()[:200])
    assert listed(folder) == [*stack("d.dcm", "a.dcm", "b.dcm"), ("c.dcm", 1, 1)]
    with opened(folder) as project:
        assert project.image("c.dcm").problem


def test_frames_of_one_file_and_files_without_a_series_stay_as_they_are(slice_, folder, dicom):
    slice_("a.dcm", pixels=np.stack([GREY, GREY]))
    slice_("b.dcm", 5.0)
    dicom(folder / "c.dcm", GREY)
    dicom(folder / "d.dcm", GREY)
    assert listed(folder) == [("a.dcm", 1, 2), ("a.dcm#0002", 2, 2), *[(f"{name}.dcm", 1, 1) for name in "bcd"]]


# what changes -------------------------------------------------------------------------------------------------


def changed(path):
    facts = path.stat()
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns + 10**9))


def test_files_that_come_move_and_go_find_their_places(slice_, folder):
    for at, name in enumerate("dacb"):
        slice_(f"{name}.dcm", 5.0 * at)
    with opened(folder) as project:
        slice_("z.dcm", 7.0)
        project.refresh()
        project.check_files()
        assert [one.path for one in project.images()] == ["d.dcm", "a.dcm", "z.dcm", "c.dcm", "b.dcm"]
        changed(slice_("d.dcm", 50.0))
        project.refresh()
        project.check_files()
        assert [one.path for one in project.images()] == ["a.dcm", "z.dcm", "c.dcm", "b.dcm", "d.dcm"]
        changed(slice_("c.dcm", 10.0, uid="1.2.9"))
        (folder / "z.dcm").unlink()
        project.refresh()
        assert {one.slices for one in project.images()} == {1}, "in order before the change was looked into"
        project.check_files()
    assert listed(folder) == [*stack("a.dcm", "b.dcm", "d.dcm"), ("c.dcm", 1, 1)]
    (folder / "b.dcm").unlink()
    (folder / "d.dcm").unlink()
    with opened(folder) as project:
        project.refresh()
    assert listed(folder) == [("a.dcm", 1, 1), ("c.dcm", 1, 1)]


def test_masks_stay_with_their_files(slice_, folder):
    for at, name in enumerate("dacb"):
        slice_(f"{name}.dcm", 5.0 * at)
    with opened(folder) as project:
        for number, path in enumerate(["d.dcm", "b.dcm"]):
            labels = LABELS.copy()
            labels[number] = 1
            project.set_mask(path, labels)
        (folder / "b.dcm").unlink()
        project.refresh()
        project.save_masks()
        assert {file.name for file in (project.path / "masks").glob("*.png")} == {"d.dcm.png", "b.dcm.png"}
        assert project.label_map("d.dcm").labels[0].all()
        assert [one.path for one in project.images()] == [
            "d.dcm",
            "a.dcm",
            "c.dcm",
            "b.dcm",
        ]  # the mask keeps its place
        slice_("b.dcm", 15.0)
        project.refresh()
        project.check_files()
        assert project.label_map("b.dcm").labels[1].all()


@pytest.mark.parametrize("where", ["before", "within"])
def test_an_end_at_any_moment_leaves_no_series_half_in_order(slice_, folder, monkeypatch, where):
    for at, name in enumerate("dacb"):
        slice_(f"{name}.dcm", 5.0 * at)

    def die(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(*((index, "put_in_order") if where == "before" else (series, "_keys")), die)
        with Project.create(folder.parent / "p", folder) as project, pytest.raises(KeyboardInterrupt):
            project.check_files()
    with Project.open(folder.parent / "p.sslproj") as project:
        assert [one.path for one in project.images()] == ["a.dcm", "b.dcm", "c.dcm", "d.dcm"]
        assert project.unchecked()
        project.check_files()
        assert not project.unchecked()
        assert [one.path for one in project.images()] == ["d.dcm", "a.dcm", "c.dcm", "b.dcm"]


LOOK = """
import sys
from pathlib import Path
from sslstudio.project.project import Project
with Project.open(Path(sys.argv[1])) as project:
    print("ready", flush=True)
    project.refresh()
    project.check_files()
    print("done", flush=True)
    sys.stdin.read()
"""


def test_killed_while_it_is_put_in_order(slice_, folder):
    names = [f"{(at * 7) % 60:02d}" for at in range(60)]
    for at, name in enumerate(names):
        slice_(name, 5.0 * at)
    chance = random.Random(5)
    Project.create(folder.parent / "p", folder).close()
    path = folder.parent / "p.sslproj"
    for _ in range(3):
        for name in names:
            changed(folder / name)
        command = [sys.executable, "-c", LOOK, str(path)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as looking:
            assert looking.stdout.readline() == b"ready\n"
            with contextlib.suppress(subprocess.TimeoutExpired):
                looking.wait(chance.uniform(0, 0.1))
            looking.kill()
        with Project.open(path) as project:
            found = [one.path for one in project.images()]
            assert project.unchecked() or found == names
            project.refresh()
            project.check_files()
            assert [(one.path, one.slice, one.slices) for one in project.images()] == stack(*names)
            assert not project.unchecked()


def test_an_old_project_gets_its_series_in_order_and_keeps_its_masks(slice_, folder, tmp_path, monkeypatch):
    for at, name in enumerate(("IM3", "1.2.840.7", "x.dcm", "IM1")):
        slice_(name, 5.0 * at)
    Image.new("L", (30, 20)).save(folder / "a.png")
    path = tmp_path / "p.sslproj"
    with opened(folder) as project:
        labels = LABELS.copy()
        labels[3] = 1
        project.set_mask("IM3", labels)
    with contextlib.closing(Database(path)) as database:  # as the program before left it
        for column in ("series", "pose", "number", "slice"):
            database.write(f"ALTER TABLE image DROP COLUMN {column}")
        database.write("UPDATE image SET sort_key=lower(path), slices=1")
        database.write(f"PRAGMA user_version={len(schema.MIGRATIONS) - 1}")
    with Project.open(path) as project:
        assert project.unchecked() == 4, "a picture that cannot be DICOM is looked into again"
        project.check_files()
        assert [one.path for one in project.images()] == ["IM3", "1.2.840.7", "x.dcm", "IM1", "a.png"]
        assert (project.label_map("IM3").labels == labels).all()
        assert project.image("IM3").painted == 1


# learning from some and judging by others -----------------------------------------------------------------------


def test_a_series_stays_in_one_part(slice_, folder):
    for number in range(4):
        for at in range(5):
            slice_(f"IM{at}{number}", 5.0 * at, uid=f"1.2.{number + 1}", pixels=GREY if at else GREY[:10])
    with opened(folder) as project:
        for record in project.images():
            project.set_mask(record.path, np.zeros((record.height, record.width), np.uint8))
        parts = {}
        for item in labelled_images(project, 0.25, 0):
            parts.setdefault(item.image[-1], set()).add(item.split)
        told = {record.path: record.whole for record in project.images()}
        passed_on = {item.image: item.series for item in labelled_images(project, 0.25, 0)}
    assert all(len(split) == 1 for split in parts.values())
    assert sum(split == {"validation"} for split in parts.values()) == 1
    assert len(told) == 20
    assert len(set(told.values())) == 4
    assert passed_on == told


def test_a_series_keeps_its_part_when_an_earlier_slice_is_painted(slice_, folder):
    for number in range(8):
        for at in range(6):
            slice_(f"IM{at}{number}", 5.0 * at, uid=f"1.2.{number + 1}")
    with opened(folder) as project:
        aside = []
        for at in (5, 3, 1, 0):
            for number in range(8):
                project.set_mask(f"IM{at}{number}", LABELS)
            aside.append({item.image[-1] for item in labelled_images(project, 0.25, 0) if item.split == "validation"})
    assert aside == [aside[0]] * 4


def test_a_series_alone_is_still_judged(slice_, folder):
    for at in range(4):
        slice_(f"IM{at}", 5.0 * at)
    with opened(folder) as project:
        for record in project.images():
            project.set_mask(record.path, LABELS)
        assert {item.split for item in labelled_images(project, 0.25, 0)} == {"train", "validation"}
