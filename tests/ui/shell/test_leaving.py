"""A project is left for another one, or for good, only when nothing gets lost on the way; what is left stays behind."""

import threading

import numpy as np
import pytest
from PIL import Image
from PySide6.QtWidgets import QAbstractButton, QDialog, QFileDialog

from sslstudio.annotations import palette_png
from sslstudio.errors import UserError
from sslstudio.project.project import Project

from .conftest import PATIENCE
from .test_window import drag_across

FULL = UserError("The disk is full.", "Make room.")


@pytest.fixture
def other(tmp_path, image_folder):
    """Another project on the same images, closed."""
    with Project.create(tmp_path / "other", image_folder, ["a", "b"]) as project:
        return project.path


@pytest.fixture
def refused(opened, monkeypatch):
    """The window with a stroke that the disk has refused; the disk's mending comes with it."""
    project = opened.session.project
    real = project.add_edit

    def refuse(*_):
        raise FULL

    monkeypatch.setattr(project, "add_edit", refuse)
    drag_across(opened.canvas)
    assert not opened.session.all_saved()
    return opened, lambda: monkeypatch.setattr(project, "add_edit", real)


def close_it(window, other):
    window.files.close_project()


def open_other(window, other):
    window.files.open(other)


def move_images(window, other):
    window.files.ask_moved()
    dialog = window.findChild(QFileDialog, "dialog.folder")
    dialog.fileSelected.emit(str(window.session.project.images_root))
    dialog.reject()


@pytest.mark.parametrize("leave", [close_it, open_other, move_images])
def test_strokes_that_the_disk_refuses_keep_the_project_open(refused, other, leave, qtbot):
    window, mend = refused
    session, project = window.session, window.session.project
    leave(window, other)
    assert session.project is project
    assert "The project stays open: your last strokes" in window.notice.shown()
    mend()
    assert session.save_strokes()
    with qtbot.waitSignal(session.closed, timeout=PATIENCE):
        leave(window, other)
    qtbot.waitUntil(lambda: not window.files._opening, timeout=PATIENCE)
    session.close()
    with Project.open(project.path, write=False) as again:
        assert (again.label_map("cell_1.png").labels == 1).any()


def test_strokes_refused_while_another_project_was_opened_keep_this_one_open(opened, other, qtbot, monkeypatch):
    project = opened.session.project

    def refuse(*_):
        raise FULL

    opened.files.open(other)
    monkeypatch.setattr(project, "add_edit", refuse)
    drag_across(opened.canvas)
    qtbot.waitUntil(lambda: not opened.files._opening, timeout=PATIENCE)
    assert opened.session.project is project
    Project.open(other).close()  # nobody holds it
    with qtbot.waitSignal(opened.session.opened, timeout=PATIENCE):
        opened.notice.notices[-1].act()
    assert opened.session.project.path == other


def test_a_project_that_is_asked_for_twice_opens(window, image_folder, qtbot):
    with qtbot.waitSignal(window.session.opened, timeout=PATIENCE):
        window.files.open(image_folder)
        window.files.open(image_folder)
    qtbot.waitUntil(lambda: window.session.labels is not None, timeout=PATIENCE)
    assert not window.files._opening
    assert window.notice.shown() == ""


def test_the_project_that_was_asked_for_last_opens_and_the_other_is_free(window, image_folder, other, qtbot):
    with qtbot.waitSignal(window.session.opened, timeout=PATIENCE):
        window.files.open(other)
        window.files.open(image_folder)
        window.files.open(other)
        window.files.open(image_folder)
    qtbot.waitUntil(lambda: not window.files._opening, timeout=PATIENCE)
    assert window.session.project.name == "pictures"
    Project.open(other).close()


def test_the_project_that_is_open_is_not_said_to_be_in_other_hands(opened, image_folder, qtbot):
    opened.files.open(image_folder)
    qtbot.waitUntil(lambda: "pictures is open already." in opened.notice.shown(), timeout=PATIENCE)


# an import under way -----------------------------------------------------------------------------------------


@pytest.fixture
def importing(opened, tmp_path, qtbot, monkeypatch):
    """The window in the midst of an import, which goes on when the event is set."""
    masks = tmp_path / "masks"
    masks.mkdir()
    for number in range(1, 5):
        Image.fromarray(np.ones((32, 48), np.uint8)).save(masks / f"cell_{number}.png")
    real, begun, go_on = palette_png.import_masks, threading.Event(), threading.Event()

    def slowly(project, source, values, classes, progress):
        def step(done, total):
            if done == 2:
                begun.set()
                assert go_on.wait(20)
            progress(done, total)

        return real(project, source, values, classes, step)

    monkeypatch.setattr(palette_png, "_CHUNK", 2)
    monkeypatch.setattr(palette_png, "import_masks", slowly)
    opened.files._take_masks(masks)
    qtbot.waitUntil(begun.is_set, timeout=PATIENCE)
    yield opened, go_on
    go_on.set()


def asked(window):
    return next(dialog for dialog in window.findChildren(QDialog, "dialog.unfinished") if dialog.isVisible())


@pytest.mark.parametrize("leave", [close_it, open_other])
def test_a_project_is_left_when_the_import_under_way_is_over(importing, other, leave, qtbot):
    window, go_on = importing
    project = window.session.project
    leave(window, other)
    assert window.session.project is project
    asked(window)
    with qtbot.waitSignal(window.session.closed, timeout=PATIENCE):
        go_on.set()
    qtbot.waitUntil(lambda: not window.files._opening, timeout=PATIENCE)
    window.session.close()
    with Project.open(project.path) as again:
        assert len(again.painted()) == 4


def test_an_import_is_called_off_to_leave_and_nothing_of_it_is_told_in_the_next_project(importing, other, qtbot):
    window, go_on = importing
    project = window.session.project
    window.files.open(other)
    asked(window).findChild(QAbstractButton, "unfinished.call_off").click()
    with qtbot.waitSignal(window.session.opened, timeout=PATIENCE):
        go_on.set()
    qtbot.waitUntil(lambda: window.session.labels is not None, timeout=PATIENCE)
    assert window.session.project.path == other
    assert window.notice.shown() == ""
    with Project.open(project.path) as again:
        assert 0 < len(again.painted()) < 4
        assert all((again.label_map(one.path).labels == 1).all() for one in again.painted())


def test_the_window_waits_for_an_import_and_closes_then(importing, qtbot):
    window, go_on = importing
    assert not window.close()
    asked(window).findChild(QAbstractButton, "unfinished.stay").click()
    assert window.session.project is not None
    assert not window.close()
    asked(window)
    with qtbot.waitSignal(window.session.closed, timeout=PATIENCE):
        go_on.set()
    assert not window.isVisible()


def test_masks_are_written_after_the_project_was_changed_in_the_midst_of_that(opened, other, qtbot, monkeypatch):
    """What closing calls off must not keep the next project's masks waiting."""
    project, real = opened.session.project, Project.save_masks
    begun, go_on = threading.Event(), threading.Event()

    def slowly(self):
        if self is project and threading.current_thread() is not threading.main_thread():
            begun.set()
            assert go_on.wait(20)
        else:
            real(self)

    monkeypatch.setattr(Project, "save_masks", slowly)
    drag_across(opened.canvas)
    opened.session.write_masks()
    qtbot.waitUntil(begun.is_set, timeout=PATIENCE)
    with qtbot.waitSignal(opened.session.image_ready, timeout=PATIENCE):
        opened.files.open(other)
    go_on.set()
    drag_across(opened.canvas)
    opened.session.write_masks()
    file = opened.session.project.mask_file(opened.session.image)
    qtbot.waitUntil(file.exists, timeout=PATIENCE)


def test_what_an_import_took_over_before_it_failed_is_seen(opened, tmp_path, qtbot, monkeypatch):
    masks = tmp_path / "masks"
    masks.mkdir()
    for number in range(1, 5):
        Image.fromarray(np.ones((32, 48), np.uint8)).save(masks / f"cell_{number}.png")
    opened.painting.go_to("cell_1.png")
    real, count = Project.set_mask, []

    def set_mask(self, path, labels):
        count.append(path)
        if len(count) == 3:
            raise FULL
        real(self, path, labels)

    monkeypatch.setattr(palette_png, "_CHUNK", 1)
    monkeypatch.setattr(Project, "set_mask", set_mask)
    session = opened.session
    opened.files._take_masks(masks)
    qtbot.waitUntil(lambda: "The disk is full." in opened.notice.shown(), timeout=PATIENCE)
    qtbot.waitUntil(lambda: session.labels is not None and session.record("cell_2.png").painted > 0, timeout=PATIENCE)
    assert (session.labels.labels == 1).all()
