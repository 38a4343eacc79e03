"""A project finds its images, keeps its facts, and explains what it cannot do."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from sslstudio.errors import UserError
from sslstudio.project import places, recent
from sslstudio.project.classes import DEFAULT_COLOURS, LabelClass
from sslstudio.project.label_map import Patch
from sslstudio.project.project import ImagesMoved, Project


@pytest.fixture
def project(tmp_path, image_folder):
    with Project.create(tmp_path / "cells", image_folder, ["background", "cell"]) as made:
        yield made


def paint(project, path, label=1, top=2, left=3, height=4, width=5):
    labels = project.label_map(path)
    before = labels.cut(top, left, height, width)
    labels.put(Patch(top, left, np.full_like(before.labels, label)))
    project.add_edit(path, before, labels.cut(top, left, height, width))
    return labels.labels


def digest(folder):
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()}


def test_new_project_lists_all_images_and_leaves_them_untouched(tmp_path, image_folder):
    before = digest(image_folder)
    with Project.create(tmp_path / "cells", image_folder, ["background", "cell"]) as project:
        assert project.path == tmp_path / "cells.sslproj"
        assert project.name == "cells"
        assert [record.path for record in project.images()] == [
            *("cell_1.png", "cell_2.png", "cell_3.png", "cell_4.png"),
            *("deep/cell_1.jpg", "deep/cell_2.jpg"),
        ]
        assert project.classes == (
            LabelClass("background", DEFAULT_COLOURS[0]),
            LabelClass("cell", DEFAULT_COLOURS[1]),
        )
        assert project.check_files() == []
        record = project.image("deep/cell_1.jpg")
        assert (record.width, record.height, record.channels, record.dtype) == (48, 32, 3, "uint8")
        paint(project, "cell_1.png")
    assert digest(image_folder) == before


def test_a_second_project_in_the_same_place_and_an_empty_folder_are_refused(tmp_path, project, image_folder):
    with pytest.raises(UserError, match="already a project"):
        Project.create(tmp_path / "cells.sslproj", image_folder)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="No images were found"):
        Project.create(tmp_path / "none", tmp_path / "empty")
    assert not (tmp_path / "none.sslproj").exists()


def test_unusable_files_are_listed_with_a_reason_and_skipped(tmp_path, image_folder):
    (image_folder / "empty.png").touch()
    (image_folder / "notes.png").write_text("notes")
    whole = (image_folder / "deep/cell_1.jpg").read_bytes()
    (image_folder / "half.jpg").write_bytes(whole[: len(whole) // 2])
    (image_folder / "really_a_jpeg.png").write_bytes(whole)
    seen = []
    with Project.create(tmp_path / "p", image_folder) as project:
        problems = project.check_files(lambda done, total: seen.append((done, total)))
        assert {record.path: record.problem for record in problems} == {
            "empty.png": "empty.png is empty (0 bytes).",
            "half.jpg": "half.jpg is cut off: the end of the file is missing.",
            "notes.png": "notes.png is a text file, whatever its name says.",
        }
        assert project.image("really_a_jpeg.png").problem == ""
        assert seen[-1] == (10, 10)
        with pytest.raises(UserError, match="empty"):
            project.label_map("empty.png")


@pytest.mark.parametrize(
    ("what", "problem", "advice"),
    [
        ("window", "already open in another window", "go on working there"),
        ("import-masks", "in use by the command “sslstudio import-masks”", "Wait until it has ended"),
        ("", "already open in another program", "Close it"),
    ],
)
def test_opening_twice_names_who_has_it(tmp_path, image_folder, what, problem, advice):
    Project.create(tmp_path / "p", image_folder).close()
    script = (
        "import sys; from sslstudio.project.project import Project; "
        f"from sslstudio.project.holder import introduce; introduce('{what}'); p = Project.open(sys.argv[1]); "
        "print('open', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "p.sslproj")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout.readline().strip() == b"open"
        with pytest.raises(UserError, match=rf"since \d\d:\d\d \(process {holder.pid}\)") as refused:
            Project.open(tmp_path / "p.sslproj")
        assert problem in refused.value.problem
        assert advice in refused.value.advice
        with Project.open(tmp_path / "p.sslproj", write=False) as reader:
            assert len(reader.images()) == 6
            with pytest.raises(UserError, match="reading only"):
                paint(reader, "cell_1.png")
        holder.kill()
    Project.open(tmp_path / "p.sslproj").close()  # a killed holder leaves no lock behind


def test_a_reader_beside_the_window_sees_strokes_and_writes_pending_masks(tmp_path, project):
    labels = paint(project, "cell_1.png")
    with Project.open(project.path, write=False) as beside:
        assert (beside.label_map("cell_1.png").labels == labels).all()
        beside.save_masks()
        assert (np.array(Image.open(project.mask_file("cell_1.png"))) == labels).all()
    assert (paint(project, "cell_1.png", top=9) == project.label_map("cell_1.png").labels).all()


def test_refresh_reports_new_changed_and_gone(project, image_folder):
    project.check_files()
    paint(project, "cell_1.png")
    paint(project, "cell_2.png")
    assert not project.refresh()
    shutil.copy(image_folder / "cell_3.png", image_folder / "cell_9.png")
    (image_folder / "cell_4.png").unlink()
    (image_folder / "cell_2.png").unlink()
    Image.new("RGB", (10, 10)).save(image_folder / "cell_1.png")
    report = project.refresh()
    assert (report.new, report.changed, report.gone, report.problems) == (1, 1, 2, 2)
    assert project.image("cell_1.png").problem.startswith("cell_1.png is now 10 × 10 pixels, but its mask")
    assert "not in the image folder any more; its mask is kept" in project.image("cell_2.png").problem
    with pytest.raises(UserError):
        project.image("cell_4.png")
    assert not project.refresh()


def test_the_mask_of_a_changed_image_is_kept_and_counts_again_when_it_is_put_back(project, image_folder):
    labels = paint(project, "cell_1.png")
    old = (image_folder / "cell_1.png").read_bytes()
    Image.new("RGB", (10, 10)).save(image_folder / "cell_1.png")
    project.refresh()
    with pytest.raises(UserError, match="10 × 10 pixels, but its mask was painted for 48 × 32"):
        project.label_map("cell_1.png")
    project.save_masks()
    assert (np.array(Image.open(project.mask_file("cell_1.png"))) == labels).all()
    (image_folder / "cell_1.png").write_bytes(old)
    project.refresh()
    assert project.image("cell_1.png").problem == ""
    assert (project.label_map("cell_1.png").labels == labels).all()


def test_a_gone_image_comes_back_with_its_mask(project, image_folder):
    labels = paint(project, "cell_1.png")
    old = (image_folder / "cell_1.png").read_bytes()
    (image_folder / "cell_1.png").unlink()
    project.refresh()
    (image_folder / "cell_1.png").write_bytes(old)
    project.refresh()
    assert (project.label_map("cell_1.png").labels == labels).all()


def test_discarding_begins_anew_and_keeps_the_old_file(project, image_folder):
    labels = paint(project, "cell_1.png")
    project.save_masks()
    Image.new("RGB", (10, 10)).save(image_folder / "cell_1.png")
    project.refresh()
    project.discard_mask("cell_1.png")
    assert project.label_map("cell_1.png").labels.shape == (10, 10)
    assert not project.can_undo("cell_1.png")
    assert (np.array(Image.open(project.path / "backups/masks/cell_1.png.png")) == labels).all()


def test_moved_images_are_found_again(tmp_path, image_folder):
    Project.create(tmp_path / "p", image_folder).close()
    moved = tmp_path / "elsewhere"
    image_folder.rename(moved)
    with pytest.raises(ImagesMoved) as found:
        Project.open(tmp_path / "p.sslproj")
    assert found.value.old == image_folder
    (tmp_path / "wrong").mkdir()
    with pytest.raises(UserError, match="None of the project's 6 images"):
        Project.relocate(tmp_path / "p.sslproj", tmp_path / "wrong")
    with Project.relocate(tmp_path / "p.sslproj", moved) as project:
        assert project.images_root == moved
        assert project.image_file("cell_1.png").exists()
    Project.open(tmp_path / "p.sslproj").close()


def test_project_and_images_moved_together_need_no_asking(tmp_path, image_folder):
    Project.create(tmp_path / "p", image_folder).close()
    (tmp_path / "disk").mkdir()
    for one in (image_folder, tmp_path / "p.sslproj"):
        one.rename(tmp_path / "disk" / one.name)
    with Project.open(tmp_path / "disk" / "p.sslproj") as project:
        assert project.images_root == tmp_path / "disk" / "pictures"


def test_a_project_moved_alone_finds_its_images(tmp_path, image_folder):
    Project.create(tmp_path / "p", image_folder).close()
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "p.sslproj").rename(tmp_path / "a" / "b" / "p.sslproj")
    with Project.open(tmp_path / "a" / "b" / "p.sslproj") as project:
        assert project.images_root == image_folder


def test_classes_and_settings_are_kept(project):
    project.set_classes([LabelClass("a", "#010203"), LabelClass("b", "#ffffff"), LabelClass("c", "#000000")])
    project.set_setting("last image", {"path": "ä.png", "zoom": 2.5})
    paint(project, "cell_1.png", label=2)
    project.close()
    with Project.open(project.path) as again:
        assert [one.name for one in again.classes] == ["a", "b", "c"]
        assert again.setting("last image") == {"path": "ä.png", "zoom": 2.5}
        assert again.setting("unknown", 7) == 7
        assert again.class_pixels() == {"a": 0, "b": 0, "c": 20}
        with pytest.raises(UserError, match="“c” is painted"):
            again.set_classes(again.classes[:2])
        assert len(again.classes) == 3
        again.set_classes([LabelClass("x", "#010203"), *again.classes[1:]])


@pytest.mark.parametrize(
    ("names", "words"),
    [(["a", "a"], "Two classes"), (["a", " "], "has no name"), ([str(n) for n in range(256)], "too many")],
)
def test_impossible_classes_are_refused(tmp_path, image_folder, names, words):
    with pytest.raises(UserError, match=words):
        Project.create(tmp_path / "p", image_folder, names)
    assert not (tmp_path / "p.sslproj").exists()


def test_predictions_are_noticed(project):
    file = project.prediction_file("first", "deep/cell_1.jpg")
    assert file == project.path / "predictions/first/deep/cell_1.jpg.png"
    file.parent.mkdir(parents=True)
    file.touch()
    project.note_predictions()
    assert [record.path for record in project.images() if record.predicted] == ["deep/cell_1.jpg"]


def test_default_place_is_beside_the_images_or_at_home(tmp_path, image_folder, monkeypatch):
    assert places.default_project_path(image_folder) == tmp_path / "pictures.sslproj"
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert places.default_project_path("/").parent == tmp_path / "home" / "SSL Studio"


def test_recent_projects_newest_first_and_gone_ones_last(tmp_path, image_folder, monkeypatch):
    monkeypatch.setenv("SSLSTUDIO_STATE", str(tmp_path / "state"))
    assert recent.recent_projects() == []
    for name in ("a", "b", "c"):
        Project.create(tmp_path / name, image_folder).close()
        recent.remember(tmp_path / f"{name}.sslproj")
    recent.remember(tmp_path / "a.sslproj")
    shutil.rmtree(tmp_path / "c.sslproj")
    assert [(one.path.name, one.there) for one in recent.recent_projects()] == [
        ("a.sslproj", True),
        ("b.sslproj", True),
        ("c.sslproj", False),  # though it was open after b
    ]
    recent.forget(tmp_path / "a.sslproj")
    assert [one.path.name for one in recent.recent_projects()] == ["b.sslproj", "c.sslproj"]
    (tmp_path / "state" / "recent.json").write_text("{broken")
    assert recent.recent_projects() == []


def test_something_that_is_no_project(tmp_path):
    with pytest.raises(UserError, match="no project at"):
        Project.open(tmp_path / "nothing")
    with pytest.raises(UserError, match="is not a project"):
        Project.open(tmp_path)


def test_names_that_are_no_text_are_listed_with_a_reason(tmp_path, image_folder):
    try:
        shutil.copy(image_folder / "cell_1.png", image_folder / os.fsdecode(b"caf\xe9.png"))
    except OSError:
        pytest.skip("this disk takes only names that are text")
    with Project.create(tmp_path / "p", image_folder) as project:
        assert [record.problem for record in project.problems()] == [
            "Its name holds bytes that are no characters; rename the file to use it."
        ]
        assert not project.refresh()


def test_commands_that_need_no_pixels_import_no_decoder():
    script = (
        "import json, sys, sslstudio.project.dataset, sslstudio.annotations.palette_png; "
        "heavy = ('cv2', 'PIL', 'tifffile', 'imagecodecs', 'torch'); "
        "print(json.dumps([name for name in heavy if name in sys.modules]))"
    )
    assert json.loads(subprocess.check_output([sys.executable, "-c", script])) == []
