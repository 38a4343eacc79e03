"""What is painted while masks are read anew, imported or refused by the disk is kept, seen, and changes only itself."""

import threading

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from sslstudio.errors import UserError

from .conftest import PATIENCE
from .test_window import drag_across


class Gate:
    """Lets what a project reads of a mask come to the window only when it is opened; the first so many reads."""

    def __init__(self, project, monkeypatch, reads=1):
        self.read, self.open, self._left = threading.Event(), threading.Event(), reads
        self._real = project.label_map
        monkeypatch.setattr(project, "label_map", self._label_map)

    def _label_map(self, path):
        found = self._real(path)
        if threading.current_thread() is not threading.main_thread() and self._left:
            self._left -= 1
            self.read.set()
            assert self.open.wait(20)
        return found


@pytest.fixture
def gated(opened, monkeypatch, qtbot):
    """The window while the labels of its image are read anew: they are read, and have not arrived yet."""
    gate = Gate(opened.session.project, monkeypatch)
    opened.session.reload_image()
    qtbot.waitUntil(gate.read.is_set, timeout=PATIENCE)
    yield opened, gate
    gate.open.set()


def check_shown(window, qtbot):
    """The window shows what the project holds."""
    session = window.session
    qtbot.waitUntil(lambda: session.labels is not None, timeout=PATIENCE)
    stored = session.project.label_map(session.image).labels
    assert np.array_equal(session.labels.labels, stored)
    assert np.array_equal(window.canvas.pen.labels, stored)
    return stored


def test_a_stroke_made_while_labels_are_read_is_there_when_they_arrive(gated, qtbot):
    window, gate = gated
    drag_across(window.canvas)
    gate.open.set()
    assert (check_shown(window, qtbot) == 1).any()


def test_a_stroke_under_way_when_labels_arrive_is_kept(gated, qtbot):
    window, gate = gated
    middle = window.canvas.rect().center()
    QTest.mousePress(window.canvas, Qt.MouseButton.LeftButton, pos=middle - QPoint(60, 0))
    QTest.mouseMove(window.canvas, middle)
    gate.open.set()
    assert (check_shown(window, qtbot) == 1).any()
    QTest.mouseRelease(window.canvas, Qt.MouseButton.LeftButton, pos=middle)
    drag_across(window.canvas)
    check_shown(window, qtbot)


def test_only_the_newest_read_arrives(gated, qtbot):
    window, gate = gated
    session = window.session
    session.project.set_mask(session.image, np.zeros((32, 48), np.uint8))
    session.reload_image()
    check_shown(window, qtbot)
    with qtbot.assertNotEmitted(session.image_ready, wait=200):
        gate.open.set()
    assert (session.labels.labels == 0).all()


def test_a_stroke_on_what_an_import_has_changed_since_changes_only_its_own_pixels(opened, qtbot):
    session = opened.session
    imported = np.tile(np.arange(48, dtype=np.uint8) % 2, (32, 1))
    session.project.set_mask(session.image, imported)  # as an import does, of which nobody has told the window yet
    opened.canvas.set_brush(3)
    with qtbot.waitSignal(session.image_ready, timeout=PATIENCE):
        drag_across(opened.canvas)
    stored = check_shown(opened, qtbot)
    painted = stored != imported
    assert painted.any()
    assert (stored[painted] == 1).all()
    assert not painted[:8].any()
    opened.actions_["edit.undo"].trigger()
    assert np.array_equal(check_shown(opened, qtbot), imported)


def test_undo_takes_back_nothing_that_is_not_seen(opened, qtbot):
    session = opened.session
    drag_across(opened.canvas)
    imported = np.zeros((32, 48), np.uint8)
    session.project.set_mask(session.image, imported)
    with qtbot.waitSignal(session.image_ready, timeout=PATIENCE):
        opened.actions_["edit.undo"].trigger()
    assert np.array_equal(check_shown(opened, qtbot), imported)
    opened.actions_["edit.undo"].trigger()
    assert (check_shown(opened, qtbot) == 1).any()


def test_strokes_that_the_disk_refuses_are_seen_when_their_image_is_read_anew(opened, qtbot, monkeypatch):
    session = opened.session
    real = session.project.add_edit
    monkeypatch.setattr(session.project, "add_edit", refuse)
    drag_across(opened.canvas)
    seen = session.labels.labels.copy()
    assert (seen == 1).any()
    with qtbot.waitSignal(session.image_ready, timeout=PATIENCE):
        session.reload_image()
    assert np.array_equal(session.labels.labels, seen)
    monkeypatch.setattr(session.project, "add_edit", real)
    qtbot.waitUntil(session.all_saved, timeout=PATIENCE)
    assert np.array_equal(check_shown(opened, qtbot), seen)


def refuse(*_):
    raise UserError("The disk is full.", "Make room.")
