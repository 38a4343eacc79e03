"""A project that cannot be written to, is damaged, or is in other hands opens for reading, and says why."""

import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from sslstudio.project.label_map import Patch
from sslstudio.project.masks import read_mask
from sslstudio.project.project import Project

IMAGE = "cell_1.png"
_HOLD = """
import sys
from pathlib import Path
from sslstudio.project.holder import introduce
from sslstudio.project.project import Project
introduce("window")
with Project.open(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def painted(tmp_path, image_folder):
    """A project below ``disk`` with one stroke on one image: its folder and the labels of that image."""
    disk = tmp_path / "disk"
    disk.mkdir()
    with Project.create(disk / "p", image_folder, ["a", "b"]) as project:
        labels = project.label_map(IMAGE)
        before, after = labels.cut(4, 5, 6, 7), Patch(4, 5, np.ones((6, 7), np.uint8))
        project.add_edit(IMAGE, before, after)
        labels.put(after)
        project.set_setting("last_image", IMAGE)
    return disk / "p.sslproj", labels.labels


@pytest.fixture
def seal():
    """A function that makes a folder read-only, for root too."""
    sealed = []

    def do(folder):
        if os.geteuid():
            subprocess.run(["chmod", "-R", "a-w", folder], check=True)
        else:
            for words in (["--bind", folder, folder], ["-o", "remount,bind,ro", folder]):
                if subprocess.run(["mount", *words], capture_output=True, check=False).returncode:
                    pytest.skip("root may write everywhere, and a read-only disk cannot be mounted here")
        sealed.append(folder)

    yield do
    for folder in sealed:
        undo = ["chmod", "-R", "u+w", folder] if os.geteuid() else ["umount", "-l", folder]
        subprocess.run(undo, check=True)


def try_to_paint(window):
    """Drag over the image with each painting tool's key pressed before; nothing may come of it."""
    canvas = window.canvas
    middle = canvas.rect().center()
    for key in (Qt.Key.Key_B, Qt.Key.Key_E, Qt.Key.Key_F):
        QTest.keyClick(canvas, key)
        QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=middle)
        QTest.mouseMove(canvas, middle + QPoint(40, 0))
        QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=middle + QPoint(40, 0))
    QTest.keyClick(canvas, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)


def check_reading(window, labels, *words):
    """The masks are there, nothing can be painted, and the reason stands where one looks for it."""
    assert (window.session.labels.labels == labels).all()
    try_to_paint(window)
    assert (window.session.labels.labels == labels).all()
    for name in ("paint.brush", "edit.undo", "file.import_masks", "learn.pretrain"):
        action = window.actions_[name]
        assert not action.isEnabled()
        assert words[0] in action.toolTip()
    assert window.actions_["file.export_masks"].isEnabled()
    assert not window.panels["paint"].isEnabled()
    assert window.status.saved.text() == "for reading"
    assert "for reading" in window.windowTitle()
    told = " ".join(notice.text for notice in window.notice.notices)
    for part in (*words, "It is open for reading"):
        assert part in told


def export(window, qtbot, out):
    """Masks can be taken elsewhere."""
    window.masks.export("palette", out)
    qtbot.waitUntil(lambda: any("Wrote" in one.text for one in window.notice.notices), timeout=20_000)
    return read_mask(next(out.rglob("cell_1*.png")))


def test_a_read_only_disk(open_folder, painted, seal, qtbot, tmp_path):
    path, labels = painted
    seal(path.parent)
    window = open_folder(path)
    check_reading(window, labels, "the disk is read-only" if not os.geteuid() else "may", "everything that was saved")
    out = tmp_path / "out"
    out.mkdir()
    assert (export(window, qtbot, out) == labels).all()


@pytest.mark.parametrize("whole", [True, False])
def test_damage_that_cannot_be_repaired_where_it_lies(open_folder, painted, seal, whole):
    path, labels = painted
    file = path / "project.sqlite"
    content = bytearray(file.read_bytes())
    if whole:
        content[:100] = b"x" * 100
    else:
        content = bytearray(b"this is no database at all" * 500)
    file.write_bytes(content)
    before = {one: one.read_bytes() for one in path.rglob("*") if one.is_file()}
    seal(path.parent)
    window = open_folder(path)
    said = "everything in its damaged database could be read" if whole else "the last backup filled the holes"
    check_reading(window, labels, "p.sslproj", said)
    window.session.close()
    assert {one: one.read_bytes() for one in path.rglob("*") if one.is_file()} == before, "it is left as it is"


def test_a_second_window_is_told_who_holds_it_and_may_read(open_folder, window, painted, qtbot):
    path, labels = painted
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLD, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout.readline() == "held\n"
        window.files.open(path)
        qtbot.waitUntil(lambda: bool(window.welcome.notice.notices), timeout=20_000)
        notice = window.welcome.notice.notices[-1]
        assert "open in another window on this computer since" in notice.text
        assert f"(process {holder.pid})" in notice.text
        assert notice.button == "Open for reading"
        before = (path / "project.sqlite").read_bytes(), (path / "project.sqlite-wal").read_bytes()
        with qtbot.waitSignal(window.session.image_ready, timeout=20_000):
            notice.act()
        check_reading(window, labels, f"(process {holder.pid})")
        window.go_to_step("paint")
        window.session.close()
        assert ((path / "project.sqlite").read_bytes(), (path / "project.sqlite-wal").read_bytes()) == before
    finally:
        holder.communicate()
    open_folder(path)
    assert not window.session.reading
    assert window.canvas.tool == "brush"
    assert window.actions_["paint.brush"].isEnabled()
    assert window.panels["paint"].isEnabled()


def test_a_project_of_which_nothing_is_left_is_refused(window, painted, qtbot):
    path, _ = painted
    for part in ("backups", "masks"):
        shutil.rmtree(path / part)
    (path / "project.sqlite").write_bytes(b"this is no database at all" * 500)
    window.files.open(path)
    qtbot.waitUntil(lambda: bool(window.welcome.notice.notices), timeout=20_000)
    assert "project.sqlite in p.sslproj is damaged" in window.welcome.notice.notices[-1].text


def test_slices_are_not_filled_in_a_project_for_reading_and_the_window_closes(window, image_folder, qtbot):
    with Project.create(image_folder.parent / "p", image_folder, ["a", "b"]) as project:
        for number in (1, 4):
            project.set_mask(f"cell_{number}.png", np.ones((32, 48), np.uint8))
        project.set_setting("last_image", "cell_2.png")
        path = project.path
        before = {one: one.read_bytes() for one in (path / "masks").rglob("*") if one.is_file()}
        window.files.open(path)
        qtbot.waitUntil(lambda: bool(window.welcome.notice.notices), timeout=20_000)
        with qtbot.waitSignal(window.session.image_ready, timeout=20_000):
            window.welcome.notice.notices[-1].act()
        action = window.actions_["paint.interpolate"]
        assert not action.isEnabled()
        assert "already open" in action.toolTip()
        window.stacks.interpolate()
        window.session.add_stroke(Patch(0, 0, np.ones((2, 2), np.uint8)), Patch(0, 0, np.zeros((2, 2), np.uint8)))
        assert window.session.all_saved()
        assert window.close()
        assert {one: one.read_bytes() for one in (path / "masks").rglob("*") if one.is_file()} == before
