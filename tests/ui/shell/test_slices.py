"""A stack in the window: its slices are stepped through, painted, copied and filled in between."""

import numpy as np
import pytest
import tifffile
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from sslstudio.errors import UserError
from sslstudio.project.label_map import UNPAINTED
from sslstudio.project.project import Project
from sslstudio.ui.commands import commands

from .conftest import PATIENCE

SIDE, SLICES = 96, 21
Y, X = np.mgrid[0:SIDE, 0:SIDE] + 0.5
SHIFT = Qt.KeyboardModifier.ShiftModifier
STACK = ["ball.tif", *(f"ball.tif#{number:04d}" for number in range(2, SLICES + 1))]


def ball(number):
    """Where the ball is cut by slice ``number`` (from 1)."""
    reach = 40**2 - (4 * (number - 11)) ** 2
    return reach > (X - 48) ** 2 + (Y - 48) ** 2


def dice(one, other):
    return 2 * (one & other).sum() / (one.sum() + other.sum())


@pytest.fixture
def stack(open_folder, tmp_path):
    """The window on a folder with a stack of a ball, between two plain images; the stack's 6th slice is shown."""
    folder = tmp_path / "scans"
    folder.mkdir()
    pixels = np.stack([np.where(ball(number), 200, 40).astype(np.uint8) for number in range(1, SLICES + 1)])
    tifffile.imwrite(folder / "ball.tif", pixels, photometric="minisblack")
    for name in ("apple.png", "cherry.png"):
        Image.new("L", (SIDE, SIDE), 90).save(folder / name)
    return open_folder(folder)


def show(qtbot, window, path):
    if window.session.image != path:
        window.painting.go_to(path)
    shown(qtbot, window, path)


def shown(qtbot, window, path):
    session = window.session
    qtbot.waitUntil(lambda: session.image == path and session.labels is not None, timeout=PATIENCE)


def key(window, which, modifiers=Qt.KeyboardModifier.NoModifier):
    window.canvas.setFocus()
    QTest.keyClick(window.canvas, which, modifiers)


def paint_ball(qtbot, window, number):
    show(qtbot, window, STACK[number - 1])
    labels = np.where(ball(number), 1, UNPAINTED).astype(np.uint8)
    window.session.project.set_mask(STACK[number - 1], labels)
    window.session.after_edit(STACK[number - 1])
    window.session.reload_image()
    shown(qtbot, window, STACK[number - 1])


def stored(window, number):
    return window.session.project.label_map(STACK[number - 1]).labels


def test_every_slice_is_listed_and_named(qtbot, stack):
    model = stack.browser.model
    names = [model.data(model.index(row)) for row in range(model.rowCount())]
    assert names == ["apple.png", *(f"ball.tif {at}/{SLICES}" for at in range(1, SLICES + 1)), "cherry.png"]
    assert not stack.slices.isVisible()
    show(qtbot, stack, STACK[6])
    assert stack.slices.isVisible()
    assert stack.slices.words.text() == f"Slice 7 of {SLICES} · none painted"
    assert "ball.tif · slice 7 of 21" in stack.status.image.text()
    assert np.array_equal(stack.session.pixels[..., 0], np.where(ball(7), 200, 40))


def test_keys_step_through_slices_and_past_the_stack(qtbot, stack):
    show(qtbot, stack, STACK[4])
    key(stack, Qt.Key.Key_PageDown)
    shown(qtbot, stack, STACK[5])
    key(stack, Qt.Key.Key_PageUp)
    shown(qtbot, stack, STACK[4])
    key(stack, Qt.Key.Key_PageDown, SHIFT)
    shown(qtbot, stack, "cherry.png")
    assert not stack.slices.isVisible()
    key(stack, Qt.Key.Key_PageUp)
    shown(qtbot, stack, STACK[-1])
    key(stack, Qt.Key.Key_PageDown)
    assert stack.session.image == STACK[-1], "Page Down leaves the stack"
    key(stack, Qt.Key.Key_PageUp, SHIFT)
    shown(qtbot, stack, "apple.png")


def test_the_slider_goes_anywhere_and_neighbours_are_loaded_ahead(qtbot, stack):
    show(qtbot, stack, STACK[4])
    slider = stack.slices.slider
    slider.setFocus()
    QTest.keyClick(slider, Qt.Key.Key_End)
    shown(qtbot, stack, STACK[-1])
    show(qtbot, stack, STACK[9])
    stack.stacks.go_to(12)
    shown(qtbot, stack, STACK[11])
    loader = stack.session._loader
    qtbot.waitUntil(lambda: {STACK[12], STACK[10], STACK[13]} <= {path for path, _ in loader._kept}, timeout=PATIENCE)


def test_previous_means_the_previous_slice(qtbot, stack):
    paint_ball(qtbot, stack, 7)
    show(qtbot, stack, STACK[7])
    stack.browser.show_only([STACK[7], "apple.png"], "two")  # the list shows others
    key(stack, Qt.Key.Key_C)
    assert np.array_equal(stored(stack, 8), stored(stack, 7))
    show(qtbot, stack, STACK[0])
    key(stack, Qt.Key.Key_C)
    assert "This is the first slice of the stack." in stack.notice.shown()


def test_slices_between_are_filled_and_each_can_be_undone(qtbot, stack):
    paint_ball(qtbot, stack, 5)
    action = stack.actions_["paint.interpolate"]
    assert not action.isEnabled()
    assert "Paint one slice before and one after" in action.toolTip()
    paint_ball(qtbot, stack, 9)
    show(qtbot, stack, STACK[6])
    assert action.isEnabled()
    key(stack, Qt.Key.Key_I, SHIFT)
    qtbot.waitUntil(lambda: "Filled 3 slices: 6 to 8." in stack.notice.shown(), timeout=PATIENCE)
    for number in (6, 7, 8):
        assert dice(stored(stack, number) == 1, ball(number)) > 0.95
        assert set(np.unique(stored(stack, number))) == {1, UNPAINTED}
    assert np.array_equal(stack.session.labels.labels, stored(stack, 7)), "the slice that is seen"
    assert np.array_equal(stack.canvas.pen.labels, stored(stack, 7))
    assert (stored(stack, 10) == UNPAINTED).all()
    assert stack.slices.words.text() == f"Slice 7 of {SLICES} · 5 painted"
    key(stack, Qt.Key.Key_I, SHIFT)
    qtbot.waitUntil(lambda: "all is as it should be" in stack.notice.shown(), timeout=PATIENCE)
    key(stack, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert (stored(stack, 7) == UNPAINTED).all()
    assert (stored(stack, 6) == 1).any()


def test_all_is_taken_back_at_once_but_not_what_was_mended_since(qtbot, stack):
    paint_ball(qtbot, stack, 5)
    paint_ball(qtbot, stack, 9)
    key(stack, Qt.Key.Key_I, SHIFT)
    qtbot.waitUntil(lambda: "Filled 3 slices" in stack.notice.shown(), timeout=PATIENCE)
    show(qtbot, stack, STACK[7])
    key(stack, Qt.Key.Key_Period)
    mended = stored(stack, 8).copy()
    stack.stacks._take_back(stack.stacks.filled)
    assert (stored(stack, 6) == UNPAINTED).all()
    assert (stored(stack, 7) == UNPAINTED).all()
    assert np.array_equal(stored(stack, 8), mended)
    assert "something was painted there afterwards: 1 slice (8)" in stack.notice.shown()


def test_a_slice_that_was_undone_by_itself_is_no_reason_to_complain(qtbot, stack):
    paint_ball(qtbot, stack, 5)
    paint_ball(qtbot, stack, 9)
    key(stack, Qt.Key.Key_I, SHIFT)
    qtbot.waitUntil(lambda: "Filled 3 slices" in stack.notice.shown(), timeout=PATIENCE)
    show(qtbot, stack, STACK[6])
    stack.actions_["edit.undo"].trigger()
    stack.stacks._take_back(stack.stacks.filled)
    assert all((stored(stack, number) == UNPAINTED).all() for number in (6, 7, 8))
    assert "painted there" not in stack.notice.shown()


def test_a_filled_slice_that_is_undone_and_redone_is_still_only_filled(qtbot, stack):
    paint_ball(qtbot, stack, 3)
    paint_ball(qtbot, stack, 11)
    key(stack, Qt.Key.Key_I, SHIFT)
    qtbot.waitUntil(lambda: "Filled 7 slices: 4 to 10." in stack.notice.shown(), timeout=PATIENCE)
    show(qtbot, stack, STACK[6])
    stack.actions_["edit.undo"].trigger()
    stack.actions_["edit.redo"].trigger()
    assert (stored(stack, 7) == 1).any()
    paint_ball(qtbot, stack, 5)
    key(stack, Qt.Key.Key_I, SHIFT)
    qtbot.waitUntil(lambda: "Filled 6 slices: 4 to 10." in stack.notice.shown(), timeout=PATIENCE)


def test_what_was_filled_is_filled_anew_after_a_correction(qtbot, stack, open_folder):
    paint_ball(qtbot, stack, 3)
    paint_ball(qtbot, stack, 11)
    key(stack, Qt.Key.Key_I, SHIFT)
    qtbot.waitUntil(lambda: "Filled 7 slices: 4 to 10." in stack.notice.shown(), timeout=PATIENCE)
    before = dice(stored(stack, 5) == 1, ball(5))
    path = stack.session.project.path
    stack.session.close()
    open_folder(path)  # it is kept with the project
    paint_ball(qtbot, stack, 6)
    mended = stored(stack, 6).copy()
    key(stack, Qt.Key.Key_I, SHIFT)
    qtbot.waitUntil(lambda: "Filled 6 slices: 4 to 10." in stack.notice.shown(), timeout=PATIENCE)
    assert dice(stored(stack, 5) == 1, ball(5)) > before + 0.02
    assert np.array_equal(stored(stack, 6), mended)
    assert all(set(np.unique(stored(stack, number))) == {1, UNPAINTED} for number in range(3, 12))


def told_of_filling(window) -> bool:
    return any(one.about == "slices" for one in window.notice.notices)


def test_the_offer_to_take_all_back_goes_with_what_it_is_about(qtbot, stack):
    for number in (5, 8):
        paint_ball(qtbot, stack, number)

    def fill():
        show(qtbot, stack, STACK[5])
        stack.go_to_step("paint")
        key(stack, Qt.Key.Key_I, SHIFT)
        qtbot.waitUntil(lambda: "Filled 2 slices" in stack.notice.shown(), timeout=PATIENCE)

    fill()
    for at in (5, 6):
        show(qtbot, stack, STACK[at])
        assert told_of_filling(stack), "one looks through them"
        stack.actions_["edit.undo"].trigger()
    assert not told_of_filling(stack), "all were undone"
    fill()
    stack.go_to_step("finetune")
    assert not told_of_filling(stack)
    stack.stacks._take_back(stack.stacks.filled)
    fill()
    show(qtbot, stack, "cherry.png")
    assert not told_of_filling(stack), "another image"


def test_what_is_painted_is_never_touched(qtbot, stack):
    for number in (5, 7, 9):
        paint_ball(qtbot, stack, number)
    before = stored(stack, 7).copy()
    show(qtbot, stack, STACK[6])
    key(stack, Qt.Key.Key_I, SHIFT)  # on a painted slice: both gaps beside it
    qtbot.waitUntil(lambda: "Filled 2 slices: 6 to 8." in stack.notice.shown(), timeout=PATIENCE)
    assert np.array_equal(stored(stack, 7), before)


def test_the_palette_offers_it_only_where_it_can_be_done(qtbot, stack):
    def offered():
        return not next(one.why_not for one in commands(stack) if one.id == "paint.interpolate")

    assert not offered()
    paint_ball(qtbot, stack, 5)
    paint_ball(qtbot, stack, 8)
    assert offered()


def test_files_with_numbers_are_a_series_too(qtbot, open_folder, tmp_path):
    folder = tmp_path / "series"
    folder.mkdir()
    for number in range(1, 8):
        Image.new("L", (SIDE, SIDE), 90).save(folder / f"ct_{number:03d}_axial.png")
    Image.new("L", (SIDE, SIDE), 90).save(folder / "photo.png")
    window = open_folder(folder)
    for number in (2, 5):
        path = f"ct_{number:03d}_axial.png"
        window.session.project.set_mask(path, np.where(ball(number), 1, UNPAINTED).astype(np.uint8))
        window.session.after_edit(path)
    show(qtbot, window, "ct_003_axial.png")
    key(window, Qt.Key.Key_I, SHIFT)
    qtbot.waitUntil(lambda: "Filled 2 slices" in window.notice.shown(), timeout=PATIENCE)
    assert dice(window.session.project.label_map("ct_004_axial.png").labels == 1, ball(4)) > 0.9
    show(qtbot, window, "photo.png")
    assert "no slice of a stack" in window.actions_["paint.interpolate"].toolTip()


def test_what_the_disk_took_late_is_taken_back_with_the_rest(qtbot, stack, monkeypatch):
    paint_ball(qtbot, stack, 5)
    paint_ball(qtbot, stack, 9)
    project = stack.session.project
    real, refused = project.add_edit, []

    def refuse(path, *patches):
        if path != STACK[5]:
            refused.append(path)
            raise UserError("The disk is full.", "Make room.")
        real(path, *patches)

    monkeypatch.setattr(project, "add_edit", refuse)
    key(stack, Qt.Key.Key_I, SHIFT)
    qtbot.waitUntil(lambda: "Filled 3 slices: 6 to 8." in stack.notice.shown(), timeout=PATIENCE)
    assert refused
    stack.stacks._take_back(stack.stacks.filled)
    assert stack.notice.notices[-1].button == "Take all back", "not yet, but as soon as the disk has it"
    show(qtbot, stack, STACK[7])
    assert (stack.session.labels.labels == 1).any(), "it is seen though the disk refuses it"
    monkeypatch.setattr(project, "add_edit", real)
    assert stack.session.save_strokes()
    assert (stored(stack, 8) == 1).any()
    stack.stacks._take_back(stack.stacks.filled)
    for number in (6, 7, 8):
        assert (stored(stack, number) == UNPAINTED).all()
    assert (stack.session.labels.labels == UNPAINTED).all()
    assert "stayed as" not in stack.notice.shown()


def test_a_slice_whose_mask_cannot_be_read_does_not_lock_the_rest_up(qtbot, stack, monkeypatch):
    paint_ball(qtbot, stack, 5)
    paint_ball(qtbot, stack, 9)
    real = stack.session.project.label_map

    def label_map(path):
        if path == STACK[6]:
            raise UserError("The mask is damaged.", "Take it away.")
        return real(path)

    monkeypatch.setattr(stack.session.project, "label_map", label_map)
    key(stack, Qt.Key.Key_I, SHIFT)
    qtbot.waitUntil(lambda: "The mask is damaged." in stack.notice.shown(), timeout=PATIENCE)
    assert any("Filled 1 slice: 6." in notice.text for notice in stack.notice.notices)
    assert stack.actions_["paint.interpolate"].isEnabled()


def test_the_window_closes_when_all_slices_are_filled(qtbot, stack):
    paint_ball(qtbot, stack, 5)
    paint_ball(qtbot, stack, 9)
    path = stack.session.project.path
    key(stack, Qt.Key.Key_I, SHIFT)
    assert not stack.close()
    qtbot.waitUntil(lambda: stack.session.project is None, timeout=PATIENCE)
    assert not stack.isVisible()
    with Project.open(path) as project:
        assert len(project.painted()) == 5
