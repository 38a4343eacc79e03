"""What floats over the image while one paints: the brush with its colour and size, the pixel grid, patches nearby."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from sslstudio.project.label_map import LabelMap
from sslstudio.regions.rect import Rect
from sslstudio.regions.superpixels import border_lines
from sslstudio.ui.canvas import scene

NONE, SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier


def turn(canvas, x: int = 0, y: int = 0, modifiers=NONE, place: QPointF | None = None) -> None:
    place = place or QPointF(canvas.rect().center())
    event = QWheelEvent(
        place, place, QPoint(), QPoint(x, y), Qt.MouseButton.NoButton, modifiers, Qt.ScrollPhase.NoScrollPhase, False
    )
    QApplication.sendEvent(canvas, event)


def seen(canvas) -> np.ndarray:
    """The canvas's pixels, (h, w, 3)."""
    image = canvas.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).astype(int)


@pytest.mark.parametrize("ground", [0, 128, 255])
@pytest.mark.parametrize("brush", [60, 999])
def test_the_pointer_is_seen_however_large_the_brush_and_whatever_the_image(desk, ground, brush):
    image = np.full((150, 200, 3), ground, np.uint8)
    desk.canvas.show_image(image, LabelMap(np.full((150, 200), 255, np.uint8)), "plain")
    desk.canvas.set_brush(brush)
    desk.away()
    without = seen(desk.canvas)
    desk.move(100, 75)
    around = desk.at(100, 75)
    changed = np.abs(seen(desk.canvas) - without).max(axis=2)
    near = changed[around.y() - 10 : around.y() + 10, around.x() - 10 : around.x() + 10]
    assert near.max() > 60, "a cross in the middle"
    assert 8 < (near > 40).sum() < 120, "a small one"


def test_the_brushs_outline_has_the_colour_of_its_class_and_none_while_it_erases(desk):
    desk.canvas.set_brush(60)
    desk.away()
    desk.move(100, 75)

    def tints() -> tuple[int, int]:
        """How many pixels are orange, and how many blue."""
        over = seen(desk.canvas)[..., 0] - seen(desk.canvas)[..., 2]
        return int((over > 80).sum()), int((over < -80).sum())

    assert tints()[0] > 200
    assert tints()[1] == 0
    desk.canvas.set_current_class(2)
    assert tints()[0] == 0
    assert tints()[1] > 200
    desk.canvas.set_tool("eraser")
    assert tints() == (0, 0)


def test_the_size_is_told_at_the_cursor_while_it_changes_and_then_no_more(desk, qtbot):
    desk.away()
    desk.move(100, 75)
    before = seen(desk.canvas)
    turn(desk.canvas, y=120, modifiers=SHIFT)
    assert desk.canvas.sizing.words == "10 px"
    place = desk.at(100, 75)
    part = np.abs(seen(desk.canvas) - before)[place.y() + 16 : place.y() + 36, place.x() + 16 : place.x() + 60]
    assert (part.max(axis=2) > 60).sum() > 20, "a number near the cursor"
    desk.canvas.brush_larger()
    assert desk.canvas.sizing.words == "11 px"
    qtbot.waitUntil(lambda: not desk.canvas.sizing.words, timeout=5000)


def test_sizes_are_those_of_the_tool_in_the_hand(desk):
    canvas = desk.canvas
    for tool in ("lasso", "polygon", "livewire", "box", "fill", "select", "pan"):
        canvas.set_tool(tool)
        canvas.brush_larger()
        turn(canvas, y=-120, modifiers=SHIFT)
        assert (canvas.brush, canvas.sizing.words) == (9, ""), tool
    canvas.set_tool("superpixels")
    turn(canvas, y=120, modifiers=SHIFT)
    assert (canvas.options.patch, canvas.sizing.words) == (26, "Patches of 26 px")
    for _ in range(60):
        canvas.brush_smaller()
    assert canvas.options.patch == 6
    canvas.set_tool("wand")
    canvas.brush_larger()
    assert (canvas.options.tolerance, canvas.sizing.words) == (26, "Tolerance 26")
    canvas.set_tool("similar")
    canvas.brush_larger()
    assert canvas.options.alike == 59
    assert canvas.brush == 9
    canvas.set_tool("eraser")
    canvas.brush_larger()
    assert canvas.brush == 10


def test_zooming_out_ends_before_the_image_is_a_speck(desk):
    canvas = desk.canvas
    canvas.zoom_fit()
    fit = canvas.zoom
    for _ in range(40):
        turn(canvas, y=-120)
        canvas.zoom_out()
    assert canvas.zoom == pytest.approx(fit / 4)
    turn(canvas, y=120)
    assert canvas.zoom > fit / 4
    canvas.show_image(np.zeros((3, 40, 3), np.uint8), LabelMap(np.full((3, 40), 255, np.uint8)), "narrow")
    canvas.zoom_actual()
    assert canvas.zoom == 1, "its own size is never too small"
    turn(canvas, y=-1200)
    assert canvas.zoom == 1


def test_a_tilted_wheel_moves_sideways_and_does_not_zoom(desk):
    canvas = desk.canvas
    canvas.set_view(canvas.viewport.zoomed(6, 320, 240))
    before = canvas.viewport
    turn(canvas, x=120)
    assert canvas.zoom == before.zoom
    assert canvas.viewport.x > before.x
    assert canvas.viewport.y == before.y
    turn(canvas, x=120, modifiers=Qt.KeyboardModifier.AltModifier)
    assert canvas.zoom > before.zoom, "with Alt some systems turn the plain wheel sideways"


@pytest.mark.parametrize("colour", [(128, 127, 125), (20, 250, 10), (255, 120, 240)])
def test_lines_of_the_grid_keep_the_hue(desk, colour):
    canvas = desk.canvas
    image = np.full((150, 200, 3), colour, np.uint8)
    canvas.show_image(image, LabelMap(np.full((150, 200), 255, np.uint8)), "plain")
    canvas.set_grid(True)
    canvas.set_view(canvas.viewport.zoomed(12, 320, 240))
    desk.away()
    row = seen(canvas)[260, 100:500, :3].astype(int)
    line = row[(row != row[6]).any(axis=1)]
    shifts = line - row[6] if (row[6] == colour).all() else line - np.array(colour)
    assert len(line)
    assert (np.sign(shifts) * np.sign(shifts.sum(axis=1, keepdims=True)) >= 0).all(), "all channels to one side"


@pytest.mark.parametrize("ground", [20, 240])
def test_large_pixels_are_parted_by_a_faint_grid_that_can_be_switched_off(desk, ground):
    canvas = desk.canvas
    image = np.full((150, 200, 3), ground, np.uint8)
    canvas.show_image(image, LabelMap(np.full((150, 200), 255, np.uint8)), "plain")
    canvas.set_grid(True)
    desk.away()

    def lines() -> set[int]:
        row = seen(canvas)[260, 100:500, 0]
        return set(np.diff(np.flatnonzero(row != ground)).tolist())

    canvas.set_view(canvas.viewport.zoomed(7.5, 320, 240))
    assert lines() == set()
    canvas.set_view(canvas.viewport.zoomed(12, 320, 240))
    assert lines() == {12}
    before = seen(canvas)
    for left in range(90, 104):  # as parts of a huge image arrive
        canvas._scene.image_changed(Rect(left, 60, left + 1, 80))
        canvas.update()
    assert np.array_equal(seen(canvas), before), "also where it is drawn piece by piece"
    contrast = np.abs(seen(canvas)[255:270, 100:500] - ground).max()
    assert 10 < contrast < 50, "to be seen, and faint"
    canvas.set_smooth(True)
    assert lines() == set()
    canvas.set_smooth(False)
    canvas.set_grid(False)
    assert lines() == set()


def test_the_grid_is_part_of_the_picture_below_so_that_no_dab_draws_it(desk, monkeypatch):
    canvas = desk.canvas
    canvas.set_grid(True)
    canvas.set_view(canvas.viewport.zoomed(12, 320, 240))
    canvas.grab()
    drawn = []
    real = scene.draw_grid
    monkeypatch.setattr(scene, "draw_grid", lambda *given: drawn.append(given) or real(*given))
    desk.drag((95, 70), (105, 75), (110, 80))
    canvas.grab()
    assert drawn == []
    canvas.set_view(canvas.viewport.moved(3, 0))
    canvas.grab()
    assert len(drawn) == 1


def test_borders_of_patches_near_the_pointer_are_shown_faintly(desk, qtbot):
    canvas = desk.canvas
    image = np.random.default_rng(0).integers(0, 40, (150, 200, 3), np.uint8)
    image[:, 100:] += 150
    canvas.show_image(image, LabelMap(np.full((150, 200), 255, np.uint8)), "two")
    canvas.set_tool("superpixels")
    desk.move(60, 75)
    qtbot.waitUntil(lambda: not canvas.gesture.unready)
    lines = canvas.gesture.lines
    assert len(lines) > 20
    near = 2.5 * canvas.options.patch + 1
    assert (np.abs(lines[:, ::2] - 60.5) <= near).all(), "only near by"
    desk.click(60, 75)
    desk.move(64, 75)
    desk.move(60, 75)
    with_lines = seen(canvas)
    canvas.gesture.lines = None
    assert (np.abs(seen(canvas) - with_lines).max(axis=2) > 10).sum() > 100
    canvas.set_tool("brush")
    canvas.set_tool("superpixels")
    assert canvas.gesture.lines is None


def test_border_lines_are_where_numbers_change():
    patches = np.array([[1, 1, 2], [1, 1, 2], [3, 3, 2]])
    lines = {tuple(line) for line in border_lines(Rect(10, 20, 13, 23), patches).tolist()}
    assert lines == {(12, 20, 12, 23), (10, 22, 12, 22)}


def test_a_size_can_be_changed_where_there_is_no_image(desk):
    desk.canvas.show_image(None, None)
    desk.canvas.brush_larger()
    QTest.mouseMove(desk.canvas, QPoint(30, 30))
    desk.canvas.grab()
    assert desk.canvas.brush == 10
