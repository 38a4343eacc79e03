"""What is painted while masks are read anew, imported or refused by the disk is kept, seen, and changes only itself."""

import json
import sys
import threading

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog

from sslstudio.errors import UserError
from sslstudio.project.masks import write_mask
from sslstudio.queries.messages import Answer

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


def test_the_corners_of_a_polygon_stay_when_labels_are_read_anew(opened, qtbot):
    canvas = opened.canvas
    canvas.set_tool("polygon")
    middle = canvas.rect().center()
    for x, y in ((-40, -20), (40, -20), (40, 20)):
        QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=middle + QPoint(x, y))
    with qtbot.waitSignal(opened.session.image_ready, timeout=PATIENCE):
        opened.session.reload_image()
    QTest.keyClick(canvas, Qt.Key.Key_Return)
    assert (check_shown(opened, qtbot) == 1).any()
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=middle)
    with qtbot.waitSignal(opened.session.image_ready, timeout=PATIENCE):
        opened.painting.go_to("cell_4.png")
    assert not canvas.busy


def refuse(*_):
    raise UserError("The disk is full.", "Make room.")


def test_an_image_that_is_gone_does_not_keep_strokes_on_others_from_the_disk(opened, qtbot, image_folder):
    session = opened.session
    gone = session.image
    (image_folder / gone).unlink()
    session.project.refresh()
    drag_across(opened.canvas)
    assert "There is no image" in opened.notice.shown()
    opened.painting.go_to("cell_3.png")
    qtbot.waitUntil(lambda: session.labels is not None, timeout=PATIENCE)
    drag_across(opened.canvas)
    assert (session.project.label_map("cell_3.png").labels == 1).any()
    assert session.record("cell_3.png").painted > 0
    assert opened.status.saved.text() == "not saved yet"


def test_a_list_that_was_read_before_a_stroke_does_not_take_its_mark_away(opened, qtbot, monkeypatch):
    session, real = opened.session, opened.session.project.images
    read, go_on = threading.Event(), threading.Event()

    def images():
        found = real()
        read.set()
        assert go_on.wait(20)
        return found

    monkeypatch.setattr(session.project, "images", images)
    session.reread_records()
    qtbot.waitUntil(read.is_set, timeout=PATIENCE)
    drag_across(opened.canvas)
    with qtbot.waitSignal(session.records_changed, timeout=PATIENCE):
        go_on.set()
    assert session.current().painted > 0


# classes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("gone", "goes_on"), [(1, "crack"), (2, "object"), (3, "crack")])
def test_the_class_in_the_hand_stays_there_when_another_one_goes(opened, qtbot, gone, goes_on):
    opened.painting.add_class("crack")
    opened.painting.add_class("seam")
    opened.painting.choose_class(2)
    opened.painting.remove_class(gone)
    session = opened.session
    qtbot.waitUntil(lambda: len(session.project.classes) == 3 and session.labels is not None, timeout=PATIENCE)
    assert session.project.classes[opened.canvas.current_class].name == goes_on


def test_no_class_goes_while_masks_of_it_may_be_on_their_way(opened, qtbot):
    session, go_on = opened.session, threading.Event()
    task = session.tasks.run(lambda task: go_on.wait(20), unfinished="Masks are being taken over")
    opened.painting.add_class("crack")
    opened.painting.remove_class(1)
    assert len(session.project.classes) == 3
    assert "Masks are being taken over. Wait for that" in opened.notice.shown()
    with qtbot.waitSignal(task.over, timeout=PATIENCE):
        go_on.set()
    opened.painting.remove_class(1)
    qtbot.waitUntil(lambda: len(session.project.classes) == 2, timeout=PATIENCE)


# answers about images -----------------------------------------------------------------------------------------


@pytest.fixture
def silent(tmp_path, monkeypatch):
    """The process that looks at images hears questions and never answers; the test does, in its place."""
    program = tmp_path / "silent"
    program.write_text("#!/bin/sh\nexec cat > /dev/null\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))


def found(label):
    labels = np.full((32, 48), label, np.uint8)
    return {"labels": labels, "confidence": np.full_like(labels, 200)}


@pytest.mark.usefixtures("silent")
def test_what_another_model_found_is_not_shown_as_this_ones(opened, qtbot):
    project = opened.session.project
    about = {"classes": [{"name": one.name, "colour": one.colour} for one in project.classes]}
    for name in ("slow", "done"):
        (project.path / "models" / name).mkdir(parents=True)
        (project.path / "models" / name / "model.json").write_text(json.dumps(about))
    stored = project.prediction_file("done", opened.session.image)
    stored.parent.mkdir(parents=True)
    write_mask(stored, np.zeros((32, 48), np.uint8), [one.colour for one in project.classes])
    opened.session.reread_models()
    opened.go_to_step("review")
    opened.review.choose_model("slow")
    assert opened.session.inference.busy("segment")
    client = opened.session.inference._client
    opened.review.choose_model("done")
    qtbot.waitUntil(lambda: opened.review.prediction is not None, timeout=PATIENCE)
    client._on_answer(Answer(client._number, "segment", found(1)))
    assert (opened.review.prediction == 0).all()


@pytest.mark.usefixtures("silent")
def test_an_answer_of_the_project_before_is_not_taken_for_one_about_this(opened, qtbot):
    inference = opened.session.inference
    inference.segment("one.png", "model")
    before = inference._client
    inference.close()
    inference.segment("other.png", "model")
    assert inference._client._number == before._number
    with qtbot.assertNotEmitted(inference.segmented):
        before._on_answer(Answer(before._number, "segment", found(1)))
    with qtbot.waitSignal(inference.segmented):
        inference._client._on_answer(Answer(before._number, "segment", found(1)))


def test_what_a_dialog_asks_about_a_project_goes_with_it(opened, qtbot, tmp_path):
    (tmp_path / "masks").mkdir()
    Image.fromarray(np.full((32, 48), 77, np.uint8)).save(tmp_path / "masks" / "cell_1.png")
    opened.files.import_masks(tmp_path / "masks")
    qtbot.waitUntil(lambda: opened.findChild(QDialog, "dialog.mask_values") is not None, timeout=PATIENCE)
    dialog = opened.findChild(QDialog, "dialog.mask_values")
    with qtbot.waitSignal(dialog.rejected):
        opened.session.close()
